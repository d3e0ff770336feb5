//! Pairs of assets, and what a venue calls them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::limits::MAX_ASSET_BYTES;

/// A text that names no pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pair is BASE/QUOTE, as in BTC/USD: 1 to {MAX_ASSET_BYTES} capital letters and digits each, two different ones"
)]
pub struct PairError;

/// The price of one unit of `base`, in `quote`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    base: String,
    quote: String,
}

impl Pair {
    /// What is priced.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// In what.
    pub fn quote(&self) -> &str {
        &self.quote
    }
}

/// Whether it can stand in a URL and a path as it is: capital letters and digits.
pub(super) fn is_asset(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    !text.is_empty() && text.len() <= MAX_ASSET_BYTES && text.bytes().all(plain)
}

impl FromStr for Pair {
    type Err = PairError;

    fn from_str(text: &str) -> Result<Self, PairError> {
        let (base, quote) = text.split_once('/').ok_or(PairError)?;
        if !is_asset(base) || !is_asset(quote) || base == quote {
            return Err(PairError);
        }
        Ok(Self { base: base.to_owned(), quote: quote.to_owned() })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.quote)
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each() {
        let pair: Pair = "BTC/USD".parse().unwrap();
        assert_eq!((pair.base(), pair.quote(), pair.to_string().as_str()), ("BTC", "USD", "BTC/USD"));
        for text in [
            "",
            "BTC",
            "BTC/",
            "/USD",
            "btc/usd",
            "BTC/USD/EUR",
            "BTC/BTC",
            "B C/USD",
            "BTC/ÜSD",
            "BTC/..",
            "BTC-USD",
        ] {
            assert_eq!(text.parse::<Pair>(), Err(PairError), "{text}");
        }
        assert_eq!(format!("{}/USD", "A".repeat(17)).parse::<Pair>(), Err(PairError));
    }
}
