//! What is logged of those who were refused: anybody may ask, as often as there are sessions.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::rules::Refusal;
use crate::limits::{HANDOFF_REFUSALS_SPAN, MAX_LOGGED_HANDOFF_REFUSALS};

/// Those of late.
#[derive(Default)]
pub(super) struct Refusals(Mutex<Lately>);

#[derive(Default)]
struct Lately {
    since: Option<Instant>,
    logged: u32,
    unlogged: u64,
}

impl Refusals {
    /// Logs it, or counts it for the next one that is logged.
    pub(super) fn log(&self, refusal: &Refusal) {
        if let Some(unlogged) = self.admit(Instant::now()) {
            tracing::warn!(code = refusal.code(), %refusal, unlogged, "a successor was refused");
        }
    }

    /// How many before it were not logged, if this one is to be.
    fn admit(&self, now: Instant) -> Option<u64> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.since.is_none_or(|since| now.duration_since(since) >= HANDOFF_REFUSALS_SPAN) {
            (lately.since, lately.logged) = (Some(now), 0);
        }
        if lately.logged >= MAX_LOGGED_HANDOFF_REFUSALS {
            lately.unlogged = lately.unlogged.saturating_add(1);
            return None;
        }
        lately.logged += 1;
        Some(std::mem::take(&mut lately.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn so_many_in_a_span_are_logged_and_the_rest_is_counted() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        for _ in 0..MAX_LOGGED_HANDOFF_REFUSALS {
            assert_eq!(refusals.admit(start), Some(0));
        }
        for millisecond in 0..1_000 {
            assert_eq!(refusals.admit(start + Duration::from_millis(millisecond)), None);
        }
        assert_eq!(refusals.admit(start + HANDOFF_REFUSALS_SPAN), Some(1_000));
        assert_eq!(refusals.admit(start + HANDOFF_REFUSALS_SPAN), Some(0));
    }
}
