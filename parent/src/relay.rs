//! Moves bytes both ways between two sockets until both sides have finished, one failed, or neither spoke for too long.
//!
//! A connection that waits holds no buffer: bytes are read into one buffer a thread and written from there; only what
//! the other side does not take at once is kept, and then nothing more is read from that side. So 10,000 idle
//! connections cost their sockets alone, and a slow reader slows its sender.
//!
//! Knows nothing of what the bytes are.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};

use crate::limits::RELAY_BUFFER_BYTES;

/// How a relay ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Both sides finished.
    Finished,
    /// No byte moved for the idle timeout.
    Idle,
    /// A socket failed; dropping both tells the other side.
    Failed,
    /// Someone had it end: never said by [`relay`] itself.
    Cut,
}

/// Where moved bytes are counted, while they move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved<'a> {
    /// From the first side to the second.
    pub(crate) forth: &'a AtomicU64,
    /// From the second side to the first.
    pub(crate) back: &'a AtomicU64,
}

/// Moves bytes between `first` and `second`, two unbuffered sockets.
///
/// The end of one side's bytes closes that half towards the other, which may go on. `idle` is measured from the last
/// byte that moved in either direction.
pub(crate) async fn relay<A, B>(first: &mut A, second: &mut B, idle: Duration, moved: Moved<'_>) -> Ended
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let mut forth = Direction::default();
    let mut back = Direction::default();
    let mut last_byte = Instant::now();
    let mut timer = pin!(sleep(idle));
    poll_fn(|cx| {
        let (there, here) = BUFFER.with_borrow_mut(|buffer| {
            (forth.poll(cx, first, second, buffer), back.poll(cx, second, first, buffer))
        });
        if forth.take_active() | back.take_active() {
            moved.forth.fetch_add(forth.take_moved(), Ordering::Relaxed);
            moved.back.fetch_add(back.take_moved(), Ordering::Relaxed);
            last_byte = Instant::now();
        }
        match (there, here) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => return Poll::Ready(Ended::Failed),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(Ended::Finished),
            _ => {}
        }
        // The timer is set again when it fires, not when bytes move: they move a million times more often.
        while timer.as_mut().poll(cx).is_ready() {
            let due = last_byte + idle;
            if due <= Instant::now() {
                return Poll::Ready(Ended::Idle);
            }
            timer.as_mut().reset(due);
        }
        Poll::Pending
    })
    .await
}

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; RELAY_BUFFER_BYTES].into());
}

/// One way through a connection.
#[derive(Debug, Default)]
struct Direction {
    /// What was read and not yet taken; empty, and without memory, but for a reader slower than its sender.
    held: Vec<u8>,
    /// How much of `held` has been written.
    written: usize,
    /// The source has ended.
    ended: bool,
    /// The end has been passed on.
    closed: bool,
    /// Bytes read since [`Direction::take_moved`].
    moved: u64,
    /// Something was read or written since [`Direction::take_active`]: a slow reader that takes its bytes is not idle.
    active: bool,
}

