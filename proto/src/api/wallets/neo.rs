//! Transactions of Neo N3, as a wallet is asked to sign them: one call of one contract.

use std::fmt;
use std::str::FromStr;

use r3e_neo::{AddressError, Hash160, Hash256, address, parse_address};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{HexBytes, Wei};

/// NEP-17: `transfer(from, to, amount, data)`.
const TRANSFER: &str = "transfer";

/// One call of a contract, paid for by the wallet's account. A script that does anything else cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeoTransaction {
    /// The network's magic number.
    pub magic: u32,
    /// A number that makes it another transaction.
    pub nonce: u32,
    /// The account that pays: the wallet's own.
    pub sender: NeoAccount,
    /// The contract that is called.
    pub contract: Hash160,
    /// Its method.
    pub method: String,
    /// What it is called with.
    #[serde(default)]
    pub arguments: Vec<NeoArgument>,
    /// For whom the wallet's signature counts.
    pub scope: NeoScope,
    /// What running it costs, in 10^-8 GAS. All of it is burned, used or not.
    pub system_fee: Wei,
    /// What carrying it costs, in 10^-8 GAS.
    pub network_fee: Wei,
    /// The last block that may have it.
    pub valid_until_block: u32,
}

impl NeoTransaction {
    /// Both fees.
    pub fn fee(&self) -> Wei {
        Wei(self.system_fee.0.saturating_add(self.network_fee.0))
    }

    /// Whether it is a transfer (NEP-17) in the account's name: without the account's signature, no token moves anything of its.
    pub fn is_transfer(&self) -> bool {
        self.method == TRANSFER && self.scope != NeoScope::None
    }

    /// The GAS that it sends, in 10^-8 GAS. An amount that is not written as a number, or is below zero, is taken for the highest there is.
    pub fn sent(&self) -> Wei {
        match self.arguments.get(2) {
            _ if self.contract != Hash160::GAS || !self.is_transfer() => Wei(0),
            Some(NeoArgument::Integer(amount)) => {
                let amount = amount.0.to_i128().and_then(|amount| u128::try_from(amount).ok());
                Wei(amount.unwrap_or(u128::MAX))
            }
            _ => Wei(u128::MAX),
        }
    }
}

/// For whom a signature counts (`WitnessScope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeoScope {
    /// For nobody: it pays the fees. No contract can act in the account's name.
    None,
    /// For the contract that is called, and none that it calls.
    CalledByEntry,
}

/// An argument of a call: `{"type": "integer", "value": "42"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum NeoArgument {
    /// Null.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A number of at most 256 bits with its sign, as decimal text.
    Integer(NeoInteger),
    /// Bytes.
    Bytes(HexBytes),
    /// Text.
    Text(String),
    /// A contract, as nodes show it.
    Hash160(Hash160),
    /// A block or a transaction, as nodes show it.
    Hash256(Hash256),
    /// An account, by its address.
    Account(NeoAccount),
    /// Several.
    Array(Vec<NeoArgument>),
}

/// A number of the virtual machine, as decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeoInteger(pub r3e_neo::number::Int256);

/// An account, shown as its address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NeoAccount(pub Hash160);

impl fmt::Display for NeoAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&address(self.0))
    }
}

impl fmt::Debug for NeoAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for NeoAccount {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse_address(text).map(Self)
    }
}

impl Serialize for NeoAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NeoAccount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_text(deserializer)
    }
}

impl fmt::Display for NeoInteger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl FromStr for NeoInteger {
    type Err = r3e_neo::number::NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for NeoInteger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NeoInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_text(deserializer)
    }
}

fn of_text<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}
