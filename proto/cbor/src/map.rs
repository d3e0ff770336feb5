//! Typed access to a decoded map: each field is taken once, and what is left at the end is refused.

use std::fmt;

use ciborium::Value;

use crate::CborError;

/// The key of a field: an integer (COSE and our own formats) or text (attestation documents).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// An integer key.
    Int(i64),
    /// A text key.
    Text(&'a str),
}

impl From<i64> for Key<'_> {
    fn from(key: i64) -> Self {
        Self::Int(key)
    }
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(key: &'a str) -> Self {
        Self::Text(key)
    }
}

impl Key<'_> {
    fn is(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Int(key), Value::Integer(integer)) => i128::from(*integer) == i128::from(key),
            (Self::Text(key), Value::Text(text)) => text == key,
            _ => false,
        }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(key) => write!(f, "{key}"),
            Self::Text(key) => write!(f, "{key:?}"),
        }
    }
}

/// The fields of one map, to be taken out by type.
///
/// ```
/// use r3e_cbor::{Limits, MapReader, decode};
///
/// # fn main() -> Result<(), r3e_cbor::CborError> {
/// let limits = Limits { max_bytes: 64, max_depth: 2, max_items: 16 };
/// let mut map = MapReader::new("greeting", decode(b"\xa2\x01\x62hi\x02\x18\x2a", &limits)?)?;
/// let text: String = map.required(1)?;
/// let number: Option<u64> = map.optional(2)?;
/// map.finish()?;
/// assert_eq!((text.as_str(), number), ("hi", Some(42)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "call `finish`, or unknown fields go unseen"]
pub struct MapReader {
    what: &'static str,
    entries: Vec<(Value, Value)>,
}

impl MapReader {
    /// Starts to read `value`, which must be a map; `what` names it in errors.
    ///
    /// # Errors
    /// [`CborError::WrongType`], if it is not a map.
    pub fn new(what: &'static str, value: Value) -> Result<Self, CborError> {
        match value {
            Value::Map(entries) => Ok(Self { what, entries }),
            _ => Err(CborError::WrongType { map: what, field: String::new(), expected: "a map" }),
        }
    }

    /// Takes the field `key`.
    ///
    /// # Errors
    /// [`CborError::MissingField`], if it is absent; [`CborError::WrongType`], if it is not a `T`.
    pub fn required<'k, T: FromValue>(&mut self, key: impl Into<Key<'k>>) -> Result<T, CborError> {
        let key = key.into();
        match self.remove(key) {
            Some(value) => self.convert(key, value),
            None => Err(CborError::MissingField { map: self.what, field: key.to_string() }),
        }
    }

    /// Takes the field `key`, if it is there. A `null` is a value like any other here: see
    /// [`MapReader::nullable`].
    ///
    /// # Errors
    /// [`CborError::WrongType`], if it is there and not a `T`.
    pub fn optional<'k, T: FromValue>(&mut self, key: impl Into<Key<'k>>) -> Result<Option<T>, CborError> {
        let key = key.into();
        self.remove(key).map(|value| self.convert(key, value)).transpose()
    }

    /// Takes the field `key`, if it is there and not `null`.
    ///
    /// # Errors
    /// [`CborError::WrongType`], if it is there and neither `null` nor a `T`.
    pub fn nullable<'k, T: FromValue>(&mut self, key: impl Into<Key<'k>>) -> Result<Option<T>, CborError> {
        let key = key.into();
        match self.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.convert(key, value).map(Some),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`CborError::UnknownField`], if a field is left.
    pub fn finish(self) -> Result<(), CborError> {
        match self.entries.first() {
            None => Ok(()),
            Some((key, _)) => Err(CborError::UnknownField { map: self.what, field: shown(key) }),
        }
    }

    fn remove(&mut self, key: Key<'_>) -> Option<Value> {
        let index = self.entries.iter().position(|(candidate, _)| key.is(candidate))?;
        Some(self.entries.remove(index).1)
    }

    fn convert<T: FromValue>(&self, key: Key<'_>, value: Value) -> Result<T, CborError> {
        T::from_value(value).ok_or_else(|| CborError::WrongType {
            map: self.what,
            field: key.to_string(),
            expected: T::EXPECTED,
        })
    }
}

/// Turns a value that stands alone, such as an element of an array, into a `T`; `what` names it in errors.
///
/// # Errors
/// [`CborError::WrongType`], if it is not a `T`.
pub fn from_value<T: FromValue>(what: &'static str, value: Value) -> Result<T, CborError> {
    T::from_value(value).ok_or_else(|| CborError::WrongType {
        map: what,
        field: String::new(),
        expected: T::EXPECTED,
    })
}

/// A type that a field can have. Nothing is converted on the way: an integer is no text, `null` is no bytes.
pub trait FromValue: Sized {
    /// What an error says was expected, with its article.
    const EXPECTED: &'static str;

    /// The value as `Self`, if it is one and in range.
    fn from_value(value: Value) -> Option<Self>;
}

impl FromValue for Value {
    const EXPECTED: &'static str = "a value";

    fn from_value(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl FromValue for Vec<u8> {
    const EXPECTED: &'static str = "a byte string";

    fn from_value(value: Value) -> Option<Self> {
        value.into_bytes().ok()
    }
}

impl<const N: usize> FromValue for [u8; N] {
    const EXPECTED: &'static str = "a byte string of the right length";

    fn from_value(value: Value) -> Option<Self> {
        value.into_bytes().ok()?.try_into().ok()
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "text";

    fn from_value(value: Value) -> Option<Self> {
        value.into_text().ok()
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_value(value: Value) -> Option<Self> {
        value.into_bool().ok()
    }
}

impl FromValue for Vec<Value> {
    const EXPECTED: &'static str = "an array";

    fn from_value(value: Value) -> Option<Self> {
        value.into_array().ok()
    }
}

impl<const N: usize> FromValue for [Value; N] {
    const EXPECTED: &'static str = "an array of the right length";

    fn from_value(value: Value) -> Option<Self> {
        value.into_array().ok()?.try_into().ok()
    }
}

impl FromValue for Vec<(Value, Value)> {
    const EXPECTED: &'static str = "a map";

    fn from_value(value: Value) -> Option<Self> {
        value.into_map().ok()
    }
}

macro_rules! integers {
    ($($name:ident: $expected:literal),+ $(,)?) => {$(
        impl FromValue for $name {
            const EXPECTED: &'static str = $expected;

            fn from_value(value: Value) -> Option<Self> {
                value.into_integer().ok().and_then(|integer| integer.try_into().ok())
            }
        }
    )+};
}

integers! {
    u8: "an integer in 0..2^8",
    u16: "an integer in 0..2^16",
    u32: "an integer in 0..2^32",
    u64: "an integer in 0..2^64",
    i64: "an integer in -2^63..2^63",
}

/// The longest unknown key that an error repeats, in characters; the key is the sender's and may be large.
const MAX_SHOWN_KEY_CHARS: usize = 32;

fn shown(key: &Value) -> String {
    match key {
        Value::Integer(integer) => i128::from(*integer).to_string(),
        Value::Text(text) => format!("{:?}", text.chars().take(MAX_SHOWN_KEY_CHARS).collect::<String>()),
        _ => "(a key that is neither an integer nor text)".to_owned(),
    }
}
