//! Ticks: each trigger's is looked at when it is due, and fires at most one job. Chains and feeds are looked at by the same clock.

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::triggers::Fired;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::entry::Entry;
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::follow;
use crate::limits::{FIRING_AT_ONCE, LONGEST_SLEEP};
use crate::price;
use crate::record::Mark;
use crate::schedule::{Tick, rfc3339};
use crate::triggers::Inner;

/// Fires what is due, until the appliance stops.
pub(crate) async fn keep_firing(inner: Arc<Inner>) {
    let room = Arc::new(Semaphore::new(FIRING_AT_ONCE));
    let mut closed = inner.closed.subscribe();
    loop {
        let now_ms = inner.now_ms();
        let (due, next_ms) = inner.board().due(now_ms);
        for entry in due {
            if entry.follows() {
                entry.take();
                let look = follow::look_at(Arc::clone(&inner), Arc::clone(&entry));
                watched(Arc::clone(&inner), entry, look);
                continue;
            }
            if entry.judges().is_some() {
                entry.take();
                let look = price::keep_judging(Arc::clone(&inner), Arc::clone(&entry));
                watched(Arc::clone(&inner), entry, look);
                continue;
            }
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            entry.take();
            let (of_look, looked_at) = (Arc::clone(&inner), Arc::clone(&entry));
            watched(Arc::clone(&inner), entry, async move {
                look_at(&of_look, &looked_at).await;
                drop(place);
            });
        }
        let pause = Duration::from_millis(next_ms.saturating_sub(inner.now_ms())).min(LONGEST_SLEEP);
        tokio::select! {
            // The sender goes with the triggers.
            _ = closed.wait_for(|closed| *closed) => return,
            () = inner.wake.notified() => {}
            () = sleep(pause) => {}
        }
    }
}

/// Has a look go on by itself. One that panics plans no other, so that is done here: a defect must not end a trigger for good.
fn watched(inner: Arc<Inner>, entry: Arc<Entry>, look: impl Future<Output = ()> + Send + 'static) {
    let look = tokio::spawn(look);
    tokio::spawn(async move {
        if look.await.is_err_and(|error| error.is_panic()) {
            tracing::error!("a look at a trigger panicked");
            let pause = entry.heard(Some("the appliance met a defect of its own".to_owned()));
            entry.plan_after(inner.now_ms(), Some(pause));
            inner.wake.notify_one();
        }
    });
}

async fn look_at(inner: &Arc<Inner>, entry: &Arc<Entry>) {
    let mut has_failed = false;
    if let Some(tick) = entry.due(inner.now_ms()) {
        match fire(inner, entry, tick).await {
            Ok(_) => {}
            Err(error) => {
                has_failed = true;
                tracing::debug!(%error, "a tick was not queued");
            }
        }
    }
    entry.plan(inner.now_ms(), has_failed);
    inner.wake.notify_one();
}

async fn fire(inner: &Arc<Inner>, entry: &Arc<Entry>, tick: Tick) -> Result<Fired, TriggersError> {
    let event = json!({
        "trigger": entry.address.name,
        "kind": "cron",
        "tick_ms": tick.tick_ms,
        "tick": rfc3339(tick.tick_ms),
    });
    let happening =
        Happening { event: event.to_string(), mark: Mark::Tick(tick.tick_ms), key: None, hops: 0 };
    inner.fire(entry, happening).await
}
