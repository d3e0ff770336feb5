//! The time at which Evidence is appraised.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time. The default is [`SystemClock`]; a Relying Party with a better one (or a test) brings its own.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now, in Unix milliseconds.
    fn unix_ms(&self) -> u64;
}

/// This machine's clock. Where it is wrong, genuine Evidence is refused as expired, too old or not yet valid.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        // A clock before 1970 reads as 1970: every certificate is then not yet valid, and Evidence is refused.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still: to appraise at a time of the caller's choice.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock {
    /// Unix milliseconds.
    pub unix_ms: u64,
}

impl Clock for FixedClock {
    fn unix_ms(&self) -> u64 {
        self.unix_ms
    }
}
