//! What functions send to a chain, by wallets whose policies name their versions, over a real node.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{Anvil, HttpNodes};
use r3e_client::{ClientError, TenantChannel};
use r3e_e2e::front::Manner;
use r3e_e2e::tenant::output;
use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::transactions::{Attempt, Kind, SendTransaction};
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

/// An appliance with a wallet that has money, and a function whose version the wallet may come to name.
struct World {
    anvil: Anvil,
    node: HttpNodes,
    behind: Behind,
    account: String,
    payer: String,
}

impl World {
    async fn start() -> anyhow::Result<Self> {
        let anvil = Anvil::start().await?;
        let node = HttpNodes::new(&[anvil.port()]);
        let network = format!("eip155:{}", anvil.chain());
        let behind = behind_fronts::start(&network, anvil.port(), "").await;
        behind.fronts[0].behave(Manner::Lying("\"0x1\"".into(), "\"0x0\"".into()));
        let mut channel = behind.alice.channel().await;
        let payer = deploy(&mut channel, "payer", "").await?;
        let create = json!({ "key_type": "secp256k1", "policy": policy(&[], ELSEWHERE) });
        let create: CreateWallet = serde_json::from_value(create)?;
        let account = channel.create_wallet("w", &create).await?.wallet.address;
        node.ask("anvil_setBalance", json!([account, "0xde0b6b3a7640000"])).await?;
        Ok(Self { anvil, node, behind, account, payer })
    }

    /// Has the wallet name these versions, and no others.
    async fn name(&self, functions: &[&String], revision: u64) -> Result<(), ClientError> {
        let policy = policy(functions, &self.account);
        let set = json!({ "policy": policy, "revision": revision, "approvals": [] });
        let set: SetPolicy = serde_json::from_value(set).unwrap();
        self.behind.alice.signed_in().await.set_wallet_policy("w", &set).await.map(drop)
    }

    async fn balance(&self) -> Value {
        self.node.ask("eth_getBalance", json!([TO, "latest"])).await.unwrap()
    }

    async fn restart(&mut self) -> TenantChannel {
        self.behind.appliance.kill_enclave();
        self.behind.appliance.start_enclave();
        self.behind.appliance.ready().await;
        self.behind.alice.channel().await
    }
}

