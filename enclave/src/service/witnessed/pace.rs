//! The pace of each witnessed appliance: so many requests a second and some at once. What comes faster waits, and where it
//! would wait too long it is refused, and counted. One appliance's haste costs the others nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use r3e_proto::api::identity::PublicKey;
use tokio::time::{Instant, sleep_until};

use crate::limits::{WITNESS_BURST, WITNESS_INTERVAL, WITNESS_LONGEST_DELAY};

/// Of all that were admitted and have asked, so that there are no more of them than may be admitted.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<[u8; 32], Pace>>);

/// Of one.
#[derive(Clone, Copy)]
struct Pace {
    /// When the next request is due, at an even pace.
    due: Instant,
    refused: u64,
}

impl Paces {
    /// Waits for the turn of one more request of `key`. False where it comes too fast.
    pub(super) async fn keep(&self, key: &PublicKey) -> bool {
        match self.take(key, Instant::now()) {
            Some(at) => sleep_until(at).await,
            None => return false,
        }
        true
    }

    /// Requests of `key` that were refused since the start.
    pub(super) fn refused(&self, key: &PublicKey) -> u64 {
        self.with(key, Instant::now(), |pace| pace.refused)
    }

    /// When a request that comes `now` may go on; none where that is too late.
    fn take(&self, key: &PublicKey, now: Instant) -> Option<Instant> {
        self.with(key, now, |pace| {
            // Who was idle may make up for it, as far as the burst goes.
            let burst = WITNESS_INTERVAL.saturating_mul(WITNESS_BURST);
            let due = now.checked_sub(burst).map_or(pace.due, |earliest| pace.due.max(earliest));
            if due.saturating_duration_since(now) > WITNESS_LONGEST_DELAY {
                pace.refused += 1;
                return None;
            }
            pace.due = due + WITNESS_INTERVAL;
            Some(due.max(now))
        })
    }

    // Nothing that holds it can leave it half changed.
    fn with<T>(&self, key: &PublicKey, now: Instant, look: impl FnOnce(&mut Pace) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let burst = WITNESS_INTERVAL.saturating_mul(WITNESS_BURST);
        let due = now.checked_sub(burst).unwrap_or(now);
        look(all.entry(key.0).or_insert(Pace { due, refused: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const KEY: PublicKey = PublicKey([1; 32]);

    #[tokio::test]
    async fn a_burst_goes_through_then_an_even_pace_and_the_rest_is_refused() {
        let (paces, now) = (Paces::default(), Instant::now() + Duration::from_mins(1));
        for _ in 0..=WITNESS_BURST {
            assert_eq!(paces.take(&KEY, now), Some(now));
        }
        let delayed =
            u32::try_from(WITNESS_LONGEST_DELAY.as_millis() / WITNESS_INTERVAL.as_millis()).unwrap();
        for behind in 1..=delayed {
            assert_eq!(paces.take(&KEY, now), Some(now + WITNESS_INTERVAL * behind));
        }
        for refused in 1..=3 {
            assert_eq!(paces.take(&KEY, now), None);
            assert_eq!(paces.refused(&KEY), refused);
        }
        // Refused ones cost nothing: the next is due as soon as ever.
        assert!(paces.take(&KEY, now + WITNESS_INTERVAL).is_some());
        // Another is not in its way.
        assert_eq!(paces.take(&PublicKey([2; 32]), now), Some(now));
        assert_eq!(paces.refused(&PublicKey([2; 32])), 0);
        // An hour of rest saves up one burst, and no more.
        let later = now + Duration::from_hours(1);
        let at_once = (0..10_000).take_while(|_| paces.take(&KEY, later) == Some(later)).count();
        assert_eq!(at_once, usize::try_from(WITNESS_BURST).unwrap() + 1);
    }
}
