//! What functions send to a chain, by wallets whose policies name their versions, over a real node.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::sync::Arc;
use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{Anvil, HttpNodes};
use r3e_client::TenantChannel;
use r3e_e2e::front::Manner;
use r3e_e2e::tenant::output;
use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::wallets::{CreateWallet, SetPolicy};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const TO: &str = "0x0808080808080808080808080808080808080808";
const ELSEWHERE: &str = "0x0909090909090909090909090909090909090909";
/// What stands above a block that is final.
const CONFIRMATIONS: u32 = 12;

/// Sends what the event says, or tells how far it is; the error's code where it cannot.
const PAY: &str = "export default async ({ name, ...transaction }) => {
    try { return await (name ? r3e.chain.sent(name) : r3e.chain.send(transaction)); } catch (error) { return `${error.code}: ${error.message}`; }
};";

/// Deploys a function that may use the wallet, with `more` at its source's end. Its name and its version.
async fn deploy(channel: &mut TenantChannel, name: &str, more: &str) -> anyhow::Result<String> {
    let (networks, wallets) = (vec![format!("eip155:{}", Anvil::CHAIN)], vec!["w".to_owned()]);
    let permissions = Permissions { networks, wallets, ..Permissions::default() };
    let function =
        channel.deploy(name, &Deploy { permissions, ..Deploy::javascript(format!("{PAY}{more}")) }).await?;
    Ok(format!("{name}@{}", function.version))
}

async fn told(channel: &mut TenantChannel, function: &str, event: Value) -> Value {
    output(&channel.invoke(function, event.to_string()).await.unwrap())
}

