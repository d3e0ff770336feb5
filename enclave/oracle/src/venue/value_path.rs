//! One value of an answer that is no venue's: by the same paths, without a market's names in them.

use std::borrow::Cow;

use super::read::text;
use super::template::{Names, Path};
use crate::json::{Json, JsonError};

/// A way to a number, a text, `true` or `false`: `data.rates[0].value`. `*` is the member of an object that has no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath(Path);

/// Why nothing was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickError {
    /// The answer is no JSON, or over a limit.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The path leads nowhere.
    #[error("nothing stands in the answer where the path leads")]
    Nothing,
    /// The path leads to `null`, a list or an object.
    #[error("what stands in the answer where the path leads is neither a number nor a text, true or false")]
    Kind,
}

impl ValuePath {
    /// None where it is no path, or has a place for a market's name.
    pub fn read(text: &str) -> Option<Self> {
        Path::read(text).filter(Path::is_constant).map(Self)
    }

    /// What it leads to, as it is written there; a text without its quotes.
    ///
    /// # Errors
    /// [`PickError::Nothing`], [`PickError::Kind`].
    pub fn pick<'j>(&self, answer: &'j Json<'j>) -> Result<Cow<'j, str>, PickError> {
        let none = Names { base: String::new(), quote: String::new(), pair: String::new() };
        let value = self.0.find(answer, &none).ok_or(PickError::Nothing)?;
        text(value).ok_or(PickError::Kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_picked() {
        let body =
            br#"{"a":{"n":-0.10e3,"t":"x\u00e9","yes":true,"no":false,"null":null,"list":[[1],{}]},"":5}"#;
        let answer = Json::read(body, 1_000).unwrap();
        let pick = |path: &str| ValuePath::read(path).unwrap().pick(&answer).map(Cow::into_owned);
        for (path, value) in
            [("a.n", "-0.10e3"), ("a.t", "xé"), ("a.yes", "true"), ("a.no", "false"), ("a.list[0][0]", "1")]
        {
            assert_eq!(pick(path), Ok(value.to_owned()), "{path}");
        }
        for path in ["a.null", "a.list", "a.list[1]", "a"] {
            assert_eq!(pick(path), Err(PickError::Kind), "{path}");
        }
        for path in ["a.x", "b", "a.list[2]", "a[0]", "a.n.x", "*"] {
            assert_eq!(pick(path), Err(PickError::Nothing), "{path}");
        }
    }

    #[test]
    fn no_market_has_a_place() {
        for path in ["", "a b", "a.{pair}", "{BASE}", "x{quote}"] {
            assert_eq!(ValuePath::read(path), None, "{path}");
        }
        assert!(ValuePath::read("*.a[0]").is_some());
    }
}
