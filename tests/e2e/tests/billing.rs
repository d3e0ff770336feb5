//! Usage, plans and balances as tenants, the operator and their attackers meet them: by the API, by the tools, and across
//! the death of the enclave.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use http::Method;
use r3e_client::{ApiKey, ClientError, TenantChannel};
use r3e_e2e::command::Home;
use r3e_e2e::raw::Http;
use r3e_e2e::tenant::javascript;
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::billing::{Amount, EntryKind, LedgerPage, Quota};
use r3e_proto::api::functions::{Deploy, Limits};
use r3e_proto::api::identity::Scope;
use serde_json::json;
use zeroize::Zeroizing;

/// An invocation costs 1.00, a millisecond of the processor 0.01.
const BILLING: &str = r#"
[billing]
currency = "GAS"
decimals = 2

[[billing.plan]]
name = "payg"
kind = "pay_as_you_go"
prices = { invocations = 100000000, cpu_us = 1000 }

[[billing.plan]]
name = "team"
kind = "monthly"
fee = "5000"
allowance = { invocations = 1000 }

"#;

fn billed() -> Options {
    Options { unlock_tables: BILLING.to_owned(), ..Options::default() }
}

fn amount(units: u128) -> Amount {
    Amount::new(units).unwrap()
}

/// At most 100 for it, and 100 for its processor time.
fn function() -> Deploy {
    let limits = Limits { cpu_ms: 100, timeout_ms: 1_000, ..Limits::default() };
    Deploy { limits, ..javascript("export default (event) => event;") }
}

fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    answer.unwrap_err().code().to_owned()
}

