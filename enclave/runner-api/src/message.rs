//! The messages and their bytes. Small things are JSON that refuses unknown fields; source, events and
//! outputs are raw, so that they are neither escaped nor copied into a tree.

use std::io;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::decoder::RawFrame;
use crate::fault::Fault;
use crate::frame::{FrameKind, ProtocolError};
use crate::host_call::{HostCall, HostError, HostReply, HostValue};
use crate::limits::{MAX_LOG_TEXT_BYTES, PROTOCOL_VERSION};
use crate::process::{Ending, Identity};

/// The limits that the runner itself keeps. Time is not among them: the enclave measures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionLimits {
    /// Heap of the function, in MiB.
    pub memory_mib: u32,
    /// Longest output, in bytes of JSON.
    pub output_bytes: u32,
    /// Log text of one invocation, in bytes.
    pub log_bytes: u32,
}

/// What a process is to do with the function that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Make copies of itself by order, which handle the events.
    Copies,
    /// Handle the events itself. It makes no copies, and its last wall stands before the function is loaded.
    Events,
}

/// From the enclave to the runner.
#[derive(Debug, PartialEq, Eq)]
pub enum HostMessage {
    /// Serve this function version. Sent once in a runner's life.
    Load {
        /// What it may use.
        limits: FunctionLimits,
        /// What for.
        purpose: Purpose,
        /// The ES module.
        source: String,
    },
    /// Get ready for a function whose events you will handle yourself, and say so by another `Ready`.
    Rehearse,
    /// Handle this event.
    Invoke {
        /// Number that the answer repeats.
        id: u64,
        /// JSON text.
        event: String,
    },
    /// The answer to a host call.
    HostReply {
        /// The call's number.
        call_id: u32,
        /// What it gave.
        reply: HostReply,
    },
    /// Split off a copy of yourself, which talks over the socket that comes along.
    Fork {
        /// Number that answers about this copy repeat.
        number: u64,
    },
}

/// Importance of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// `console.debug`.
    Debug,
    /// `console.log` and `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`.
    Error,
}

/// One line of a function's log. The text is the tenant's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its importance.
    pub level: LogLevel,
    /// Whether text was cut from this line, or lines after it were left out.
    pub truncated: bool,
    /// Its text.
    pub text: String,
}

/// From the runner to the enclave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerMessage {
    /// Boxed, with the engine up.
    Ready(Identity),
    /// The function version can be invoked.
    Loaded,
    /// It cannot.
    LoadFailed(Fault),
    /// Something for the enclave to do.
    HostCall {
        /// Number, rising by one from 1 in a runner's life.
        call_id: u32,
        /// What to do.
        call: HostCall,
    },
    /// A line of the log.
    Log(LogRecord),
    /// The end of an invocation.
    Done {
        /// The invocation's number.
        id: u64,
        /// JSON text, or why there is none.
        outcome: Result<String, Fault>,
    },
    /// The copy lives; a handle of its process comes along.
    Forked {
        /// The order's number.
        number: u64,
    },
    /// There is no copy.
    ForkFailed {
        /// The order's number.
        number: u64,
        /// The system's reason, as `errno(3)`.
        errno: i32,
    },
    /// A copy ended.
    Ended {
        /// The order's number.
        number: u64,
        /// How. The word of a process that is not trusted.
        ending: Ending,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadHead {
    limits: FunctionLimits,
    purpose: Purpose,
}

#[derive(Serialize)]
struct HostCallSent<'a> {
    call_id: u32,
    call: &'a HostCall,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostCallBody {
    call_id: u32,
    call: HostCall,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostReplyBody {
    call_id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ok: Option<HostValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    err: Option<HostError>,
}

impl HostMessage {
    /// The message as one frame. It may hold a secret, so the buffer is wiped when dropped.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] when it does not fit; nothing was sent then.
    pub fn encode(self) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
        match self {
            Self::Load { limits, purpose, source } => {
                let kind = FrameKind::Load;
                let head = json_body(kind, &LoadHead { limits, purpose })?;
                let prefix = u16::try_from(head.len())
                    .map_err(|_| ProtocolError::Malformed { kind, reason: "head too long" })?;
                kind.frame(&[&prefix.to_be_bytes(), &head, source.as_bytes()])
            }
            Self::Invoke { id, event } => FrameKind::Invoke.frame(&[&id.to_be_bytes(), event.as_bytes()]),
            Self::HostReply { call_id, reply } => {
                let body = match reply {
                    Ok(value) => HostReplyBody { call_id, ok: Some(value), err: None },
                    Err(error) => HostReplyBody { call_id, ok: None, err: Some(error) },
                };
                let body = Zeroizing::new(json_body(FrameKind::HostReply, &body)?);
                FrameKind::HostReply.frame(&[&body])
            }
            Self::Rehearse => FrameKind::Rehearse.frame(&[]),
            Self::Fork { number } => FrameKind::Fork.frame(&[&number.to_be_bytes()]),
        }
        .map(Zeroizing::new)
    }

    /// Reads a frame that came from the enclave.
    ///
    /// # Errors
    /// [`ProtocolError`] when the body is not of its kind's form, or the kind does not go this way.
    pub fn decode(frame: RawFrame) -> Result<Self, ProtocolError> {
        let RawFrame { kind, body } = frame;
        let malformed = |reason| ProtocolError::Malformed { kind, reason };
        match kind {
            FrameKind::Load => {
                let (prefix, rest) =
                    body.split_first_chunk::<2>().ok_or_else(|| malformed("no length of the head"))?;
                let (head, source) = rest
                    .split_at_checked(usize::from(u16::from_be_bytes(*prefix)))
                    .ok_or_else(|| malformed("head cut short"))?;
                let LoadHead { limits, purpose } = from_json(kind, head)?;
                Ok(Self::Load { limits, purpose, source: text(kind, source.to_vec())? })
            }
            FrameKind::Invoke => {
                let (id, event) = numbered(kind, &body)?;
                Ok(Self::Invoke { id, event: text(kind, event.to_vec())? })
            }
            FrameKind::HostReply => {
                let body = Zeroizing::new(body);
                let HostReplyBody { call_id, ok, err } = from_json(kind, &body)?;
                let reply = match (ok, err) {
                    (Some(value), None) => Ok(value),
                    (None, Some(error)) => Err(error),
                    _ => return Err(malformed("neither a value nor an error, or both")),
                };
                Ok(Self::HostReply { call_id, reply })
            }
            FrameKind::Rehearse if body.is_empty() => Ok(Self::Rehearse),
            FrameKind::Rehearse => Err(malformed("not empty")),
            FrameKind::Fork => Ok(Self::Fork { number: number(kind, &body)? }),
            _ => Err(ProtocolError::OutOfTurn { kind, state: "reading as the runner" }),
        }
    }
}

