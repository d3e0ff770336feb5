//! Versions and aliases of functions: who gets what while they move, and what can be seen of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use r3e_client::{ApiKey, ClientError, SetSecret, TenantChannel};
use r3e_e2e::command::argument;
use r3e_e2e::main_job::Town;
use r3e_e2e::tenant::{granted, grantee, javascript, output, secret};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::functions::{Deploy, Instance, Limits};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Canary, Cause, PROD, Promotion, SetAlias};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Asks for secrets, and keeps what it was given in a variable for as long as its process lives.
const ASKS: &str = r"
let kept = {};
const ask = async (name) => { try { return await r3e.secrets.get(name); } catch (error) { return error.code; } };
export default async function (event) {
  const before = { ...kept };
  const got = {};
  for (const name of event.ask ?? []) { got[name] = await ask(name); kept[name] = got[name]; }
  return { got, before };
}
";

fn code<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> String {
    match outcome.unwrap_err() {
        ClientError::Api { code, .. } => code,
        other => other.code().to_owned(),
    }
}

fn at(version: &str) -> SetAlias {
    SetAlias { version: version.to_owned(), canary: None, if_revision: None }
}

async fn run(channel: &mut TenantChannel, name: &str, event: &Value) -> Value {
    output(&channel.invoke(name, event.to_string()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_kept_promoted_tried_out_and_taken_back() {
    let town = Town::new().await;
    let (alice, _) = town.admit("alice");
    let deploy = |source: &str, more: &[&str]| {
        let path = alice.path("f.js");
        std::fs::write(&path, source).unwrap();
        let arguments = [&["functions", "deploy", argument(&path), "--name", "f", "--json"], more].concat();
        alice.r3e(&arguments).ok().json()["version"].as_str().unwrap().to_owned()
    };
    let invoke = |name: &str, more: &[&str]| {
        let shown = alice.r3e(&[&["functions", "invoke", name, "--json"], more].concat()).ok().json();
        (shown["output"].as_str().unwrap().to_owned(), shown["version"].as_str().unwrap().to_owned())
    };
    let first = deploy("export default () => 1;", &[]);
    let second = deploy("export default () => 2;", &["--no-promote"]);
    assert_eq!(invoke("f", &[]), ("1".into(), first.clone()));
    assert_eq!(invoke(&format!("f@{}", &second[..8]), &[]), ("2".into(), second.clone()));
    // A canary, by draw and by key; the receipt names what ran.
    alice
        .r3e(&[
            "functions",
            "alias",
            "set",
            "f",
            "prod",
            &first,
            "--canary",
            &second[..10],
            "--percent",
            "50",
        ])
        .ok();
    let by_key = invoke("f", &["--sticky", "user-1"]);
    for _ in 0..3 {
        assert_eq!(invoke("f", &["--sticky", "user-1"]), by_key);
    }
    // All of it, then back, and back again.
    assert_eq!(deploy("export default () => 2;", &[]), second, "the same content is the same version");
    assert_eq!(invoke("f@prod", &[]).0, "2");
    let listed = alice.r3e(&["functions", "versions", "f", "--json"]).ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!((&listed[0]["aliases"], &listed[1]["aliases"]), (&json!([]), &json!(["prod"])));
    alice.r3e(&["functions", "remove-version", "f", &second, "--json"]).fails_with("conflict");
    let back = alice.r3e(&["functions", "rollback", "f", "--from", &second[..6], "--json"]).ok().json();
    assert_eq!((&back["version"], &back["canary"]["percent"]), (&json!(first), &json!(50)));
    // Somebody else who means to take back the second version finds it taken back.
    alice.r3e(&["functions", "rollback", "f", "--from", &second[..6], "--json"]).exits(2);
    alice.r3e(&["functions", "rollback", "f"]).ok();
    assert_eq!(invoke("f", &[]), ("1".into(), first.clone()));
    alice.r3e(&["functions", "rollback", "f", "--json"]).fails_with("conflict");
    let aliases = alice.r3e(&["functions", "alias", "list", "f", "--json"]).ok().json();
    let causes: Vec<_> =
        aliases[0]["moves"].as_array().unwrap().iter().map(|one| one["cause"].clone()).collect();
    assert_eq!(causes, ["deploy", "set", "deploy", "rollback", "rollback"]);
    let people = alice.r3e(&["functions", "alias", "list", "f"]).ok().out;
    assert!(people.contains("API key") || people.contains("the tenant"), "{people}");
    // What is not needed can go; the alias that the name stands for cannot.
    alice.r3e(&["functions", "remove-version", "f", &second[..8]]).ok();
    alice.r3e(&["functions", "alias", "remove", "f", "prod", "--json"]).fails_with("conflict");
    alice.r3e(&["functions", "invoke", &format!("f@{second}"), "--json"]).fails_with("not_found");
    // What is nobody's name is refused here, before anything is sent.
    for wrong in ["f@", "f@a/b", "f@prod@x"] {
        alice.r3e(&["functions", "invoke", wrong, "--json"]).fails_with("input");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_to_one_version_is_no_others() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut signed_in = alice.signed_in().await;
    let mut channel = alice.channel().await;
    // Its processes serve further events, so that what one was given stays in its memory.
    let deploy = |source: &str| Deploy {
        instance: Instance { reuse: true },
        ..granted(javascript(source), &["NAMED", "PINNED"], &[])
    };
    let first = channel.deploy("f", &deploy(ASKS)).await.unwrap().version;
    let second = channel.deploy("f", &deploy(&format!("{ASKS}// the second"))).await.unwrap().version;
    let options = SetSecret::default();
    let named = [grantee("f")];
    signed_in.set_secret_for("NAMED", secret("by name"), &options, &named).await.unwrap();
    let pinned = [grantee(&format!("f@{second}"))];
    signed_in.set_secret_for("PINNED", secret("by digits"), &options, &pinned).await.unwrap();
    let (first_at, second_at) = (format!("f@{first}"), format!("f@{second}"));
    let ask = json!({ "ask": ["NAMED", "PINNED"] });
    let both = json!({ "NAMED": "by name", "PINNED": "by digits" });

    // The version in service has both. The one before is kept, and has neither, though its manifest names them.
    assert_eq!(run(&mut channel, "f", &ask).await["got"], both);
    assert_eq!(run(&mut channel, "f", &json!({})).await["before"], both, "a process remembers");
    assert_eq!(
        run(&mut channel, &first_at, &ask).await["got"],
        json!({ "NAMED": "denied", "PINNED": "denied" })
    );
    // Named by an alias it is in service: the name's grant is for it, the other version's is not.
    channel.set_alias("f", "staging", &at(&first)).await.unwrap();
    let as_named = json!({ "NAMED": "by name", "PINNED": "denied" });
    assert_eq!(run(&mut channel, "f@staging", &ask).await["got"], as_named);
    assert_eq!(run(&mut channel, &first_at, &ask).await["got"], as_named);
    channel.remove_alias("f", "staging", None).await.unwrap();
    // Out of service again, it has nothing more, also not from the memory of a process that was given it.
    let later = run(&mut channel, &first_at, &ask).await;
    assert_eq!(later["got"], json!({ "NAMED": "denied", "PINNED": "denied" }));
    assert!(!later.to_string().contains("by name"), "{later}");

    // A rollback brings the older one under the name, and not to what the newer one was granted.
    channel.roll_back_alias("f", PROD, None).await.unwrap();
    assert_eq!(run(&mut channel, "f", &ask).await["got"], as_named);
    let second_now = run(&mut channel, &second_at, &ask).await;
    assert_eq!(second_now["got"], json!({ "NAMED": "denied", "PINNED": "by digits" }), "its digits say so");
    assert!(!second_now["before"].to_string().contains("by name"), "{second_now}");
    // A canary is in service.
    let canary = Some(Canary { version: second.clone(), percent: 1 });
    channel.set_alias("f", PROD, &SetAlias { canary, ..at(&first) }).await.unwrap();
    assert_eq!(run(&mut channel, &second_at, &ask).await["got"], both);
    // All of that is on record, refusals too.
    let log = channel.secret_audit(Some("NAMED"), 0).await.unwrap();
    let refused = log.entries.iter().filter(|entry| {
        matches!(&entry.by, Actor::Function { version, .. } if *version == first)
            && entry.outcome == r3e_proto::api::secrets::Outcome::NotGranted
    });
    assert_eq!(refused.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_deploy_at_once_one_is_told() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    alice.channel().await.deploy("f", &javascript("export default () => 0;")).await.unwrap();
    let revision = alice.channel().await.alias("f", PROD).await.unwrap().revision;
    let mut deploying = tokio::task::JoinSet::new();
    for number in 1..=4 {
        let mut channel = alice.channel().await;
        deploying.spawn(async move {
            let deploy = javascript(&format!("export default () => {number};"));
            let promotion = Promotion { if_revision: Some(revision), ..Promotion::default() };
            channel.deploy_as("f", &deploy, &promotion).await.map(|_| number)
        });
    }
    let mut won = Vec::new();
    while let Some(done) = deploying.join_next().await {
        match done.unwrap() {
            Ok(number) => won.push(number),
            lost => assert_eq!(code(lost), "conflict"),
        }
    }
    let mut channel = alice.channel().await;
    assert_eq!(won.len(), 1);
    assert_eq!(run(&mut channel, "f", &json!(null)).await, json!(won[0]));
    assert_eq!(channel.versions("f").await.unwrap().len(), 2, "what was refused is not kept");
    assert_eq!(channel.alias("f", PROD).await.unwrap().moves.last().unwrap().cause, Cause::Deploy);
    // The same of a rollback, and of a removal.
    assert_eq!(code(channel.roll_back_alias("f", PROD, Some(revision)).await), "conflict");
    let version = channel.function("f").await.unwrap().version;
    channel.set_alias("f", "staging", &SetAlias { if_revision: Some(0), ..at(&version) }).await.unwrap();
    assert_eq!(code(channel.remove_alias("f", "staging", Some(revision)).await), "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_is_asked_for_and_tenants_stay_apart() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let mut own = alice.channel().await;
    let version = own.deploy("f", &javascript("export default () => 1;")).await.unwrap().version;
    let minted = alice.signed_in().await.create_key("backend", &[Scope::Invoke]).await.unwrap();
    let key = ApiKey::parse(Zeroizing::new(minted.secret)).unwrap();
    let mut backend = alice.connect().await.with_api_key(&key).await.unwrap();
    let invoked = backend.invoke("f", "0").await.unwrap().id().to_owned();
    assert_eq!(backend.metrics("f").await.unwrap().versions[0].invocations, 1);
    assert_eq!(backend.trace("f", &invoked).await.unwrap().invocation, invoked);
    assert_eq!(code(backend.set_alias("f", PROD, &at(&version)).await), "forbidden");
    assert_eq!(code(backend.roll_back_alias("f", PROD, None).await), "forbidden");
    assert_eq!(code(backend.remove_version("f", &version).await), "forbidden");
    assert_eq!(code(backend.versions("f").await), "forbidden");

    let mut other = bob.channel().await;
    other.deploy("f", &javascript("export default () => 2;")).await.unwrap();
    assert_eq!(code(other.invoke(&format!("f@{version}"), "0").await), "not_found");
    assert_eq!(code(other.set_alias("f", "x", &at(&version)).await), "not_found");
    assert_eq!(code(other.trace("f", &invoked).await), "not_found");
    assert!(other.log_page("f", None, 0).await.unwrap().entries.is_empty());
    assert!(other.metrics("f").await.unwrap().versions.is_empty());
    for (refused, expected) in [
        (other.set_alias("f", "abcdef", &at(&version)).await, "input"),
        (other.set_alias("f", "../x", &at(&version)).await, "input"),
    ] {
        assert_eq!(code(refused), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_from_a_cursor_and_times_are_told() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    let source = "export default async (event) => { console.log('got', event); await r3e.store.set('k', event); if (event === 3) throw new Error('three'); };";
    channel.deploy("f", &javascript(source)).await.unwrap();
    let start = channel.log_page("f", None, 0).await.unwrap();
    assert!(start.entries.is_empty() && !start.gap);
    let follower = tokio::spawn({
        let (mut channel, mut cursor) = (alice.channel().await, start.cursor);
        async move {
            let mut seen = Vec::new();
            while seen.len() < 3 {
                let page = channel.log_page("f", Some(&cursor), 8_000).await.unwrap();
                assert!(!page.gap);
                seen.extend(page.entries);
                cursor = page.cursor;
            }
            seen
        }
    });
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(channel.invoke("f", number.to_string()).await.unwrap().id().to_owned());
    }
    let seen = follower.await.unwrap();
    assert_eq!(seen.iter().map(|entry| entry.invocation.clone()).collect::<Vec<_>>(), ids);
    assert_eq!((seen[1].lines[0].text.as_str(), seen[2].outcome.as_str()), ("got 2", "function_error"));

    let trace = channel.trace("f", &ids[0]).await.unwrap();
    let names: Vec<_> = trace.spans.iter().map(|span| span.name.as_str()).collect();
    assert!(names.contains(&"queue") && names.contains(&"run") && names.contains(&"store_set"), "{names:?}");
    assert!(
        trace.spans.iter().all(|span| span.start_us + span.duration_us <= trace.total_us + 1),
        "{trace:?}"
    );
    let metrics = channel.metrics("f").await.unwrap();
    let of = &metrics.versions[0];
    assert_eq!((of.invocations, of.errors.get("function_error"), of.host_calls), (3, Some(&1), 3));
    assert_eq!((of.latency.count(), of.waiting.count(), of.cpu.count()), (3, 3, 3));

    // Deployed anew after a deletion, it has no past, and an old cursor says so.
    let old = channel.log_page("f", None, 0).await.unwrap().cursor;
    channel.delete_function("f").await.unwrap();
    assert_eq!(code(channel.log_page("f", Some(&old), 8_000).await), "not_found");
    channel.deploy("f", &javascript(source)).await.unwrap();
    assert!(channel.log_page("f", Some(&old), 8_000).await.unwrap().gap, "at once, for there is a gap");
    assert!(channel.metrics("f").await.unwrap().versions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_aliases_survive_a_restart() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    let limits = Limits { concurrency: 3, ..Limits::default() };
    let deploy = |number: u8| Deploy { limits, ..javascript(&format!("export default () => {number};")) };
    let first = channel.deploy("f", &deploy(1)).await.unwrap();
    let second = channel.deploy("f", &deploy(2)).await.unwrap();
    assert_eq!(second.limits.concurrency, 3);
    channel.roll_back_alias("f", PROD, None).await.unwrap();
    let before = channel.aliases("f").await.unwrap();
    appliance.restart().await;
    let mut channel = alice.channel().await;
    assert_eq!(channel.aliases("f").await.unwrap(), before);
    assert_eq!(run(&mut channel, "f", &json!(null)).await, json!(1));
    assert_eq!(run(&mut channel, &format!("f@{}", second.version), &json!(null)).await, json!(2));
    assert_eq!(channel.function("f").await.unwrap(), first);
    // Too many at once is no concurrency that a function may ask for.
    let greedy = Deploy { limits: Limits { concurrency: 33, ..Limits::default() }, ..deploy(3) };
    assert_eq!(code(channel.deploy("f", &greedy).await), "bad_request");
}
