//! The ABI of events (Solidity's contract ABI specification): declarations, and the values in a log.
//!
//! ```text
//! "Transfer(address indexed from, address indexed to, uint256 value)" --> Event --topics, data--> [(name, Value)]
//! ```

mod decode;
mod event;
mod kind;
mod value;

pub use event::{Event, Parameter};
pub use kind::{Kind, SignatureError};
pub use value::Value;

/// Why a log is not read as an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AbiError {
    /// It is another event's.
    #[error("the log is of another event")]
    OtherEvent,
    /// It has another number of topics than the event has indexed parameters.
    #[error("the log has {found} topics, where the event has {expected}")]
    Topics {
        /// How many the event has, its own among them.
        expected: usize,
        /// How many the log has.
        found: usize,
    },
    /// The data ends within a value, or a place in it points behind its end.
    #[error("the log's data ends within a value")]
    Truncated,
    /// A word has bits that its type does not have.
    #[error("a word of the log is no {what}")]
    Word {
        /// What it should be.
        what: &'static str,
    },
    /// More values, or more bytes, than are decoded.
    #[error("the log's data holds more than {max} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}
