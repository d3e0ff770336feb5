//! A contract on a network, in one line of text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::api::wallets::EvmAddress;
use crate::report::{Batch, EvmTarget, NeoTarget, Report};
use crate::wallet::PayloadError;

/// Where a signature is to hold: `eip155:1:0x…`, or `neo-n3:860833102:0x…`, contracts as their chains show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Ethereum, or a chain like it.
    Evm(EvmTarget),
    /// A network of Neo N3.
    Neo(NeoTarget),
}

/// A text that names no contract on a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a target is eip155:CHAIN_ID:0x… or neo-n3:MAGIC:0x…, with the 40 hex digits of the contract")]
pub struct TargetError;

impl Target {
    /// The 32 bytes that are signed of a report.
    ///
    /// # Errors
    /// [`PayloadError`]: chain 0 is none.
    pub fn digest(&self, report: &Report) -> Result<[u8; 32], PayloadError> {
        match self {
            Self::Evm(target) => target.report_digest(report),
            Self::Neo(target) => Ok(target.report_digest(report)),
        }
    }

    /// The 32 bytes that are signed of a batch.
    ///
    /// # Errors
    /// As [`Self::digest`].
    pub fn batch_digest(&self, batch: &Batch) -> Result<[u8; 32], PayloadError> {
        match self {
            Self::Evm(target) => target.batch_digest(batch),
            Self::Neo(target) => Ok(target.batch_digest(batch)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evm(EvmTarget { chain_id, contract }) => write!(f, "eip155:{chain_id}:{contract}"),
            Self::Neo(NeoTarget { magic, contract }) => {
                let mut shown = *contract;
                shown.reverse();
                write!(f, "neo-n3:{magic}:0x{}", hex::encode(shown))
            }
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let mut parts = text.split(':');
        let (Some(kind), Some(network), Some(contract), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TargetError);
        };
        // One text for each number.
        let plain = !network.starts_with(['0', '+']);
        match kind {
            "eip155" if plain => Ok(Self::Evm(EvmTarget {
                chain_id: network.parse().map_err(|_| TargetError)?,
                contract: contract.parse::<EvmAddress>().map_err(|_| TargetError)?,
            })),
            "neo-n3" if plain => {
                let mut hash = [0; 20];
                let digits = contract.strip_prefix("0x").ok_or(TargetError)?;
                hex::decode_to_slice(digits, &mut hash).map_err(|_| TargetError)?;
                hash.reverse();
                Ok(Self::Neo(NeoTarget { magic: network.parse().map_err(|_| TargetError)?, contract: hash }))
            }
            _ => Err(TargetError),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each() {
        for text in [
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:138:0x0000000000000000000000000000000000000001",
            "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        let Target::Neo(neo) = "neo-n3:1:0x0000000000000000000000000000000000000001".parse().unwrap() else {
            panic!("a target of Neo's");
        };
        assert_eq!(neo.contract[0], 1, "the chain keeps it the other way round");
        for wrong in [
            "",
            "eip155:1",
            "eip155:0:0x0000000000000000000000000000000000000001",
            "eip155:01:0x0000000000000000000000000000000000000001",
            "eip155:+1:0x0000000000000000000000000000000000000001",
            "eip155:1:0000000000000000000000000000000000000001",
            "eip155:1:0x0000000000000000000000000000000000000001:",
            "eip155:18446744073709551616:0x0000000000000000000000000000000000000001",
            "neo-n3:4294967296:0xd2a4cff31913016155e38e474a2c06d08be276cf",
            "neo-n3:1:0xd2a4",
            "solana:1:0xd2a4cff31913016155e38e474a2c06d08be276cf",
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed",
        ] {
            assert_eq!(wrong.parse::<Target>(), Err(TargetError), "{wrong}");
        }
    }
}
