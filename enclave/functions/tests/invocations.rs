//! Deploying and invoking, with real runners and a real store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;

use appliance::{ALICE, Appliance, BOB, INVOCATION, ample, function, output};
use keeper::Keeper;
use r3e_functions::limits::MAX_EVENT_BYTES;
use r3e_functions::{InvokeError, RegistryError};
use r3e_proto::api::functions::{Deploy, Limits, LogLine};
use sha2::{Digest as _, Sha256};
use support::eventually;

fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[tokio::test]
async fn an_invocation_says_what_ran_what_came_out_and_what_it_used() {
    let appliance = Appliance::new().await;
    let source = "export default (event) => { console.log('got', event.a); console.error('x'); \
                  return { sum: event.a + event.b }; };";
    let deployed = appliance.deploy("add", function(source)).await;
    let event = "{ \"a\": 1,  \"b\": 2 }";
    let completed = appliance.invoke("add", event).await.unwrap();
    assert_eq!((output(&completed).as_str(), completed.code()), (r#"{"sum":3}"#, "ok"));
    assert_eq!(hex::encode(completed.version), deployed.version);
    let line = |level: &str, text: &str| LogLine { level: level.into(), text: text.into() };
    assert_eq!(completed.logs, [line("info", "got 1"), line("error", "x")]);
    assert!(!completed.logs_truncated);
    assert_eq!(completed.hashes.input, sha256(event));
    assert_eq!(completed.hashes.output, sha256(r#"{"sum":3}"#));
    assert_eq!(completed.hashes.log, sha256(b"\0\0\0\x04info\0\0\0\x05got 1\0\0\0\x05error\0\0\0\x01x\0"));
    let usage = completed.usage;
    assert!(usage.cpu_us > 0 && usage.wall_us > 0 && usage.peak_memory_bytes > 0, "{usage:?}");
    assert_eq!((usage.host_calls, usage.bytes_out), (0, 0));
}

#[tokio::test]
async fn a_function_that_fails_is_an_outcome_with_hashes_of_its_own() {
    let appliance = Appliance::new().await;
    let limits = Limits { timeout_ms: 300, output_bytes: 10, ..ample() };
    let source = "export default async (what) => { console.log(what);
        if (what === 'throw') throw new TypeError('no');
        if (what === 'hang') await new Promise((done) => setTimeout(done, 1e9));
        return 'x'.repeat(100); };";
    appliance.deploy("f", Deploy { limits, ..function(source) }).await;
    for (event, code, message) in [
        (r#""throw""#, "function_error", "TypeError: no"),
        (r#""hang""#, "timeout", "300"),
        (r#""long""#, "output_limit", "10"),
    ] {
        let completed = appliance.invoke("f", event).await.unwrap();
        let told = output(&completed);
        assert_eq!(completed.code(), code, "{told}");
        let (_, words) = told.split_once(": ").unwrap();
        assert!(words.contains(message), "{told}");
        assert_eq!(completed.hashes.output, sha256(words));
        assert_eq!(completed.logs.len(), 1, "{event}: what it logged is not lost");
    }
}

#[tokio::test]
async fn only_json_reaches_a_function() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function("export default (event) => event;")).await;
    assert_eq!(output(&appliance.invoke("f", " [1, null] ").await.unwrap()), "[1,null]");
    for wrong in
        ["", "undefined", "{", "1 2", "'a'", &"[".repeat(1_000), &("[".repeat(200) + &"]".repeat(200))]
    {
        assert!(matches!(appliance.invoke("f", wrong).await, Err(InvokeError::Event(_))), "{wrong}");
    }
    let latin = appliance.invoker.invoke(ALICE, &INVOCATION, "f", b"\"\xff\"").await;
    assert!(matches!(latin, Err(InvokeError::EventNotText)));
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let limits = Limits { output_bytes: 1024 * 1024, ..ample() };
    appliance.deploy("f", Deploy { limits, ..function("export default (event) => event;") }).await;
    let largest = text(MAX_EVENT_BYTES);
    assert!(output(&appliance.invoke("f", &largest).await.unwrap()) == largest);
    let larger = appliance.invoke("f", &text(MAX_EVENT_BYTES + 1)).await;
    assert!(matches!(larger, Err(InvokeError::EventTooLarge(_))));
}

#[tokio::test]
async fn a_tenant_invokes_its_own_functions_alone() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function("export default () => 1;")).await;
    let others = appliance.invoker.invoke(BOB, &INVOCATION, "f", b"1").await;
    assert!(matches!(others, Err(InvokeError::Registry(RegistryError::NotFound(_)))));
    appliance.registry.delete(ALICE, "f").await.unwrap();
    let deleted = appliance.invoke("f", "1").await;
    assert!(matches!(deleted, Err(InvokeError::Registry(RegistryError::NotFound(_)))));
}

#[tokio::test]
async fn code_that_cannot_be_invoked_is_not_deployed() {
    let appliance = Appliance::new().await;
    for (source, words) in [
        ("export default (", "SyntaxError"),
        ("export const handler = () => 1;", "default"),
        ("export default 7;", "default"),
        ("import 'https://evil.test/x.js'; export default () => 1;", ""),
        ("throw new RangeError('at the top'); export default () => 1;", "RangeError: at the top"),
    ] {
        let refusal = appliance.refusal(source, ample()).await;
        assert!(refusal.contains(words), "{source}: {refusal}");
    }
    let limits = Limits { cpu_ms: 200, ..ample() };
    let refusal = appliance.refusal("for (;;); export default () => 1;", limits).await;
    assert!(refusal.contains("200 ms"), "{refusal}");
    // The check reaches nothing: what a module asks for at its top level is not given.
    let source = "try { await r3e.store.set('k', 1); } catch {} export default () => 1;";
    let definition = r3e_functions::Definition::new("f", function(source)).unwrap();
    let _either =
        r3e_functions::Loadable::check(&appliance.pool, &appliance.bundler, ALICE, definition).await;
    assert_eq!(appliance.store.records(), 0);
}

#[tokio::test]
async fn what_a_function_stores_is_its_own_and_survives_a_restart() {
    let keeper = Keeper::new();
    let source = "export default async ({ set, get }) => {
        if (set !== undefined) await r3e.store.set('k', set);
        return await r3e.store.get(get ?? 'k'); };";
    {
        let appliance = Appliance::over(Arc::clone(&keeper)).await;
        appliance.deploy("f", function(source)).await;
        appliance.deploy("g", function(source)).await;
        let stored = appliance.invoke("f", r#"{"set":{"n":[1,"é"]}}"#).await.unwrap();
        assert_eq!(output(&stored), r#"{"n":[1,"é"]}"#);
        assert_eq!(stored.usage.host_calls, 2);
        for key in ["k", "f/k", "../f/k"] {
            let event = format!("{{\"get\":\"{key}\"}}");
            assert_eq!(output(&appliance.invoke("g", &event).await.unwrap()), "null", "{key}");
        }
    }
    let appliance = Appliance::over(keeper).await;
    assert_eq!(output(&appliance.invoke("f", "{}").await.unwrap()), r#"{"n":[1,"é"]}"#);
    assert_eq!(output(&appliance.invoke("g", "{}").await.unwrap()), "null");
}

#[tokio::test]
async fn an_invocation_is_over_when_its_writes_are_durable_awaited_or_not() {
    let appliance = Arc::new(Appliance::new().await);
    let source = "export default () => { r3e.store.set('k', 'kept'); return 1; };";
    appliance.deploy("f", function(source)).await;
    let before = appliance.store.sequence();
    let gate = appliance.keeper.gate.write().await;
    let invocation = tokio::spawn({
        let appliance = Arc::clone(&appliance);
        async move { appliance.invoke("f", "null").await.unwrap() }
    });
    // Far longer than the function takes: it can only be the write that the invocation waits for.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!invocation.is_finished());
    assert_eq!(appliance.store.sequence(), before);
    drop(gate);
    assert_eq!(output(&invocation.await.unwrap()), "1");
    assert!(appliance.store.sequence() > before, "a receipt made now covers the write");
    appliance.deploy("f", function("export default () => r3e.store.get('k');")).await;
    assert_eq!(output(&appliance.invoke("f", "null").await.unwrap()), r#""kept""#);
}

#[tokio::test]
async fn a_new_version_runs_from_the_next_event_on() {
    let appliance = Appliance::new().await;
    let first = appliance.deploy("f", function("let n = 0; export default () => ++n;")).await;
    assert_eq!(output(&appliance.invoke("f", "0").await.unwrap()), "1");
    let second = appliance.deploy("f", function("export default () => 'new';")).await;
    let completed = appliance.invoke("f", "0").await.unwrap();
    assert_eq!(output(&completed), r#""new""#);
    assert_eq!(hex::encode(completed.version), second.version);
    eventually("both are loaded", || appliance.pool.loaded_functions() == 2).await;
    appliance.invoker.forget(ALICE, &first);
    assert_eq!(appliance.pool.loaded_functions(), 1, "the older version's runner is gone");
}
