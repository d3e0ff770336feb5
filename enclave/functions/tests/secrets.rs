//! What an invocation is given of secrets, and what is known of processes that were given some.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use appliance::{ALICE, Appliance, granted, output};
use r3e_functions::SecretAnswer;
use r3e_functions::limits::MAX_UNDECLARED_LOGGED;
use r3e_proto::api::functions::{Deploy, Instance, Limits};

/// Asks for each name of the event, one after the other, and tells refusals by their code.
const ASKING: &str = "export default async (names) => {
    const told = [];
    for (const name of names) {
        try { told.push(await r3e.secrets.get(name)); } catch (error) { told.push({ refused: error.code }); }
    }
    return told;
};";

/// Keeps what it was given the first time.
const KEEPING: &str = "let kept = null;
export default async (ask) => {
    if (ask) kept = await r3e.secrets.get('KEY');
    return kept;
};";

/// May read `KEY`, and has one process for its events: what that keeps in a variable stays.
fn reused(source: &str) -> Deploy {
    Deploy { instance: Instance { reuse: true }, ..granted(source, &["KEY"], &[]) }
}

async fn told(appliance: &Appliance, event: &str) -> String {
    output(&appliance.invoke("f", event).await.unwrap())
}

#[tokio::test]
async fn each_refusal_has_its_reason() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    let refusals = [("MINE", SecretAnswer::NotGranted), ("OLD", SecretAnswer::Expired)];
    for (name, refusal) in refusals {
        appliance.secrets.refusals.lock().unwrap().insert(name.to_owned(), refusal);
    }
    appliance.deploy("f", granted(ASKING, &["KEY", "MINE", "OLD", "UNSET"], &[])).await;
    let answer = told(&appliance, r#"["KEY","MINE","OLD","UNSET","OTHER"]"#).await;
    let expected = r#"["sesame",{"refused":"denied"},{"refused":"expired"},null,{"refused":"denied"}]"#;
    assert_eq!(answer, expected);
    assert_eq!(*appliance.secrets.undeclared.lock().unwrap(), ["OTHER"]);
}

