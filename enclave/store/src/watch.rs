//! Looks after the witness while the store is open: what is read rests on nobody having gone on from this state elsewhere,
//! and without a commit nothing would tell.
//!
//! Where nothing was committed for a while, the witness is asked to confirm the head that it holds; and whatever it finds
//! out by itself is heard at once. Either closes the store where another commit is remembered. While the state is being
//! handed to another enclave, that one's commits are no fault: then nothing is asked, and what was heard counts if the state
//! comes back.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::watch::Receiver,
    time::{Instant, sleep_until},
};

use crate::{
    error::Tampered,
    settle::backoff,
    store::Shared,
    witness::{Look, Witness, Witnessed, overtaken},
};

/// Begins to look after the witness, if there is one, until the store is gone. Must be called within a tokio runtime.
pub(crate) fn keep_watch(shared: &Arc<Shared>) {
    let Some(witness) = shared.guard.witness() else { return };
    let watching = Watch {
        witness: Arc::clone(witness),
        pause: Duration::from_millis(shared.options.witness_watch_ms),
        commits: shared.commits.subscribe(),
        frozen: shared.frozen.subscribe(),
        shared: Arc::downgrade(shared),
    };
    tokio::spawn(watching.run());
}

fn standing(shared: &Shared) -> Witnessed {
    let index = shared.index();
    Witnessed { sequence: index.sequence(), head: index.head_digest() }
}

struct Watch {
    witness: Arc<dyn Witness>,
    pause: Duration,
    commits: Receiver<u64>,
    frozen: Receiver<bool>,
    /// It does not keep the store.
    shared: Weak<Shared>,
}

impl Watch {
    async fn run(mut self) {
        let mut failures = 0;
        let mut next = Instant::now() + self.pause;
        loop {
            let found = tokio::select! {
                by = self.witness.overtaken() => {
                    let Some(shared) = self.shared.upgrade() else { return };
                    Some(overtaken(&standing(&shared), &by))
                }
                committed = self.commits.changed() => {
                    // The store is gone, or closed; otherwise the witness confirmed just now.
                    if committed.is_err() || self.shared.upgrade().is_none_or(|shared| shared.intact().is_err()) {
                        return;
                    }
                    (failures, next) = (0, Instant::now() + self.pause);
                    None
                }
                () = sleep_until(next) => {
                    let looked = if *self.frozen.borrow() { Ok(()) } else {
                        let Some(shared) = self.shared.upgrade() else { return };
                        shared.guard.look().await
                    };
                    failures = if looked == Err(Look::Unconfirmed) { failures + 1 } else { 0 };
                    let pause = if failures == 0 { self.pause } else { backoff(failures) };
                    next = Instant::now() + pause;
                    match looked {
                        Err(Look::Overtaken(found)) => Some(found),
                        Ok(()) | Err(Look::Unconfirmed) => None,
                    }
                }
            };
            if let Some(found) = found {
                return self.condemn(found).await;
            }
        }
    }

    async fn condemn(mut self, found: Tampered) {
        if self.frozen.wait_for(|frozen| !frozen).await.is_ok()
            && let Some(shared) = self.shared.upgrade()
            && shared.intact().is_ok()
        {
            shared.condemn(found);
        }
    }
}
