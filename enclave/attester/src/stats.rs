//! Counters of the Attester: cheap to bump from any thread, read as one plain value.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A snapshot of the Attester's counters since its start. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttesterStats {
    /// Requests that the device answered, with success or an error.
    pub calls: u64,
    /// Answers of the device that were an error or did not fit the request.
    pub errors: u64,
    /// Requests refused because the queue was full.
    pub rejected: u64,
    /// Requests dropped from the queue unsent: their deadline had passed or their caller had left.
    pub abandoned: u64,
    /// Requests that wait for the device now.
    pub queue_depth: usize,
    /// Time that the device took for its last answer.
    pub last_latency_us: u64,
    /// Time that the device took for its slowest answer.
    pub max_latency_us: u64,
    /// Time that the device took for all its answers together.
    pub total_latency_us: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    errors: AtomicU64,
    rejected: AtomicU64,
    abandoned: AtomicU64,
    queue_depth: AtomicUsize,
    last_latency_us: AtomicU64,
    max_latency_us: AtomicU64,
    total_latency_us: AtomicU64,
}

impl Counters {
    pub(crate) fn queued(&self) {
        self.queue_depth.fetch_add(1, Relaxed);
    }

    pub(crate) fn unqueued(&self) {
        self.queue_depth.fetch_sub(1, Relaxed);
    }

    pub(crate) fn rejected(&self) {
        self.rejected.fetch_add(1, Relaxed);
    }

    pub(crate) fn abandoned(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }

    pub(crate) fn error(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    pub(crate) fn answered(&self, latency: Duration) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Relaxed);
        self.last_latency_us.store(latency_us, Relaxed);
        self.max_latency_us.fetch_max(latency_us, Relaxed);
        self.total_latency_us.fetch_add(latency_us, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> AttesterStats {
        AttesterStats {
            calls: self.calls.load(Relaxed),
            errors: self.errors.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            queue_depth: self.queue_depth.load(Relaxed),
            last_latency_us: self.last_latency_us.load(Relaxed),
            max_latency_us: self.max_latency_us.load(Relaxed),
            total_latency_us: self.total_latency_us.load(Relaxed),
        }
    }
}