impl RunnerMessage {
    /// The message as one frame.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] when it does not fit.
    pub fn encode(&self) -> Result<Vec<u8>, ProtocolError> {
        match self {
            Self::Ready(identity) => FrameKind::Ready.frame(&[&[PROTOCOL_VERSION, identity.byte()]]),
            Self::Loaded => FrameKind::Loaded.frame(&[]),
            Self::LoadFailed(fault) => {
                FrameKind::LoadFailed.frame(&[&json_body(FrameKind::LoadFailed, fault)?])
            }
            Self::HostCall { call_id, call } => {
                let body = HostCallSent { call_id: *call_id, call };
                FrameKind::HostCall.frame(&[&json_body(FrameKind::HostCall, &body)?])
            }
            Self::Log(LogRecord { level, truncated, text }) => {
                let text = &text[..text.floor_char_boundary(MAX_LOG_TEXT_BYTES)];
                FrameKind::Log.frame(&[&[level.byte(), u8::from(*truncated)], text.as_bytes()])
            }
            Self::Done { id, outcome: Ok(output) } => {
                FrameKind::DoneOutput.frame(&[&id.to_be_bytes(), output.as_bytes()])
            }
            Self::Done { id, outcome: Err(fault) } => {
                let body = json_body(FrameKind::DoneFault, fault)?;
                FrameKind::DoneFault.frame(&[&id.to_be_bytes(), &body])
            }
            Self::Forked { number } => FrameKind::Forked.frame(&[&number.to_be_bytes()]),
            Self::ForkFailed { number, errno } => {
                FrameKind::ForkFailed.frame(&[&number.to_be_bytes(), &errno.to_be_bytes()])
            }
            Self::Ended { number, ending } => {
                FrameKind::Ended.frame(&[&number.to_be_bytes(), &ending.to_bytes()])
            }
        }
    }

