//! Whoever lets invocations in is asked before each, and told what each used, whatever becomes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use appliance::admissions::Seen;
use appliance::{Appliance, ample, function};
use r3e_functions::{InvokeError, NotAdmitted};
use r3e_proto::api::functions::{Deploy, Limits};

/// Long enough for a function to begin on a busy machine, too.
const LEAVES_AFTER: Duration = Duration::from_secs(3);

#[tokio::test]
async fn what_is_not_let_in_does_not_run() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function("export default () => r3e.store.set('ran', 1);")).await;
    appliance.gate.closed.store(true, Ordering::SeqCst);
    let refused = appliance.invoke("f", "null").await.unwrap_err();
    let quota = matches!(&refused, InvokeError::NotAdmitted(NotAdmitted::Quota { retry_after_s: 7, .. }));
    assert!(quota, "{refused:?}");
    assert!(appliance.gate.seen().is_empty());
    appliance.gate.closed.store(false, Ordering::SeqCst);
    appliance.deploy("f", function("export default () => r3e.store.get('ran');")).await;
    let completed = appliance.invoke("f", "null").await.unwrap();
    assert_eq!(appliance::output(&completed), "null", "the refused one ran");
}

#[tokio::test]
async fn what_ran_is_settled_with_what_its_receipt_says() {
    let appliance = Appliance::new().await;
    let limits = Limits { timeout_ms: 3_000, ..ample() };
    let source = "export default async (what) => {
        if (what === 'throw') throw new TypeError('no');
        if (what === 'hang') await new Promise((done) => setTimeout(done, 1e9));
        await r3e.store.get('a'); };";
    appliance.deploy("f", Deploy { limits, ..function(source) }).await;
    for (event, failed) in [("null", false), (r#""throw""#, true), (r#""hang""#, true)] {
        let completed = appliance.invoke("f", event).await.unwrap();
        let last = appliance.gate.seen().pop();
        assert_eq!(last, Some(Seen::Settled { used: completed.usage, failed }), "{event}");
    }
    // What was never looked for in a runner was let in nowhere.
    let before = appliance.gate.seen().len();
    assert!(appliance.invoke("f", "{").await.is_err());
    assert!(appliance.invoke("g", "null").await.is_err());
    assert_eq!(appliance.gate.seen().len(), before);
}

#[tokio::test]
async fn whoever_leaves_before_the_answer_has_used_the_time_until_then() {
    let appliance = Appliance::new().await;
    let source = "export default async () => { await r3e.store.get('a');
        await new Promise((done) => setTimeout(done, 1e9)); };";
    let limits = Limits { timeout_ms: 30_000, ..ample() };
    appliance.deploy("f", Deploy { limits, ..function(source) }).await;
    let begun = std::time::Instant::now();
    let left = tokio::time::timeout(LEAVES_AFTER, appliance.invoke("f", "null")).await;
    let took = begun.elapsed();
    assert!(left.is_err(), "it hangs");
    let seen = appliance.gate.seen();
    let [Seen::Settled { used, failed: true }] = seen.as_slice() else { panic!("{seen:?}") };
    assert!((1_000..=took.as_micros()).contains(&used.wall_us.into()), "{used:?}");
    assert_eq!((used.cpu_us, used.host_calls), (used.wall_us, 1));
}

#[tokio::test]
async fn whoever_leaves_before_it_ran_has_used_nothing() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function("export default () => 1;")).await;
    let mut invoking = Box::pin(appliance.invoke("f", "null"));
    // As far as the first thing that is waited for.
    let polled =
        std::future::poll_fn(|context| std::task::Poll::Ready(invoking.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    drop(invoking);
    let seen = appliance.gate.seen();
    assert!(seen.iter().all(|seen| *seen == Seen::Released), "{seen:?}");
}
