//! How many requests a public route takes, and how many happenings a tenant's triggers. In memory: a restart forgives.

use std::time::{Duration, Instant};

/// So many in a minute, a sixth of them at once after a rest.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    burst: Duration,
    /// When what was taken is paid for, at an even pace.
    paid: Instant,
}

impl Pace {
    pub(crate) fn new(per_minute: u32, now: Instant) -> Self {
        let interval = Duration::from_mins(1) / per_minute.max(1);
        Self { interval, burst: interval * (per_minute / 6).max(1), paid: now }
    }

    /// Whether one more is taken.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.take_all(1, now)
    }

    /// Whether so many more are taken: all of them, or none.
    pub(crate) fn take_all(&mut self, count: u32, now: Instant) -> bool {
        let next = self.paid.max(now) + self.interval * count;
        let is_taken = next.saturating_duration_since(now) <= self.burst;
        if is_taken {
            self.paid = next;
        }
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_an_even_pace() {
        let begun = Instant::now();
        let mut pace = Pace::new(60, begun);
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!((0..100).filter(|_| pace.take(at(0))).count(), 10);
        assert!(!pace.take(at(900)) && pace.take(at(1_000)) && !pace.take(at(1_500)));
        assert_eq!((0..100).filter(|_| pace.take(at(60_000_000))).count(), 10);
        assert!(!pace.take_all(11, at(120_000_000)) && pace.take_all(10, at(120_000_000)), "all or none");
        assert!(!pace.take(at(120_000_000)));
        let mut slowest = Pace::new(1, begun);
        assert!(slowest.take(at(0)) && !slowest.take(at(59_000)) && slowest.take(at(60_000)));
    }
}
