//! What a venue is, as data: where it answers, what it calls a market, and where in its answer price, volume and time stand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pair::{Pair, is_asset};
use super::template::{Path, Template};
use crate::limits::{
    DEFAULT_ANSWER_BYTES, MAX_ANSWER_BYTES, MAX_RENAMED, MAX_TEMPLATE_BYTES, MAX_URL_BYTES,
    MAX_VENUE_ID_BYTES, WEIGHTS,
};

/// A venue. Texts may have `{base}`, `{quote}`, `{BASE}`, `{QUOTE}` and, but for `pair` itself, `{pair}` in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name: small letters, digits, hyphens.
    pub id: String,
    /// Where it answers about one market: HTTPS, and no placeholder before the path.
    pub url: String,
    /// What it calls a market.
    pub pair: String,
    /// What it calls assets that it has other names for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub assets: BTreeMap<String, String>,
    /// Pairs that another market of its is to answer for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<Pair, Market>,
    /// What must stand in its answer: that it is an answer, and about this market.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// Where the price stands.
    pub price: String,
    /// Where the volume of 24 hours stands, if the venue says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeField>,
    /// Where the time of the price stands, if the venue says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeField>,
    /// How much it counts beside others.
    pub weight: u32,
    /// How long its answer may be.
    #[serde(default = "default_bytes")]
    pub max_bytes: usize,
}

fn default_bytes() -> usize {
    DEFAULT_ANSWER_BYTES
}

/// A market of a venue that answers for a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// The market's base, if it is not the pair's; where the market is inverse, if it is not the pair's quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The market's quote, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The venue's name of the market, where its form does not give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// Whether its price is that of the pair's quote in the pair's base: one is divided by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inverse: bool,
}

/// A text, number or boolean that must stand at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Where.
    pub path: String,
    /// What, as text.
    pub is: String,
}

/// Where a volume stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeField {
    /// The path.
    pub path: String,
    /// In which of the market's assets.
    pub of: VolumeOf,
}

/// An asset of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeOf {
    /// What is priced.
    Base,
    /// What it is priced in.
    Quote,
}

/// Where a time stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeField {
    /// The path.
    pub path: String,
    /// Its form.
    pub unit: TimeUnit,
}

/// The form of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Unix seconds; a fraction is allowed, as in all of them.
    S,
    /// Unix milliseconds.
    Ms,
    /// Unix microseconds.
    Us,
    /// Unix nanoseconds.
    Ns,
    /// A text of RFC 3339.
    Rfc3339,
}

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The name.
    #[error("a venue's id is 1 to {MAX_VENUE_ID_BYTES} small letters, digits and hyphens")]
    Id,
    /// The URL.
    #[error("the url of {id}: {rule}")]
    Url {
        /// Of which venue.
        id: String,
        /// What it breaks.
        rule: &'static str,
    },
    /// A text with placeholders.
    #[error(
        "{field} of {id} is a text of at most {MAX_TEMPLATE_BYTES} bytes with {{base}}, {{quote}}, {{BASE}}, {{QUOTE}} in it; a market's name has letters, digits, -, _ and :"
    )]
    Text {
        /// Of which venue.
        id: String,
        /// Which.
        field: &'static str,
    },
    /// A path.
    #[error("{field} of {id} is a path, as in data[0].last, result.{{pair}}.c[0] or result.*.c[0]")]
    Path {
        /// Of which venue.
        id: String,
        /// Which.
        field: &'static str,
    },
    /// An asset's name.
    #[error("{name:?}, of {id}, is no asset: capital letters and digits")]
    Asset {
        /// Of which venue.
        id: String,
        /// The name.
        name: String,
    },
    /// A number or a count.
    #[error("{field} of {id}: {range}")]
    Range {
        /// Of which venue.
        id: String,
        /// Which.
        field: &'static str,
        /// What it may be.
        range: String,
    },
}

/// A definition whose texts are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) url: Template,
    pub(super) pair: Template,
    /// The path as it was written, too: an error names it.
    pub(super) expect: Vec<(String, Path, Template)>,
    pub(super) price: Path,
    pub(super) volume: Option<(Path, VolumeOf)>,
    pub(super) time: Option<(Path, TimeUnit)>,
}

