//! How every CBOR message of ours is read and written: deterministic encoding, a map with integer keys (or an array,
//! where it is signed by the attestation device), nothing unknown, nothing left over.

use ciborium::Value;
use r3e_cbor::{CborError, Limits};
use thiserror::Error;

use crate::limits::MAX_CBOR_DEPTH;

/// Why a message was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not deterministic CBOR of the expected form.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A number that stands for no operation, outcome or reason we know.
    #[error("{what}: {value} is not known")]
    Unknown {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// A field beyond its limit.
    #[error("{what}: {len} is over the limit of {max}")]
    TooLarge {
        /// The field.
        what: &'static str,
        /// Its length or count.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The wrong domain: a message of another kind.
    #[error("{what}: the domain is not {expected:?}")]
    Domain {
        /// What was being read.
        what: &'static str,
        /// The domain it must have.
        expected: &'static str,
    },
    /// A field whose value its format excludes.
    #[error("{what}: {why}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// The limits for a message of at most `max_bytes` and `max_items`.
pub(crate) fn limits(max_bytes: usize, max_items: usize) -> Limits {
    Limits { max_bytes, max_depth: MAX_CBOR_DEPTH, max_items }
}

/// Builds a map with integer keys, leaving out absent fields.
pub(crate) fn map<const N: usize>(fields: [(i64, Option<Value>); N]) -> Vec<u8> {
    let present = fields.into_iter().filter_map(|(key, value)| Some((Value::from(key), value?)));
    r3e_cbor::encode(&Value::Map(present.collect()))
}

/// Refuses a length or count beyond its limit.
pub(crate) fn within(what: &'static str, len: usize, max: usize) -> Result<(), WireError> {
    if len <= max { Ok(()) } else { Err(WireError::TooLarge { what, len, max }) }
}

/// A field that is present.
#[expect(clippy::unnecessary_wraps, reason = "stands beside optional fields in `map`")]
pub(crate) fn some(value: impl Into<Value>) -> Option<Value> {
    Some(value.into())
}

/// A byte string field.
#[expect(clippy::unnecessary_wraps, reason = "stands beside optional fields in `map`")]
pub(crate) fn bytes(value: impl Into<Vec<u8>>) -> Option<Value> {
    Some(Value::Bytes(value.into()))
}
