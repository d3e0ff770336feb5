//! Frames: what was written is read, whatever the pieces; what is wrong is told apart.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::pin::Pin;
use std::task::{Context, Poll};

use proptest::collection::vec;
use proptest::prelude::*;
use r3e_transport::frame::{FrameError, HEADER_BYTES, read_frame, write_frame};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

/// Hands out its bytes in pieces of the given sizes, over and over.
struct Pieces {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
    turn: usize,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let size = self.sizes[self.turn % self.sizes.len()].min(buf.remaining()).min(self.bytes.len());
        self.turn += 1;
        let piece: Vec<u8> = self.bytes.drain(..size).collect();
        buf.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn read(bytes: &[u8], max_bytes: usize) -> Result<Vec<u8>, FrameError> {
    let mut input = bytes;
    wait(read_frame(&mut input, max_bytes))
}

#[test]
fn hostile_headers_are_told_apart() {
    assert!(matches!(read(b"", 8), Err(FrameError::Closed)));
    for cut in 1..HEADER_BYTES {
        assert!(matches!(read(&[0, 0, 0, 2][..cut], 8), Err(FrameError::Truncated)), "{cut}");
    }
    assert!(matches!(read(&[0, 0, 0, 2, 7], 8), Err(FrameError::Truncated)));
    assert!(matches!(read(&[0, 0, 0, 2], 8), Err(FrameError::Truncated)));
    assert!(matches!(read(&[0, 0, 0, 0], 8), Err(FrameError::Empty)));
    assert!(matches!(read(&[0, 0, 0, 9], 8), Err(FrameError::TooLong { bytes: 9, max_bytes: 8 })));
    assert!(matches!(read(&[0xff; 64], usize::from(u16::MAX)), Err(FrameError::TooLong { .. })));
    assert_eq!(read(&[0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8], 8).unwrap().len(), 8);
}

#[test]
fn an_announced_length_costs_nothing_until_it_arrives() {
    // A peer that announces 4 GiB under a limit that allows it, and sends three bytes, is an error and not an
    // allocation: this test would not survive one of 4 GiB for each of a thousand frames.
    for _ in 0..1000 {
        let mut input = u32::MAX.to_be_bytes().to_vec();
        input.extend([1, 2, 3]);
        assert!(matches!(read(&input, usize::MAX), Err(FrameError::Truncated)));
    }
}

#[test]
fn a_body_outside_the_limit_is_not_sent() {
    let mut out = Vec::new();
    assert!(matches!(wait(write_frame(&mut out, &[], 4)), Err(FrameError::Empty)));
    assert!(matches!(
        wait(write_frame(&mut out, &[1; 5], 4)),
        Err(FrameError::TooLong { bytes: 5, max_bytes: 4 })
    ));
    assert!(out.is_empty());
    wait(write_frame(&mut out, &[1; 4], 4)).unwrap();
    assert_eq!(out, [0, 0, 0, 4, 1, 1, 1, 1]);
}

#[test]
fn a_large_frame_passes_through_a_small_pipe() {
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    wait(async {
        let (mut near, mut far) = tokio::io::duplex(7);
        let (sent, got) = tokio::join!(write_frame(&mut near, &body, 4 << 20), read_frame(&mut far, 4 << 20));
        sent.unwrap();
        let got = got.unwrap();
        assert!(got == body);
        assert!(got.capacity() <= 4 << 20);
        near.shutdown().await.unwrap();
        assert!(matches!(read_frame(&mut far, 1).await, Err(FrameError::Closed)));
    });
}

proptest! {
    #[test]
    fn what_was_written_is_read_whatever_the_pieces(
        bodies in vec(vec(any::<u8>(), 1..300), 0..8),
        sizes in vec(1_usize..50, 1..6),
    ) {
        let mut wire = Vec::new();
        for body in &bodies {
            wait(write_frame(&mut wire, body, 300)).unwrap();
        }
        let mut input = Pieces { bytes: wire, sizes, turn: 0 };
        for body in &bodies {
            prop_assert_eq!(&wait(read_frame(&mut input, 300)).unwrap(), body);
        }
        prop_assert!(matches!(wait(read_frame(&mut input, 300)), Err(FrameError::Closed)));
    }

    #[test]
    fn any_bytes_give_a_body_within_the_limit_or_an_error(bytes in vec(any::<u8>(), 0..200), max in 0_usize..64) {
        if let Ok(body) = read(&bytes, max) {
            prop_assert!(!body.is_empty() && body.len() <= max);
            prop_assert_eq!(&body[..], &bytes[4..4 + body.len()]);
        }
    }
}
