//! What a feed remembers from one round to the next. Whoever keeps it writes it down before a report is signed: a sequence that was
//! signed once must never come again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;

/// A feed's memory; the default is that of one that has never published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The sequence of the last publication, 0 before the first.
    pub sequence: u64,
    /// The last publication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// A jump that waits to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<Jump>,
    /// What each source said when it was last heard.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, Seen>,
}

/// What was published last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// The answer.
    pub answer: Decimal,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// An answer far from the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// The answer of the last round that was so far off.
    pub answer: Decimal,
    /// How many rounds in a row have said the like.
    pub rounds: u32,
}

/// What a source said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The price.
    pub price: Decimal,
    /// The venue's time of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u64>,
    /// Where there is no time, the volume: what trades moves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Decimal>,
    /// In how many rounds in a row.
    pub rounds: u32,
}
