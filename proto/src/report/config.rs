//! The digest of a feed's definition, by which a report says which venues and which rules were asked.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What the digest is over begins with this, and a zero byte.
const DOMAIN: &[u8] = b"r3e/1/feed-config\0";

/// SHA-256 over a domain and the definition's canonical JSON (RFC 8785). Two definitions that differ in anything, the order of
/// venues included, have different ones.
pub fn config_digest(definition: &Value) -> [u8; 32] {
    let mut text = String::new();
    write_canonical(definition, &mut text);
    Sha256::new().chain_update(DOMAIN).chain_update(text).finalize().into()
}

/// Members by their names, no blanks. There are no fractions in a definition, and no integer over 2^53, so that RFC 8785's rules for
/// numbers come to decimal text; and its names are ASCII, so that its order is that of bytes.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write_canonical(&Value::String(name.clone()), text);
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write_canonical(item, text);
            }
            text.push(']');
        }
        plain => {
            // Writing to a text cannot fail.
            let _ = write!(text, "{plain}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json() {
        let value = serde_json::json!({ "b": [1, "x\n\"é", null, true], "a": { "d": {}, "c": [] } });
        let mut text = String::new();
        write_canonical(&value, &mut text);
        assert_eq!(text, r#"{"a":{"c":[],"d":{}},"b":[1,"x\n\"é",null,true]}"#);
    }
}