    /// Reads a frame that came from a runner. Whether it may come now is [`crate::Session`]'s matter.
    ///
    /// # Errors
    /// [`ProtocolError`] when the body is not of its kind's form, or the kind does not go this way.
    pub fn decode(frame: RawFrame) -> Result<Self, ProtocolError> {
        let RawFrame { kind, body } = frame;
        let malformed = |reason| ProtocolError::Malformed { kind, reason };
        match kind {
            FrameKind::Ready => match body.as_slice() {
                [PROTOCOL_VERSION, identity] => {
                    let identity =
                        Identity::from_byte(*identity).ok_or_else(|| malformed("unknown identity"))?;
                    Ok(Self::Ready(identity))
                }
                [PROTOCOL_VERSION] | [] => Err(malformed("not two bytes")),
                [version, ..] => Err(ProtocolError::Version { got: *version, expected: PROTOCOL_VERSION }),
            },
            FrameKind::Loaded if body.is_empty() => Ok(Self::Loaded),
            FrameKind::Loaded => Err(malformed("not empty")),
            FrameKind::LoadFailed => Ok(Self::LoadFailed(from_json(kind, &body)?)),
            FrameKind::HostCall => {
                let HostCallBody { call_id, call } = from_json(kind, &body)?;
                Ok(Self::HostCall { call_id, call })
            }
            FrameKind::Log => {
                let (&[level, truncated], rest) =
                    body.split_first_chunk::<2>().ok_or_else(|| malformed("no level"))?;
                let level = LogLevel::from_byte(level).ok_or_else(|| malformed("unknown level"))?;
                let truncated = match truncated {
                    0 => false,
                    1 => true,
                    _ => return Err(malformed("unknown flag")),
                };
                Ok(Self::Log(LogRecord { level, truncated, text: text(kind, rest.to_vec())? }))
            }
            FrameKind::DoneOutput => {
                let (id, output) = numbered(kind, &body)?;
                Ok(Self::Done { id, outcome: Ok(text(kind, output.to_vec())?) })
            }
            FrameKind::DoneFault => {
                let (id, fault) = numbered(kind, &body)?;
                Ok(Self::Done { id, outcome: Err(from_json(kind, fault)?) })
            }
            FrameKind::Forked => Ok(Self::Forked { number: number(kind, &body)? }),
            FrameKind::ForkFailed => {
                let (number, errno) = numbered(kind, &body)?;
                let errno = errno.try_into().map_err(|_| malformed("no error number"))?;
                Ok(Self::ForkFailed { number, errno: i32::from_be_bytes(errno) })
            }
            FrameKind::Ended => {
                let (number, ending) = numbered(kind, &body)?;
                let ending = Ending::from_bytes(ending).ok_or_else(|| malformed("no ending"))?;
                Ok(Self::Ended { number, ending })
            }
            _ => Err(ProtocolError::OutOfTurn { kind, state: "reading as the enclave" }),
        }
    }
}

impl LogLevel {
    fn byte(self) -> u8 {
        match self {
            Self::Debug => 0,
            Self::Info => 1,
            Self::Warn => 2,
            Self::Error => 3,
        }
    }

    /// The level a byte names, if it names one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Debug, Self::Info, Self::Warn, Self::Error].get(usize::from(byte)).copied()
    }
}

/// As much as fits a frame: what is longer, by far perhaps, is never written out.
fn json_body(kind: FrameKind, value: &impl Serialize) -> Result<Vec<u8>, ProtocolError> {
    let max_bytes = kind.max_body_bytes();
    let mut body = Bounded { bytes: Vec::with_capacity(FIRST_BYTES), max_bytes };
    match serde_json::to_writer(&mut body, value) {
        Ok(()) => Ok(body.bytes),
        Err(error) if error.is_io() => Err(ProtocolError::TooLong { kind, bytes: max_bytes + 1, max_bytes }),
        Err(source) => Err(ProtocolError::Json { kind, source }),
    }
}

/// What most bodies have room in.
const FIRST_BYTES: usize = 128;

struct Bounded {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.max_bytes - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn from_json<'de, T: Deserialize<'de>>(kind: FrameKind, body: &'de [u8]) -> Result<T, ProtocolError> {
    serde_json::from_slice(body).map_err(|source| ProtocolError::Json { kind, source })
}

fn text(kind: FrameKind, bytes: Vec<u8>) -> Result<String, ProtocolError> {
    String::from_utf8(bytes).map_err(|_| ProtocolError::Malformed { kind, reason: "not UTF-8" })
}

fn numbered(kind: FrameKind, body: &[u8]) -> Result<(u64, &[u8]), ProtocolError> {
    let (id, rest) =
        body.split_first_chunk::<8>().ok_or(ProtocolError::Malformed { kind, reason: "no number" })?;
    Ok((u64::from_be_bytes(*id), rest))
}

/// A body that is a number and nothing else.
fn number(kind: FrameKind, body: &[u8]) -> Result<u64, ProtocolError> {
    let number = body.try_into().map_err(|_| ProtocolError::Malformed { kind, reason: "no number" })?;
    Ok(u64::from_be_bytes(number))
}
