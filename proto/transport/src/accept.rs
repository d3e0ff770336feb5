//! Which failures of `accept` pass by themselves. Knows nothing of what is accepted.

use std::io;
use std::time::Duration;

use crate::limits::ACCEPT_PAUSE_MS;

// errno values of Linux, the same on every architecture we build for (`errno(3)`).
const EPERM: i32 = 1;
const ENOMEM: i32 = 12;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const EPROTO: i32 = 71;
const ENETDOWN: i32 = 100;
const ENETUNREACH: i32 = 101;
const ENOBUFS: i32 = 105;
const ETIMEDOUT: i32 = 110;
const EHOSTDOWN: i32 = 112;
const EHOSTUNREACH: i32 = 113;

/// How long to wait before the next `accept` after this error, or none when another try cannot help.
///
/// A connection that ended before it was accepted costs no wait. A lack of descriptors or memory costs
/// [`ACCEPT_PAUSE_MS`], because an `accept` that fails leaves the listener readable and would spin; and so do the
/// failures of the network below, which `accept(2)` says are the next connection's and not the listener's.
pub fn pause_after(error: &io::Error) -> Option<Duration> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {
            return Some(Duration::ZERO);
        }
        _ => {}
    }
    match error.raw_os_error() {
        Some(
            ENOMEM | ENFILE | EMFILE | ENOBUFS | EPERM | EPROTO | ENETDOWN | ENETUNREACH | ETIMEDOUT
            | EHOSTDOWN | EHOSTUNREACH,
        ) => Some(Duration::from_millis(ACCEPT_PAUSE_MS)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_failures_are_told_from_lasting_ones() {
        assert_eq!(pause_after(&io::ErrorKind::ConnectionAborted.into()), Some(Duration::ZERO));
        for passing in [EMFILE, ENOMEM, ENETDOWN, EPROTO, ETIMEDOUT] {
            let pause = pause_after(&io::Error::from_raw_os_error(passing));
            assert_eq!(pause, Some(Duration::from_millis(ACCEPT_PAUSE_MS)), "{passing}");
        }
        // EBADF, EINVAL, ENOTSOCK: the listener itself is wrong.
        for lasting in [9, 22, 88] {
            assert_eq!(pause_after(&io::Error::from_raw_os_error(lasting)), None, "{lasting}");
        }
    }
}
