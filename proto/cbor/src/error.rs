//! Why an input was refused. Never holds the input's values, apart from the (shortened) name of a field.

use thiserror::Error;

/// Why CBOR was refused. `at` is a byte offset into the input.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CborError {
    /// The input is longer than [`crate::Limits::max_bytes`].
    #[error("the input has {len} bytes, more than the {max} allowed")]
    TooLong {
        /// Length of the input in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The input ends within an item, or a length points past its end.
    #[error("the input ends inside the item that starts at byte {at}")]
    Truncated {
        /// Where the item starts.
        at: usize,
    },
    /// There are bytes after the item.
    #[error("{count} bytes follow the item, which ends at byte {at}")]
    TrailingBytes {
        /// Where the item ends.
        at: usize,
        /// How many bytes follow.
        count: usize,
    },
    /// Nested deeper than [`crate::Limits::max_depth`].
    #[error("the item at byte {at} is nested deeper than {max} levels")]
    TooDeep {
        /// Where the item starts.
        at: usize,
        /// The limit in levels.
        max: usize,
    },
    /// More data items than [`crate::Limits::max_items`].
    #[error("more than {max} data items (at byte {at})")]
    TooManyItems {
        /// Where the first item too many starts.
        at: usize,
        /// The limit in items.
        max: usize,
    },
    /// Not well-formed CBOR.
    #[error("not well-formed at byte {at}: {what}")]
    Malformed {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Well-formed, but of a kind that this decoder refuses (see the crate's documentation).
    #[error("refused at byte {at}: {what}")]
    Unsupported {
        /// Where.
        at: usize,
        /// What it is.
        what: &'static str,
    },
    /// A map holds the same key twice, be it in two encodings.
    #[error("the map at byte {at} holds a key twice")]
    DuplicateKey {
        /// Where the map starts.
        at: usize,
    },
    /// Valid, but not the deterministic encoding (RFC 8949 section 4.2.1).
    #[error("not deterministically encoded at byte {at}: {rule}")]
    NotCanonical {
        /// Where.
        at: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// A required field is absent.
    #[error("{map}: the field {field} is missing")]
    MissingField {
        /// Which map, in the words of the caller.
        map: &'static str,
        /// The field's key.
        field: String,
    },
    /// A field, or a whole value, has another type or range than it must have.
    #[error("{map}: {} is not {expected}", subject(.field))]
    WrongType {
        /// Which map or value, in the words of the caller.
        map: &'static str,
        /// The field's key; empty where the value itself is meant.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A map holds a field that its format does not define.
    #[error("{map}: the field {field} is not known")]
    UnknownField {
        /// Which map, in the words of the caller.
        map: &'static str,
        /// The field's key, escaped and shortened.
        field: String,
    },
}

fn subject(field: &str) -> String {
    if field.is_empty() { "the value".to_owned() } else { format!("the field {field}") }
}
