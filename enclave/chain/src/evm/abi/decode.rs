//! Reading values. Places may point anywhere, also at what was read before, so values and bytes are counted rather than trusted to
//! be no more than the data.

use r3e_proto::api::wallets::{EvmAddress, Hash32};

use super::AbiError;
use super::kind::Kind;
use super::value::Value;
use crate::limits::{MAX_ABI_BYTES, MAX_ABI_VALUES};
use r3e_neo::number::{Int256, Uint256};

const WORD: usize = 32;

/// The values in a log's data. What stands behind them, or between, counts for nothing.
pub(super) fn decode_values(kinds: &[Kind], data: &[u8]) -> Result<Vec<Value>, AbiError> {
    Decoder { values: MAX_ABI_VALUES, bytes: MAX_ABI_BYTES }.sequence(kinds.iter(), data)
}

/// The value in a topic.
pub(super) fn decode_topic(kind: &Kind, topic: &Hash32) -> Result<Value, AbiError> {
    if kind.is_word() { word_value(kind, &topic.0) } else { Ok(Value::Hashed(*topic)) }
}

/// What may still be decoded.
struct Decoder {
    values: usize,
    bytes: usize,
}

impl Decoder {
    /// Values one behind the other. Places count from the beginning of `data`.
    fn sequence<'a>(
        &mut self,
        kinds: impl Iterator<Item = &'a Kind>,
        data: &[u8],
    ) -> Result<Vec<Value>, AbiError> {
        let mut values = Vec::new();
        let mut at = 0_usize;
        for kind in kinds {
            let value = if kind.is_dynamic() {
                let place = length(word(data, at)?)?;
                self.value(kind, data.get(place..).ok_or(AbiError::Truncated)?)?
            } else {
                self.value(kind, data.get(at..).ok_or(AbiError::Truncated)?)?
            };
            values.push(value);
            at = kind.head_bytes().and_then(|head| at.checked_add(head)).ok_or(AbiError::Truncated)?;
        }
        Ok(values)
    }

    /// The value at the beginning of `data`.
    fn value(&mut self, kind: &Kind, data: &[u8]) -> Result<Value, AbiError> {
        let over = AbiError::TooMuch { what: "values", max: MAX_ABI_VALUES };
        self.values = self.values.checked_sub(1).ok_or(over)?;
        match kind {
            Kind::Bytes => Ok(Value::Bytes(self.bytes(data)?)),
            Kind::Text => Ok(match String::from_utf8(self.bytes(data)?) {
                Ok(text) => Value::Text(text),
                Err(error) => Value::Bytes(error.into_bytes()),
            }),
            Kind::Array(of) => {
                let count = length(word(data, 0)?)?;
                let rest = data.get(WORD..).unwrap_or_default();
                self.repeated(of, count, rest).map(Value::Array)
            }
            Kind::FixedArray(of, count) => self.repeated(of, *count, data).map(Value::Array),
            Kind::Tuple(parts) => self.sequence(parts.iter(), data).map(Value::Tuple),
            _ => word_value(kind, word(data, 0)?),
        }
    }

    fn repeated(&mut self, of: &Kind, count: usize, data: &[u8]) -> Result<Vec<Value>, AbiError> {
        if count > self.values {
            return Err(AbiError::TooMuch { what: "values", max: MAX_ABI_VALUES });
        }
        self.sequence(std::iter::repeat_n(of, count), data)
    }

    fn bytes(&mut self, data: &[u8]) -> Result<Vec<u8>, AbiError> {
        let length = length(word(data, 0)?)?;
        let rest = data.get(WORD..).unwrap_or_default();
        let bytes = rest.get(..length).ok_or(AbiError::Truncated)?;
        let over = AbiError::TooMuch { what: "bytes", max: MAX_ABI_BYTES };
        self.bytes = self.bytes.checked_sub(length).ok_or(over)?;
        Ok(bytes.to_vec())
    }
}

/// A value of one word. Bits that the type does not have must be what a compiler leaves there.
fn word_value(kind: &Kind, word: &[u8; WORD]) -> Result<Value, AbiError> {
    let zeros = |part: &[u8]| part.iter().all(|byte| *byte == 0);
    match kind {
        Kind::Uint(bits) if Uint256(*word).fits(*bits) => Ok(Value::Uint(Uint256(*word))),
        Kind::Uint(_) => Err(AbiError::Word { what: "uint of its width" }),
        Kind::Int(bits) if Int256(*word).fits(*bits) => Ok(Value::Int(Int256(*word))),
        Kind::Int(_) => Err(AbiError::Word { what: "int of its width" }),
        Kind::Address => match word.split_last_chunk::<20>() {
            Some((rest, address)) if zeros(rest) => Ok(Value::Address(EvmAddress(*address))),
            _ => Err(AbiError::Word { what: "address" }),
        },
        Kind::Bool => match word.split_last() {
            Some((value @ (0 | 1), rest)) if zeros(rest) => Ok(Value::Bool(*value == 1)),
            _ => Err(AbiError::Word { what: "bool" }),
        },
        Kind::FixedBytes(length) => match word.split_at_checked(*length) {
            Some((bytes, rest)) if zeros(rest) => Ok(Value::Bytes(bytes.to_vec())),
            _ => Err(AbiError::Word { what: "bytes of their number" }),
        },
        // The others take more than a word, and are not read here.
        _ => Err(AbiError::Word { what: "value of one word" }),
    }
}

fn word(data: &[u8], at: usize) -> Result<&[u8; WORD], AbiError> {
    data.get(at..).and_then(<[u8]>::first_chunk).ok_or(AbiError::Truncated)
}

/// A length or a place. One that no memory could hold lies behind the data's end.
fn length(word: &[u8; WORD]) -> Result<usize, AbiError> {
    let number = Uint256(*word).to_u128().and_then(|number| usize::try_from(number).ok());
    number.ok_or(AbiError::Truncated)
}
