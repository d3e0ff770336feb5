//! The frame: which kinds exist, how long each may be, and what can be wrong with one.

use thiserror::Error;

use crate::limits;

/// What a frame holds. Kinds below `0x80` go to the runner, the others come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// To the runner: limits and source of the function version it is to serve.
    Load = 0x01,
    /// To the runner: one event.
    Invoke = 0x02,
    /// To the runner: the answer to a host call.
    HostReply = 0x03,
    /// To the runner: split off a copy of yourself. The copy's socket comes along as a descriptor.
    Fork = 0x04,
    /// To the runner: nobody has a function for you yet; do what can be done before one comes.
    Rehearse = 0x05,
    /// From the runner: the sandbox and the engine are up.
    Ready = 0x81,
    /// From the runner: the module is evaluated and exports a handler.
    Loaded = 0x82,
    /// From the runner: the module cannot be served.
    LoadFailed = 0x83,
    /// From the runner: a request that only the enclave process can carry out.
    HostCall = 0x84,
    /// From the runner: one line of the function's log.
    Log = 0x85,
    /// From the runner: the invocation's output.
    DoneOutput = 0x86,
    /// From the runner: the invocation failed.
    DoneFault = 0x87,
    /// From the runner: the copy lives. A handle of its process comes along as a descriptor.
    Forked = 0x88,
    /// From the runner: there is no copy.
    ForkFailed = 0x89,
    /// From the runner: a copy ended, and how.
    Ended = 0x8a,
}

impl FrameKind {
    /// The kind a byte names.
    ///
    /// # Errors
    /// [`ProtocolError::UnknownKind`] for any other byte.
    pub fn from_byte(byte: u8) -> Result<Self, ProtocolError> {
        Ok(match byte {
            0x01 => Self::Load,
            0x02 => Self::Invoke,
            0x03 => Self::HostReply,
            0x04 => Self::Fork,
            0x05 => Self::Rehearse,
            0x81 => Self::Ready,
            0x82 => Self::Loaded,
            0x83 => Self::LoadFailed,
            0x84 => Self::HostCall,
            0x85 => Self::Log,
            0x86 => Self::DoneOutput,
            0x87 => Self::DoneFault,
            0x88 => Self::Forked,
            0x89 => Self::ForkFailed,
            0x8a => Self::Ended,
            other => return Err(ProtocolError::UnknownKind { kind: other }),
        })
    }

    /// The byte on the wire.
    pub fn byte(self) -> u8 {
        self as u8
    }

    /// Longest body of this kind, in bytes, before any limit of the function.
    pub fn max_body_bytes(self) -> usize {
        match self {
            // A length prefix and the limits as JSON stand before the source.
            Self::Load => limits::MAX_SOURCE_BYTES + 1024,
            Self::Invoke => 8 + limits::MAX_EVENT_BYTES,
            Self::HostReply => limits::MAX_HOST_REPLY_BYTES,
            Self::Ready => 2,
            Self::Fork | Self::Forked => 8,
            Self::ForkFailed => 8 + 4,
            Self::Ended => 8 + 5,
            Self::Loaded | Self::Rehearse => 0,
            Self::LoadFailed => limits::MAX_FAULT_BYTES,
            Self::HostCall => limits::MAX_HOST_CALL_BYTES,
            Self::Log => 2 + limits::MAX_LOG_TEXT_BYTES,
            Self::DoneOutput => 8 + limits::MAX_OUTPUT_BYTES,
            Self::DoneFault => 8 + limits::MAX_FAULT_BYTES,
        }
    }

    /// The frame's bytes: length, kind, then the parts of the body in order.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] when the body exceeds [`FrameKind::max_body_bytes`].
    pub(crate) fn frame(self, parts: &[&[u8]]) -> Result<Vec<u8>, ProtocolError> {
        let body_bytes: usize = parts.iter().map(|part| part.len()).sum();
        let max_bytes = self.max_body_bytes();
        let length = u32::try_from(body_bytes + 1).ok().filter(|_| body_bytes <= max_bytes);
        let Some(length) = length else {
            return Err(ProtocolError::TooLong { kind: self, bytes: body_bytes, max_bytes });
        };
        let mut frame = Vec::with_capacity(limits::HEADER_BYTES + body_bytes);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.push(self.byte());
        for part in parts {
            frame.extend_from_slice(part);
        }
        Ok(frame)
    }
}

/// A peer that does not speak the protocol. The process behind the socket must be ended: nothing
/// after the error can be trusted to start at a frame's first byte.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A length of zero leaves no room for the kind.
    #[error("a frame of length zero")]
    EmptyFrame,
    /// No such kind.
    #[error("unknown frame kind {kind:#04x}")]
    UnknownKind {
        /// The byte that was read.
        kind: u8,
    },
    /// The frame claims, or the message to send has, more bytes than its kind allows.
    #[error("{kind:?} of {bytes} bytes; at most {max_bytes} are allowed")]
    TooLong {
        /// Its kind.
        kind: FrameKind,
        /// Length of the body.
        bytes: usize,
        /// What is allowed here and now.
        max_bytes: usize,
    },
    /// The kind exists, but not in this direction or at this point of the conversation.
    #[error("{kind:?} while {state}")]
    OutOfTurn {
        /// Its kind.
        kind: FrameKind,
        /// What the receiver was doing.
        state: &'static str,
    },
    /// The body does not parse as its kind's form.
    #[error("malformed {kind:?}: {reason}")]
    Malformed {
        /// Its kind.
        kind: FrameKind,
        /// What is wrong with it; never the bytes themselves.
        reason: &'static str,
    },
    /// The body is not the JSON that its kind wants.
    #[error("malformed {kind:?}")]
    Json {
        /// Its kind.
        kind: FrameKind,
        /// Position and cause.
        #[source]
        source: serde_json::Error,
    },
    /// `Done` for another invocation than the one in progress.
    #[error("an answer to invocation {got}; {expected} is in progress")]
    WrongInvocation {
        /// Number that was answered.
        got: u64,
        /// Number in progress.
        expected: u64,
    },
    /// Host call numbers must rise by one.
    #[error("host call {got}; the next is {expected}")]
    WrongHostCall {
        /// Number that came.
        got: u32,
        /// Number that should have.
        expected: u32,
    },
    /// An answer to another fork order than the one that is out, or an end of a copy that does not live.
    #[error("{kind:?} of the copy {got}, which is none that it may be about")]
    WrongCopy {
        /// Its kind.
        kind: FrameKind,
        /// The copy's number.
        got: u64,
    },
    /// More calls are waiting than an honest runner lets out.
    #[error("more than {max} host calls outstanding")]
    TooManyOutstanding {
        /// The bound.
        max: usize,
    },
    /// More log frames than an honest runner sends.
    #[error("more than {max} log frames in one invocation")]
    TooManyLogFrames {
        /// The bound.
        max: u32,
    },
    /// The runner is of another build.
    #[error("the runner speaks version {got} of the protocol; {expected} is wanted")]
    Version {
        /// What it said.
        got: u8,
        /// [`limits::PROTOCOL_VERSION`].
        expected: u8,
    },
}