impl Direction {
    /// Moves what can be moved now. Ready when the source has ended and all of it is written.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
        buffer: &mut [u8],
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            ready!(self.poll_held(cx, to))?;
            if self.closed {
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.closed = true;
                return Poll::Ready(Ok(()));
            }
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *from).poll_read(cx, &mut read))?;
            let bytes = read.filled();
            if bytes.is_empty() {
                self.ended = true;
                continue;
            }
            self.moved += bytes.len() as u64;
            self.active = true;
            let taken = match Pin::new(&mut *to).poll_write(cx, bytes)? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(taken) => taken,
                Poll::Pending => 0,
            };
            if taken < bytes.len() {
                self.held = bytes[taken..].to_vec();
                self.written = 0;
            }
        }
    }

    /// Writes what is held. Ready when nothing is.
    fn poll_held<W: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, to: &mut W) -> Poll<io::Result<()>> {
        while self.written < self.held.len() {
            match ready!(Pin::new(&mut *to).poll_write(cx, &self.held[self.written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => {
                    self.written += taken;
                    self.active = true;
                }
            }
        }
        if !self.held.is_empty() {
            self.held = Vec::new();
        }
        Poll::Ready(Ok(()))
    }

    fn take_moved(&mut self) -> u64 {
        std::mem::take(&mut self.moved)
    }

    fn take_active(&mut self) -> bool {
        std::mem::take(&mut self.active)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);
    const ALMOST_IDLE: Duration = Duration::from_secs(29);

    /// A relay between two pipes of `room` bytes each: the two far ends, and the relay.
    fn between(room: usize) -> (DuplexStream, DuplexStream, JoinHandle<(Ended, u64, u64)>) {
        let (left, mut first) = duplex(room);
        let (right, mut second) = duplex(room);
        let relaying = tokio::spawn(async move {
            let (forth, back) = (AtomicU64::new(0), AtomicU64::new(0));
            let ended = relay(&mut first, &mut second, IDLE, Moved { forth: &forth, back: &back }).await;
            (ended, forth.into_inner(), back.into_inner())
        });
        (left, right, relaying)
    }

    #[tokio::test]
    async fn each_half_ends_by_itself_and_bytes_are_counted() {
        let (mut left, mut right, relaying) = between(16);
        let question = vec![1; RELAY_BUFFER_BYTES * 2 + 7];
        let (asked, got) = tokio::join!(
            async {
                left.write_all(&question).await.unwrap();
                left.shutdown().await.unwrap();
            },
            async {
                let mut got = Vec::new();
                right.read_to_end(&mut got).await.unwrap();
                got
            }
        );
        let () = asked;
        assert!(got == question);
        right.write_all(b"answer").await.unwrap();
        right.shutdown().await.unwrap();
        let mut answer = Vec::new();
        left.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
        let (ended, forth, back) = relaying.await.unwrap();
        assert!(matches!(ended, Ended::Finished));
        assert_eq!((forth, back), (question.len() as u64, 6));
    }

    #[tokio::test]
    async fn a_reader_that_stops_stops_its_sender() {
        let (mut left, mut right, relaying) = between(64 * 1024);
        let mut sent = 0;
        // Two pipes and one buffer at most; the timeout ends a write that waits, as it should.
        while let Ok(written) = tokio::time::timeout(Duration::from_millis(200), left.write(&[7; 4096])).await
        {
            sent += written.unwrap();
            assert!(sent <= 2 * 64 * 1024 + RELAY_BUFFER_BYTES, "{sent}");
        }
        drop(left);
        let mut got = Vec::new();
        right.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.len(), sent, "what was taken arrives");
        drop(right);
        relaying.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_it_after_the_timeout_and_not_before() {
        let (mut left, mut right, relaying) = between(16);
        let mut byte = [0];
        for _ in 0..5 {
            tokio::time::sleep(ALMOST_IDLE).await;
            left.write_all(b"x").await.unwrap();
            right.read_exact(&mut byte).await.unwrap();
            tokio::time::sleep(ALMOST_IDLE).await;
            right.write_all(b"y").await.unwrap();
            left.read_exact(&mut byte).await.unwrap();
        }
        let silent_since = Instant::now();
        assert!(matches!(relaying.await.unwrap().0, Ended::Idle));
        let waited = silent_since.elapsed();
        assert!(waited >= IDLE && waited < IDLE + Duration::from_secs(1), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_closed_connection_still_ends_when_idle() {
        let (mut left, right, relaying) = between(16);
        left.shutdown().await.unwrap();
        assert!(matches!(relaying.await.unwrap().0, Ended::Idle));
        drop(right);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_idle() {
        let (mut left, mut right, relaying) = between(4);
        left.write_all(b"01234567").await.unwrap();
        let writing = tokio::spawn(async move {
            left.write_all(&[b'z'; 40]).await.unwrap();
            left
        });
        let mut bytes = Vec::new();
        for _ in 0..12 {
            tokio::time::sleep(ALMOST_IDLE).await;
            let mut four = [0; 4];
            right.read_exact(&mut four).await.unwrap();
            bytes.extend(four);
        }
        assert_eq!(bytes.len(), 48);
        drop(writing.await.unwrap());
        drop(right);
        assert!(!matches!(relaying.await.unwrap().0, Ended::Idle));
    }

    #[tokio::test]
    async fn a_failed_side_ends_both() {
        let (left, mut right, relaying) = between(16);
        // A pipe whose far end is gone takes no bytes.
        drop(left);
        let mut rest = Vec::new();
        right.read_to_end(&mut rest).await.unwrap();
        while right.write_all(b"more").await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(relaying.await.unwrap().0, Ended::Failed));
    }
}
