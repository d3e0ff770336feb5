//! The time at which certificates are judged. The parent's clock is not trusted, so the caller brings one: on
//! hardware, anchored in the attestation device.

use std::{fmt, sync::Arc, time::Duration};

use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

/// A source of the time of day, in milliseconds since 1970; none when it is not known, and then every certificate
/// is refused.
#[derive(Clone)]
pub struct TrustedClock(Arc<dyn Fn() -> Option<u64> + Send + Sync>);

impl TrustedClock {
    /// A clock that asks `unix_ms`.
    pub fn new(unix_ms: impl Fn() -> Option<u64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(unix_ms))
    }
}

impl TimeProvider for TrustedClock {
    fn current_time(&self) -> Option<UnixTime> {
        (self.0)().map(|ms| UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

impl fmt::Debug for TrustedClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TrustedClock(..)")
    }
}
