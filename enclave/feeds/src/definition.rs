//! From what a tenant writes to a feed's whole definition, and what is made of that once: the rules and whom to ask.

use std::collections::{BTreeMap, BTreeSet};

use r3e_oracle::decimal::Decimal;
use r3e_oracle::feed::{Feed, FeedDefinition, Policy};
use r3e_oracle::limits::{HEARTBEAT_MS, MAX_ANSWER_UNITS, MAX_FEED_NAME_BYTES, VALIDITY_MS};
use r3e_oracle::venue::{Definition, Market, Pair, Venue, built_in};
use r3e_proto::api::feeds::{DEFAULT_GAS_LIMIT, Publication, SetFeed, Target};
use r3e_proto::api::is_name;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::FeedsError;
use crate::limits::{INTERVAL_MS, MAX_TARGETS, PUBLISHED_GAS, PUBLISHED_VALIDITY_MS, TIMEOUT_MS};
use crate::record::Record;

/// The longest between two publications, where the policy does not say.
const DEFAULT_HEARTBEAT_MS: u64 = 3_600_000;
/// The most that a heartbeat is early, where the policy does not say.
const DEFAULT_JITTER_MS: u64 = 30_000;
/// The places behind the point, where the policy does not say: as most feeds on chains have them.
const DEFAULT_DECIMALS: u64 = 8;

/// A feed's record, with all that was made of it.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) record: Record,
    /// None where this release cannot make anything of it: then it asks nobody.
    pub(crate) live: Option<Live>,
    pub(crate) digest: [u8; 32],
}

/// What a round needs.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) feed: Feed,
    pub(crate) pair: Pair,
    pub(crate) asked: Vec<Asked>,
}

/// A venue, and where it is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) venue: Venue,
    pub(crate) url: String,
}

/// A built-in venue with changes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    venue: String,
    #[serde(default)]
    markets: BTreeMap<Pair, Market>,
    weight: Option<u32>,
}

impl Shape {
    /// Checks a record.
    ///
    /// # Errors
    /// [`FeedsError::Invalid`]: what breaks which rule.
    pub(crate) fn of(record: Record) -> Result<Self, FeedsError> {
        let Record { definition, interval_ms, timeout_ms, targets, .. } = &record;
        if !is_feed_name(&definition.name) {
            return Err(invalid(format!(
                "a feed's name has 1 to {MAX_FEED_NAME_BYTES} of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`"
            )));
        }
        let range = |what: &str, range: &std::ops::RangeInclusive<u64>| {
            invalid(format!("{what} is {} to {}", range.start(), range.end()))
        };
        if !INTERVAL_MS.contains(interval_ms) {
            return Err(range("interval_ms", &INTERVAL_MS));
        }
        if !TIMEOUT_MS.contains(timeout_ms) {
            return Err(range("timeout_ms", &TIMEOUT_MS));
        }
        if *interval_ms > definition.policy.heartbeat_ms {
            return Err(invalid("interval_ms is over heartbeat_ms: no heartbeat could be kept".to_owned()));
        }
        if targets.len() > MAX_TARGETS || (1..targets.len()).any(|at| targets[..at].contains(&targets[at])) {
            return Err(invalid(format!("targets: at most {MAX_TARGETS}, each of them once")));
        }
        let (feed, venues) = definition.read().map_err(|error| invalid(error.to_string()))?;
        publications(&record)?;
        let pair = definition.pair.clone();
        let asked = venues.into_iter().map(|venue| Asked { url: venue.url(&pair), venue }).collect();
        let digest = definition.digest();
        Ok(Self { live: Some(Live { feed, pair, asked }), digest, record })
    }

    /// A record of another release, which this one cannot make anything of: it is shown, and asks nobody.
    pub(crate) fn broken(record: Record) -> Self {
        Self { live: None, digest: record.definition.digest(), record }
    }
}

/// Whether reports can be brought where they are to be.
fn publications(record: &Record) -> Result<(), FeedsError> {
    let Record { definition, targets, publish, .. } = record;
    let validity_ms = definition.policy.validity_ms;
    if !publish.is_empty() && !PUBLISHED_VALIDITY_MS.contains(&validity_ms) {
        let (least, most) = (PUBLISHED_VALIDITY_MS.start(), PUBLISHED_VALIDITY_MS.end());
        return Err(invalid(format!(
            "publish: policy.validity_ms is {least} to {most} then, and is {validity_ms}"
        )));
    }
    for (at, one) in publish.iter().enumerate() {
        if !targets.contains(&one.target) || publish[..at].iter().any(|other| other.target == one.target) {
            let rule = "publish: each names one of the targets, each of them once";
            return Err(invalid(rule.to_owned()));
        }
        costs(one)?;
        if !is_name(&one.wallet) {
            return Err(invalid("publish: wallet is a wallet's name".to_owned()));
        }
    }
    Ok(())
}

