//! Versions that run beside each other, how many events of a function run at once, and where their time goes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;

use appliance::{ALICE, Appliance, ample, function, granted, output};
use r3e_functions::{By, InvokeError, RegistryError, Run};
use r3e_proto::api::functions::{Deploy, Limits};
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Canary, PROD, Reference, SetAlias};

/// Says whether another event of the function was inside at any time while it was.
const ALONE: &str = r#"
export default async (tag) => {
  const before = await r3e.store.get("inside");
  await r3e.store.set("inside", tag);
  await new Promise((done) => setTimeout(done, 60));
  const after = await r3e.store.get("inside");
  await r3e.store.set("inside", null);
  return before == null && after === tag;
};
"#;

fn by() -> By {
    By { actor: Actor::Tenant {}, now_ms: 1 }
}

fn one_at_a_time(source: &str) -> Deploy {
    Deploy { limits: Limits { concurrency: 1, ..ample() }, ..function(source) }
}

fn split(version: &str, canary: &str, percent: u8) -> SetAlias {
    let canary = Some(Canary { version: canary.to_owned(), percent });
    SetAlias { version: version.to_owned(), canary, if_revision: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reference_runs_its_version_and_says_which() {
    let appliance = Appliance::new().await;
    let first = appliance.deploy("f", function("export default () => 1;")).await;
    let second = appliance.deploy("f", function("export default () => 2;")).await;
    for (name, expected, version) in [
        ("f".to_owned(), "2", &second),
        ("f@prod".to_owned(), "2", &second),
        (format!("f@{}", &first.version[..8]), "1", &first),
    ] {
        let completed = appliance.invoke(&name, "0").await.unwrap();
        assert_eq!(
            (output(&completed), hex::encode(completed.version)),
            (expected.into(), version.version.clone())
        );
    }
    for (name, is_missing) in
        [("f@beta", true), ("f@ffffff", true), ("f@", false), ("f@a/b", false), ("@f", false)]
    {
        let refused = appliance.invoke(name, "0").await.unwrap_err();
        let missing =
            matches!(refused, InvokeError::Registry(RegistryError::NoAlias(_) | RegistryError::NoVersion(_)));
        assert!(
            missing == is_missing && (missing || matches!(refused, InvokeError::Reference)),
            "{name}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stickiness_key_stays_with_one_version_and_ids_do_not() {
    let appliance = Appliance::new().await;
    let first = appliance.deploy("f", function("export default () => 1;")).await;
    let second = appliance.deploy("f", function("export default () => 2;")).await;
    let split = split(&first.version, &second.version, 50);
    appliance.registry.set_alias(ALICE, "f", PROD, split, &by()).await.unwrap();
    let reference = Reference::parse("f").unwrap();
    let run = async |id: u8, sticky: Option<&str>| {
        let invoked =
            appliance.invoker.invoke_one(ALICE, Run::asked(&[id; 16]), &reference, sticky, b"0").await;
        output(&invoked.unwrap())
    };
    let (mut by_id, mut by_key) = (Vec::new(), Vec::new());
    for id in 0..16 {
        by_id.push(run(id, None).await);
        let key = format!("user-{id}");
        let seen = [run(id, Some(&key)).await, run(id + 100, Some(&key)).await];
        assert_eq!(seen[0], seen[1], "{key}");
        by_key.push(seen[0].clone());
    }
    for seen in [by_id, by_key] {
        assert!(
            seen.iter().any(|output| output == "1") && seen.iter().any(|output| output == "2"),
            "{seen:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_runs_alone_runs_alone_also_while_its_alias_moves() {
    let appliance = Arc::new(Appliance::new().await);
    let first = appliance.deploy("f", one_at_a_time(ALONE)).await;
    appliance.deploy("f", one_at_a_time(&format!("{ALONE}// another version"))).await;
    let mut events = tokio::task::JoinSet::new();
    for number in 0..8 {
        let appliance = Arc::clone(&appliance);
        // Half of them of the version before: the function is one, whatever runs of it.
        let name = if number % 2 == 0 { "f".to_owned() } else { format!("f@{}", first.version) };
        events.spawn(async move { output(&appliance.invoke(&name, &number.to_string()).await.unwrap()) });
    }
    while let Some(done) = events.join_next().await {
        assert_eq!(done.unwrap(), "true");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_too_many_is_turned_away_with_a_time() {
    let appliance = Arc::new(Appliance::new().await);
    let slow = "export default () => new Promise((done) => setTimeout(() => done(1), 150));";
    appliance.deploy("f", one_at_a_time(slow)).await;
    appliance.deploy("other", function("export default () => 1;")).await;
    // Once, so that there is a pace to tell by.
    assert_eq!(output(&appliance.invoke("f", "0").await.unwrap()), "1");
    let mut events = tokio::task::JoinSet::new();
    // More than must be turned away: places become free while they come.
    for _ in 0..1 + 64 + 40 {
        let appliance = Arc::clone(&appliance);
        events.spawn(async move { appliance.invoke("f", "0").await });
    }
    let mut waits = Vec::new();
    while waits.len() < 6 {
        match events.join_next().await.unwrap().unwrap() {
            Err(InvokeError::Overloaded { expected_wait, error }) => {
                assert!(error.to_string().contains("function"), "{error}");
                waits.push(expected_wait);
            }
            other => drop(other.unwrap()),
        }
    }
    assert!(waits.iter().any(|wait| *wait > Duration::from_millis(150)), "{waits:?}");
    // The tenant's other functions are served meanwhile.
    assert_eq!(output(&appliance.invoke("other", "0").await.unwrap()), "1");
    events.shutdown().await;
    // Who gave up left no place taken.
    assert_eq!(output(&appliance.invoke("f", "0").await.unwrap()), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_names_the_parts_and_shows_no_argument() {
    let appliance = Appliance::new().await;
    let source = r#"export default async () => {
        await r3e.store.set("a-key", 1);
        await fetch("https://api.example.com/secret-path").catch(() => 0);
        await fetch("https://elsewhere.test/secret-path").catch(() => 0);
        await r3e.secrets.get("NOT_DECLARED").catch(() => 0);
    };"#;
    appliance.deploy("f", granted(source, &[], &["api.example.com"])).await;
    let completed = appliance.invoke("f", "0").await.unwrap();
    let course = &completed.course;
    let parts: Vec<&str> =
        course.spans.iter().filter(|span| span.depth == 0).map(|span| span.name.as_str()).collect();
    assert_eq!(parts.first(), Some(&"queue"), "{parts:?}");
    assert!(parts.contains(&"run"), "{parts:?}");
    let calls: Vec<_> = course.spans.iter().filter(|span| span.depth == 1).collect();
    let told: Vec<_> =
        calls.iter().map(|call| (call.name.as_str(), call.outcome.as_deref().unwrap())).collect();
    let [("store_set", "ok"), ("fetch", _), ("fetch", "denied"), ("secret_get", "denied")] = told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert_eq!(calls[1].detail.as_deref(), Some("GET api.example.com"));
    assert!(calls.iter().enumerate().all(|(at, call)| at == 1 || call.detail.is_none()), "{calls:?}");
    let shown = serde_json::to_string(&course.spans).unwrap();
    for hidden in ["secret-path", "elsewhere", "a-key", "NOT_DECLARED"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(course.waiting_us <= course.total_us && course.total_us > 0);
}
