//! A feed's answers on a chain: exchanges, an appliance, a wallet, a node behind fronts, and the contract that consumers read.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;
mod published;

use std::sync::Arc;
use std::time::Duration;

use behind_fronts::Behind;
use published::{LIMIT, feed, trouble};
use r3e_chain_under_test::{Account, Anvil, Contract, FeedContract, HttpNodes, Word};
use r3e_client::TenantChannel;
use r3e_e2e::exchanges::Exchanges;
use r3e_e2e::front::Manner;
use r3e_proto::api::wallets::CreateWallet;
use r3e_proto::report::FeedId;
use serde_json::json;
use tokio::time::{Instant, sleep};

/// The chain, whose blocks come by themselves, and the feed's contract on it.
struct World {
    anvil: Arc<Anvil>,
    contract: Contract,
    reader: Account,
}

impl World {
    async fn latest(&self) -> Option<(Word, i128)> {
        let asked =
            self.contract.ask(&self.anvil, self.reader.address, ("latestRoundData", &[])).await.ok()?;
        Some((asked[0], i128::from_be_bytes(asked[1][16..].try_into().unwrap())))
    }

    /// Waits until consumers read this answer.
    async fn until(&self, channel: &mut TenantChannel, answer: i128) -> Word {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.latest().await {
                Some((round, found)) if found == answer => return round,
                other => {
                    let published = channel.feed_publications("btc-usd").await;
                    assert!(Instant::now() < deadline, "{other:?} for {answer}: {published:?}");
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn answers_land_on_the_chain_by_themselves() -> anyhow::Result<()> {
    let anvil = Arc::new(Anvil::start().await?);
    let (chain, node) = (anvil.chain(), HttpNodes::new(&[anvil.port()]));
    let exchanges = Exchanges::start("64000").await;
    let beside = (exchanges.authority().to_owned(), exchanges.resolve_rules());
    let network = format!("eip155:{chain}");
    let behind = behind_fronts::start_beside(&network, anvil.port(), "", beside).await;
    let Behind { fronts, mut appliance, alice } = behind;
    let mut channel = alice.channel().await;

    // The contract takes what the attested key signs for this definition.
    let made = channel.set_feed("btc-usd", &feed(&json!({}))).await?;
    let mut admin = Account::number(0, chain)?;
    let settings = FeedContract {
        id: FeedId::named("btc-usd").unwrap().0,
        decimals: 2,
        history: 0,
        signer: channel.oracle_key().await?.evm_address,
        config: made.config_digest.0,
        attestation: FeedContract::ATTESTATION,
    };
    let contract = Contract::deploy_feed(&anvil, &mut admin, settings).await?;
    // Another one expects another definition: it reverts whatever it is brought.
    let stern = FeedContract { config: [9; 32], ..settings };
    let stern = Contract::deploy_feed(&anvil, &mut admin, stern).await?.address;
    let world = World { anvil: Arc::clone(&anvil), contract, reader: Account::number(1, chain)? };
    assert_eq!(world.latest().await, None, "nobody asked for it to be brought there");

    // A wallet that may do this alone.
    let address = world.contract.address;
    let methods = json!({ "only": [world.contract.method("transmit")?] });
    let create: CreateWallet = serde_json::from_value(json!({
        "key_type": "secp256k1",
        "policy": {
            "chains": [{
                "chain_id": chain,
                "recipients": { "only": [
                    { "address": address, "methods": methods }, { "address": stern, "methods": methods },
                ] },
                "max_value": "0", "max_fee": "10000000000000000", "max_spend": "500000000000000000",
            }],
            "window": { "seconds": 3_600, "max_signatures": 500 },
        },
    }))?;
    let account = channel.create_wallet("feeder", &create).await?.wallet.address;
    node.ask("anvil_setBalance", json!([account, "0xde0b6b3a7640000"])).await?;
    let (target, refusing) = (format!("eip155:{chain}:{address}"), format!("eip155:{chain}:{stern}"));
    let paid = |wallet: &str, fee_limit: &str| {
        let publish = json!([{ "target": target, "wallet": wallet, "fee_limit": fee_limit }]);
        json!({ "targets": [target, refusing], "publish": publish })
    };
    let publish = paid("feeder", "5000000000000000");
    channel.set_feed("btc-usd", &feed(&publish)).await?;
    let miner = Arc::clone(&anvil);
    let mining = tokio::spawn(async move {
        loop {
            sleep(Duration::from_millis(250)).await;
            miner.mine(1).await.unwrap();
        }
    });
    world.until(&mut channel, 6_400_000).await;

    // One node lies from here on, and the appliance is killed while answers move.
    fronts[1].behave(Manner::Lying("\"0x1\"".into(), "\"0x0\"".into()));
    let mut round = [0; 32];
    for number in 1..=3 {
        let dollars = 64_000 + 300 * number;
        exchanges.all_say(&dollars.to_string());
        if number == 2 {
            drop(channel);
            appliance.kill_enclave();
            appliance.start_enclave();
            appliance.ready().await;
            channel = alice.channel().await;
        }
        let landed = world.until(&mut channel, dollars * 100).await;
        assert!(landed > round, "rounds rise");
        round = landed;
    }

    // Too little for any block: it waits, and says so; paid enough, the same report lands at once.
    channel.set_feed("btc-usd", &feed(&paid("feeder", "150000"))).await?;
    exchanges.all_say("65500");
    trouble(&mut channel, "").await;
    channel.set_feed("btc-usd", &feed(&publish)).await?;
    world.until(&mut channel, 6_550_000).await;

    // Made again under its name before anybody looks, it goes on.
    channel.delete_feed("btc-usd").await?;
    channel.set_feed("btc-usd", &feed(&publish)).await?;
    exchanges.all_say("66000");
    round = world.until(&mut channel, 6_600_000).await;

    // What is reverted, and what is not allowed any more, is said, and the contract keeps what it has.
    let mut elsewhere = publish.clone();
    elsewhere["publish"][0]["target"] = json!(refusing);
    channel.set_feed("btc-usd", &feed(&elsewhere)).await?;
    trouble(&mut channel, "reverted").await;
    channel.set_feed("btc-usd", &feed(&paid("nobody", "5000000000000000"))).await?;
    exchanges.all_say("66500");
    trouble(&mut channel, "nobody").await;
    assert_eq!(world.latest().await.unwrap().0, round);
    mining.abort();
    Ok(())
}
