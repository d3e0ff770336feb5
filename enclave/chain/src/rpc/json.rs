//! JSON from a node, read into memory within limits that are kept while it is read, not afterwards.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::limits::{MAX_ANSWER_DEPTH, MAX_ANSWER_VALUES};

/// How much of an answer is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLimits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Lists and objects within each other.
    pub depth: usize,
    /// Values and names of members, together.
    pub values: usize,
    /// What nobody wants.
    pub skip: Option<Skip>,
}

/// A member that is passed over: what strangers put into an answer must not count for what is wanted of it. It is read as null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Its name.
    pub member: &'static str,
    /// In objects where the member of this name, which stands before it, is another text than this; in all objects, where there is none.
    pub unless: Option<(&'static str, String)>,
}

impl JsonLimits {
    /// The usual depth and count, and so many bytes.
    pub const fn of_bytes(bytes: usize) -> Self {
        Self { bytes, depth: MAX_ANSWER_DEPTH, values: MAX_ANSWER_VALUES, skip: None }
    }

    /// The same, without what nobody wants.
    #[must_use]
    pub fn skipping(self, skip: Skip) -> Self {
        Self { skip: Some(skip), ..self }
    }
}

/// Why a text is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Longer than the limit.
    #[error("the answer is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// Nested more deeply than the limit.
    #[error("the answer is nested more deeply than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More values than the limit.
    #[error("the answer has more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// An object has two members of one name: two readers might read two things.
    #[error("a member stands twice in an object of the answer")]
    Repeated,
    /// No JSON, or bytes behind it.
    #[error("the answer is not JSON")]
    Malformed,
}

/// Reads one JSON text and nothing behind it.
///
/// # Errors
/// [`JsonError`].
pub fn read_json(bytes: &[u8], limits: &JsonLimits) -> Result<Value, JsonError> {
    if bytes.len() > limits.bytes {
        return Err(JsonError::TooLong { limit_bytes: limits.bytes });
    }
    let (left, broken) = (Cell::new(limits.values), Cell::new(None));
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let reader = Reader { limits, left: &left, broken: &broken, depth: 0 };
    let read = reader.deserialize(&mut text).and_then(|value| text.end().map(|()| value));
    read.map_err(|_| broken.get().unwrap_or(JsonError::Malformed))
}

/// Reads the value that comes next.
#[derive(Clone, Copy)]
struct Reader<'a> {
    limits: &'a JsonLimits,
    /// Values that may still come.
    left: &'a Cell<usize>,
    /// The limit that was reached: serde's errors have no place for it.
    broken: &'a Cell<Option<JsonError>>,
    depth: usize,
}

impl Reader<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(self.fail(JsonError::TooMany { limit: self.limits.values })),
        }
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == self.limits.depth {
            return Err(self.fail(JsonError::TooDeep { limit: self.limits.depth }));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn is_skipped(&self, name: &str, before: &Map<String, Value>) -> bool {
        let Some(skip) = self.limits.skip.as_ref().filter(|skip| skip.member == name) else { return false };
        let Some((beside, ours)) = &skip.unless else { return true };
        before.get(*beside).and_then(Value::as_str).is_some_and(|text| text != ours)
    }

    fn fail<E: serde::de::Error>(&self, error: JsonError) -> E {
        self.broken.set(Some(error));
        E::custom(error)
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| self.fail(JsonError::Malformed))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.count()?;
            let value = if self.is_skipped(&name, &object) {
                // Not by recursion: it may be nested as deeply as its bytes allow.
                members.next_value::<IgnoredAny>()?;
                Value::Null
            } else {
                members.next_value_seed(inner)?
            };
            if object.insert(name, value).is_some() {
                return Err(self.fail(JsonError::Repeated));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: JsonLimits = JsonLimits { bytes: 256, depth: 4, values: 8, skip: None };

    fn read(text: &str) -> Result<Value, JsonError> {
        read_json(text.as_bytes(), &LIMITS)
    }

    #[test]
    fn limits_are_kept() {
        assert_eq!(read("[[[[]]]]"), Ok(serde_json::json!([[[[]]]])));
        assert_eq!(read("[[[[[]]]]]"), Err(JsonError::TooDeep { limit: 4 }));
        assert_eq!(read(&"[".repeat(200)), Err(JsonError::TooDeep { limit: 4 }));
        assert_eq!(read(&r#"[{"a":"#.repeat(40)), Err(JsonError::TooDeep { limit: 4 }));
        assert!(read("[1,2,3,4,5,6,7]").is_ok());
        assert_eq!(read("[1,2,3,4,5,6,7,8]"), Err(JsonError::TooMany { limit: 8 }));
        assert_eq!(read(r#"{"a":1,"b":2,"c":3,"d":4}"#), Err(JsonError::TooMany { limit: 8 }));
        assert_eq!(read(&format!("\"{}\"", "x".repeat(255))), Err(JsonError::TooLong { limit_bytes: 256 }));
        assert_eq!(read(r#"{"a":1,"a":1}"#), Err(JsonError::Repeated));
        assert_eq!(read(r#"{"a":1,"\u0061":1}"#), Err(JsonError::Repeated));
        for text in ["", "1 2", "[1,]", "{", "nul", "\"\u{1}\"", "1e999", "[1]x", "\u{feff}1"] {
            assert_eq!(read(text), Err(JsonError::Malformed), "{text}");
        }
    }

    #[test]
    fn what_nobody_wants_counts_for_nothing() {
        let skip = Skip { member: "state", unless: Some(("contract", "ours".to_owned())) };
        let limits = JsonLimits::of_bytes(1 << 20).skipping(skip);
        let read = |contract: &str, state: &str| {
            let text = format!(r#"[{{"contract":"{contract}","state":{state}}}]"#);
            read_json(text.as_bytes(), &limits).map(|mut value| value[0]["state"].take())
        };
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let wide = format!("[{}0]", "0,".repeat(300_000));
        assert_eq!(read("ours", "[1]"), Ok(serde_json::json!([1])));
        assert!(read("ours", &deep).is_err() && read("ours", &wide).is_err());
        for state in ["[1]", &deep, &wide] {
            assert_eq!(read("theirs", state), Ok(Value::Null));
        }
        // It is JSON all the same, and stands there once.
        assert_eq!(read("theirs", "[1"), Err(JsonError::Malformed));
        assert_eq!(read("theirs", r#"1,"state":2"#), Err(JsonError::Repeated));
        // Where it stands before what would say so, it is read.
        let text = br#"{"state":1,"contract":"theirs"}"#;
        assert_eq!(read_json(text, &limits).map(|mut value| value["state"].take()), Ok(serde_json::json!(1)));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_serde_reads(text in r#"[\[\]{}":,0-9a-c.e \\u-]{0,64}"#) {
            let plain = serde_json::from_str::<Value>(&text);
            match read_json(text.as_bytes(), &JsonLimits::of_bytes(64)) {
                Ok(value) => prop_assert_eq!(value, plain.unwrap()),
                Err(JsonError::Repeated | JsonError::TooDeep { .. }) => {}
                Err(_) => prop_assert!(plain.is_err(), "{}", text),
            }
        }
    }
}
