//! Transactions as their tenants meet them: an appliance, a wallet behind its policy, and a real node behind three fronts of which one lies.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::sync::Arc;
use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{Anvil, HttpNodes};
use r3e_client::{ApiKey, ClientError, TenantChannel};
use r3e_e2e::command::Home;
use r3e_e2e::front::Manner;
use r3e_proto::api::identity::Scope;
use r3e_proto::api::transactions::{Outcome, SendTransaction, Stage, Transaction};
use r3e_proto::api::wallets::CreateWallet;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

const LIMIT: Duration = Duration::from_mins(2);
const TO: &str = "0x0808080808080808080808080808080808080808";
const ELSEWHERE: &str = "0x0909090909090909090909090909090909090909";
/// What stands above a block that is final.
const CONFIRMATIONS: u32 = 12;

/// A wallet that may send a wei at a time to one address, and nothing to itself. Gives its address.
async fn wallet(channel: &mut TenantChannel, name: &str, api_keys: bool) -> String {
    let create: CreateWallet = serde_json::from_value(json!({
        "key_type": "secp256k1",
        "policy": {
            "chains": [{
                "chain_id": Anvil::CHAIN,
                "recipients": { "only": [{ "address": TO, "transfer": true }] },
                "max_value": "1", "max_fee": "10000000000000000", "max_spend": "100000000000000000",
            }],
            "window": { "seconds": 3_600, "max_signatures": 50 },
            "api_keys": api_keys,
        },
    }))
    .unwrap();
    channel.create_wallet(name, &create).await.unwrap().wallet.address
}

fn one_wei(to: &str) -> SendTransaction {
    serde_json::from_value(json!({
        "wallet": "w", "chain_id": Anvil::CHAIN,
        "call": { "to": to, "value": "1", "gas_limit": 21_000, "fee_limit": "2100000000000000" },
    }))
    .unwrap()
}

async fn until(channel: &mut TenantChannel, name: &str, holds: impl Fn(&Transaction) -> bool) -> Transaction {
    let deadline = Instant::now() + LIMIT;
    loop {
        let transaction = channel.transaction(name).await.unwrap();
        if holds(&transaction) {
            return transaction;
        }
        assert!(Instant::now() < deadline, "{transaction:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn code(result: Result<Transaction, ClientError>) -> String {
    result.unwrap_err().code().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn a_wallet_sends_what_its_policy_allows_once() -> anyhow::Result<()> {
    let anvil = Arc::new(Anvil::start().await?);
    let node = HttpNodes::new(&[anvil.port()]);
    let network = format!("eip155:{}", anvil.chain());
    let Behind { fronts, mut appliance, alice } = behind_fronts::start(&network, anvil.port(), "").await;
    let mut channel = alice.channel().await;
    let account = wallet(&mut channel, "w", false).await;
    let balance = |address: Value| {
        let node = node.clone();
        async move { node.ask("eth_getBalance", json!([address, "latest"])).await }
    };

    // Without money it waits, and says so.
    channel.send_transaction("first", &one_wei(TO)).await?;
    let poor = until(&mut channel, "first", |it| it.trouble.is_some()).await;
    assert!(poor.trouble.unwrap().to_lowercase().contains("insufficient funds"));
    node.ask("anvil_setBalance", json!([account, "0xde0b6b3a7640000"])).await?;
    // One of three says that everything failed, and that nothing was ever sent.
    fronts[2].behave(Manner::Lying("\"0x1\"".into(), "\"0x0\"".into()));
    anvil.mine(1).await?;
    let deadline = Instant::now() + LIMIT;
    while balance(json!(TO)).await? != json!("0x1") {
        assert!(Instant::now() < deadline, "{:?}", channel.transaction("first").await);
        sleep(Duration::from_millis(500)).await;
        anvil.mine(1).await?;
    }
    let included = until(&mut channel, "first", |it| it.stage == Stage::Included).await;
    assert_eq!(included.nonce, Some(0));

    // Killed before it is final, the appliance knows it again.
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let mut channel = alice.channel().await;
    anvil.mine(CONFIRMATIONS).await?;
    let ended = until(&mut channel, "first", |it| it.stage == Stage::Ended).await;
    let Some(Outcome::Included(included)) = &ended.outcome else { panic!("{ended:?}") };
    assert!(included.succeeded);
    // Asked for again, it is the one that there is; the name means nothing else.
    let again = channel.send_transaction("first", &one_wei(TO)).await?;
    assert_eq!(again.outcome, ended.outcome);
    assert_eq!(code(channel.send_transaction("first", &one_wei(ELSEWHERE)).await), "conflict");

    // What the policy does not allow is never signed, and takes no nonce.
    channel.send_transaction("elsewhere", &one_wei(ELSEWHERE)).await?;
    let refused = until(&mut channel, "elsewhere", |it| it.stage == Stage::Ended).await;
    let Some(Outcome::Refused { code: why, .. }) = refused.outcome else { panic!("{refused:?}") };
    assert_eq!((why.as_str(), refused.nonce), ("recipient_not_allowed", None));

    // The command waits until its block is final.
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem"))?;
    let miner = Arc::clone(&anvil);
    let mining = tokio::spawn(async move {
        loop {
            miner.mine(1).await.unwrap();
            sleep(Duration::from_millis(200)).await;
        }
    });
    let chain = Anvil::CHAIN.to_string();
    let send = |name: &'static str, to: &'static str| {
        ["chain", "send", name, "--wallet", "w", "--chain-id", &chain, "--to", to, "--value", "1"]
            .into_iter()
            .chain(["--gas-limit", "21000", "--fee-limit", "2100000000000000", "--wait"])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let arguments = send("second", TO);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = home.r3e(&arguments).ok();
    assert!(done.out.contains("done") && done.err.contains("not final yet"), "{}{}", done.out, done.err);
    let arguments = send("third", ELSEWHERE);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let refused = home.r3e(&arguments).exits(4);
    assert!(refused.err.contains("recipient_not_allowed"), "{}", refused.err);
    mining.abort();
    let listed = home.r3e(&["chain", "tx", "--json"]).ok().json();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["elsewhere", "first", "second", "third"]);
    assert_eq!(balance(json!(TO)).await?, json!("0x2"));

    // An API key with the scope sees them, and gives none up: that is signed for the tenant itself.
    let secret = alice.signed_in().await.create_key("ci", &[Scope::Wallets]).await?.secret;
    let key = ApiKey::parse(Zeroizing::new(secret))?;
    let mut by_key = alice.connect().await.with_api_key(&key).await?;
    assert_eq!(by_key.transaction("first").await?.name, "first");
    assert_eq!(code(by_key.cancel_transaction("first").await), "unauthenticated");

    // Others' transactions are nobody's.
    let mut stranger = r3e_e2e::Tenant::admitted(&appliance, "bob").await.channel().await;
    assert_eq!(code(stranger.transaction("first").await), "not_found");
    assert_eq!(code(stranger.cancel_transaction("first").await), "not_found");
    assert!(stranger.transactions(None).await?.transactions.is_empty());
    assert_eq!(code(stranger.send_transaction("x", &one_wei(TO)).await), "not_found");
    let unknown = SendTransaction { chain_id: 1, ..one_wei(TO) };
    assert_eq!(code(channel.send_transaction("unknown", &unknown).await), "bad_request");
    Ok(())
}
