//! The time the appliance goes by.
//!
//! The wall clock of an enclave is set by nothing that can be trusted, so no code in the enclave
//! reads it. The NSM puts the hypervisor's time into each attestation document; between documents
//! the monotonic clock, which the hypervisor drives too, carries it on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::document::Document;
use crate::error::AttesterError;

/// A clock anchored in the NSM's documents. Clones share the anchor.
///
/// It lags the hypervisor by at most the time the NSM took to answer, plus the drift of the
/// monotonic clock since the last anchor. It never runs backwards: when an anchor shows that it ran
/// fast, it stands still until the hypervisor's time has caught up.
#[derive(Debug, Clone)]
pub struct TrustedClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// The hypervisor's time, and the moment on the monotonic clock it belongs to.
    anchor_ms: u64,
    anchored_at: Instant,
    /// What the clock showed when it was last anchored: it shows nothing earlier from then on.
    floor_ms: u64,
}

impl TrustedClock {
    /// Starts the clock. There is no clock without a document, so there is no time before the first.
    ///
    /// # Errors
    ///
    /// [`AttesterError::Timestamp`] when the document has no readable timestamp.
    pub fn start(document: &Document) -> Result<Self, AttesterError> {
        let anchor_ms = document.timestamp_ms()?;
        let state = State { anchor_ms, anchored_at: document.answered_at(), floor_ms: anchor_ms };
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// Sets the clock by a newer document, and returns by how many milliseconds the hypervisor was
    /// ahead of it (negative: the clock ran fast). A document older than the anchor in use is
    /// ignored: it has nothing to add.
    ///
    /// # Errors
    ///
    /// [`AttesterError::Timestamp`] when the document has no readable timestamp; the clock keeps
    /// its anchor.
    pub fn anchor(&self, document: &Document) -> Result<i64, AttesterError> {
        let anchor_ms = document.timestamp_ms()?;
        let anchored_at = document.answered_at();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if anchored_at <= state.anchored_at {
            return Ok(0);
        }
        let expected_ms = state.shown_at(anchored_at);
        let floor_ms = state.shown_at(Instant::now());
        *state = State { anchor_ms, anchored_at, floor_ms };
        Ok(difference_ms(anchor_ms, expected_ms))
    }

    /// The time in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).shown_at(Instant::now())
    }

    /// How long ago the document was made that the clock is set by.
    pub fn anchor_age(&self) -> Duration {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).anchored_at.elapsed()
    }
}

impl State {
    fn shown_at(&self, moment: Instant) -> u64 {
        let elapsed = moment.saturating_duration_since(self.anchored_at).as_millis();
        let elapsed_ms = u64::try_from(elapsed).unwrap_or(u64::MAX);
        self.anchor_ms.saturating_add(elapsed_ms).max(self.floor_ms)
    }
}

fn difference_ms(left: u64, right: u64) -> i64 {
    let size = i64::try_from(left.abs_diff(right)).unwrap_or(i64::MAX);
    if left >= right { size } else { -size }
}

#[cfg(test)]
mod tests {
    use ciborium::{Value, cbor};

    use super::*;

    const NOON_MS: u64 = 1_766_678_400_000;

    fn document(timestamp_ms: u64, answered_at: Instant) -> Document {
        let mut payload = Vec::new();
        ciborium::into_writer(&cbor!({"timestamp" => timestamp_ms}).unwrap(), &mut payload).unwrap();
        let empty = || Value::Bytes(vec![]);
        let parts = vec![empty(), Value::Map(vec![]), Value::Bytes(payload), empty()];
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Array(parts), &mut bytes).unwrap();
        Document::from_device(bytes, answered_at).unwrap()
    }

    fn ago(millis: u64) -> Instant {
        Instant::now().checked_sub(Duration::from_millis(millis)).unwrap()
    }

    #[test]
    fn time_runs_on_from_the_moment_the_device_answered() {
        let clock = TrustedClock::start(&document(NOON_MS, ago(10_000))).unwrap();
        assert!(clock.now_ms() >= NOON_MS + 10_000);
        assert!(clock.now_ms() < NOON_MS + 70_000, "a minute is lost");
        assert!(clock.anchor_age() >= Duration::from_secs(10));
    }

    #[test]
    fn a_newer_document_moves_the_clock_forward() {
        let clock = TrustedClock::start(&document(NOON_MS, ago(10_000))).unwrap();
        let ahead = clock.anchor(&document(NOON_MS + 3_600_000, ago(0))).unwrap();
        assert!((3_580_000..=3_590_000).contains(&ahead), "{ahead}");
        assert!(clock.now_ms() >= NOON_MS + 3_600_000);
    }

    #[test]
    fn a_clock_that_ran_fast_stands_still_and_never_runs_back() {
        let clock = TrustedClock::start(&document(NOON_MS, ago(0))).unwrap();
        let before = clock.now_ms();
        let ahead = clock.anchor(&document(NOON_MS - 3_600_000, ago(0))).unwrap();
        assert!((-3_660_000..=-3_600_000).contains(&ahead), "{ahead}");
        let after = clock.now_ms();
        assert!(after >= before);
        // An hour ahead, it stands: two readings some time apart are the same.
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(clock.now_ms(), after);
        // Once the hypervisor's time has passed it, it goes on with that time, not its own.
        clock.anchor(&document(NOON_MS + 3_600_000, ago(0))).unwrap();
        assert!((NOON_MS + 3_600_000..NOON_MS + 3_660_000).contains(&clock.now_ms()));
    }

    #[test]
    fn an_older_document_changes_nothing() {
        let clock = TrustedClock::start(&document(NOON_MS, ago(0))).unwrap();
        assert_eq!(clock.anchor(&document(NOON_MS - 3_600_000, ago(5_000))).unwrap(), 0);
        assert_eq!(clock.anchor(&document(NOON_MS + 3_600_000, ago(5_000))).unwrap(), 0);
        assert!((NOON_MS..NOON_MS + 60_000).contains(&clock.now_ms()));
    }

    #[test]
    fn a_document_without_time_leaves_the_anchor() {
        let clock = TrustedClock::start(&document(NOON_MS, ago(0))).unwrap();
        let broken = Document::from_device(vec![0x80], Instant::now()).unwrap();
        assert!(matches!(clock.anchor(&broken), Err(AttesterError::Timestamp { .. })));
        assert!(matches!(TrustedClock::start(&broken), Err(AttesterError::Timestamp { .. })));
        assert!(clock.now_ms() >= NOON_MS);
    }

    #[test]
    fn the_largest_times_do_not_overflow() {
        let clock = TrustedClock::start(&document(u64::MAX, ago(1_000))).unwrap();
        assert_eq!(clock.now_ms(), u64::MAX);
        assert_eq!(clock.anchor(&document(1, Instant::now())).unwrap(), -i64::MAX);
        assert_eq!(clock.now_ms(), u64::MAX);
    }
}
