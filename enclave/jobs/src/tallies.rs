//! What was done with jobs since the boot, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters; each only rises.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) enqueued: Tally,
    pub(crate) begun: Tally,
    pub(crate) succeeded: Tally,
    pub(crate) dead: Tally,
    pub(crate) cancelled: Tally,
    pub(crate) retried: Tally,
    pub(crate) interrupted: Tally,
    pub(crate) removed: Tally,
    pub(crate) webhooks_delivered: Tally,
    pub(crate) webhooks_failed: Tally,
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
