//! Triggers by the reports of a price feed.

use serde::{Deserialize, Serialize};

/// Reports of one of the tenant's feeds.
///
/// Exactly one of `above`, `below` and `change_bps` says which of them fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Price {
    /// The feed's name.
    pub feed: String,
    /// Which of its reports fire.
    pub crossing: Crossing,
}

/// Which reports of a feed fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crossing {
    /// The first one over the bound, decimal text; then again the first one behind one at or under it.
    Above(String),
    /// The first one under the bound, decimal text; then again the first one behind one at or over it.
    Below(String),
    /// One that differs by so many hundredths of a percent, at the least, from the one that fired last; before any fired, from the first one.
    ChangeBps(u32),
}

/// It as JSON and TOML have it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    feed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change_bps: Option<u32>,
}

/// A price that is waited for in no way, or in more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trigger by a price has exactly one of `above`, `below` and `change_bps`")]
pub struct NotOneCrossing;

impl TryFrom<Written> for Price {
    type Error = NotOneCrossing;

    fn try_from(written: Written) -> Result<Self, NotOneCrossing> {
        let Written { feed, above, below, change_bps } = written;
        let crossing = match (above, below, change_bps) {
            (Some(bound), None, None) => Crossing::Above(bound),
            (None, Some(bound), None) => Crossing::Below(bound),
            (None, None, Some(bps)) => Crossing::ChangeBps(bps),
            _ => return Err(NotOneCrossing),
        };
        Ok(Self { feed, crossing })
    }
}

impl From<Price> for Written {
    fn from(price: Price) -> Self {
        let Price { feed, crossing } = price;
        let (mut above, mut below, mut change_bps) = (None, None, None);
        match crossing {
            Crossing::Above(bound) => above = Some(bound),
            Crossing::Below(bound) => below = Some(bound),
            Crossing::ChangeBps(bps) => change_bps = Some(bps),
        }
        Self { feed, above, below, change_bps }
    }
}

/// How far a feed's reports were judged for a trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceProgress {
    /// The sequence of the last report that was judged, or was passed over because the trigger did not stand then.
    pub sequence: u64,
    /// Of a bound, whether the next report beyond it fires: none did since the last one that was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<bool>,
    /// Of a change, the answer that reports are compared with, decimal text; absent before the first report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Reports that were not kept any more when it came to them.
    pub missed: u64,
    /// Why it could not judge the last time it tried. It tries again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_waited_for_in_exactly_one_way() {
        let read = |text: &str| serde_json::from_str::<Price>(text);
        for text in [
            r#"{"feed":"neo-usd","above":"50"}"#,
            r#"{"feed":"neo-usd","below":"-40.5"}"#,
            r#"{"feed":"neo-usd","change_bps":500}"#,
        ] {
            assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
        }
        for wrong in [
            r#"{"feed":"f"}"#,
            r#"{"above":"50"}"#,
            r#"{"feed":"f","above":50}"#,
            r#"{"feed":"f","above":"50","below":"40"}"#,
            r#"{"feed":"f","above":"50","change_bps":5}"#,
            r#"{"feed":"f","change_bps":-5}"#,
            r#"{"feed":"f","change_bps":0.5}"#,
            r#"{"feed":"f","change":5}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