/// A wei at a time to one address, and to itself: that is what takes the place of something that is given up.
fn policy(functions: &[&String], own: &str) -> Value {
    json!({
        "chains": [{
            "chain_id": Anvil::CHAIN,
            "recipients": { "only": [{ "address": TO, "transfer": true }, { "address": own, "transfer": true }] },
            "max_value": "1", "max_fee": "10000000000000000", "max_spend": "100000000000000000",
        }],
        "window": { "seconds": 3_600, "max_signatures": 50 },
        "functions": functions,
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn a_function_pays_by_a_wallet_that_names_its_version() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut channel = world.behind.alice.channel().await;
    let payer = world.payer.clone();
    // The function's grant is none of the wallet's, and a name without a version is no grant.
    assert!(is_denied(&told(&mut channel, "payer", one_wei("rent", TO)).await, "function_not_allowed"));
    let named = world.name(&[&"payer".to_owned()], 1).await;
    assert_eq!(named.unwrap_err().code(), "bad_request");
    world.name(&[&payer], 1).await?;

    // What the policy denies, it denies at once; nothing is left of it.
    let elsewhere = told(&mut channel, "payer", one_wei("other", ELSEWHERE)).await;
    assert!(is_denied(&elsewhere, "recipient_not_allowed"), "{elsewhere}");
    let mut dear = one_wei("dear", TO);
    dear["feeLimit"] = json!("10000000000021000");
    assert!(is_denied(&told(&mut channel, "payer", dear).await, "fee_over_limit"));
    assert!(channel.transactions(None).await?.transactions.is_empty());

    // Asked for twice, and in another life, it is one; and no other function is told of it.
    let first = told(&mut channel, "payer", one_wei("rent", TO)).await;
    assert_eq!((&first["stage"], &first["outcome"]), (&json!("waiting"), &Value::Null));
    let mut channel = world.restart().await;
    let again = told(&mut channel, "payer", one_wei("rent", TO)).await;
    assert_eq!(again["name"], first["name"]);
    let conflict = told(&mut channel, "payer", one_wei("rent", ELSEWHERE)).await;
    assert!(conflict.as_str().unwrap().starts_with("conflict: "), "{conflict}");
    deploy(&mut channel, "other", "").await?;
    let hidden = told(&mut channel, "other", json!({ "name": first["name"] })).await;
    assert!(hidden.as_str().unwrap().starts_with("not_found: "), "{hidden}");
    let deadline = Instant::now() + LIMIT;
    while world.balance().await != json!("0x1") {
        assert!(Instant::now() < deadline, "{:?}", channel.transactions(None).await);
        world.anvil.mine(1).await?;
        sleep(Duration::from_millis(200)).await;
    }
    world.anvil.mine(CONFIRMATIONS).await?;
    let ended = until(&mut channel, &first["name"], |it| it["stage"] == "ended").await;
    assert_eq!((&ended["outcome"], &ended["succeeded"]), (&json!("included"), &json!(true)));
    let receipt = world.node.ask("eth_getTransactionReceipt", json!([ended["hash"]])).await?;
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
    assert_eq!(world.balance().await, json!("0x1"));

    // Nobody else takes such a name.
    let taken: SendTransaction = serde_json::from_value(json!({
        "wallet": "w", "chain_id": Anvil::CHAIN,
        "call": { "to": TO, "value": "1", "gas_limit": 21_000, "fee_limit": "2100000000000000" },
    }))?;
    assert_eq!(channel.send_transaction("x-1", &taken).await.unwrap_err().code(), "bad_request");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn what_is_taken_back_is_not_paid_and_not_told_as_paid() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let payer = world.payer.clone();
    world.name(&[&payer], 1).await?;
    let mut channel = world.behind.alice.channel().await;
    // What waits when its version is named no more, is not signed: not in another life either.
    let mut cheap = one_wei("later", TO);
    cheap["feeLimit"] = json!("21000");
    let waiting = told(&mut channel, "payer", cheap).await;
    until(&mut channel, &waiting["name"], |it| it["reason"].is_string()).await;
    world.name(&[], 2).await?;
    let mut channel = world.restart().await;
    let still = told(&mut channel, "payer", json!({ "name": waiting["name"] })).await;
    assert_eq!(still["stage"], "waiting");
    world.node.ask("anvil_setNextBlockBaseFeePerGas", json!(["0x0"])).await?;
    world.anvil.mine(1).await?;
    let refused = until(&mut channel, &waiting["name"], |it| it["stage"] == "ended").await;
    assert_eq!(refused["outcome"], "refused");
    assert!(refused["reason"].as_str().unwrap().starts_with("function_not_allowed"), "{refused}");
    assert_eq!((&refused["hash"], &refused["succeeded"]), (&Value::Null, &Value::Null));
    assert_eq!(world.balance().await, json!("0x0"));

    // What nothing took the place of was not paid, whatever block that is in.
    world.name(&[&payer], 3).await?;
    let cancelled = told(&mut channel, "payer", one_wei("cancelled", TO)).await;
    until(&mut channel, &cancelled["name"], |it| it["hash"].is_string()).await;
    channel.cancel_transaction(cancelled["name"].as_str().unwrap()).await?;
    // The node has what takes its place.
    let deadline = Instant::now() + LIMIT;
    loop {
        let shown = channel.transaction(cancelled["name"].as_str().unwrap()).await?;
        if let Some(Attempt { kind: Kind::Noop, hash, .. }) = shown.attempts.last()
            && !world.node.ask("eth_getTransactionByHash", json!([hash])).await?.is_null()
        {
            break;
        }
        assert!(Instant::now() < deadline, "{shown:?}");
        sleep(Duration::from_millis(50)).await;
    }
    loop {
        let told = told(&mut channel, "payer", json!({ "name": cancelled["name"] })).await;
        assert_eq!((&told["succeeded"], world.balance().await), (&Value::Null, json!("0x0")), "{told}");
        if told["stage"] == "ended" {
            assert_eq!((&told["outcome"], &told["hash"]), (&json!("abandoned"), &Value::Null), "{told}");
            return Ok(());
        }
        assert_eq!(told["stage"], "pending", "{told}");
        assert!(Instant::now() < deadline, "{told}");
        world.anvil.mine(1).await?;
        sleep(Duration::from_millis(200)).await;
    }
}