/// Waits until the function is told so.
async fn until(channel: &mut TenantChannel, name: &Value, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + LIMIT;
    loop {
        let told = told(channel, "payer", json!({ "name": name })).await;
        if holds(&told) {
            return told;
        }
        assert!(Instant::now() < deadline, "{told}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn one_wei(key: &str, to: &str) -> Value {
    json!({
        "wallet": "w", "network": format!("eip155:{}", Anvil::CHAIN), "to": to, "value": "1",
        "gasLimit": 21_000, "feeLimit": "2100000000000000", "key": key,
    })
}

fn is_denied(told: &Value, code: &str) -> bool {
    told.as_str().is_some_and(|text| text.starts_with("denied: ") && text.contains(code))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn a_function_pays_by_a_wallet_that_names_its_version() -> anyhow::Result<()> {
    let anvil = Arc::new(Anvil::start().await?);
    let node = HttpNodes::new(&[anvil.port()]);
    let network = format!("eip155:{}", anvil.chain());
    let Behind { fronts, mut appliance, alice } = behind_fronts::start(&network, anvil.port(), "").await;
    fronts[0].behave(Manner::Lying("\"0x1\"".into(), "\"0x0\"".into()));
    let mut channel = alice.channel().await;
    let payer = deploy(&mut channel, "payer", "").await?;
    let policy = |functions: &[&String]| {
        json!({
            "chains": [{
                "chain_id": Anvil::CHAIN, "recipients": { "only": [{ "address": TO, "transfer": true }] },
                "max_value": "1", "max_fee": "10000000000000000", "max_spend": "100000000000000000",
            }],
            "window": { "seconds": 3_600, "max_signatures": 50 },
            "functions": functions,
        })
    };
    let create: CreateWallet =
        serde_json::from_value(json!({ "key_type": "secp256k1", "policy": policy(&[]) }))?;
    let made = channel.create_wallet("w", &create).await?.wallet;
    node.ask("anvil_setBalance", json!([made.address, "0xde0b6b3a7640000"])).await?;
    let balance = async || node.ask("eth_getBalance", json!([TO, "latest"])).await.unwrap();

    // The function's grant is none of the wallet's, and a name without a version is no grant.
    assert!(is_denied(&told(&mut channel, "payer", one_wei("rent", TO)).await, "function_not_allowed"));
    let set = |functions: &[&String], revision: u64| -> SetPolicy {
        serde_json::from_value(json!({ "policy": policy(functions), "revision": revision, "approvals": [] }))
            .unwrap()
    };
    let mut own = alice.signed_in().await;
    let named = own.set_wallet_policy("w", &set(&[&"payer".to_owned()], 1)).await;
    assert_eq!(named.unwrap_err().code(), "bad_request");
    own.set_wallet_policy("w", &set(&[&payer], 1)).await?;

    // What the policy denies, it denies at once; nothing is left of it.
    assert!(is_denied(
        &told(&mut channel, "payer", one_wei("other", ELSEWHERE)).await,
        "recipient_not_allowed"
    ));
    let mut dear = one_wei("dear", TO);
    dear["feeLimit"] = json!("10000000000021000");
    assert!(is_denied(&told(&mut channel, "payer", dear).await, "fee_over_limit"));
    assert!(channel.transactions(None).await?.transactions.is_empty());

    // Asked for twice, and in another life, it is one; and no other function is told of it.
    let first = told(&mut channel, "payer", one_wei("rent", TO)).await;
    assert_eq!((&first["stage"], &first["outcome"]), (&json!("waiting"), &Value::Null));
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let mut channel = alice.channel().await;
    let again = told(&mut channel, "payer", one_wei("rent", TO)).await;
    assert_eq!(again["name"], first["name"]);
    let conflict = told(&mut channel, "payer", one_wei("rent", ELSEWHERE)).await;
    assert!(conflict.as_str().unwrap().starts_with("conflict: "), "{conflict}");
    deploy(&mut channel, "other", "").await?;
    let hidden = told(&mut channel, "other", json!({ "name": first["name"] })).await;
    assert!(hidden.as_str().unwrap().starts_with("not_found: "), "{hidden}");
    let deadline = Instant::now() + LIMIT;
    while balance().await != json!("0x1") {
        assert!(Instant::now() < deadline, "{:?}", channel.transactions(None).await);
        anvil.mine(1).await?;
        sleep(Duration::from_millis(200)).await;
    }
    anvil.mine(CONFIRMATIONS).await?;
    let ended = until(&mut channel, &first["name"], |it| it["stage"] == "ended").await;
    assert_eq!((&ended["outcome"], &ended["succeeded"]), (&json!("included"), &json!(true)));
    let receipt = node.ask("eth_getTransactionReceipt", json!([ended["hash"]])).await?;
    assert_eq!(receipt["blockNumber"], json!(format!("{:#x}", ended["height"].as_u64().unwrap())));
    assert_eq!(told(&mut channel, "payer", one_wei("rent", TO)).await, ended);

    // The tenant sees whose it was; the wallet's audit, too.
    let shown = channel.transaction(first["name"].as_str().unwrap()).await?;
    assert_eq!(shown.function.as_deref(), Some(payer.as_str()));
    let audit = channel.wallet_audit("w").await?;
    assert!(audit.entries.iter().any(|entry| entry.by == payer && entry.denied.is_none()));

    // Other code under the same name pays nothing new, and is told of what there is.
    let changed = deploy(&mut channel, "payer", "\n// changed").await?;
    assert_ne!(changed, payer);
    assert!(is_denied(&told(&mut channel, "payer", one_wei("more", TO)).await, "function_not_allowed"));
    assert_eq!(told(&mut channel, "payer", one_wei("rent", TO)).await, ended);
    assert_eq!(balance().await, json!("0x1"));

    // What waits when its version is named no more, is not signed.
    node.ask("anvil_setBalance", json!([made.address, "0x0"])).await?;
    let mut own = alice.signed_in().await;
    own.set_wallet_policy("w", &set(&[&payer, &changed], 2)).await?;
    let poor = told(&mut channel, "payer", one_wei("late", TO)).await;
    until(&mut channel, &poor["name"], |it| it["hash"].is_string()).await;
    let waiting = told(&mut channel, "payer", one_wei("later", TO)).await;
    let stage = &told(&mut channel, "payer", json!({ "name": waiting["name"] })).await["stage"];
    assert!(["waiting", "pending"].contains(&stage.as_str().unwrap()), "{stage}");
    own.set_wallet_policy("w", &set(&[], 3)).await?;
    assert!(is_denied(&told(&mut channel, "payer", one_wei("last", TO)).await, "function_not_allowed"));

    // Nobody else takes such a name.
    let taken: r3e_proto::api::transactions::SendTransaction = serde_json::from_value(json!({
        "wallet": "w", "chain_id": Anvil::CHAIN,
        "call": { "to": TO, "value": "1", "gas_limit": 21_000, "fee_limit": "2100000000000000" },
    }))?;
    assert_eq!(channel.send_transaction("x-1", &taken).await.unwrap_err().code(), "bad_request");
    Ok(())
}
