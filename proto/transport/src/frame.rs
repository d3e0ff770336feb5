//! Whole messages over a stream of bytes: a length of four bytes, big-endian, then the body.
//!
//! An empty body is refused both ways: no message of ours is empty, and a peer that sends nothing for ever in valid
//! frames would otherwise look alive. Time is the caller's: wrap a call in a timeout where the peer may be slow. Neither
//! call may be dropped halfway and then repeated on the same stream.

use std::io::{self, IoSlice};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits::FRAME_STEP_BYTES;

/// Bytes of the length before each body.
pub const HEADER_BYTES: usize = 4;

/// Why a frame was not read or written.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The stream ended between two frames: the peer has said all it had to say.
    #[error("the stream ended")]
    Closed,
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame")]
    Truncated,
    /// A length of zero.
    #[error("a frame without a body")]
    Empty,
    /// A length over the caller's limit. Nothing was allocated for it.
    #[error("a frame of {bytes} bytes, where at most {max_bytes} are taken")]
    TooLong {
        /// The length announced, or the length to be sent.
        bytes: usize,
        /// The caller's limit.
        max_bytes: usize,
    },
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
}

/// Reads one frame and returns its body, of 1 to `max_bytes` bytes.
///
/// Memory grows with what has arrived, not with what was announced, and never past `max_bytes`.
///
/// # Errors
/// Any [`FrameError`]. After any but [`FrameError::Closed`] the stream has no known position: drop it.
pub async fn read_frame<R: AsyncRead + Unpin>(
    reader: &mut R,
    max_bytes: usize,
) -> Result<Vec<u8>, FrameError> {
    let length = read_length(reader).await?;
    if length == 0 {
        return Err(FrameError::Empty);
    }
    if length > max_bytes {
        return Err(FrameError::TooLong { bytes: length, max_bytes });
    }
    let mut body = Vec::new();
    while body.len() < length {
        let start = body.len();
        let step = (length - start).min(start.max(FRAME_STEP_BYTES));
        body.reserve_exact(step);
        body.resize(start + step, 0);
        reader.read_exact(&mut body[start..]).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FrameError::Truncated,
            _ => FrameError::Io(error),
        })?;
    }
    Ok(body)
}

/// Writes `body`, of 1 to `max_bytes` bytes, as one frame, and flushes.
///
/// # Errors
/// [`FrameError::Empty`] and [`FrameError::TooLong`] before anything is written; [`FrameError::Io`].
pub async fn write_frame<W: AsyncWrite + Unpin>(
    writer: &mut W,
    body: &[u8],
    max_bytes: usize,
) -> Result<(), FrameError> {
    if body.is_empty() {
        return Err(FrameError::Empty);
    }
    let too_long = FrameError::TooLong { bytes: body.len(), max_bytes };
    if body.len() > max_bytes {
        return Err(too_long);
    }
    let Ok(length) = u32::try_from(body.len()) else { return Err(too_long) };
    let header = length.to_be_bytes();

    // Length and body leave in one call where the stream can, so that a small message is one packet.
    let mut sent = 0;
    while sent < HEADER_BYTES {
        let parts = [IoSlice::new(&header[sent..]), IoSlice::new(body)];
        match writer.write_vectored(&parts).await? {
            0 => return Err(FrameError::Io(io::ErrorKind::WriteZero.into())),
            wrote => sent += wrote,
        }
    }
    writer.write_all(&body[sent - HEADER_BYTES..]).await?;
    writer.flush().await?;
    Ok(())
}

/// The length before a body. No byte at all is a clean end; one to three are not.
async fn read_length<R: AsyncRead + Unpin>(reader: &mut R) -> Result<usize, FrameError> {
    let mut header = [0; HEADER_BYTES];
    let mut have = 0;
    while have < HEADER_BYTES {
        match reader.read(&mut header[have..]).await? {
            0 if have == 0 => return Err(FrameError::Closed),
            0 => return Err(FrameError::Truncated),
            read => have += read,
        }
    }
    // A length that does not fit is over any limit a caller can name.
    Ok(usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX))
}
