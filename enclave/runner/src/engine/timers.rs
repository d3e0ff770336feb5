//! When timers are due. What is to run then, the prelude knows by the timer's number.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// The timers of one engine.
#[derive(Default)]
pub(super) struct Timers {
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    due: BTreeSet<(Instant, u32)>,
    by_id: HashMap<u32, Instant>,
}

impl Timers {
    /// Starts a timer under a number that no running timer has. The prelude bounds how many there are.
    pub(super) fn start(&self, id: u32, delay: Duration) {
        let at = Instant::now() + delay;
        let mut inner = self.inner.borrow_mut();
        inner.due.insert((at, id));
        inner.by_id.insert(id, at);
    }

    /// Stops a timer, if it runs.
    pub(super) fn stop(&self, id: u32) {
        let mut inner = self.inner.borrow_mut();
        if let Some(at) = inner.by_id.remove(&id) {
            inner.due.remove(&(at, id));
        }
    }

    /// Stops all.
    pub(super) fn stop_all(&self) {
        *self.inner.borrow_mut() = Inner::default();
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.inner.borrow().due.first().map(|(at, _)| *at)
    }

    /// Takes one that is due, earliest first.
    pub(super) fn take_due(&self, now: Instant) -> Option<u32> {
        let mut inner = self.inner.borrow_mut();
        let (at, id) = *inner.due.first()?;
        if at > now {
            return None;
        }
        inner.due.remove(&(at, id));
        inner.by_id.remove(&id);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_first_and_stopped_never() {
        let timers = Timers::default();
        timers.start(1, Duration::from_millis(20));
        timers.start(2, Duration::ZERO);
        timers.start(3, Duration::from_millis(10));
        timers.stop(3);
        timers.stop(7);
        let later = Instant::now() + Duration::from_millis(30);
        assert_eq!(timers.take_due(later), Some(2));
        assert_eq!(timers.take_due(Instant::now()), None);
        assert_eq!(timers.take_due(later), Some(1));
        assert_eq!(timers.take_due(later), None);
        assert_eq!(timers.next(), None);
    }
}
