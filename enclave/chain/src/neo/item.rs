//! Stack items: the virtual machine's values, in the JSON that nodes show them in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::limits::{MAX_ITEM_BYTES, MAX_ITEM_COUNT, MAX_ITEM_DEPTH};
use r3e_neo::number::Int256;

/// Why a stack item cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// It is not of the form that its type has.
    #[error("the stack item is no {what}")]
    Form {
        /// What it should be.
        what: &'static str,
    },
    /// It has more of something than any that a contract could make.
    #[error("the stack item has over {max} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

/// A value of the virtual machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `Any`: null.
    Null,
    /// `Boolean`.
    Boolean(bool),
    /// `Integer`.
    Integer(Int256),
    /// `ByteString`.
    Bytes(Vec<u8>),
    /// `Buffer`: bytes that could be changed.
    Buffer(Vec<u8>),
    /// `Array`.
    Array(Vec<Item>),
    /// `Struct`: an array that is copied.
    Struct(Vec<Item>),
    /// `Map`.
    Map(Vec<(Item, Item)>),
    /// `Pointer`: a place in a script.
    Pointer(u64),
    /// `InteropInterface`: a thing of the node's, of which nothing can be said.
    Interop,
}

impl Item {
    /// Reads an item from a node's JSON.
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn read(value: &Value) -> Result<Self, ItemError> {
        Self::nested(value, &mut Left { items: MAX_ITEM_COUNT, bytes: MAX_ITEM_BYTES }, 0)
    }

    /// The item as a function gets it: bytes as `{"bytes": BASE64}` and numbers as decimal text would have to be told from
    /// text, so each value stands beside its type, in the form that nodes use.
    pub fn to_json(&self) -> Value {
        let list = |items: &[Self]| items.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::Null => json!({ "type": "Any" }),
            Self::Boolean(value) => json!({ "type": "Boolean", "value": value }),
            Self::Integer(number) => json!({ "type": "Integer", "value": number }),
            Self::Bytes(bytes) => json!({ "type": "ByteString", "value": STANDARD.encode(bytes) }),
            Self::Buffer(bytes) => json!({ "type": "Buffer", "value": STANDARD.encode(bytes) }),
            Self::Array(items) => json!({ "type": "Array", "value": list(items) }),
            Self::Struct(items) => json!({ "type": "Struct", "value": list(items) }),
            Self::Map(members) => {
                let member =
                    |(key, value): &(Self, Self)| json!({ "key": key.to_json(), "value": value.to_json() });
                json!({ "type": "Map", "value": members.iter().map(member).collect::<Vec<_>>() })
            }
            Self::Pointer(place) => json!({ "type": "Pointer", "value": place }),
            Self::Interop => json!({ "type": "InteropInterface" }),
        }
    }

    fn nested(value: &Value, left: &mut Left, depth: usize) -> Result<Self, ItemError> {
        left.item()?;
        if depth == MAX_ITEM_DEPTH {
            return Err(ItemError::TooMuch { what: "items within each other", max: MAX_ITEM_DEPTH });
        }
        let content = value.get("value");
        let text = |what| content.and_then(Value::as_str).ok_or(ItemError::Form { what });
        let parts = |what| content.and_then(Value::as_array).ok_or(ItemError::Form { what });
        match value.get("type").and_then(Value::as_str) {
            Some("Any") => match content {
                None | Some(Value::Null) => Ok(Self::Null),
                Some(_) => Err(ItemError::Form { what: "null" }),
            },
            Some("Boolean") => content
                .and_then(Value::as_bool)
                .map(Self::Boolean)
                .ok_or(ItemError::Form { what: "truth value" }),
            Some("Integer") => {
                let number = text("number")?.parse().map_err(|_| ItemError::Form { what: "number" })?;
                Ok(Self::Integer(number))
            }
            Some("ByteString") => left.decode(text("bytes")?).map(Self::Bytes),
            Some("Buffer") => left.decode(text("bytes")?).map(Self::Buffer),
            Some("Array") => Self::list(parts("array")?, left, depth).map(Self::Array),
            Some("Struct") => Self::list(parts("array")?, left, depth).map(Self::Struct),
            Some("Map") => {
                let member = |member: &Value| {
                    let part = |name| member.get(name).ok_or(ItemError::Form { what: "map" });
                    let key = Self::nested(part("key")?, left, depth + 1)?;
                    Ok((key, Self::nested(part("value")?, left, depth + 1)?))
                };
                parts("map")?.iter().map(member).collect::<Result<_, _>>().map(Self::Map)
            }
            Some("Pointer") => {
                content.and_then(Value::as_u64).map(Self::Pointer).ok_or(ItemError::Form { what: "place" })
            }
            Some("InteropInterface") => Ok(Self::Interop),
            _ => Err(ItemError::Form { what: "type of the virtual machine" }),
        }
    }

    fn list(parts: &[Value], left: &mut Left, depth: usize) -> Result<Vec<Self>, ItemError> {
        parts.iter().map(|part| Self::nested(part, left, depth + 1)).collect()
    }
}

/// What one item may still have.
struct Left {
    items: usize,
    bytes: usize,
}

impl Left {
    fn item(&mut self) -> Result<(), ItemError> {
        let error = ItemError::TooMuch { what: "items", max: MAX_ITEM_COUNT };
        self.items = self.items.checked_sub(1).ok_or(error)?;
        Ok(())
    }

    fn decode(&mut self, text: &str) -> Result<Vec<u8>, ItemError> {
        let bytes = STANDARD.decode(text).map_err(|_| ItemError::Form { what: "bytes" })?;
        let error = ItemError::TooMuch { what: "bytes", max: MAX_ITEM_BYTES };
        self.bytes = self.bytes.checked_sub(bytes.len()).ok_or(error)?;
        Ok(bytes)
    }
}
