//! Frames over a stream that comes in pieces of any size. What is read must be what a plain reading of the bytes
//! gives, whatever the pieces.
#![no_main]

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use r3e_transport::frame::{FrameError, read_frame, write_frame};
use tokio::io::{AsyncRead, ReadBuf};

fuzz_target!(|data: &[u8]| {
    let Some((&[step, high, low], stream)) = data.split_first_chunk::<3>() else { return };
    let max_bytes = usize::from(u16::from_be_bytes([high, low]));
    let mut reader = Pieces { left: stream, step: usize::from(step).max(1) };
    let mut rest = stream;
    loop {
        let read = ready(read_frame(&mut reader, max_bytes));
        match (read, expected(&mut rest, max_bytes)) {
            (Ok(body), Expected::Body(expected)) => {
                assert_eq!(body, expected);
                let mut written = Vec::new();
                ready(write_frame(&mut written, &body, max_bytes)).expect("what was read can be written");
                assert_eq!(written[4..], body);
                assert_eq!(written[..4], u32::try_from(body.len()).expect("a short frame").to_be_bytes());
            }
            (Err(FrameError::Closed), Expected::Closed)
            | (Err(FrameError::Truncated), Expected::Truncated)
            | (Err(FrameError::Empty), Expected::Empty) => return,
            (Err(FrameError::TooLong { bytes, .. }), Expected::TooLong(length)) => {
                assert_eq!(bytes, length);
                return;
            }
            (read, _) => panic!("read {read:?}"),
        }
    }
});

enum Expected<'a> {
    Body(&'a [u8]),
    Closed,
    Truncated,
    Empty,
    TooLong(usize),
}

fn expected<'a>(rest: &mut &'a [u8], max_bytes: usize) -> Expected<'a> {
    if rest.is_empty() {
        return Expected::Closed;
    }
    let Some((header, bytes)) = rest.split_first_chunk::<4>() else { return Expected::Truncated };
    match u32::from_be_bytes(*header) as usize {
        0 => Expected::Empty,
        length if length > max_bytes => Expected::TooLong(length),
        length => match bytes.split_at_checked(length) {
            Some((body, after)) => {
                *rest = after;
                Expected::Body(body)
            }
            None => Expected::Truncated,
        },
    }
}

/// A stream that always has its next piece ready.
struct Pieces<'a> {
    left: &'a [u8],
    step: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.step.min(buffer.remaining()).min(self.left.len());
        let (piece, rest) = self.left.split_at(length);
        buffer.put_slice(piece);
        self.left = rest;
        Poll::Ready(Ok(()))
    }
}

/// The output of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits, although all bytes are there"),
    }
}
