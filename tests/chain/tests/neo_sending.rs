//! Transactions on Neo N3 as their tenants meet them: an appliance, a wallet behind its policy, and a real node behind three fronts of which one
//! lies; by the API, by the tool, and by a function.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::path::Path;
use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{HttpNodes, NeoAccount, NeoGo};
use r3e_client::{ApiKey, ClientError, TenantChannel};
use r3e_e2e::command::Home;
use r3e_e2e::front::Manner;
use r3e_e2e::tenant::output;
use r3e_neo::{Argument, Hash160};
use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::neo_transactions::{SendNeoTransaction, SentNeoTransaction};
use r3e_proto::api::transactions::{Outcome, Stage};
use r3e_proto::api::wallets::CreateWallet;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

const LIMIT: Duration = Duration::from_mins(2);
const FEE_LIMIT: &str = "20000000";

struct World {
    neogo: NeoGo,
    behind: Behind,
    /// Who may be sent GAS, and somebody else.
    to: NeoAccount,
    elsewhere: NeoAccount,
}

impl World {
    async fn start() -> anyhow::Result<Self> {
        let neogo = NeoGo::start().await?;
        let network = format!("neo-n3:{}", NeoGo::MAGIC);
        let behind = behind_fronts::start(&network, neogo.port(), "").await;
        // One of three says that what went well failed.
        behind.fronts[1].behave(Manner::Lying("HALT".into(), "FAULT".into()));
        Ok(Self { neogo, behind, to: NeoAccount::new(7)?, elsewhere: NeoAccount::new(8)? })
    }

    /// What the recipient has, in 10^-8 GAS.
    async fn received(&self) -> i128 {
        let of = [Argument::Hash160(self.to.hash)];
        let asked = self.to.ask(&self.neogo, Hash160::GAS, "balanceOf", &of).await.unwrap();
        asked.stack[0]["value"].as_str().unwrap().parse().unwrap()
    }

    /// A wallet that may send little to one account, and deploy. Gives its address.
    async fn wallet(&self, channel: &mut TenantChannel, functions: &[&str]) -> anyhow::Result<String> {
        let contracts = json!({ "only": [
            { "hash": Hash160::GAS, "methods": { "only": ["transfer"] }, "witness": true, "recipients": [self.to.address()] },
            { "hash": Hash160::CONTRACT_MANAGEMENT, "methods": { "only": ["deploy"] }, "witness": true },
        ] });
        let create: CreateWallet = serde_json::from_value(json!({
            "key_type": "secp256r1",
            "policy": {
                "neo": [{
                    "magic": NeoGo::MAGIC, "contracts": contracts, "max_value": "5", "max_fee": "2000000000",
                    "max_data_bytes": 60_000, "max_spend": "100000000000",
                }],
                "window": { "seconds": 3_600, "max_signatures": 50 },
                "functions": functions,
            },
        }))?;
        Ok(channel.create_wallet("w", &create).await?.wallet.address)
    }

    async fn restart(&mut self) -> TenantChannel {
        self.behind.appliance.kill_enclave();
        self.behind.appliance.start_enclave();
        self.behind.appliance.ready().await;
        self.behind.alice.channel().await
    }
}

/// A transfer of GAS, in the words of a request.
fn transfer(from: &str, to: &NeoAccount, amount: &str) -> SendNeoTransaction {
    serde_json::from_value(json!({
        "wallet": "w", "magic": NeoGo::MAGIC,
        "call": {
            "contract": Hash160::GAS, "method": "transfer", "fee_limit": FEE_LIMIT,
            "arguments": arguments(from, to, amount),
        },
    }))
    .unwrap()
}

fn arguments(from: &str, to: &NeoAccount, amount: &str) -> Value {
    json!([
        { "type": "account", "value": from }, { "type": "account", "value": to.address() },
        { "type": "integer", "value": amount }, { "type": "null" },
    ])
}

