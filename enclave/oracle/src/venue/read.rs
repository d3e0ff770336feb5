//! From an answer's bytes to price, volume and time.

use std::borrow::Cow;

use jiff::Timestamp;

use super::definition::{Parts, TimeUnit, VolumeOf};
use super::template::{Names, Path};
use crate::decimal::{Decimal, DecimalError};
use crate::json::{Json, JsonError};

/// What a venue says of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// One unit of the pair's base, in its quote; above zero.
    pub price: Decimal,
    /// What was traded in 24 hours, in the pair's quote, from below; none where the venue's definition names no field.
    pub volume: Option<Decimal>,
    /// The venue's own time of it, in Unix milliseconds; none where the definition names no field.
    pub time_ms: Option<u64>,
}

/// Why an answer says nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No JSON, or over a limit.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Something else stands where the definition expects a text.
    #[error("the answer is not the expected one: {path} is not {expected:?}")]
    Unexpected {
        /// Where.
        path: String,
        /// What should stand there.
        expected: String,
    },
    /// Nothing stands there.
    #[error("the answer has no {field}")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// It is not of its form.
    #[error("the answer has no usable {field}: {error}")]
    Value {
        /// Which.
        field: &'static str,
        /// Why not.
        error: ValueError,
    },
}

/// Why a value is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Neither a number nor a text.
    #[error("it is neither a number nor a text")]
    Kind,
    /// No number.
    #[error(transparent)]
    Number(#[from] DecimalError),
    /// A price of nothing.
    #[error("it is zero")]
    Zero,
    /// One cannot be divided by it.
    #[error("its inverse cannot be written")]
    Inverse,
    /// No time, or one before 1970 or after 9999.
    #[error("it is no time of the expected form")]
    Time,
}

/// The last millisecond of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;

pub(super) fn read(
    parts: &Parts,
    names: &Names,
    inverse: bool,
    body: &[u8],
    max_bytes: usize,
) -> Result<Observation, ReadError> {
    let answer = Json::read(body, max_bytes)?;
    for (written, path, expected) in &parts.expect {
        let expected = expected.fill(names);
        let found = path.find(&answer, names).and_then(text);
        if found.as_deref() != Some(expected.as_str()) {
            return Err(ReadError::Unexpected { path: written.clone(), expected });
        }
    }
    let theirs = number("price", &parts.price, &answer, names)?;
    let wrong = |field, error| ReadError::Value { field, error };
    if !theirs.is_positive() {
        return Err(wrong("price", ValueError::Zero));
    }
    let inverted = || theirs.reciprocal().ok_or(wrong("price", ValueError::Inverse));
    let price = if inverse { inverted()? } else { theirs };
    let volume = match &parts.volume {
        Some((path, of)) => {
            let volume = number("volume", path, &answer, names)?;
            Some(match (of, inverse) {
                (VolumeOf::Quote, false) | (VolumeOf::Base, true) => volume,
                (VolumeOf::Base, false) | (VolumeOf::Quote, true) => volume
                    .product_below(price)
                    .ok_or(wrong("volume", ValueError::Number(DecimalError::TooLarge)))?,
            })
        }
        None => None,
    };
    let time_ms = match &parts.time {
        Some((path, unit)) => {
            let value = path.find(&answer, names).ok_or(ReadError::Missing { field: "time" })?;
            Some(time(value, *unit).map_err(|error| wrong("time", error))?)
        }
        None => None,
    };
    Ok(Observation { price, volume, time_ms })
}

fn number(field: &'static str, path: &Path, answer: &Json<'_>, names: &Names) -> Result<Decimal, ReadError> {
    let value = path.find(answer, names).ok_or(ReadError::Missing { field })?;
    decimal(value).map_err(|error| ReadError::Value { field, error })
}

/// Venues write numbers as numbers or as texts.
fn decimal(value: &Json<'_>) -> Result<Decimal, ValueError> {
    match value {
        Json::Number(text) => Ok(text.parse()?),
        Json::Text(text) => Ok(text.parse()?),
        _ => Err(ValueError::Kind),
    }
}

/// In Unix milliseconds; what is finer is cut off.
fn time(value: &Json<'_>, unit: TimeUnit) -> Result<u64, ValueError> {
    let thousandths = match unit {
        TimeUnit::S => 3,
        TimeUnit::Ms => 0,
        TimeUnit::Us => -3,
        TimeUnit::Ns => -6,
        TimeUnit::Rfc3339 => {
            let Json::Text(text) = value else { return Err(ValueError::Kind) };
            let time: Timestamp = text.parse().map_err(|_| ValueError::Time)?;
            let time_ms = u64::try_from(time.as_millisecond()).map_err(|_| ValueError::Time)?;
            return if time_ms <= LAST_MS { Ok(time_ms) } else { Err(ValueError::Time) };
        }
    };
    let time_ms = decimal(value)?.whole_times_ten_to(thousandths).ok_or(ValueError::Time)?;
    u64::try_from(time_ms).ok().filter(|time_ms| *time_ms <= LAST_MS).ok_or(ValueError::Time)
}

/// A value as text.
pub(super) fn text<'a>(value: &'a Json<'a>) -> Option<Cow<'a, str>> {
    match value {
        Json::Text(text) => Some(Cow::Borrowed(text)),
        Json::Number(text) => Some(Cow::Borrowed(text)),
        Json::Bool(true) => Some(Cow::Borrowed("true")),
        Json::Bool(false) => Some(Cow::Borrowed("false")),
        _ => None,
    }
}
