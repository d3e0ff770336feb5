//! What the listener counts: connections by what became of them, and answers by their class. Of nobody in particular.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// A session: it was given evidence.
    Session,
    /// One that is served the public routes.
    Public,
    /// No handshake, or no evidence taken.
    Failed,
    /// Closed at once: there were as many as there may be.
    Refused,
}

/// The classes of answers.
pub(crate) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The names of [`Became`], in its order.
pub(crate) const BECAME: [&str; 4] = ["session", "public", "failed", "refused"];

/// Counters; all but the open sessions only rise.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: [AtomicU64; BECAME.len()],
    open: AtomicU64,
    /// Since when, in Unix milliseconds.
    since_ms: u64,
    answers: [AtomicU64; CLASSES.len()],
}

impl Counters {
    /// Zeros, as of now.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { since_ms: now_ms, ..Self::default() }
    }

    /// Since when it is counted, in Unix milliseconds.
    pub(crate) fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// Sessions that were given evidence.
    pub(crate) fn attested(&self) -> u64 {
        let [sessions, ..] = self.connections();
        sessions
    }

    /// Sessions that are open.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections, in the order of [`BECAME`].
    pub(crate) fn connections(&self) -> [u64; BECAME.len()] {
        std::array::from_fn(|at| self.connections[at].load(Ordering::Relaxed))
    }

    /// Answers, in the order of [`CLASSES`].
    pub(crate) fn answers(&self) -> [u64; CLASSES.len()] {
        std::array::from_fn(|at| self.answers[at].load(Ordering::Relaxed))
    }

    pub(super) fn connection(&self, became: Became) {
        let at = match became {
            Became::Session => 0,
            Became::Public => 1,
            Became::Failed => 2,
            Became::Refused => 3,
        };
        self.connections[at].fetch_add(1, Ordering::Relaxed);
    }

    /// A session that is open until this is dropped, also where what serves it breaks.
    pub(super) fn opened(self: &Arc<Self>) -> OpenSession {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenSession(Arc::clone(self))
    }

    pub(super) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).checked_sub(1);
        if let Some(counter) = class.and_then(|class| self.answers.get(class)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A session that is open.
pub(super) struct OpenSession(Arc<Counters>);

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_class_and_nothing_else() {
        let counters = Counters::default();
        for status in [100, 200, 204, 404, 429, 421, 503, 999] {
            counters.answered(StatusCode::from_u16(status).unwrap());
        }
        assert_eq!(counters.answers(), [1, 2, 0, 3, 1]);
    }

    #[test]
    fn connections_are_counted_by_what_became_of_them() {
        let counters = Arc::new(Counters::default());
        for became in [Became::Session, Became::Refused, Became::Session, Became::Failed, Became::Public] {
            counters.connection(became);
        }
        let (_open, closed) = (counters.opened(), counters.opened());
        drop(closed);
        assert_eq!((counters.connections(), counters.attested(), counters.open()), ([2, 1, 1, 1], 2, 1));
    }
}