async fn until(
    channel: &mut TenantChannel,
    name: &str,
    holds: impl Fn(&SentNeoTransaction) -> bool,
) -> SentNeoTransaction {
    let deadline = Instant::now() + LIMIT;
    loop {
        let transaction = channel.neo_transaction(name).await.unwrap();
        if holds(&transaction) {
            return transaction;
        }
        assert!(Instant::now() < deadline, "{transaction:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn code(result: Result<SentNeoTransaction, ClientError>) -> String {
    result.unwrap_err().code().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_wallet_sends_what_its_policy_allows_once() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut channel = world.behind.alice.channel().await;
    let account = world.wallet(&mut channel, &[]).await?;
    let one = |world: &World| transfer(&account, &world.to, "1");

    // Without money it would do nothing: it waits, and says so.
    channel.send_neo_transaction("first", &one(&world)).await?;
    let does_nothing =
        |it: &SentNeoTransaction| it.trouble.as_ref().is_some_and(|why| why.contains("does nothing"));
    until(&mut channel, "first", does_nothing).await;
    world.neogo.give(&account, 40).await?;
    let first = until(&mut channel, "first", |it| it.stage == Stage::Ended).await;
    let Some(Outcome::Included(inclusion)) = first.outcome else { panic!("{first:?}") };
    assert!(inclusion.succeeded);
    assert_eq!(world.received().await, 1);
    // It is where the node has it.
    let node = HttpNodes::new(&[world.neogo.port()]);
    let signed = first.signed.clone().unwrap();
    assert_eq!(node.ask("gettransactionheight", json!([signed.hash])).await?, json!(inclusion.height));
    assert!(signed.system_fee.0 + signed.network_fee.0 <= FEE_LIMIT.parse()?, "{signed:?}");

    // Killed when it was signed, the appliance knows it again, and does nothing twice.
    channel.send_neo_transaction("second", &one(&world)).await?;
    until(&mut channel, "second", |it| it.signed.is_some()).await;
    let mut channel = world.restart().await;
    let again = channel.send_neo_transaction("second", &one(&world)).await?;
    let second = until(&mut channel, "second", |it| it.stage == Stage::Ended).await;
    assert_eq!(again.signed, second.signed);
    assert!(matches!(&second.outcome, Some(Outcome::Included(it)) if it.succeeded), "{second:?}");
    assert_eq!(world.received().await, 2);
    assert_eq!(channel.send_neo_transaction("second", &one(&world)).await?, second);
    let elsewhere = transfer(&account, &world.elsewhere, "1");
    assert_eq!(code(channel.send_neo_transaction("second", &elsewhere).await), "conflict");

    // What the policy does not allow is never signed.
    for (name, request, expected) in [
        ("elsewhere", elsewhere.clone(), "recipient_not_allowed"),
        ("too-much", transfer(&account, &world.to, "6"), "value_over_limit"),
    ] {
        channel.send_neo_transaction(name, &request).await?;
        let refused = until(&mut channel, name, |it| it.stage == Stage::Ended).await;
        let Some(Outcome::Refused { code: why, .. }) = refused.outcome else { panic!("{refused:?}") };
        assert_eq!((why.as_str(), refused.signed), (expected, None));
    }

    // The tool sends, waits, and says what was not done.
    let home = Home::new(&world.behind.appliance, "alice");
    world.behind.alice.key().write_new(&home.path(".config/r3e/tenant.pem"))?;
    let magic = NeoGo::MAGIC.to_string();
    let by_tool = |name: &str, to: &NeoAccount| {
        let (fixed, to) = (["--wallet", "w", "--magic", &magic, "--fee-limit", FEE_LIMIT], to.address());
        let more = ["chain", "neo", "transfer", name, "--to", &to, "--amount", "1", "--wait"];
        home.r3e(&[&more[..], &fixed].concat())
    };
    let done = by_tool("third", &world.to).ok();
    assert!(done.out.contains("done"), "{}{}", done.out, done.err);
    let refused = by_tool("fourth", &world.elsewhere).exits(4);
    assert!(refused.err.contains("recipient_not_allowed"), "{}", refused.err);
    assert_eq!(world.received().await, 3);
    let listed = home.r3e(&["chain", "neo", "tx", "--json"]).ok().json();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["elsewhere", "first", "fourth", "second", "third", "too-much"]);

    // A contract is where the tool says that it is.
    let artifacts = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/neo/artifacts"));
    let file = |name: &str| artifacts.join(name).to_str().unwrap().to_owned();
    let bytes =
        |byte: &str, count: usize| json!({ "type": "bytes", "value": format!("0x{}", byte.repeat(count)) });
    let number = |number: &str| json!({ "type": "integer", "value": number });
    let data = json!({ "type": "array", "value": [
        bytes("01", 32), number("2"), { "type": "text", "value": "BTC / USD" }, number("1"), number("1000"), number("60"),
        { "type": "account", "value": account }, bytes("02", 97),
    ] });
    let deployed = home.r3e(&[
        "chain",
        "neo",
        "deploy",
        "feed",
        "--wallet",
        "w",
        "--magic",
        &magic,
        "--fee-limit",
        "1500000000",
        "--nef",
        &file("feed.nef"),
        "--manifest",
        &file("feed.manifest.json"),
        "--data",
        &data.to_string(),
        "--json",
    ]);
    let contract: Hash160 = deployed.ok().json()["contract"].as_str().unwrap().parse()?;
    let asked = world.to.ask(&world.neogo, contract, "decimals", &[]).await?;
    assert_eq!(asked.stack[0]["value"], json!("2"));

    // An API key sees them, where the wallet lets it nothing sign, and gives none up; others' are nobody's.
    let secret = world.behind.alice.signed_in().await.create_key("ci", &[Scope::Wallets]).await?.secret;
    let key = ApiKey::parse(Zeroizing::new(secret))?;
    let mut by_key = world.behind.alice.connect().await.with_api_key(&key).await?;
    assert_eq!(by_key.neo_transaction("first").await?.name, "first");
    assert_eq!(code(by_key.cancel_neo_transaction("first").await), "unauthenticated");
    let mut stranger = r3e_e2e::Tenant::admitted(&world.behind.appliance, "bob").await.channel().await;
    assert_eq!(code(stranger.neo_transaction("first").await), "not_found");
    assert!(stranger.neo_transactions(None).await?.transactions.is_empty());
    assert_eq!(code(stranger.send_neo_transaction("x", &one(&world)).await), "not_found");
    let unknown = SendNeoTransaction { magic: 7, ..one(&world) };
    assert_eq!(code(channel.send_neo_transaction("unknown", &unknown).await), "bad_request");
    assert_eq!(code(channel.send_neo_transaction("x-1", &one(&world)).await), "bad_request");
    Ok(())
}

/// Sends what the event says, or tells how far it is; the error's code where it cannot.
const PAY: &str = "export default async ({ name, ...transaction }) => {
    try { return await (name ? r3e.chain.sent(name) : r3e.chain.send(transaction)); } catch (error) { return `${error.code}: ${error.message}`; }
};";