async fn invoke(channel: &mut TenantChannel) {
    drop(channel.invoke("f", "1").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plan_usage_is_counted_and_nothing_is_charged() {
    let mut appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let mut own = alice.channel().await;
    own.deploy("f", &function()).await.unwrap();
    for _ in 0..3 {
        invoke(&mut own).await;
    }
    let usage = own.usage(None).await.unwrap();
    assert_eq!((usage.total.invocations, usage.functions["f"].invocations), (3, 3));
    assert!(usage.total.cpu_us > 0 && usage.total.memory_mib_ms > 0, "{usage:?}");
    let balance = own.balance().await.unwrap();
    assert_eq!((balance.plan.as_str(), balance.currency), ("none", None));
    assert!(own.ledger(0, 10).await.unwrap().entries.is_empty());
    // Another tenant's, and another month's, are apart.
    let mut other = bob.channel().await;
    assert_eq!(other.usage(None).await.unwrap().total.invocations, 0);
    assert_eq!(own.usage(Some("2001-01".parse().unwrap())).await.unwrap().total.invocations, 0);
    // There is nothing that money could be in.
    let mut operator = appliance.operator().await;
    assert_eq!(code(operator.deposit(alice.id(), amount(1), "d").await), "conflict");
    assert_eq!(code(operator.set_plan(alice.id(), "payg").await), "bad_request");
    // An orderly end loses nothing.
    appliance.restart().await;
    assert_eq!(alice.channel().await.usage(None).await.unwrap().total.invocations, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_paid_in_used_and_paid_out_across_the_death_of_the_enclave() {
    let mut appliance = Appliance::start(billed()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut own = alice.channel().await;
    own.deploy("f", &function()).await.unwrap();
    let mut operator = appliance.operator().await;
    operator.set_plan(alice.id(), "payg").await.unwrap();
    assert_eq!(code(own.invoke("f", "1").await), "insufficient_balance");
    let first = operator.deposit(alice.id(), amount(10_000), "0xfeed").await.unwrap();
    assert!(!first.repeated);
    for _ in 0..4 {
        invoke(&mut own).await;
    }
    let balance = own.balance().await.unwrap();
    let used = own.usage(None).await.unwrap().total.cpu_us;
    assert_eq!(balance.used, amount(u128::from(400 + used / 1_000)));
    // What is spendable leaves the part of a unit that the month's sum has begun.
    assert!((9_999..=10_000).contains(&(balance.spendable.units() + balance.used.units())), "{balance:?}");
    assert!(balance.reserved >= amount(200), "{balance:?}");
    // Whatever it was about to write goes with it.
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let mut own = alice.channel().await;
    let mut operator = appliance.operator().await;
    let after = own.balance().await.unwrap();
    assert_eq!(after.reserved, amount(0), "a life before holds something");
    let books = operator.books().await.unwrap();
    let held = books.tenants.units() + books.reservations.units() + books.revenue.units();
    assert_eq!((held, books.deposited.units()), (10_000, 10_000));
    assert!(books.revenue <= balance.used, "charged twice");
    let entries = own.ledger(0, 256).await.unwrap().entries;
    assert_eq!(entries.last().unwrap().kind, EntryKind::Recover);
    // Who does not know whether it was done, does it again.
    assert!(operator.deposit(alice.id(), amount(10_000), "0xfeed").await.unwrap().repeated);
    assert_eq!(code(operator.deposit(alice.id(), amount(9_999), "0xfeed").await), "conflict");
    invoke(&mut own).await;
    let left = own.balance().await.unwrap().spendable;
    let more = amount(left.units() + 1);
    assert_eq!(code(operator.withdraw(alice.id(), more, "all").await), "insufficient_balance");
    let out = operator.withdraw(alice.id(), left, "all").await.unwrap();
    assert_eq!(out.balance.spendable, amount(0));
    assert!(out.balance.reserved <= amount(1), "the unit that the month's sum has begun: {out:?}");
    assert_eq!(code(own.invoke("f", "1").await), "insufficient_balance");
    // A fee that is not covered changes nothing.
    assert_eq!(code(operator.set_plan(alice.id(), "team").await), "insufficient_balance");
    assert_eq!(own.balance().await.unwrap().plan, "payg");
    operator.deposit(alice.id(), amount(5_000), "fee").await.unwrap();
    operator.set_plan(alice.id(), "team").await.unwrap();
    invoke(&mut own).await;
    assert!(own.balance().await.unwrap().spendable <= amount(1), "the allowance is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_moves_money_or_sees_anothers_but_by_right() {
    let appliance = Appliance::start(billed()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    appliance.operator().await.deposit(alice.id(), amount(7), "d").await.unwrap();
    let mut stranger = bob.channel().await;
    assert!(stranger.ledger(0, 10).await.unwrap().entries.is_empty());
    assert_eq!(stranger.balance().await.unwrap().tenant, bob.id());

    let key = |scopes: Vec<Scope>| {
        let alice = &alice;
        async move { alice.signed_in().await.create_key("k", &scopes).await.unwrap().secret }
    };
    let all_but = key(vec![Scope::Invoke, Scope::Deploy, Scope::Secrets, Scope::Wallets]).await;
    let parsed = ApiKey::parse(Zeroizing::new(all_but)).unwrap();
    let mut without = alice.connect().await.with_api_key(&parsed).await.unwrap();
    assert_eq!(code(without.usage(None).await), "forbidden");
    assert_eq!(code(without.balance().await), "forbidden");
    assert_eq!(code(without.ledger(0, 1).await), "forbidden");
    let billing = key(vec![Scope::Billing]).await;
    let parsed = ApiKey::parse(Zeroizing::new(billing.clone())).unwrap();
    let mut with = alice.connect().await.with_api_key(&parsed).await.unwrap();
    assert_eq!(with.balance().await.unwrap().available, amount(7));
    assert_eq!(with.ledger(0, 1).await.unwrap().entries.len(), 1);

    // What is the operator's is refused to a tenant's key, by hand as by the tool.
    let bearer = format!("Bearer {billing}");
    let mut http = Http::attested(&appliance.address()).await.unwrap();
    let of = |what: &str| format!("/v1/tenants/{}/{what}", alice.id());
    let transfer = json!({ "amount": "1", "reference": "x" });
    for (method, path, body) in [
        (Method::POST, of("deposits"), transfer.clone()),
        (Method::POST, of("withdrawals"), transfer),
        (Method::PUT, of("plan"), json!({ "plan": "none" })),
        (Method::PUT, of("quota"), json!({ "quota": null })),
        (Method::GET, of("balance"), json!({})),
        (Method::GET, "/v1/books".to_owned(), json!({})),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let answer = http.send(method, &path, &headers, body.to_string()).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{path}");
    }
    // What is of no form is refused by name, and nothing is recorded of it.
    let headers = [("authorization", bearer.as_str())];
    for path in [
        "/v1/usage?month=2026-13",
        "/v1/usage?year=1",
        "/v1/ledger?limit=0",
        "/v1/ledger?limit=257",
        "/v1/ledger?after=-1",
    ] {
        let answer = http.send(Method::GET, path, &headers, String::new()).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{path}");
    }
    let mut operator = appliance.operator().await;
    let nobody = "00000000000000000000000000000000".parse().unwrap();
    assert_eq!(code(operator.deposit(nobody, amount(1), "n").await), "not_found");
    assert_eq!(code(operator.balance(nobody).await), "not_found");
    assert_eq!(code(operator.deposit(alice.id(), amount(0), "z").await), "bad_request");
    assert_eq!(code(operator.deposit(alice.id(), amount(1), "a b").await), "bad_request");
    assert_eq!(operator.books().await.unwrap().deposited, amount(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_refuses_by_name_until_it_is_raised() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut own = alice.channel().await;
    own.deploy("f", &function()).await.unwrap();
    let mut operator = appliance.operator().await;
    let two = Quota { invocations: Some(2), ..Quota::default() };
    assert_eq!(operator.set_quota(alice.id(), Some(two)).await.unwrap(), two);
    invoke(&mut own).await;
    invoke(&mut own).await;
    let refused = own.invoke("f", "1").await.unwrap_err();
    assert_eq!(refused.code(), "quota_exceeded");
    assert!(refused.to_string().contains("2 invocations a month"), "{refused}");
    assert_eq!(own.usage(None).await.unwrap().quota, two);
    assert_eq!(own.usage(None).await.unwrap().total.invocations, 2, "what was refused is not counted");
    assert_eq!(operator.set_quota(alice.id(), None).await.unwrap(), Quota::default());
    invoke(&mut own).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tools_show_it_and_move_it() {
    let appliance = Appliance::start(billed()).await;
    let home = Home::new(&appliance, "alice");
    appliance.operator_key().write_new(&home.operator_key_file()).unwrap();
    let made = home.r3e(&["tenants", "keygen", "--json"]).ok().json();
    let public_key = made["public_key"].as_str().unwrap().to_owned();
    let admitted = home.r3e(&["tenants", "admit", &public_key, "--name", "alice", "--json"]).ok().json();
    let id = admitted["id"].as_str().unwrap().to_owned();
    home.r3e(&["login"]).ok();

    home.r3e(&["operator", "plan", &id, "payg"]).ok();
    home.r3e(&["operator", "deposit", &id, "12345", "--reference", "0xfeed"]).ok();
    let again =
        home.r3e(&["operator", "deposit", &id, "12345", "--reference", "0xfeed", "--json"]).ok().json();
    assert_eq!(again["repeated"], true);
    home.r3e(&["operator", "deposit", &id, "1", "--reference", "0xfeed", "--json"])
        .exits(1)
        .fails_with("conflict");
    home.r3e(&["operator", "deposit", &id, "1.5", "--reference", "x"]).exits(2);
    home.r3e(&["operator", "deposit", "0123", "1", "--reference", "x"]).exits(2);
    home.r3e(&["operator", "plan", &id, "other", "--json"]).exits(1).fails_with("bad_request");
    let poor = home.r3e(&["operator", "withdraw", &id, "99999", "--reference", "p", "--json"]).exits(1);
    poor.fails_with("insufficient_balance");
    home.r3e(&["operator", "withdraw", &id, "345", "--reference", "p"]).ok();
    home.r3e(&["operator", "quota", &id, "--invocations", "1"]).ok();

    std::fs::write(home.path("f.js"), "export default (event) => event;").unwrap();
    home.r3e(&["functions", "deploy", "f.js", "--name", "f", "--cpu-ms", "100"]).ok();
    home.r3e(&["functions", "invoke", "f", "--input", "1"]).ok();
    let over = home.r3e(&["functions", "invoke", "f", "--input", "1", "--json"]).exits(1);
    over.fails_with("quota_exceeded");
    let quota = home.r3e(&["operator", "quota", &id, "--default"]).ok();
    assert!(quota.out.contains("none"), "{}", quota.out);

    let usage = home.r3e(&["usage"]).ok();
    assert!(usage.out.contains("FUNCTION") && usage.out.contains("quota: none"), "{}", usage.out);
    let usage = home.r3e(&["usage", "--json"]).ok().json();
    assert_eq!(usage["functions"]["f"]["invocations"], 1);
    let month = usage["month"].as_str().unwrap().to_owned();
    assert_eq!(home.r3e(&["usage", "--month", &month, "--json"]).ok().json(), usage);
    home.r3e(&["usage", "--month", "2026-13"]).exits(2);

    let balance = home.r3e(&["balance"]).ok();
    assert!(balance.out.contains("payg") && balance.out.contains(" GAS"), "{}", balance.out);
    let balance = home.r3e(&["balance", "--json"]).ok().json();
    assert_eq!(balance["currency"], json!({ "name": "GAS", "decimals": 2 }));
    let of = home.r3e(&["operator", "balance", &id, "--json"]).ok().json();
    assert_eq!(of["spendable"], balance["spendable"]);

    let ledger = home.r3e(&["ledger"]).ok();
    for word in ["deposit", "+123.45 GAS", "withdrawal", "-3.45 GAS", "0xfeed", "reserve"] {
        assert!(ledger.out.contains(word), "{word}: {}", ledger.out);
    }
    let first = home.r3e(&["ledger", "--limit", "1", "--json"]).ok().json();
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["next"]), (1, &json!(1)));
    let page: LedgerPage =
        serde_json::from_value(home.r3e(&["ledger", "--after", "1", "--json"]).ok().json()).unwrap();
    assert_eq!(page.entries.first().unwrap().number, 2);
    home.r3e(&["ledger", "--limit", "0"]).exits(2);
    let books = home.r3e(&["operator", "books", "--json"]).ok().json();
    assert_eq!((&books["deposited"], &books["withdrawn"]), (&json!("12345"), &json!("345")));
    assert!(home.r3e(&["operator", "books"]).ok().out.contains("123.45 GAS"));
}
