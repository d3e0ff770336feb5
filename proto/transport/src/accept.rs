//! Which failures of `accept` pass by themselves. Knows nothing of what is accepted.

use std::io;
use std::time::Duration;

use crate::limits::ACCEPT_PAUSE_MS;

// errno values of Linux, the same on every architecture we build for (`errno(3)`).
const ENOMEM: i32 = 12;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOBUFS: i32 = 105;

/// How long to wait before the next `accept` after this error, or none when another try cannot help.
///
/// A connection that ended before it was accepted costs no wait; a lack of descriptors or memory costs
/// [`ACCEPT_PAUSE_MS`], because an `accept` that fails leaves the listener readable and would spin.
pub fn pause_after(error: &io::Error) -> Option<Duration> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {
            return Some(Duration::ZERO);
        }
        _ => {}
    }
    match error.raw_os_error() {
        Some(ENOMEM | ENFILE | EMFILE | ENOBUFS) => Some(Duration::from_millis(ACCEPT_PAUSE_MS)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_failures_are_told_from_lasting_ones() {
        assert_eq!(pause_after(&io::ErrorKind::ConnectionAborted.into()), Some(Duration::ZERO));
        assert_eq!(
            pause_after(&io::Error::from_raw_os_error(EMFILE)),
            Some(Duration::from_millis(ACCEPT_PAUSE_MS))
        );
        assert_eq!(pause_after(&io::ErrorKind::InvalidInput.into()), None);
    }
}
