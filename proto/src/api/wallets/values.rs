//! Values in wallets' bodies, each with one text form.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha3::{Digest as _, Keccak256};
use thiserror::Error;

/// A text that is not the value it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ValueError {
    /// Not hexadecimal of the length it has.
    #[error("expected 0x and {digits} hex digits")]
    Hex {
        /// How many digits.
        digits: usize,
    },
    /// Not hexadecimal of any length.
    #[error("expected 0x and an even number of hex digits")]
    Bytes,
    /// In upper and lower case, but not as EIP-55's checksum demands.
    #[error("the address's checksum (EIP-55) does not hold: a character of it is wrong")]
    Checksum,
    /// Not a decimal number, or 2^128 and more.
    #[error(
        "expected a decimal number in the chain's smallest unit, below 2^128, without sign or leading zeros"
    )]
    Amount,
}

/// Keccak-256, as Ethereum uses it.
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// An account or contract of Ethereum, or of a chain like it. Read in one case without a checksum, or with EIP-55's;
/// written with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvmAddress(pub [u8; 20]);

/// The first four bytes of a call's data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(pub [u8; 4]);

/// 32 bytes: a hash, a digest, a key, a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash32(pub [u8; 32]);

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature64(pub [u8; 64]);

/// Bytes of any number.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

/// An amount in a chain's smallest unit, as decimal text: a JSON number would be rounded by many readers.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wei(pub u128);

impl fmt::Display for EvmAddress {
    /// EIP-55: a letter is upper case where the hash of the lower-case text has a high digit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower = hex::encode(self.0);
        let hash = hex::encode(keccak256(&[lower.as_bytes()]));
        f.write_str("0x")?;
        for (letter, digit) in lower.chars().zip(hash.bytes()) {
            f.write_char(if digit >= b'8' { letter.to_ascii_uppercase() } else { letter })?;
        }
        Ok(())
    }
}

impl FromStr for EvmAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let address = Self(fixed(text)?);
        let mixed = text.bytes().skip(2).any(|b| b.is_ascii_lowercase())
            && text.bytes().skip(2).any(|b| b.is_ascii_uppercase());
        if mixed && address.to_string() != text { Err(ValueError::Checksum) } else { Ok(address) }
    }
}

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl FromStr for HexBytes {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix("0x").ok_or(ValueError::Bytes)?;
        hex::decode(digits).map(Self).map_err(|_| ValueError::Bytes)
    }
}

impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Wei {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let plain = !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        if !plain {
            return Err(ValueError::Amount);
        }
        text.parse().map(Self).map_err(|_| ValueError::Amount)
    }
}

/// `0x` and exactly the digits of `N` bytes.
fn fixed<const N: usize>(text: &str) -> Result<[u8; N], ValueError> {
    let error = ValueError::Hex { digits: 2 * N };
    let mut bytes = [0; N];
    hex::decode_to_slice(text.strip_prefix("0x").ok_or(error)?, &mut bytes).map_err(|_| error)?;
    Ok(bytes)
}

macro_rules! fixed_hex {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                fixed(text).map(Self)
            }
        }
    )*};
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

fixed_hex!(Selector, Hash32, Signature64);
as_text!(EvmAddress, Selector, Hash32, Signature64, HexBytes, Wei);
