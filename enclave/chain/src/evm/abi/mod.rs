//! Solidity's contract ABI: declarations of events and methods, the values in a log, what a call is made with, and what it gives.
//!
//! ```text
//! "Transfer(address indexed from, address indexed to, uint256 value)" --> Event --topics, data--> [(name, Value)]
//! "balanceOf(address owner) returns (uint256)" --> Method --JSON--> a call's data; --data--> [Value]
//! ```

mod decode;
mod encode;
mod event;
mod kind;
mod method;
mod value;

pub use encode::ArgumentError;
pub use event::{Event, Parameter};
pub use kind::{Kind, SignatureError};
pub use method::Method;
pub use value::Value;

/// Why data is not read as the values that a declaration says.
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
    #[error("the data ends within a value")]
    Truncated,
    /// A word has bits that its type does not have.
    #[error("a word of the data is no {what}")]
    Word {
        /// What it should be.
        what: &'static str,
    },
    /// More values, or more bytes, than are decoded.
    #[error("the data holds more than {max} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}
