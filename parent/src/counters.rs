//! What the parent counts. Knows nothing of how it is shown.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Every count, from the start of the process. Each is updated where the thing happens, and read at any time.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) clients: Clients,
    pub(crate) egress: Egress,
    pub(crate) blobs: Blobs,
    pub(crate) lease: Lease,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) configurations_served: Count,
}

/// Clients' connections.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    pub(crate) accepted: Count,
    pub(crate) open: Gauge,
    pub(crate) refused_full: Count,
    pub(crate) refused_address: Count,
    pub(crate) refused_rate: Count,
    pub(crate) silent: Count,
    pub(crate) unreached: Count,
    pub(crate) idle: Count,
    pub(crate) failed: Count,
    pub(crate) bytes_forth: Count,
    pub(crate) bytes_back: Count,
}

/// Connections that the enclave asked for.
#[derive(Debug, Default)]
pub(crate) struct Egress {
    pub(crate) connected: Count,
    pub(crate) open: Gauge,
    pub(crate) refused: Count,
    pub(crate) malformed: Count,
    pub(crate) bytes_out: Count,
    pub(crate) bytes_in: Count,
}

/// The blob store.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    pub(crate) reads: Count,
    pub(crate) commits: Count,
    pub(crate) conflicts: Count,
    pub(crate) failures: Count,
    pub(crate) fenced: Count,
    pub(crate) syncs: Count,
    pub(crate) malformed: Count,
    pub(crate) bytes_committed: Count,
    pub(crate) disk_bytes: Gauge,
    pub(crate) stopped: Flag,
}

/// The lease of a store that several parents share.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    pub(crate) taken: Count,
    pub(crate) lost: Count,
    pub(crate) failures: Count,
    pub(crate) epoch: Gauge,
}

/// The enclave's heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    pub(crate) beats: Count,
    pub(crate) last_unix_seconds: Gauge,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// For a loop that counts bytes itself.
    pub(crate) fn atomic(&self) -> &AtomicU64 {
        &self.0
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    /// One more, until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entered(self)
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Now, in seconds since 1970, by this machine's clock.
    pub(crate) fn set_now(&self) {
        self.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts itself out again.
#[derive(Debug)]
pub(crate) struct Entered<'a>(&'a Gauge);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Something that happens once and stays so.
#[derive(Debug, Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