#[tokio::test]
async fn an_invocation_asks_once_however_often_the_function_does() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", granted(ASKING, &["KEY"], &[])).await;
    assert_eq!(told(&appliance, r#"["KEY","KEY","KEY"]"#).await, r#"["sesame","sesame","sesame"]"#);
    assert_eq!(*appliance.secrets.asked.lock().unwrap(), ["KEY"]);
    let both = "export default async () => Promise.all([r3e.secrets.get('KEY'), r3e.secrets.get('KEY')]);";
    assert_eq!(appliance.output(granted(both, &["KEY"], &[]), "null").await, r#"["sesame","sesame"]"#);
    assert_eq!(*appliance.secrets.asked.lock().unwrap(), ["KEY", "KEY"], "each invocation anew");
}

#[tokio::test]
async fn guesses_are_logged_up_to_a_number_and_none_is_right() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", granted(ASKING, &[], &[])).await;
    let names: Vec<String> = (0..20).map(|number| format!("GUESS{}", number / 2)).collect();
    let answer = told(&appliance, &serde_json::to_string(&names).unwrap()).await;
    assert_eq!(answer.matches("denied").count(), names.len());
    let logged = appliance.secrets.undeclared.lock().unwrap().clone();
    assert_eq!(logged.len(), MAX_UNDECLARED_LOGGED);
    assert_eq!((logged[0].as_str(), logged[1].as_str()), ("GUESS0", "GUESS1"), "each name once");
    appliance.secrets.undeclared.lock().unwrap().clear();
    told(&appliance, r#"["a/b","..",""," "]"#).await;
    assert!(appliance.secrets.undeclared.lock().unwrap().is_empty(), "what names nothing is not logged");
}

#[tokio::test]
async fn a_value_kept_in_a_variable_is_logged_as_held() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", reused(KEEPING)).await;
    assert_eq!(told(&appliance, "false").await, "null");
    assert!(appliance.secrets.held.lock().unwrap().is_empty(), "nothing was given yet");
    assert_eq!(told(&appliance, "true").await, r#""sesame""#);
    assert!(appliance.secrets.held.lock().unwrap().is_empty(), "it asked");
    assert_eq!(told(&appliance, "false").await, r#""sesame""#, "from its variable");
    assert_eq!(*appliance.secrets.held.lock().unwrap(), [("KEY".to_owned(), 1)]);
    assert_eq!(appliance.secrets.asked.lock().unwrap().len(), 1);
}

/// Keeps what it was given the first time; afterwards tells that it runs, and does not end.
const RUNNING: &str = "let kept = null;
export default async () => {
    if (kept !== null) {
        await r3e.store.set('runs', true);
        while (true) await new Promise((done) => setTimeout(done, 5));
    }
    kept = await r3e.secrets.get('KEY');
    return null;
};";

async fn is_running(appliance: &Appliance) -> bool {
    let values = r3e_store::Namespace::of_tenant("function-values", &ALICE.to_string()).unwrap();
    appliance.store.get(&values, "f/runs").await.unwrap().is_some()
}

#[tokio::test]
async fn what_a_process_holds_is_logged_before_it_has_the_event() {
    let appliance = std::sync::Arc::new(Appliance::new().await);
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", reused(RUNNING)).await;
    told(&appliance, "null").await;
    let stopped = appliance.secrets.gate.write().await;
    let client = tokio::spawn({
        let appliance = std::sync::Arc::clone(&appliance);
        async move { told(&appliance, "null").await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!is_running(&appliance).await, "the entry is not durable, and the process has the event");
    drop(stopped);
    while !is_running(&appliance).await {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // The client goes away while the function runs: what it may have had is on record all the same.
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    assert_eq!(*appliance.secrets.held.lock().unwrap(), [("KEY".to_owned(), 1)]);
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_entry_is_durable_runs_nothing() {
    let appliance = std::sync::Arc::new(Appliance::new().await);
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", reused(RUNNING)).await;
    told(&appliance, "null").await;
    let stopped = appliance.secrets.gate.write().await;
    let before = appliance.secrets.came.load(std::sync::atomic::Ordering::SeqCst);
    let client = tokio::spawn({
        let appliance = std::sync::Arc::clone(&appliance);
        async move { told(&appliance, "null").await }
    });
    while appliance.secrets.came.load(std::sync::atomic::Ordering::SeqCst) == before {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled(), "it waits for the entry");
    drop(stopped);
    assert_eq!(told(&appliance, "null").await, "null", "its process is gone with what that held");
    assert!(!is_running(&appliance).await && appliance.secrets.held.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_the_entry_of_what_it_holds_a_process_has_no_event() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", reused(RUNNING)).await;
    told(&appliance, "null").await;
    appliance.secrets.is_log_lost.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(appliance.invoke("f", "null").await, Err(r3e_functions::InvokeError::Audit(_))));
    assert!(!is_running(&appliance).await);
}

#[tokio::test]
async fn a_secret_that_changes_while_the_entry_is_on_its_way_is_not_in_the_process_that_has_the_event() {
    let appliance = std::sync::Arc::new(Appliance::new().await);
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", reused(KEEPING)).await;
    assert_eq!(told(&appliance, "true").await, r#""sesame""#);
    let stopped = appliance.secrets.gate.write().await;
    let client = tokio::spawn({
        let appliance = std::sync::Arc::clone(&appliance);
        async move { told(&appliance, "false").await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    appliance.pool.end_those_noted(&ALICE.to_string().into(), "KEY");
    drop(stopped);
    assert_eq!(client.await.unwrap(), "null", "the event came after the change, the value from before it");
}

#[tokio::test]
async fn a_process_that_was_given_a_secret_ends_when_the_secret_changes() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", reused(KEEPING)).await;
    assert_eq!(told(&appliance, "true").await, r#""sesame""#);
    let (alice, bob) = (ALICE.to_string().into(), appliance::BOB.to_string().into());
    appliance.pool.end_those_noted(&alice, "OTHER");
    appliance.pool.end_those_noted(&bob, "KEY");
    assert_eq!(told(&appliance, "false").await, r#""sesame""#, "another secret, another tenant");
    appliance.pool.end_those_noted(&alice, "KEY");
    assert_eq!(told(&appliance, "false").await, "null", "its memory is gone");
}

#[tokio::test]
async fn a_process_that_is_busy_while_the_secret_changes_is_not_kept() {
    let appliance = std::sync::Arc::new(Appliance::new().await);
    appliance.secrets.set(ALICE, "KEY", "sesame");
    let slow = "let kept = null;
        export default async (ask) => {
            if (!ask) return kept;
            kept = await r3e.secrets.get('KEY');
            await r3e.store.set('given', true);
            while ((await r3e.store.get('go')) !== true) await new Promise((done) => setTimeout(done, 5));
            return kept;
        };";
    let limits = Limits { host_calls: 1_000, ..appliance::ample() };
    appliance.deploy("f", Deploy { limits, ..reused(slow) }).await;
    let busy = tokio::spawn({
        let appliance = std::sync::Arc::clone(&appliance);
        async move { told(&appliance, "true").await }
    });
    let values = r3e_store::Namespace::of_tenant("function-values", &ALICE.to_string()).unwrap();
    while appliance.store.get(&values, "f/given").await.unwrap().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    appliance.pool.end_those_noted(&ALICE.to_string().into(), "KEY");
    appliance.store.put(&values, "f/go", b"true".as_slice()).await.unwrap();
    assert_eq!(busy.await.unwrap(), r#""sesame""#, "it was given it before");
    assert_eq!(told(&appliance, "false").await, "null", "its process is gone");
}