impl Definition {
    pub(super) fn parts(&self) -> Result<Parts, DefinitionError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.id.is_empty() || self.id.len() > MAX_VENUE_ID_BYTES || !self.id.bytes().all(plain) {
            return Err(DefinitionError::Id);
        }
        let range = |field, range: String| DefinitionError::Range { id: self.id.clone(), field, range };
        if !WEIGHTS.contains(&self.weight) {
            return Err(range("weight", format!("{WEIGHTS:?}")));
        }
        if !(1..=MAX_ANSWER_BYTES).contains(&self.max_bytes) {
            return Err(range("max_bytes", format!("1..={MAX_ANSWER_BYTES}")));
        }
        if self.assets.len().max(self.markets.len()).max(self.expect.len()) > MAX_RENAMED {
            return Err(range("assets, markets and expect", format!("at most {MAX_RENAMED} of each")));
        }
        self.check_names()?;
        let pair = self.text("pair", &self.pair)?;
        if pair.names_pair() || !self.pair.bytes().all(|byte| is_plain(byte) || b"{}".contains(&byte)) {
            return Err(DefinitionError::Text { id: self.id.clone(), field: "pair" });
        }
        let expectation = |one: &Expectation| {
            let path = self.path("expect.path", &one.path)?;
            Ok((one.path.clone(), path, self.text("expect.is", &one.is)?))
        };
        Ok(Parts {
            url: self.read_url().map_err(|rule| DefinitionError::Url { id: self.id.clone(), rule })?,
            pair,
            expect: self.expect.iter().map(expectation).collect::<Result<_, _>>()?,
            price: self.path("price", &self.price)?,
            volume: match &self.volume {
                Some(field) => Some((self.path("volume.path", &field.path)?, field.of)),
                None => None,
            },
            time: match &self.time {
                Some(field) => Some((self.path("time.path", &field.path)?, field.unit)),
                None => None,
            },
        })
    }

    fn check_names(&self) -> Result<(), DefinitionError> {
        let markets = self.markets.values().flat_map(|market| market.base.iter().chain(&market.quote));
        for name in self.assets.iter().flat_map(|(ours, theirs)| [ours, theirs]).chain(markets) {
            if !is_asset(name) {
                return Err(DefinitionError::Asset { id: self.id.clone(), name: name.clone() });
            }
        }
        for pair in self.markets.values().filter_map(|market| market.pair.as_ref()) {
            if pair.is_empty() || pair.len() > MAX_TEMPLATE_BYTES || !pair.bytes().all(is_plain) {
                return Err(DefinitionError::Text { id: self.id.clone(), field: "markets.pair" });
            }
        }
        Ok(())
    }

    fn text(&self, field: &'static str, text: &str) -> Result<Template, DefinitionError> {
        let short = !text.is_empty() && text.len() <= MAX_TEMPLATE_BYTES;
        let read = short.then(|| Template::read(text)).flatten();
        read.ok_or_else(|| DefinitionError::Text { id: self.id.clone(), field })
    }

    fn path(&self, field: &'static str, text: &str) -> Result<Path, DefinitionError> {
        Path::read(text).ok_or_else(|| DefinitionError::Path { id: self.id.clone(), field })
    }

    fn read_url(&self) -> Result<Template, &'static str> {
        let rest = self.url.strip_prefix("https://").ok_or("it begins with https://")?;
        // A fragment is never sent; blanks and the like are to be written as %20.
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"#\\\"<>^`|".contains(&byte);
        if self.url.len() > MAX_URL_BYTES || !self.url.bytes().all(plain) {
            return Err("at most 512 printable characters, without a fragment");
        }
        let (host, _) = rest.split_once('/').ok_or("a path comes behind the host")?;
        // What is filled in must not choose whom to ask.
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(
                "the host has small letters, digits, dots and hyphens, and no placeholder or name of a user",
            );
        }
        let url =
            Template::read(&self.url).ok_or("a placeholder is {base}, {quote}, {BASE}, {QUOTE} or {pair}")?;
        if url.is_constant() && self.max_bytes <= DEFAULT_ANSWER_BYTES && self.expect.is_empty() {
            return Err(
                "it is the same for every market, and nothing is expected of the answer: it has a placeholder",
            );
        }
        Ok(url)
    }
}

/// What a venue's own name of a market is made of.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_:".contains(&byte)
}
