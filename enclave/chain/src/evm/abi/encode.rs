//! Writing values: those of a call, which a person or a program gives as JSON.

use r3e_neo::number::{Int256, Uint256};
use r3e_proto::api::wallets::{EvmAddress, HexBytes};
use serde_json::Value as Json;

use super::kind::Kind;
use crate::limits::MAX_CALL_DATA_BYTES;

const WORD: usize = 32;

/// Why an argument cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// There are more or fewer than the method has parameters.
    #[error("{found} values, where the method takes {expected}")]
    Count {
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// One is not of its parameter's type.
    #[error("a value of the type {kind} is {form}")]
    Kind {
        /// The type.
        kind: String,
        /// How its values are written.
        form: &'static str,
    },
    /// All together are too long.
    #[error("a call's data has at most {MAX_CALL_DATA_BYTES} bytes")]
    TooLong,
}

/// The values one behind the other, and behind them those that have no fixed length.
pub(super) fn encode_values(kinds: &[Kind], values: &[Json]) -> Result<Vec<u8>, ArgumentError> {
    if kinds.len() != values.len() {
        return Err(ArgumentError::Count { expected: kinds.len(), found: values.len() });
    }
    let mut left = MAX_CALL_DATA_BYTES;
    sequence(kinds.iter().zip(values), &mut left)
}

/// `left` is what all of the data may still have: types may ask for far more than anybody wrote.
fn sequence<'a>(
    values: impl Iterator<Item = (&'a Kind, &'a Json)> + Clone,
    left: &mut usize,
) -> Result<Vec<u8>, ArgumentError> {
    let head = |sum: usize, (kind, _): (&Kind, _)| sum.checked_add(kind.head_bytes()?);
    let heads = values.clone().try_fold(0_usize, head).ok_or(ArgumentError::TooLong)?;
    let (mut data, mut behind) = (Vec::new(), Vec::new());
    for (kind, value) in values {
        if kind.is_dynamic() {
            data.extend(length(heads + behind.len(), left)?);
            behind.extend(encode(kind, value, left)?);
        } else {
            data.extend(encode(kind, value, left)?);
        }
    }
    data.extend(behind);
    Ok(data)
}

fn encode(kind: &Kind, value: &Json, left: &mut usize) -> Result<Vec<u8>, ArgumentError> {
    match kind {
        Kind::Bytes => {
            let bytes = hexadecimal(value).ok_or_else(|| wrong(kind))?;
            padded(&bytes, left)
        }
        Kind::Text => padded(value.as_str().ok_or_else(|| wrong(kind))?.as_bytes(), left),
        Kind::Array(of) => {
            let list = value.as_array().ok_or_else(|| wrong(kind))?;
            let mut data = length(list.len(), left)?;
            data.extend(sequence(list.iter().map(|one| (&**of, one)), left)?);
            Ok(data)
        }
        Kind::FixedArray(of, count) => {
            let list = value.as_array().filter(|list| list.len() == *count).ok_or_else(|| wrong(kind))?;
            sequence(list.iter().map(|one| (&**of, one)), left)
        }
        Kind::Tuple(parts) => {
            let list =
                value.as_array().filter(|list| list.len() == parts.len()).ok_or_else(|| wrong(kind))?;
            sequence(parts.iter().zip(list), left)
        }
        _ => {
            let word = word(kind, value).ok_or_else(|| wrong(kind))?;
            spend(WORD, left)?;
            Ok(word.to_vec())
        }
    }
}

/// A value of one word.
fn word(kind: &Kind, value: &Json) -> Option<[u8; WORD]> {
    let mut word = [0; WORD];
    match kind {
        Kind::Uint(bits) => {
            let number = decimal(value)?.parse::<Uint256>().ok().filter(|number| number.fits(*bits))?;
            word = number.0;
        }
        Kind::Int(bits) => {
            let number = decimal(value)?.parse::<Int256>().ok().filter(|number| number.fits(*bits))?;
            word = number.0;
        }
        Kind::Address => word[12..].copy_from_slice(&value.as_str()?.parse::<EvmAddress>().ok()?.0),
        Kind::Bool => word[WORD - 1] = value.as_bool()?.into(),
        Kind::FixedBytes(length) => {
            let bytes = hexadecimal(value).filter(|bytes| bytes.len() == *length)?;
            word[..*length].copy_from_slice(&bytes);
        }
        // The others take more than a word, and are not written here.
        _ => return None,
    }
    Some(word)
}

/// A number's text. One that JSON readers round is not taken as a number.
fn decimal(value: &Json) -> Option<String> {
    const MAX_EXACT: i64 = (1 << 53) - 1;
    match value {
        Json::String(text) => Some(text.clone()),
        _ => value
            .as_i64()
            .filter(|number| (-MAX_EXACT..=MAX_EXACT).contains(number))
            .map(|number| number.to_string()),
    }
}

fn hexadecimal(value: &Json) -> Option<Vec<u8>> {
    value.as_str()?.parse::<HexBytes>().ok().map(|bytes| bytes.0)
}

/// Bytes behind their number, up to a whole word.
fn padded(bytes: &[u8], left: &mut usize) -> Result<Vec<u8>, ArgumentError> {
    let mut data = length(bytes.len(), left)?;
    let padded = bytes.len().next_multiple_of(WORD);
    spend(padded, left)?;
    data.extend_from_slice(bytes);
    data.resize(WORD + padded, 0);
    Ok(data)
}

/// A length or a place.
fn length(length: usize, left: &mut usize) -> Result<Vec<u8>, ArgumentError> {
    spend(WORD, left)?;
    Ok(Uint256::from(length as u128).0.to_vec())
}

fn spend(bytes: usize, left: &mut usize) -> Result<(), ArgumentError> {
    *left = left.checked_sub(bytes).ok_or(ArgumentError::TooLong)?;
    Ok(())
}

fn wrong(kind: &Kind) -> ArgumentError {
    let form = match kind {
        Kind::Uint(_) | Kind::Int(_) => {
            "a whole number within its width, as decimal text or a number below 2^53"
        }
        Kind::Address => "0x and 40 hexadecimal digits",
        Kind::Bool => "true or false",
        Kind::FixedBytes(_) => "0x and two hexadecimal digits for each of its bytes",
        Kind::Bytes => "0x and hexadecimal digits",
        Kind::Text => "a text",
        Kind::Array(_) => "an array",
        Kind::FixedArray(..) | Kind::Tuple(_) => "an array of as many values",
    };
    ArgumentError::Kind { kind: kind.to_string(), form }
}
