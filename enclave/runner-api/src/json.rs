//! Whether a text is JSON whose nesting a recursive reader can bear. Nothing is built from it.

use serde::de::IgnoredAny;
use thiserror::Error;

use crate::limits::MAX_JSON_DEPTH;

/// Why a text is not accepted as JSON.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is not JSON.
    #[error("not JSON")]
    Syntax(#[from] serde_json::Error),
    /// Arrays and objects stand deeper in each other than [`MAX_JSON_DEPTH`].
    #[error("JSON nested deeper than {MAX_JSON_DEPTH}")]
    TooDeep,
}

/// Checks that `text` is one JSON value, nested at most [`MAX_JSON_DEPTH`] deep.
///
/// # Errors
/// [`JsonError`] says which of the two it is not.
pub fn check(text: &str) -> Result<(), JsonError> {
    // Depth first: the syntax check below keeps a stack as deep as the text is nested.
    if depth(text) > MAX_JSON_DEPTH {
        return Err(JsonError::TooDeep);
    }
    serde_json::from_str::<IgnoredAny>(text)?;
    Ok(())
}

/// Deepest nesting of brackets outside strings. Exact for JSON; for anything else just a number.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_json_up_to_the_depth() {
        for text in ["null", "-0.5e3", r#""[[[[""#, r#"{"a":[1,{"b":"\"]"}]}"#] {
            check(text).unwrap();
        }
        check(&nested(MAX_JSON_DEPTH)).unwrap();
    }

    #[test]
    fn refuses_what_is_deeper_or_no_json() {
        assert!(matches!(check(&nested(MAX_JSON_DEPTH + 1)), Err(JsonError::TooDeep)));
        assert!(matches!(check(&"[".repeat(5_000_000)), Err(JsonError::TooDeep)));
        for text in ["", "undefined", "{} {}", "[1,]", "\"\\x\"", "NaN", "'a'", "\u{feff}1"] {
            assert!(matches!(check(text), Err(JsonError::Syntax(_))), "{text}");
        }
    }

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }
}
