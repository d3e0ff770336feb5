//! When each feed has its round: at whole multiples of its interval by the appliance's clock, each in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::entry::Entry;
use crate::error::FeedsError;
use crate::feeds::Inner;
use crate::limits::LONGEST_SLEEP;
use crate::round;

/// Has rounds made as they are due, until the appliance stops.
pub(crate) async fn keep_going(inner: Arc<Inner>) {
    let mut closed = inner.closed.subscribe();
    loop {
        let (due, next_ms) = inner.board().due(inner.now_ms());
        for entry in due {
            entry.take();
            tokio::spawn(one(Arc::clone(&inner), entry));
        }
        let pause = Duration::from_millis(next_ms.saturating_sub(inner.now_ms())).min(LONGEST_SLEEP);
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            () = inner.wake.notified() => {}
            () = sleep(pause) => {}
        }
    }
}

/// One round, and the plan for the next. A fault in it ends it alone.
async fn one(inner: Arc<Inner>, entry: Arc<Entry>) {
    let going = {
        let (inner, entry) = (Arc::clone(&inner), Arc::clone(&entry));
        tokio::spawn(async move { round::go(&inner, &entry).await })
    };
    if let Err(error) = going.await {
        tracing::error!(%error, feed = entry.address.name, "a feed's round broke");
        let broke = FeedsError::Unavailable("the round broke by a fault of the appliance".to_owned());
        inner.saw(&entry, round::failed(inner.now_ms(), &broke));
    }
    entry.plan(inner.now_ms());
    inner.wake.notify_one();
}
