//! Names and ids as the API takes them, checked before they become part of a path.

use r3e_proto::api::is_name;
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

/// An API key's id.
pub(crate) fn key_id(text: &str) -> Result<(), ClientError> {
    let holds = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    check(holds, "an API key's id", text, "it takes 16 hex digits; `r3e keys list` shows them")
}

fn check(holds: bool, what: &'static str, text: &str, rule: &'static str) -> Result<(), ClientError> {
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
