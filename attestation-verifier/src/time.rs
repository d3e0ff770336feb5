//! A point in time, so that seconds and milliseconds cannot be taken for each other.

use std::{fmt, time::Duration};

use x509_cert::der::DateTime;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds, as documents count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch. Saturates, after half a billion years.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This time, `millis` later.
    pub(crate) const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for UnixTime {
    /// In the form of RFC 3339: `2024-11-30T16:22:48.387Z`; as seconds after the year 9999.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, millis) = (self.0 / 1000, self.0 % 1000);
        match DateTime::from_unix_duration(Duration::from_secs(secs)) {
            Ok(t) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{millis:03}Z",
                t.year(),
                t.month(),
                t.day(),
                t.hour(),
                t.minutes(),
                t.seconds()
            ),
            Err(_) => write!(f, "UNIX second {secs}.{millis:03}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_in_the_form_of_rfc_3339() {
        for (millis, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_732_983_768_387, "2024-11-30T16:22:48.387Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "UNIX second 253402300800.000"),
            (u64::MAX, "UNIX second 18446744073709551.615"),
        ] {
            assert_eq!(UnixTime::from_millis(millis).to_string(), shown);
        }
    }
}
