//! Writes of one invocation to the store, and which of them nobody can vouch for.
//!
//! A write is confirmed (it is durable), refused (it never was), or neither: the parent did not answer in time, and it may
//! stand or not. What is not known to stand is not shown to readers either, so reading does not settle it; a later write of
//! the same key that is confirmed does, since the store applies writes in their order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r3e_runner_api::{HostErrorCode, HostValue};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::runner_pool::HostFuture;
use crate::values::{Values, refused};

/// The writes of one invocation. Each goes on when the runner no longer waits for it, so that none is half known when the
/// receipt is made.
pub(crate) struct Writes {
    values: Values,
    under_way: Mutex<JoinSet<()>>,
    open: Open,
}

impl Writes {
    /// None yet.
    pub(crate) fn of(values: Values) -> Self {
        Self { values, under_way: Mutex::default(), open: Open::default() }
    }

    /// Starts a write at once, not when its answer is first waited for: a function that returns without waiting has
    /// still written.
    pub(crate) fn start(&self, key: String, value: Option<String>) -> HostFuture<'_> {
        let (answer, answered) = oneshot::channel();
        let (values, open) = (self.values.clone(), self.open.clone());
        let begun = open.begin(&key);
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            let outcome = values.write(&key, value).await;
            match &outcome {
                Ok(()) => open.confirmed(&begun),
                Err(error) if error.code == HostErrorCode::Unconfirmed => open.unconfirmed(&begun),
                Err(_) => open.refused(&begun),
            }
            // Nobody waits for the answer if the invocation is over.
            drop(answer.send(outcome));
        });
        Box::pin(async {
            let outcome = answered.await;
            outcome.unwrap_or_else(|_| Err(refused(HostErrorCode::Unconfirmed, "the store failed")))?;
            Ok(HostValue::StoreSet {})
        })
    }

    /// Waits for the writes that are under way; the store bounds how long. Gives how many of all are neither confirmed nor
    /// refused, nor written over since.
    pub(crate) async fn settle(&self) -> usize {
        let mut writes = std::mem::take(&mut *self.under_way.lock().unwrap_or_else(PoisonError::into_inner));
        while writes.join_next().await.is_some() {}
        self.open.lock().writes.len()
    }
}

/// Writes whose outcome is not known: those under way, and those that ended so.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<OpenWrites>>);

#[derive(Default)]
struct OpenWrites {
    begun: u64,
    writes: BTreeMap<u64, OpenWrite>,
}

struct OpenWrite {
    key: String,
    ended: bool,
}

/// One write, and those of the same key that had ended unknown before it began.
struct Begun {
    number: u64,
    written_over: Vec<u64>,
}

impl Open {
    fn begin(&self, key: &str) -> Begun {
        let mut open = self.lock();
        let number = open.begun;
        open.begun += 1;
        let earlier = open.writes.iter().filter(|(_, write)| write.ended && write.key == key);
        let written_over = earlier.map(|(number, _)| *number).collect();
        open.writes.insert(number, OpenWrite { key: key.to_owned(), ended: false });
        Begun { number, written_over }
    }

    fn confirmed(&self, begun: &Begun) {
        let mut open = self.lock();
        open.writes.remove(&begun.number);
        open.writes.retain(|number, _| !begun.written_over.contains(number));
    }

    fn refused(&self, begun: &Begun) {
        self.lock().writes.remove(&begun.number);
    }

    fn unconfirmed(&self, begun: &Begun) {
        if let Some(write) = self.lock().writes.get_mut(&begun.number) {
            write.ended = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenWrites> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(open: &Open) -> usize {
        open.lock().writes.len()
    }

    #[test]
    fn only_a_write_that_began_after_the_unknown_one_ended_writes_over_it() {
        let open = Open::default();
        let (lost, beside) = (open.begin("k"), open.begin("k"));
        open.unconfirmed(&lost);
        open.confirmed(&beside);
        assert_eq!(left(&open), 1, "which of the two came first, nobody can say");
        let other = open.begin("other");
        open.confirmed(&other);
        assert_eq!(left(&open), 1, "another key says nothing of this one");
        let (over, again) = (open.begin("k"), open.begin("k"));
        open.unconfirmed(&again);
        open.confirmed(&over);
        assert_eq!(left(&open), 1, "the later one is unknown now");
        let refused = open.begin("k");
        open.refused(&refused);
        assert_eq!(left(&open), 1, "a refusal writes nothing");
        let final_one = open.begin("k");
        open.confirmed(&final_one);
        assert_eq!(left(&open), 0);
    }

    #[test]
    fn a_write_that_never_said_how_it_ended_stays_open() {
        let open = Open::default();
        drop(open.begin("k"));
        assert_eq!(left(&open), 1);
    }
}
