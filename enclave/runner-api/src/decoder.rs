//! Turns bytes, in whatever pieces they come, into frames. Memory grows with the bytes received,
//! never with the length that a header claims.

use crate::frame::{FrameKind, ProtocolError};
use crate::limits::{HEADER_BYTES, RETAINED_BUFFER_BYTES};

/// One frame whose length was checked and whose body was not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// What it claims to be.
    pub kind: FrameKind,
    /// Its body.
    pub body: Vec<u8>,
}

/// Collects bytes and cuts frames from them.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    consumed: usize,
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes that were received. Ask for frames after each call: what is buffered then never
    /// exceeds one frame and the piece just added.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.consumed > 0 {
            self.buffer.drain(..self.consumed);
            self.consumed = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes held that no frame has taken yet.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len() - self.consumed
    }

    /// The next whole frame, if there is one. `max_body_bytes` is asked as soon as the header is
    /// there, before the body is waited for, and refuses by returning an error.
    ///
    /// # Errors
    /// [`ProtocolError::EmptyFrame`], [`ProtocolError::UnknownKind`], [`ProtocolError::TooLong`], and what
    /// `max_body_bytes` returns. The stream is then unusable.
    pub fn next_frame(
        &mut self,
        max_body_bytes: impl FnOnce(FrameKind) -> Result<usize, ProtocolError>,
    ) -> Result<Option<RawFrame>, ProtocolError> {
        let pending = self.buffer.get(self.consumed..).unwrap_or_default();
        let Some((header, rest)) = pending.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let [a, b, c, d, kind] = *header;
        let length = u32::from_be_bytes([a, b, c, d]);
        let Some(body_bytes) = length.checked_sub(1) else { return Err(ProtocolError::EmptyFrame) };
        let body_bytes = usize::try_from(body_bytes).unwrap_or(usize::MAX);
        let kind = FrameKind::from_byte(kind)?;
        let max_bytes = max_body_bytes(kind)?;
        if body_bytes > max_bytes {
            return Err(ProtocolError::TooLong { kind, bytes: body_bytes, max_bytes });
        }
        let Some(body) = rest.get(..body_bytes) else { return Ok(None) };
        let frame = RawFrame { kind, body: body.to_vec() };
        self.consumed += HEADER_BYTES + body_bytes;
        if self.consumed == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(RETAINED_BUFFER_BYTES);
            self.consumed = 0;
        }
        Ok(Some(frame))
    }
}