/// Whether what a publication may cost is anything.
fn costs(one: &Publication) -> Result<(), FeedsError> {
    if matches!(one.target, Target::Neo(_)) {
        if one.gas_limit.is_some() || one.fee_limit.0 == 0 {
            let rule = "publish: on Neo N3 there is no gas_limit, and fee_limit is above 0";
            return Err(invalid(rule.to_owned()));
        }
        return Ok(());
    }
    let gas_limit = one.gas_limit.unwrap_or(DEFAULT_GAS_LIMIT);
    if PUBLISHED_GAS.contains(&gas_limit) && one.fee_limit.0 >= u128::from(gas_limit) {
        return Ok(());
    }
    let (least, most) = (PUBLISHED_GAS.start(), PUBLISHED_GAS.end());
    Err(invalid(format!(
        "publish: gas_limit is {least} to {most}, and fee_limit 1 wei for each unit at the least"
    )))
}

/// Whether a feed may have this name: it stands in paths, and on chains in 32 bytes.
pub(crate) fn is_feed_name(name: &str) -> bool {
    is_name(name) && name.len() <= MAX_FEED_NAME_BYTES
}

/// The whole definition of what a tenant wrote.
///
/// # Errors
/// [`FeedsError::Invalid`]: what cannot be read.
pub(crate) fn whole(name: &str, set: &SetFeed) -> Result<FeedDefinition, FeedsError> {
    let pair = set.pair.parse::<Pair>().map_err(|error| invalid(error.to_string()))?;
    let built_in = built_in();
    let read = |(at, source): (usize, &Value)| {
        venue(&built_in, source).map_err(|why| invalid(format!("source {}: {why}", at + 1)))
    };
    let venues = set.sources.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(FeedDefinition { name: name.to_owned(), pair, policy: policy(&set.policy)?, venues })
}

/// A source as it was written.
fn venue(built_in: &[Definition], source: &Value) -> Result<Definition, String> {
    let known = |id: &str| {
        built_in.iter().find(|venue| venue.id == id).cloned().ok_or_else(|| {
            let ids: BTreeSet<&str> = built_in.iter().map(|venue| venue.id.as_str()).collect();
            let ids: Vec<&str> = ids.into_iter().collect();
            format!("there is no built-in venue {id:?}; there are {}", ids.join(", "))
        })
    };
    match source {
        Value::String(id) => known(id),
        Value::Object(members) if members.contains_key("venue") => {
            let changed = Changed::deserialize(source).map_err(|error| error.to_string())?;
            let mut definition = known(&changed.venue)?;
            definition.markets.extend(changed.markets);
            definition.weight = changed.weight.unwrap_or(definition.weight);
            Ok(definition)
        }
        Value::Object(_) => Definition::deserialize(source).map_err(|error| error.to_string()),
        _ => Err("it is a venue's id, {\"venue\": ID, …}, or a venue's definition".to_owned()),
    }
}

