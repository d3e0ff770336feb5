//! A feed's answers on Neo N3: exchanges, an appliance, a wallet, a node behind fronts, and the contract that consumers read.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;
mod published;

use std::time::Duration;

use behind_fronts::Behind;
use published::{LIMIT, feed, trouble};
use r3e_chain_under_test::{HttpNodes, NeoAccount, NeoFeed, NeoGo};
use r3e_client::TenantChannel;
use r3e_e2e::exchanges::Exchanges;
use r3e_e2e::front::Manner;
use r3e_neo::{Argument, Hash160};
use r3e_proto::api::wallets::{CreateWallet, SignRequest, WalletDetails};
use r3e_proto::report::FeedId;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// The native contract of GAS.
const GAS: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";

struct World {
    neogo: NeoGo,
    admin: NeoAccount,
    contract: Hash160,
}

impl World {
    /// The last round's sequence and answer.
    async fn latest(&self) -> Option<(i128, i128)> {
        let asked = self.admin.ask(&self.neogo, self.contract, "latestRoundData", &[]).await.ok()?;
        let items = asked.stack.first()?["value"].as_array()?.clone();
        let number = |at: usize| items.get(at)?["value"].as_str()?.parse().ok();
        Some((number(0)?, number(1)?))
    }

    /// Waits until consumers read this answer.
    async fn until(&self, channel: &mut TenantChannel, answer: i128) -> i128 {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.latest().await {
                Some((round, found)) if found == answer => return round,
                other => {
                    let published = channel.feed_publications("btc-usd").await;
                    assert!(Instant::now() < deadline, "{other:?} for {answer}: {published:?}");
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Of 10^-8 GAS.
    async fn balance(&self, account: Hash160) -> i128 {
        let of = [Argument::Hash160(account)];
        let asked = self.admin.ask(&self.neogo, GAS.parse().unwrap(), "balanceOf", &of).await.unwrap();
        asked.stack[0]["value"].as_str().unwrap().parse().unwrap()
    }
}

/// A wallet for what `rules` allow, with some GAS.
async fn wallet(
    channel: &mut TenantChannel,
    neogo: &NeoGo,
    name: &str,
    rules: Value,
) -> anyhow::Result<WalletDetails> {
    let mut rules = rules;
    rules["magic"] = json!(NeoGo::MAGIC);
    let create: CreateWallet = serde_json::from_value(json!({
        "key_type": "secp256r1",
        "policy": { "neo": [rules], "window": { "seconds": 3_600, "max_signatures": 100 } },
    }))?;
    let made = channel.create_wallet(name, &create).await?;
    neogo.give(&made.wallet.address, 20).await?;
    Ok(made)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn answers_land_on_neo_by_themselves() -> anyhow::Result<()> {
    let neogo = NeoGo::start().await?;
    let admin = NeoAccount::new(1)?;
    neogo.give(&admin.address(), 500).await?;
    let exchanges = Exchanges::start("64000").await;
    let beside = (exchanges.authority().to_owned(), exchanges.resolve_rules());
    let network = format!("neo-n3:{}", NeoGo::MAGIC);
    let behind = behind_fronts::start_beside(&network, neogo.port(), "", beside).await;
    let Behind { fronts, mut appliance, alice } = behind;
    let mut channel = alice.channel().await;

    // The contract takes what the attested key signs for this definition.
    let made = channel.set_feed("btc-usd", &feed(&json!({}))).await?;
    let key = channel.oracle_key().await?.neo_public_key.0;
    let settings = NeoFeed {
        id: FeedId::named("btc-usd").unwrap().0,
        decimals: 2,
        signer: key.as_slice().try_into()?,
        config: made.config_digest.0,
        attestation: [0xa7; 32],
    };
    let contract = admin.deploy_feed(&neogo, settings).await?;
    // Another one expects another definition: it refuses whatever it is brought. An account has a contract of a name once.
    let other = NeoAccount::new(2)?;
    neogo.give(&other.address(), 50).await?;
    let stern = other.deploy_feed(&neogo, NeoFeed { config: [9; 32], ..settings }).await?;
    let world = World { neogo, admin, contract };
    assert_eq!(world.latest().await, None, "nobody asked for it to be brought there");

    // A wallet that may do this alone: no contract can act in its name.
    let transmit = json!({ "only": ["transmit"] });
    let rules = json!({
        "contracts": { "only": [
            { "hash": contract, "methods": transmit }, { "hash": stern, "methods": transmit },
        ] },
        "max_fee": "30000000", "max_spend": "1000000000",
    });
    let feeder = wallet(&mut channel, &world.neogo, "feeder", rules).await?.wallet.address;
    let (target, refusing) = (format!("{network}:{contract}"), format!("{network}:{stern}"));
    let paid = |wallet: &str, fee_limit: &str| {
        let publish = json!([{ "target": target, "wallet": wallet, "fee_limit": fee_limit }]);
        json!({ "targets": [target, refusing], "publish": publish })
    };
    let publish = paid("feeder", "30000000");
    channel.set_feed("btc-usd", &feed(&publish)).await?;
    let mut round = world.until(&mut channel, 6_400_000).await;

    // One node lies from here on, and the appliance is killed while answers move.
    fronts[1].behave(Manner::Lying("HALT".into(), "FAULT".into()));
    let before = world.balance(r3e_neo::parse_address(&feeder)?).await;
    for number in 1..=3 {
        let dollars = 64_000 + 300 * number;
        exchanges.all_say(&dollars.to_string());
        if number == 2 {
            drop(channel);
            sleep(Duration::from_millis(1_200)).await;
            appliance.kill_enclave();
            appliance.start_enclave();
            appliance.ready().await;
            channel = alice.channel().await;
        }
        let landed = world.until(&mut channel, dollars * 100).await;
        assert!(landed > round, "sequences rise");
        round = landed;
    }
    let spent = before - world.balance(r3e_neo::parse_address(&feeder)?).await;
    println!("three reports took {spent} of 10^-8 GAS");
    assert!((1..=3 * 22_000_000).contains(&spent), "each was paid for once: {spent}");

    // Too little for what it costs: it waits, and says so; paid enough, it lands.
    channel.set_feed("btc-usd", &feed(&paid("feeder", "1000"))).await?;
    exchanges.all_say("65500");
    trouble(&mut channel, "fee_limit").await;
    channel.set_feed("btc-usd", &feed(&publish)).await?;
    round = world.until(&mut channel, 6_550_000).await;

    // What the contract refuses, and what is not allowed, is said; nothing is paid for it.
    let before = world.balance(r3e_neo::parse_address(&feeder)?).await;
    let mut elsewhere = publish.clone();
    elsewhere["publish"][0]["target"] = json!(refusing);
    channel.set_feed("btc-usd", &feed(&elsewhere)).await?;
    trouble(&mut channel, "NotSigned").await;
    wallet(
        &mut channel,
        &world.neogo,
        "shopper",
        json!({
            "contracts": { "only": [{ "hash": GAS, "methods": { "only": ["transfer"] }, "witness": true }] },
            "max_value": "100000000", "max_fee": "30000000", "max_spend": "1000000000",
        }),
    )
    .await?;
    channel.set_feed("btc-usd", &feed(&paid("shopper", "30000000"))).await?;
    exchanges.all_say("66500");
    trouble(&mut channel, "contract_not_allowed").await;
    assert_eq!(world.latest().await.unwrap().0, round);
    assert_eq!(world.balance(r3e_neo::parse_address(&feeder)?).await, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_wallet_sends_gas_as_far_as_its_policy_goes() -> anyhow::Result<()> {
    let neogo = NeoGo::start().await?;
    let network = format!("neo-n3:{}", NeoGo::MAGIC);
    let Behind { appliance: _appliance, fronts: _fronts, alice } =
        behind_fronts::start(&network, neogo.port(), "").await;
    let mut channel = alice.channel().await;
    let friend = NeoAccount::new(5)?;
    let rules = json!({
        "contracts": { "only": [{
            "hash": GAS, "methods": { "only": ["transfer"] }, "witness": true, "recipients": [friend.address()],
        }] },
        "max_value": "300000000", "max_fee": "30000000", "max_spend": "500000000",
    });
    let sender = wallet(&mut channel, &neogo, "spender", rules).await?.wallet.address;
    let node = HttpNodes::new(&[neogo.port()]);
    let height = node.ask("getblockcount", json!([])).await?.as_u64().unwrap();
    let request = |changes: Value| -> anyhow::Result<SignRequest> {
        let mut payload = json!({
            "kind": "neo_transaction", "magic": NeoGo::MAGIC, "nonce": 7, "sender": sender,
            "contract": GAS, "method": "transfer", "scope": "called_by_entry",
            "arguments": [
                { "type": "account", "value": sender }, { "type": "account", "value": friend.address() },
                { "type": "integer", "value": "300000000" }, { "type": "null" },
            ],
            "system_fee": "10000000", "network_fee": "2000000", "valid_until_block": height + 50,
        });
        payload.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Ok(serde_json::from_value(json!({ "payload": payload }))?)
    };
    let to = |recipient: &str, amount: Value| {
        json!({ "arguments": [
            { "type": "account", "value": sender }, { "type": "account", "value": recipient }, amount, { "type": "null" },
        ] })
    };
    let amount = |amount: &str| json!({ "type": "integer", "value": amount });
    for (changes, code) in [
        (json!({ "magic": 860_833_102 }), "chain_not_allowed"),
        (json!({ "contract": "0xef4073a0f2b305a38ec4050e4d3d28bc40ea63f5" }), "contract_not_allowed"),
        (json!({ "method": "burn" }), "method_not_allowed"),
        (to(&sender, amount("1")), "recipient_not_allowed"),
        (to(&friend.address(), amount("300000001")), "value_over_limit"),
        (to(&friend.address(), amount("-1")), "value_over_limit"),
        (to(&friend.address(), json!({ "type": "bytes", "value": "0x01" })), "value_over_limit"),
        (json!({ "system_fee": "30000000" }), "fee_over_limit"),
    ] {
        let denied = channel.sign("spender", &request(changes.clone())?).await.unwrap_err().to_string();
        assert!(denied.contains(code), "{changes}: {denied}");
    }
    let stranger = request(json!({ "sender": friend.address() }))?;
    let refused = channel.sign("spender", &stranger).await.unwrap_err().to_string();
    assert!(refused.contains("the sender is"), "{refused}");

    let signed = channel.sign("spender", &request(json!({}))?).await?;
    let bytes =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signed.transaction.unwrap().0);
    let told = node.ask("sendrawtransaction", json!([bytes])).await?;
    assert_eq!(told["hash"], json!(signed.transaction_hash), "nodes call it the same");
    let deadline = Instant::now() + LIMIT;
    let log = loop {
        match node.ask("getapplicationlog", json!([signed.transaction_hash])).await {
            Ok(log) => break log,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(log["executions"][0]["vmstate"], json!("HALT"));
    let asked = friend.ask(&neogo, GAS.parse()?, "balanceOf", &[Argument::Hash160(friend.hash)]).await?;
    assert_eq!(asked.stack[0]["value"], json!("300000000"));
    // What one window may send and cost is used up by it.
    let denied = channel.sign("spender", &request(json!({ "nonce": 8 }))?).await.unwrap_err().to_string();
    assert!(denied.contains("window_spend_over_limit"), "{denied}");
    Ok(())
}
