//! Reports: what the oracle signs about a feed, in one canonical form, and the digests under which chains take it.
//!
//! A report is the same for every chain; each signature holds for one contract on one network, which its digest binds. `SPEC.md`,
//! section 5.12, has the bytes. This module signs nothing and knows no key.

mod batch;
mod config;
mod form;
mod target;

pub use batch::{Batch, BatchError, Proof, Tree};
pub use config::config_digest;
pub use form::{REPORT_BYTES, ReportError};
pub use target::{BATCH_TYPE, EvmTarget, NEO_BATCH_DOMAIN, NEO_REPORT_DOMAIN, NeoTarget, REPORT_TYPE};
pub(crate) use target::{ORACLE_DOMAIN, compact, word};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::api::wallets::Hash32;

/// A feed, as contracts name it: its name in ASCII, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(pub [u8; 32]);

impl FeedId {
    /// The identifier of the feed of this name: 1 to 32 printable ASCII characters.
    pub fn named(name: &str) -> Option<Self> {
        let printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let mut id = [0; 32];
        id.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        (!name.is_empty() && printable).then_some(Self(id))
    }

    /// The name, if it is one's.
    pub fn name(&self) -> Option<&str> {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let name = str::from_utf8(self.0.get(..end)?).ok()?;
        (Self::named(name) == Some(*self)).then_some(name)
    }
}

/// What is said of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The feed.
    pub feed_id: FeedId,
    /// The answer, in units of ten to the minus `decimals`; decimal text in JSON.
    #[serde(with = "number_text")]
    pub answer: i128,
    /// How far from it the quartiles of the sources are, in the same units; below 2^127, decimal text in JSON.
    #[serde(with = "number_text")]
    pub confidence: u128,
    /// The answer's places behind the point.
    pub decimals: u8,
    /// When the sources were compared, in Unix seconds.
    pub observed_at_s: u64,
    /// The last second in which it is valid.
    pub valid_until_s: u64,
    /// One more than in the feed's report before; from 1.
    pub sequence: u64,
    /// How many sources agreed.
    pub sources: u8,
    /// Which rules and sources they were: the digest of the feed's definition.
    #[serde(with = "digest_text")]
    pub config_digest: [u8; 32],
}

impl Report {
    /// The answer as a decimal number, with all of its places.
    pub fn answer_text(&self) -> String {
        let sign = if self.answer < 0 { "-" } else { "" };
        format!("{sign}{}", decimal(self.answer.unsigned_abs(), self.decimals))
    }

    /// The confidence, likewise.
    pub fn confidence_text(&self) -> String {
        decimal(self.confidence, self.decimals)
    }
}

fn decimal(units: u128, places: u8) -> String {
    let places = usize::from(places);
    let digits = format!("{units:0>width$}", width = places + 1);
    let (whole, behind) = digits.split_at(digits.len() - places);
    if behind.is_empty() { whole.to_owned() } else { format!("{whole}.{behind}") }
}

impl fmt::Display for FeedId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hash32(self.0), formatter)
    }
}

impl fmt::Debug for FeedId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => fmt::Debug::fmt(name, formatter),
            None => fmt::Display::fmt(self, formatter),
        }
    }
}

impl Serialize for FeedId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FeedId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Hash32::deserialize(deserializer).map(|hash| Self(hash.0))
    }
}

/// Decimal text: a JSON number of so many digits would be rounded by many readers.
mod number_text {
    use super::{Deserialize, Deserializer, FromStr, Serializer, fmt};
    use serde::de::Error as _;

    pub(super) fn serialize<T: fmt::Display, S: Serializer>(
        number: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr + fmt::Display,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        let number: Option<T> = text.parse().ok().filter(|number: &T| number.to_string() == text);
        number.ok_or_else(|| D::Error::custom("expected a decimal number, without leading zeros"))
    }
}

/// Hex text of a digest.
mod digest_text {
    use super::{Deserialize, Deserializer, Hash32, Serializer};

    pub(super) fn serialize<S: Serializer>(digest: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hash32(*digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        Hash32::deserialize(deserializer).map(|hash| hash.0)
    }
}

#[cfg(test)]
mod tests;
