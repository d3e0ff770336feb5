//! A feed's contract that the tool deploys by a wallet, and what it takes.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;
mod published;

use std::sync::Arc;
use std::time::Duration;

use behind_fronts::Behind;
use published::{LIMIT, feed};
use r3e_chain_under_test::{Account, Anvil, Contract, HttpNodes, of_address, word};
use r3e_e2e::command::Home;
use r3e_e2e::exchanges::Exchanges;
use r3e_e2e::front::Manner;
use r3e_proto::api::wallets::{CreateWallet, EvmAddress};
use r3e_proto::report::FeedId;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

const ADMIN: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn a_feeds_contract_is_deployed_by_the_tool_and_takes_its_reports() -> anyhow::Result<()> {
    let anvil = Arc::new(Anvil::start().await?);
    let (chain, node) = (anvil.chain(), HttpNodes::new(&[anvil.port()]));
    let exchanges = Exchanges::start("64000").await;
    let beside = (exchanges.authority().to_owned(), exchanges.resolve_rules());
    let network = format!("eip155:{chain}");
    let Behind { appliance, alice, fronts } =
        behind_fronts::start_beside(&network, anvil.port(), "", beside).await;
    let mut channel = alice.channel().await;
    let made = channel.set_feed("btc-usd", &feed(&json!({}))).await?;

    // One node lies about all there is; the others are believed.
    fronts[1].behave(Manner::Lying("0x".into(), "0x1".into()));
    let account = channel.create_wallet("deployer", &deployer(chain)?).await?.wallet.address;
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem"))?;
    let funds = || home.r3e(&["wallets", "fund-check", "deployer", "--json"]).ok().json();
    assert_eq!(funds()["funds"], json!([{ "network": network, "account": account, "balance": "0" }]));
    node.ask("anvil_setBalance", json!([account, "0xde0b6b3a7640000"])).await?;
    anvil.mine(3).await?;
    // What nodes said a moment ago is over.
    sleep(Duration::from_millis(500)).await;
    let status = home.r3e(&["chain", "status", "--json"]).ok().json();
    assert_eq!(status[0]["network"], json!(network));
    assert_eq!((&status[0]["nodes"], &status[0]["agree"]), (&json!(3), &json!(2)));
    assert_eq!(
        node.ask("eth_blockNumber", json!([])).await?,
        json!(format!("{:#x}", status[0]["height"].as_u64().unwrap()))
    );
    let miner = Arc::clone(&anvil);
    let mining = tokio::spawn(async move {
        loop {
            miner.mine(1).await.unwrap();
            sleep(Duration::from_millis(200)).await;
        }
    });

    let chain_id = chain.to_string();
    let deploy = |name: &'static str, more: &[&'static str]| {
        let fixed =
            ["chain", "deploy", name, "--feed", "btc-usd", "--wallet", "deployer", "--chain-id", &chain_id];
        let rest = ["--admin", ADMIN, "--fee-limit", "80000000000000000", "--document", "btc-usd.document"];
        let arguments: Vec<&str> = [&fixed[..], &rest[..], more].concat();
        home.r3e(&arguments)
    };
    // What cannot be is refused before anything is sent.
    for wrong in
        [["--min-answer", "1.234"], ["--max-answer", "a lot"], ["--delay-s", "59"], ["--history", "257"]]
    {
        assert_eq!(deploy("wrong", &wrong).code, 2, "{wrong:?}");
    }
    assert!(!home.path("btc-usd.document").exists());

    let done = deploy("first", &["--min-answer", "1000", "--history", "2", "--json"]).ok().json();
    let contract: EvmAddress = done["contract"].as_str().unwrap().parse()?;
    let target = format!("{network}:{contract}");
    assert_eq!(done["target"], json!(target));
    let anyone = Account::number(1, chain)?.address;
    let aggregator = Contract::at("Aggregator", contract)?;
    let asked = async |name: &str| aggregator.ask(&anvil, anyone, (name, &[])).await;
    assert_eq!(asked("feedId").await?, [FeedId::named("btc-usd").unwrap().0]);
    assert_eq!(asked("decimals").await?, [word(2)]);
    assert_eq!(asked("minAnswer").await?, [word(100_000)]);
    assert_eq!(asked("history").await?, [word(2)]);
    assert_eq!(asked("admin").await?, [of_address(ADMIN.parse()?)]);
    let pair = asked("description").await?;
    assert_eq!((pair[1], &pair[2][..8]), (word(7), &b"BTC/USD\0"[..]));
    // The document that was saved is the one on record.
    let document: [u8; 32] = Sha256::digest(std::fs::read(home.path("btc-usd.document"))?).into();
    let signer = of_address(channel.oracle_key().await?.evm_address);
    let of = aggregator.ask(&anvil, anyone, ("authorityOf", &[signer, made.config_digest.0])).await?;
    assert_eq!(asked("authorities").await?[0], of[0]);
    assert_eq!(aggregator.ask(&anvil, anyone, ("attestationOf", &of)).await?, [document]);

    // The only copy of a document is not written over, and what was deployed is found under its name.
    std::fs::write(home.path("btc-usd.document"), "another one")?;
    let again = deploy("second", &[]);
    assert_eq!(std::fs::read(home.path("btc-usd.document"))?, b"another one");
    assert!(again.code == 2 && again.err.contains("only copy"), "{}", again.err);
    let shown = home.r3e(&["chain", "tx", "first"]).ok().out;
    assert!(shown.contains(&contract.to_string()), "{shown}");

    // It takes what the appliance brings.
    let publish = json!([{ "target": target, "wallet": "deployer", "fee_limit": "5000000000000000" }]);
    channel.set_feed("btc-usd", &feed(&json!({ "targets": [target], "publish": publish }))).await?;
    let deadline = Instant::now() + LIMIT;
    while asked("latestRoundData").await.ok().is_none_or(|round| round[1] != word(6_400_000)) {
        assert!(Instant::now() < deadline, "{:?}", channel.feed_publications("btc-usd").await);
        sleep(Duration::from_millis(200)).await;
    }
    mining.abort();

    // What is left pays for some reports, and not for a million.
    let checked = funds();
    let left: u128 = checked["funds"][0]["balance"].as_str().unwrap().parse()?;
    assert!((1..1_000_000_000_000_000_000).contains(&left), "{checked}");
    let publication = &checked["publications"][0];
    assert_eq!((&publication["feed"], &publication["target"]), (&json!("btc-usd"), &json!(target)));
    assert_eq!(publication["reports"], json!(u64::try_from(left / 5_000_000_000_000_000)?));
    let short = home.r3e(&["wallets", "fund-check", "deployer", "--reports", "1000000"]).exits(4);
    assert!(short.err.contains("1000000 reports of each feed"), "{}", short.err);
    // Where nodes do not agree, nothing is said of it.
    fronts[2].behave(Manner::Lying("0x".into(), "0x2".into()));
    sleep(Duration::from_secs(1)).await;
    let unknown = home.r3e(&["wallets", "fund-check", "deployer"]).exits(4);
    assert!(unknown.err.contains("not known"), "{}", unknown.err);
    Ok(())
}

/// A wallet that may create contracts, and call what it created.
fn deployer(chain: u64) -> serde_json::Result<CreateWallet> {
    serde_json::from_value(json!({
        "key_type": "secp256k1",
        "policy": {
            "chains": [{
                "chain_id": chain, "recipients": "any", "creation": true, "max_data_bytes": 16_384,
                "max_value": "0", "max_fee": "100000000000000000", "max_spend": "900000000000000000",
            }],
            "window": { "seconds": 3_600, "max_signatures": 100 },
        },
    }))
}
