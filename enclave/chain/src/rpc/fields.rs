//! The members of an answer, each taken as what it must be.

use std::str::FromStr;

use serde_json::Value;

/// Why a result cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The node has none: it has not come so far, or has forgotten.
    #[error("the node has no such {what}")]
    Missing {
        /// What was asked for.
        what: &'static str,
    },
    /// A member is absent, or not of its form.
    #[error("the answer has no usable {what}")]
    Form {
        /// What should be there.
        what: &'static str,
    },
    /// More of something than is read.
    #[error("the answer has more than {max} of {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A hash is not that of what it names.
    #[error("the hash of {what} does not hold")]
    Hash {
        /// What it names.
        what: &'static str,
    },
    /// The answer is about something that was not asked for.
    #[error("the answer has another {what} than was asked for")]
    Other {
        /// What differs.
        what: &'static str,
    },
}

/// The member `name`.
///
/// # Errors
/// [`AnswerError::Form`]: `value` is no object, or has none.
pub fn member<'a>(value: &'a Value, name: &'static str) -> Result<&'a Value, AnswerError> {
    value.get(name).ok_or(AnswerError::Form { what: name })
}

/// The member `name`, a text.
///
/// # Errors
/// [`AnswerError::Form`].
pub fn text<'a>(value: &'a Value, name: &'static str) -> Result<&'a str, AnswerError> {
    member(value, name)?.as_str().ok_or(AnswerError::Form { what: name })
}

/// The member `name`, a text that a `T` is read from.
///
/// # Errors
/// [`AnswerError::Form`].
pub fn parsed<T: FromStr>(value: &Value, name: &'static str) -> Result<T, AnswerError> {
    text(value, name)?.parse().map_err(|_| AnswerError::Form { what: name })
}

/// The member `name`, a list of at most `max`.
///
/// # Errors
/// [`AnswerError::Form`], [`AnswerError::TooMany`].
pub fn list<'a>(value: &'a Value, name: &'static str, max: usize) -> Result<&'a [Value], AnswerError> {
    let list = member(value, name)?.as_array().ok_or(AnswerError::Form { what: name })?;
    if list.len() > max { Err(AnswerError::TooMany { what: name, max }) } else { Ok(list) }
}
