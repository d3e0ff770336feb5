//! Quantities: numbers as nodes write them, `0x` and hexadecimal digits without leading zeros.

use serde_json::Value;

use crate::rpc::fields::text;
use crate::rpc::{Answer, AnswerError};

/// Bytes of the longest.
const MAX_BYTES: usize = 32;

/// A number of at most 256 bits: big-endian, without leading zeros, which is RLP's form, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quantity(Vec<u8>);

impl Quantity {
    /// The number in `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("0x")?;
        if digits == "0" {
            return Some(Self::default());
        }
        if digits.is_empty() || digits.starts_with('0') || digits.len() > 2 * MAX_BYTES {
            return None;
        }
        let even = if digits.len() % 2 == 0 { digits.to_owned() } else { format!("0{digits}") };
        hex::decode(even).ok().map(Self)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number, where it fits 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        let fits = self.0.len() <= 8;
        fits.then(|| self.0.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The number, where it fits 128 bits.
    pub fn to_u128(&self) -> Option<u128> {
        let fits = self.0.len() <= 16;
        fits.then(|| self.0.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

impl Answer for Quantity {
    fn summary(&self) -> String {
        format!("0x{}", hex::encode(self.bytes()))
    }
}

/// The member `name`, a quantity.
pub(super) fn quantity(value: &Value, name: &'static str) -> Result<Quantity, AnswerError> {
    Quantity::parse(text(value, name)?).ok_or(AnswerError::Form { what: name })
}

/// The member `name`, a quantity of at most 64 bits.
pub(super) fn number(value: &Value, name: &'static str) -> Result<u64, AnswerError> {
    quantity(value, name)?.to_u64().ok_or(AnswerError::Form { what: name })
}