async fn told(channel: &mut TenantChannel, function: &str, event: Value) -> Value {
    output(&channel.invoke(function, event.to_string()).await.unwrap())
}

async fn deploy(channel: &mut TenantChannel, name: &str) -> anyhow::Result<String> {
    let networks = vec![format!("neo-n3:{}", NeoGo::MAGIC), "eip155:1".to_owned()];
    let permissions = Permissions { networks, wallets: vec!["w".to_owned()], ..Permissions::default() };
    let function =
        channel.deploy(name, &Deploy { permissions, ..Deploy::javascript(PAY.to_owned()) }).await?;
    Ok(format!("{name}@{}", function.version))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_function_pays_by_a_wallet_that_names_its_version() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut channel = world.behind.alice.channel().await;
    let payer = deploy(&mut channel, "payer").await?;
    let account = world.wallet(&mut channel, &[&payer]).await?;
    world.neogo.give(&account, 20).await?;
    let rent = |to: &NeoAccount| {
        json!({
            "wallet": "w", "network": format!("neo-n3:{}", NeoGo::MAGIC), "to": Hash160::GAS, "method": "transfer",
            "args": arguments(&account, to, "1"), "feeLimit": FEE_LIMIT, "key": "rent",
        })
    };
    // What the policy denies, it denies at once; nothing is left of it.
    let denied = told(&mut channel, "payer", rent(&world.elsewhere)).await;
    assert!(denied.as_str().unwrap().contains("recipient_not_allowed"), "{denied}");
    assert!(channel.neo_transactions(None).await?.transactions.is_empty());

    // Asked for twice, and in another life, it is one.
    let first = told(&mut channel, "payer", rent(&world.to)).await;
    assert_eq!((&first["stage"], &first["outcome"]), (&json!("waiting"), &Value::Null), "{first}");
    let mut channel = world.restart().await;
    assert_eq!(told(&mut channel, "payer", rent(&world.to)).await["name"], first["name"]);
    let name = first["name"].clone();
    let deadline = Instant::now() + LIMIT;
    let ended = loop {
        let now = told(&mut channel, "payer", json!({ "name": name })).await;
        if now["stage"] == "ended" {
            break now;
        }
        assert!(Instant::now() < deadline, "{now}");
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&ended["outcome"], &ended["succeeded"]), (&json!("included"), &json!(true)), "{ended}");
    let node = HttpNodes::new(&[world.neogo.port()]);
    assert_eq!(node.ask("gettransactionheight", json!([ended["hash"]])).await?, ended["height"]);
    assert_eq!(world.received().await, 1);

    // The key means nothing else, and the name nothing to others.
    let conflict = told(&mut channel, "payer", rent(&world.elsewhere)).await;
    assert!(conflict.as_str().unwrap().starts_with("conflict: "), "{conflict}");
    deploy(&mut channel, "other").await?;
    let hidden = told(&mut channel, "other", json!({ "name": name })).await;
    assert!(hidden.as_str().unwrap().starts_with("not_found: "), "{hidden}");
    let shown = channel.neo_transaction(name.as_str().unwrap()).await?;
    assert_eq!(shown.function.as_deref(), Some(payer.as_str()));

    // What is no call on Neo N3 is refused before anybody is asked.
    for (member, value) in [
        ("value", json!("1")),
        ("gasLimit", json!(1)),
        ("scope", json!("global")),
        ("to", json!("0x01")),
        ("method", Value::Null),
        ("args", json!([1])),
        ("feeLimit", json!("-1")),
    ] {
        let mut wrong = rent(&world.to);
        wrong[member] = value;
        wrong["key"] = json!("wrong");
        let refused = told(&mut channel, "payer", wrong).await;
        assert!(refused.as_str().unwrap().starts_with("invalid: "), "{member}: {refused}");
    }
    Ok(())
}
