//! The two loops that hand out work: attempts, and webhooks. Each takes what is next by turns, as much as may be under way, and
//! waits until something comes, ends or grows due.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use crate::changes::Phase;
use crate::jobs::Inner;
use crate::record::Address;
use crate::{attempts, webhooks};

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Attempts,
    Webhooks,
}

/// Hands out work of one kind, until jobs are not worked on any more.
pub(crate) async fn keep_at(inner: Arc<Inner>, work: Work) {
    let mut phase = inner.phase.subscribe();
    loop {
        let now = *phase.borrow_and_update();
        if now == Phase::Closed {
            return;
        }
        while let Some(address) = next(&inner, work) {
            // Its place is given back however the work ends.
            let slot = Slot { inner: Arc::clone(&inner), work, address };
            tokio::spawn(async move {
                let slot = slot;
                match slot.work {
                    Work::Attempts => attempts::make(&slot.inner, slot.address).await,
                    Work::Webhooks => webhooks::tell(&slot.inner, slot.address).await,
                }
            });
        }
        let next_at = {
            let board = inner.board();
            let lanes = match work {
                Work::Attempts => &board.attempts,
                Work::Webhooks => &board.webhooks,
            };
            lanes.next_at()
        };
        let due = async {
            match next_at.filter(|_| now == Phase::Open) {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let wake = match work {
            Work::Attempts => &inner.attempts_wake,
            Work::Webhooks => &inner.webhooks_wake,
        };
        tokio::select! {
            _ = phase.changed() => {}
            () = wake.notified() => {}
            () = due => {}
        }
    }
}

/// The next piece of work, unless nothing is begun now: looked at under the board's lock, as [`crate::Jobs::pause`] does.
fn next(inner: &Inner, work: Work) -> Option<Address> {
    let mut board = inner.board();
    if *inner.phase.borrow() != Phase::Open {
        return None;
    }
    match work {
        Work::Attempts => board.next_attempt(Instant::now()),
        Work::Webhooks => board.next_webhook(Instant::now()),
    }
}

/// A place among what is under way.
struct Slot {
    inner: Arc<Inner>,
    work: Work,
    address: Address,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let tenant = self.address.tenant;
        match self.work {
            Work::Attempts => self.inner.board().attempts.done(tenant),
            Work::Webhooks => self.inner.board().webhooks.done(tenant),
        }
        self.inner.ended.notify_waiters();
        self.inner.wake();
    }
}
