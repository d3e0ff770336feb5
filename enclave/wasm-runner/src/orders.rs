//! What an interpreter says on its standard output: frames, each a kind, a length and a body. A function shares the interpreter, and
//! may write there what it likes: whatever comes is bounded and refused if it is none.

use r3e_runner_api::limits::{MAX_FAULT_BYTES, MAX_HOST_CALL_BYTES, MAX_LOG_TEXT_BYTES, MAX_OUTPUT_BYTES};
use r3e_runner_api::{Fault, FaultKind, LogLevel};
use serde::Deserialize;
use thiserror::Error;

/// A line of the log: a byte more than is ever sent of one, which says that there was more.
const MAX_LINE_BYTES: usize = MAX_LOG_TEXT_BYTES + 1;
/// A frame's kind, and the length of its body.
const HEADER_BYTES: usize = 5;

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// The interpreter waits for its first order.
    Idle,
    /// A line of the log.
    Log(LogLevel, String),
    /// A host call, JSON text; whether it is one, is not looked at here.
    Call(Vec<u8>),
    /// The event's result, or that a function is loaded; text.
    Result(String),
    /// The event failed, or the function does not load.
    Fault(Fault),
}

/// What is no frame.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the function wrote to the descriptor that its interpreter answers on")]
pub struct Garbled;

/// Cuts frames from what is written.
#[derive(Debug, Default)]
pub struct Frames(Vec<u8>);

/// A failure as the interpreter tells it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    kind: FaultKind,
    name: String,
    message: String,
    stack: String,
}

impl Frames {
    /// Takes what was written, and gives the frames that it completes.
    ///
    /// # Errors
    /// [`Garbled`]; what comes after it means nothing.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Said>, Garbled> {
        self.0.extend_from_slice(bytes);
        let mut said = Vec::new();
        let mut rest = self.0.as_slice();
        while let Some((&[kind, a, b, c, d], body)) = rest.split_first_chunk::<HEADER_BYTES>() {
            let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| Garbled)?;
            if length > longest(kind)? {
                return Err(Garbled);
            }
            let Some((body, after)) = body.split_at_checked(length) else { break };
            said.push(read(kind, body)?);
            rest = after;
        }
        let kept = rest.len();
        self.0.drain(..self.0.len() - kept);
        Ok(said)
    }
}

/// The longest body of a kind.
fn longest(kind: u8) -> Result<usize, Garbled> {
    match kind {
        b'I' => Ok(0),
        b'L' => Ok(1 + MAX_LINE_BYTES),
        // One byte more than may be: then it is refused by the one who knows what to say.
        b'C' => Ok(MAX_HOST_CALL_BYTES + 1),
        b'R' => Ok(MAX_OUTPUT_BYTES),
        b'F' => Ok(MAX_FAULT_BYTES),
        _ => Err(Garbled),
    }
}

fn read(kind: u8, body: &[u8]) -> Result<Said, Garbled> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| Garbled);
    match kind {
        b'I' => Ok(Said::Idle),
        b'L' => {
            let (level, line) = body.split_first().ok_or(Garbled)?;
            let level = LogLevel::from_byte(*level).ok_or(Garbled)?;
            Ok(Said::Log(level, String::from_utf8_lossy(line).into_owned()))
        }
        b'C' => Ok(Said::Call(body.to_vec())),
        b'R' => Ok(Said::Result(text(body)?)),
        _ => {
            let Failure { kind, name, message, stack } = serde_json::from_slice(body).map_err(|_| Garbled)?;
            let stack = (!stack.is_empty()).then_some(stack);
            Ok(Said::Fault(Fault::new(kind, &name, &message, stack.as_deref())))
        }
    }
}

/// The bytes of an order: a source, an event, or the answer of a host call.
pub fn order(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    #[test]
    fn frames_come_in_whatever_pieces() {
        let fault = br#"{"kind":"thrown","name":"ValueError","message":"no","stack":""}"#;
        let all = [
            frame(b'I', b""),
            frame(b'L', b"\x01line"),
            frame(b'C', b"{}"),
            frame(b'R', b"[1]"),
            frame(b'F', fault),
        ]
        .concat();
        let expected = [
            Said::Idle,
            Said::Log(LogLevel::Info, "line".to_owned()),
            Said::Call(b"{}".to_vec()),
            Said::Result("[1]".to_owned()),
            Said::Fault(Fault::new(FaultKind::Thrown, "ValueError", "no", None)),
        ];
        for piece in [1, 2, 7, all.len()] {
            let mut frames = Frames::default();
            let said: Vec<Said> = all.chunks(piece).flat_map(|piece| frames.push(piece).unwrap()).collect();
            assert_eq!(said, expected, "{piece}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for wrong in [
            &b"print"[..],
            b"R\xff\xff\xff\xff",
            b"I\0\0\0\x01",
            b"L\0\0\0\0",
            b"L\0\0\0\x01\x09",
            b"R\0\0\0\x01\xff",
            b"F\0\0\0\x02{}",
        ] {
            assert_eq!(Frames::default().push(wrong), Err(Garbled), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_written_is_kept_beyond_a_frame(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut frames = Frames::default();
            if frames.push(&bytes).is_ok() {
                prop_assert!(frames.0.len() <= bytes.len());
            }
        }
    }
}