/// The whole policy: what was written, and beside it the defaults, some of which depend on it.
fn policy(written: &Map<String, Value>) -> Result<Policy, FeedsError> {
    let number = |name: &str, default: u64| written.get(name).and_then(Value::as_u64).unwrap_or(default);
    let heartbeat_ms =
        number("heartbeat_ms", DEFAULT_HEARTBEAT_MS).clamp(*HEARTBEAT_MS.start(), *HEARTBEAT_MS.end());
    let decimals = u32::try_from(number("decimals", DEFAULT_DECIMALS)).unwrap_or(u32::MAX);
    let units = |units| Decimal::from_units(units, decimals).unwrap_or_default();
    let mut whole = json!({
        "decimals": decimals,
        "max_age_ms": 60_000,
        "max_ahead_ms": 5_000,
        "frozen_rounds": 30,
        "min_answer": units(1),
        "max_answer": units(MAX_ANSWER_UNITS),
        "max_weight_bps": 2_500,
        "outlier_mad_percent": 500,
        "outlier_floor_bps": 50,
        "max_jump_bps": 1_000,
        "jump_rounds": 3,
        "deviation_bps": 50,
        "heartbeat_ms": heartbeat_ms,
        "jitter_ms": (heartbeat_ms / 20).min(DEFAULT_JITTER_MS),
        "validity_ms": (2 * heartbeat_ms).clamp(*VALIDITY_MS.start(), *VALIDITY_MS.end()),
    });
    if let Some(members) = whole.as_object_mut() {
        members.extend(written.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Policy::deserialize(whole).map_err(|error| invalid(format!("policy: {error}")))
}

fn invalid(what: String) -> FeedsError {
    FeedsError::Invalid(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: Value) -> SetFeed {
        serde_json::from_value(value).unwrap()
    }

    fn shape(value: Value) -> Result<Shape, String> {
        let set = set(value);
        let definition = whole("BTC-USD", &set).map_err(|error| error.to_string())?;
        let SetFeed { interval_ms, timeout_ms, targets, publish, public, .. } = set;
        let record = Record {
            definition,
            interval_ms,
            timeout_ms,
            targets,
            publish,
            public,
            paused: false,
            created_at_ms: 0,
            changed_at_ms: 0,
        };
        Shape::of(record).map_err(|error| error.to_string())
    }

    const FIVE: [&str; 5] = ["bitstamp", "coinbase", "gemini", "kraken", "okx"];

    #[test]
    fn what_is_not_written_has_a_default_that_holds_together() {
        let shape = shape(json!({ "pair": "BTC/USD", "sources": FIVE })).unwrap();
        let policy = &shape.record.definition.policy;
        assert_eq!((policy.decimals, policy.heartbeat_ms, policy.validity_ms), (8, 3_600_000, 7_200_000));
        assert_eq!(policy.min_answer.to_string(), "0.00000001");
        assert_eq!((shape.record.interval_ms, shape.record.timeout_ms), (10_000, 3_000));
        assert_eq!(shape.live.unwrap().asked[0].url, "https://www.bitstamp.net/api/v2/ticker/btcusd/");
        for policy in [
            json!({ "heartbeat_ms": 1_000 }),
            json!({ "decimals": 0 }),
            json!({ "decimals": 18 }),
            json!({ "heartbeat_ms": 7 * 24 * 3_600 * 1_000 }),
        ] {
            let set = json!({ "pair": "BTC/USD", "sources": FIVE, "policy": policy, "interval_ms": 1_000 });
            super::tests::shape(set).unwrap_or_else(|error| panic!("{policy}: {error}"));
        }
    }

    #[test]
    fn sources_in_each_form() {
        let own = json!({
            "id": "own", "url": "https://own.example/{pair}", "pair": "{BASE}{QUOTE}", "price": "p", "weight": 7,
        });
        let changed =
            json!({ "venue": "binance", "markets": { "BTC/USD": { "quote": "USDT" } }, "weight": 3 });
        let shape = shape(json!({ "pair": "BTC/USD", "sources": ["kraken", "okx", "gemini", changed, own] }));
        let asked = shape.unwrap().live.unwrap().asked;
        assert_eq!(asked[3].url, "https://api.binance.com/api/v3/ticker/24hr?symbol=BTCUSDT");
        assert_eq!(
            (asked[3].venue.definition().weight, asked[4].url.as_str()),
            (3, "https://own.example/BTCUSD")
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (set, says) in [
            (json!({ "pair": "BTC", "sources": FIVE }), "a pair is BASE/QUOTE"),
            (json!({ "pair": "BTC/USD", "sources": ["kraken"] }), "sources: 5..=32"),
            (
                json!({ "pair": "BTC/USD", "sources": ["mtgox"] }),
                "source 1: there is no built-in venue \"mtgox\"",
            ),
            (json!({ "pair": "BTC/USD", "sources": [7] }), "source 1: it is a venue's id"),
            (
                json!({ "pair": "BTC/USD", "sources": [{ "venue": "okx", "url": "x" }] }),
                "unknown field `url`",
            ),
            (json!({ "pair": "BTC/USD", "sources": FIVE, "policy": { "nope": 1 } }), "unknown field `nope`"),
            (json!({ "pair": "BTC/USD", "sources": FIVE, "policy": { "decimals": 19 } }), "decimals"),
            (json!({ "pair": "BTC/USD", "sources": FIVE, "interval_ms": 10 }), "interval_ms is 1000 to"),
            (json!({ "pair": "BTC/USD", "sources": FIVE, "timeout_ms": 10 }), "timeout_ms is 500 to"),
            (
                json!({ "pair": "BTC/USD", "sources": FIVE, "policy": { "heartbeat_ms": 5_000 } }),
                "interval_ms is over heartbeat_ms",
            ),
            (
                json!({ "pair": "BTC/USD", "sources": ["okx", "okx", "kraken", "gemini", "gate"] }),
                "\"okx\" is a source twice",
            ),
        ] {
            let refused = shape(set.clone()).unwrap_err();
            assert!(refused.contains(says), "{set}: {refused}");
        }
        let target = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let twice = json!({ "pair": "BTC/USD", "sources": FIVE, "targets": [target, target] });
        assert!(shape(twice).unwrap_err().contains("each of them once"));
        for name in ["", "a/b", ".a", &"a".repeat(33)] {
            assert!(!is_feed_name(name), "{name}");
        }
    }
}
