//! What the rounds of all feeds came to, and how soon after its last answer each report was there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use r3e_proto::api::feeds::{RoundCounts, RoundOutcome};

/// Upper bounds of the buckets that delays are counted in, in microseconds; the last bucket has the rest.
pub const DELAY_BOUNDS_US: [u64; 11] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000];

/// All feeds' rounds since the boot, as they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rounds by what they came to.
    pub rounds: RoundCounts,
    /// Reports by how long after the last answer of their round they were durable and signed: one more than there are bounds.
    pub delays: [u64; DELAY_BOUNDS_US.len() + 1],
    /// The sum of all delays, in microseconds.
    pub delay_us: u64,
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    rounds: Mutex<RoundCounts>,
    delays: [AtomicU64; DELAY_BOUNDS_US.len() + 1],
    delay_us: AtomicU64,
}

impl Counting {
    /// Takes note of a round.
    pub(crate) fn saw(&self, outcome: RoundOutcome) {
        add(&mut self.rounds.lock().unwrap_or_else(PoisonError::into_inner), outcome);
    }

    /// Takes note of a report.
    pub(crate) fn reported(&self, delay: Duration) {
        let delay_us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        let bucket = DELAY_BOUNDS_US.partition_point(|bound| *bound < delay_us);
        if let Some(count) = self.delays.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.delay_us.fetch_add(delay_us, Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            rounds: *self.rounds.lock().unwrap_or_else(PoisonError::into_inner),
            delays: self.delays.each_ref().map(|count| count.load(Ordering::Relaxed)),
            delay_us: self.delay_us.load(Ordering::Relaxed),
        }
    }
}

/// Counts a round.
pub(crate) fn add(counts: &mut RoundCounts, outcome: RoundOutcome) {
    let count = match outcome {
        RoundOutcome::Published => &mut counts.published,
        RoundOutcome::Quiet => &mut counts.quiet,
        RoundOutcome::Nothing => &mut counts.nothing,
        RoundOutcome::Failed => &mut counts.failed,
    };
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let counting = Counting::default();
        for delay_us in [0, 500, 501, 5_000, 1_000_000, 1_000_001] {
            counting.reported(Duration::from_micros(delay_us));
        }
        let totals = counting.totals();
        assert_eq!(totals.delays, [2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(totals.delay_us, 2_006_002);
    }
}
