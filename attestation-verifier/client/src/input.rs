//! Names and ids as the API takes them, checked before they become part of a path.

use http::{HeaderName, HeaderValue};
use r3e_proto::api::is_name;
use r3e_proto::api::versions::{Reference, STICKY_KEY_HEADER, is_sticky_key};
use r3e_proto::limits::MAX_LABEL_BYTES;

use crate::error::ClientError;

/// The name of a function or a secret.
pub(crate) fn name(what: &'static str, text: &str) -> Result<(), ClientError> {
    let rule = "it takes 1 to 64 letters, digits, -, _ and ., and begins with a letter, a digit or _";
    check(is_name(text), what, text, rule)
}

/// What an operator calls a tenant, or a tenant a key.
pub(crate) fn label(what: &'static str, text: &str) -> Result<(), ClientError> {
    let holds = (1..=MAX_LABEL_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    check(holds, what, text, "it takes 1 to 128 bytes without control characters")
}

/// Which version of which function is meant.
pub(crate) fn reference(text: &str) -> Result<Reference, ClientError> {
    let rule = "it takes NAME, NAME@ALIAS or NAME@VERSION, with at least six digits of the version";
    Reference::parse(text).ok_or_else(|| ClientError::Input {
        what: "a function",
        text: text.to_owned(),
        rule,
    })
}

/// A stickiness key, as the header that has it.
pub(crate) fn sticky_key(text: &str) -> Result<(HeaderName, HeaderValue), ClientError> {
    let rule = "it takes 1 to 256 visible ASCII characters";
    let value = HeaderValue::from_str(text).ok().filter(|_| is_sticky_key(text));
    let value =
        value.ok_or_else(|| ClientError::Input { what: "a stickiness key", text: text.to_owned(), rule })?;
    Ok((HeaderName::from_static(STICKY_KEY_HEADER), value))
}

/// A place in a log.
pub(crate) fn cursor(text: &str) -> Result<(), ClientError> {
    let holds =
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    check(holds, "a log's cursor", text, "it is one that the appliance gave")
}

/// An API key's id.
pub(crate) fn key_id(text: &str) -> Result<(), ClientError> {
    let holds = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    check(holds, "an API key's id", text, "it takes 16 hex digits; `r3e keys list` shows them")
}

pub(crate) fn check(
    holds: bool,
    what: &'static str,
    text: &str,
    rule: &'static str,
) -> Result<(), ClientError> {
    if holds { Ok(()) } else { Err(ClientError::Input { what, text: text.to_owned(), rule }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_a_path_is_refused() {
        for text in ["", "a/b", "..", ".a", "-a", "a b", "a?b", "a%2f", "é", &"a".repeat(65)] {
            assert_eq!(name("a name", text).unwrap_err().code(), "input", "{text:?}");
        }
        for text in ["", "0123", "../../../../../..", "0123456789ABCDEF"] {
            assert_eq!(key_id(text).unwrap_err().code(), "input", "{text:?}");
        }
        for text in ["", "a\nb", "\u{1b}[0m", &"a".repeat(129)] {
            assert_eq!(label("a label", text).unwrap_err().code(), "input", "{text:?}");
        }
        assert!(name("a name", "_price-feed.v2").is_ok());
        assert!(key_id("0123456789abcdef").is_ok());
        assert!(label("a label", "Ärzte & Co").is_ok());
    }
}
