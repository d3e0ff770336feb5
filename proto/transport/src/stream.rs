//! One connection between parent and enclave, whichever socket carries it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_vsock::VsockStream;

use crate::limits::MAX_VSOCK_WRITE_BYTES;

/// A connection between parent and enclave.
///
/// `shutdown` closes this side's half: the peer reads to the end and may still answer. Dropping the stream closes
/// both halves.
#[derive(Debug)]
pub struct Stream(Socket);

#[derive(Debug)]
enum Socket {
    Vsock(VsockStream),
    Unix(UnixStream),
}

impl From<VsockStream> for Stream {
    fn from(stream: VsockStream) -> Self {
        Self(Socket::Vsock(stream))
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self(Socket::Unix(stream))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Socket::Vsock(stream) => Pin::new(stream).poll_read(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Socket::Vsock(stream) => Pin::new(stream).poll_write(cx, packet(buf)),
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Socket::Vsock(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = match &mut self.get_mut().0 {
            Socket::Vsock(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        match done {
            // The peer has gone: there is no half left to close, which is what was asked for.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            other => other,
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            // The library has no writes of several parts: the first with anything in it is written.
            Socket::Vsock(stream) => {
                let first = bufs.iter().find(|part| !part.is_empty()).map_or(&[][..], |part| part);
                Pin::new(stream).poll_write(cx, packet(first))
            }
            Socket::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Socket::Vsock(_) => false,
            Socket::Unix(stream) => stream.is_write_vectored(),
        }
    }
}

/// As much of `buf` as goes into one packet.
fn packet(buf: &[u8]) -> &[u8] {
    buf.get(..MAX_VSOCK_WRITE_BYTES).unwrap_or(buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_becomes_one_packet_at_most() {
        let bytes = vec![7; MAX_VSOCK_WRITE_BYTES + 1];
        assert_eq!(packet(&bytes).len(), MAX_VSOCK_WRITE_BYTES);
        for length in [0, 1, MAX_VSOCK_WRITE_BYTES] {
            assert_eq!(packet(&bytes[..length]).len(), length);
        }
    }
}
