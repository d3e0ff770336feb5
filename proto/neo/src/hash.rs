//! Hashes and keys of the chain.

use std::fmt;
use std::str::FromStr;

use ripemd::Ripemd160;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hex digits, with or without 0x before them")]
pub struct HashError {
    /// How many digits.
    pub digits: usize,
}

/// A script's hash: a contract or an account. In the chain's order, little-endian.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash160(pub [u8; 20]);

/// A block's or a transaction's hash. In the chain's order, little-endian.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash256(pub [u8; 32]);

/// A point on P-256, compressed (SEC 1). That it lies on the curve is not checked here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 33]);

impl Hash160 {
    /// The native contract of GAS, on every network.
    pub const GAS: Self = Self([
        0xcf, 0x76, 0xe2, 0x8b, 0xd0, 0x06, 0x2c, 0x4a, 0x47, 0x8e, 0xe3, 0x55, 0x61, 0x01, 0x13, 0x19, 0xf3,
        0xcf, 0xa4, 0xd2,
    ]);
    /// The native contract that deploys contracts, on every network.
    pub const CONTRACT_MANAGEMENT: Self = Self([
        0xfd, 0xa3, 0xfa, 0x43, 0x46, 0xea, 0x53, 0x2a, 0x25, 0x8f, 0xc4, 0x97, 0xdd, 0xad, 0xdb, 0x64, 0x37,
        0xc9, 0xfd, 0xff,
    ]);
    /// The native contract that knows blocks and transactions, on every network.
    pub const LEDGER: Self = Self([
        0xbe, 0xf2, 0x04, 0x31, 0x40, 0x36, 0x2a, 0x77, 0xc1, 0x50, 0x99, 0xc7, 0xe6, 0x4c, 0x12, 0xf7, 0x00,
        0xb6, 0x65, 0xda,
    ]);
}

impl Hash256 {
    /// SHA-256, which names blocks and transactions.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 of SHA-256, which joins two branches of a Merkle tree.
    pub fn joined(left: Self, right: Self) -> Self {
        let inner = Sha256::new().chain_update(left.0).chain_update(right.0).finalize();
        Self(Sha256::digest(inner).into())
    }
}

/// RIPEMD-160 of SHA-256, which names scripts.
pub fn hash160(bytes: &[u8]) -> Hash160 {
    Hash160(Ripemd160::digest(Sha256::digest(bytes)).into())
}

macro_rules! shown_reversed {
    ($($name:ident, $length:literal);*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut bytes = self.0;
                bytes.reverse();
                write!(formatter, "0x{}", hex::encode(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = HashError;

            fn from_str(text: &str) -> Result<Self, HashError> {
                let mut bytes = [0; $length];
                let digits = text.strip_prefix("0x").unwrap_or(text);
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| HashError { digits: 2 * $length })?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

shown_reversed!(Hash160, 20; Hash256, 32);

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
