//! The heartbeat: one byte to the parent, which sends it back. `nitro-cli` waits for it to call an enclave running.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::InitError;
use crate::limits::{CONNECT_PAUSE, CONNECT_TIMEOUT, HEARTBEAT_TIMEOUT};
use crate::system::{self, Readiness};

/// The byte, fixed by Nitro.
pub(crate) const HEARTBEAT: u8 = 0xB7;
/// The parent's context id and its port for the heartbeat, fixed by Nitro.
const PARENT: (u32, u32) = (3, 9000);

/// Sends the heartbeat and waits for the answer.
pub(crate) fn beat() -> Result<(), InitError> {
    let (cid, port) = PARENT;
    let connect = |patience| system::connect_vsock(cid, port, patience);
    exchange(connect, HEARTBEAT_TIMEOUT)
}

/// Connects, as often as it takes, and exchanges the byte, once. All of it within `patience`.
///
/// `connect` is given how long it may take, and gives a socket that does not block.
fn exchange(
    mut connect: impl FnMut(Duration) -> io::Result<OwnedFd>,
    patience: Duration,
) -> Result<(), InitError> {
    let started = Instant::now();
    let left = || patience.saturating_sub(started.elapsed());
    let mut socket = loop {
        match connect(left().min(CONNECT_TIMEOUT)) {
            Ok(socket) => break File::from(socket),
            Err(last) if left() <= CONNECT_PAUSE => {
                return Err(InitError::HeartbeatUnreachable { waited: started.elapsed(), last });
            }
            Err(_) => sleep(CONNECT_PAUSE),
        }
    };
    // A socket that was just connected takes a byte at once.
    socket.write_all(&[HEARTBEAT]).map_err(InitError::HeartbeatBroken)?;
    match answer(&mut socket, left) {
        Ok(HEARTBEAT) => Ok(()),
        Ok(answer) => Err(InitError::HeartbeatWrong { answer }),
        Err(error) if error.kind() == ErrorKind::TimedOut => {
            Err(InitError::HeartbeatLate { waited: started.elapsed() })
        }
        Err(error) => Err(InitError::HeartbeatBroken(error)),
    }
}

fn answer(socket: &mut File, left: impl Fn() -> Duration) -> io::Result<u8> {
    let mut byte = [0];
    loop {
        system::wait(socket.as_fd(), Readiness::Read, left())?;
        match socket.read_exact(&mut byte) {
            Ok(()) => return Ok(byte[0]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// A parent that does as `behave` says with its end of the connection, and the enclave's end.
    fn parent(behave: impl FnOnce(UnixStream) + Send + 'static) -> OwnedFd {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        thread::spawn(move || behave(theirs));
        ours.into()
    }

    fn once(socket: OwnedFd, patience: Duration) -> Result<(), InitError> {
        let mut socket = Some(socket);
        exchange(|_| Ok(socket.take().expect("one connection is enough")), patience)
    }

    fn read_beat(stream: &mut UnixStream) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [HEARTBEAT]);
    }

    #[test]
    fn the_byte_comes_back() {
        let socket = parent(|mut stream| {
            read_beat(&mut stream);
            stream.write_all(&[HEARTBEAT]).unwrap();
        });
        once(socket, LONG).unwrap();
    }

    #[test]
    fn another_byte_is_refused() {
        for wrong in [0, 0x7B, 0xB6, 0xFF] {
            let socket = parent(move |mut stream| {
                read_beat(&mut stream);
                stream.write_all(&[wrong, HEARTBEAT]).unwrap();
            });
            let error = once(socket, LONG).unwrap_err();
            assert!(matches!(error, InitError::HeartbeatWrong { answer } if answer == wrong), "{error}");
        }
    }

    #[test]
    fn no_answer_ends_in_time() {
        let (keep, end) = std::sync::mpsc::channel::<()>();
        let socket = parent(move |stream| {
            let _closed = end.recv();
            drop(stream);
        });
        let error = once(socket, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, InitError::HeartbeatLate { .. }), "{error}");
        drop(keep);
    }

    #[test]
    fn an_answer_that_comes_late_is_none() {
        let (sent, late) = std::sync::mpsc::channel::<()>();
        let socket = parent(move |mut stream| {
            read_beat(&mut stream);
            let _closed = late.recv();
            drop(stream.write_all(&[HEARTBEAT]));
        });
        let error = once(socket, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, InitError::HeartbeatLate { .. }), "{error}");
        drop(sent);
    }

    #[test]
    fn a_connection_that_closes_is_no_answer() {
        let socket = parent(|mut stream| read_beat(&mut stream));
        let error = once(socket, LONG).unwrap_err();
        assert!(matches!(error, InitError::HeartbeatBroken(_)), "{error}");
    }

    #[test]
    fn a_parent_that_is_not_there_yet_is_tried_again() {
        let socket = parent(|mut stream| {
            read_beat(&mut stream);
            stream.write_all(&[HEARTBEAT]).unwrap();
        });
        let (mut tries, mut socket) = (0, Some(socket));
        let connect = |patience| {
            tries += 1;
            assert!(patience <= CONNECT_TIMEOUT);
            if tries < 3 { Err(ErrorKind::ConnectionReset.into()) } else { Ok(socket.take().unwrap()) }
        };
        exchange(connect, LONG).unwrap();
        assert_eq!(tries, 3);
    }

    #[test]
    fn a_parent_that_never_comes_ends_in_time() {
        let mut tries = 0;
        let connect = |_| {
            tries += 1;
            Err(ErrorKind::TimedOut.into())
        };
        let error = exchange(connect, 2 * CONNECT_PAUSE).unwrap_err();
        assert!(matches!(error, InitError::HeartbeatUnreachable { .. }), "{error}");
        assert!((1..=3).contains(&tries), "{tries}");
    }

    #[test]
    fn a_dial_that_nothing_answers_ends_in_an_error() {
        // The highest context id there is, so that no machine beside this one is met by chance.
        let error = system::connect_vsock(u32::MAX - 1, PARENT.1, Duration::from_millis(50)).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::WouldBlock, "{error}");
    }
}
