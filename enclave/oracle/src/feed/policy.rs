//! What a feed demands of its sources, and when it publishes.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::weights::capped;
use crate::decimal::Decimal;
use crate::limits::{
    DEVIATION_BPS, FROZEN_ROUNDS, HEARTBEAT_MS, JUMP_ROUNDS, MAX_AGE_MS, MAX_AHEAD_MS, MAX_ANSWER_UNITS,
    MAX_DECIMALS, MAX_JUMP_BPS, MAX_VENUE_ID_BYTES, MAX_WEIGHT_BPS, OUTLIER_FLOOR_BPS, OUTLIER_MAD_PERCENT,
    QUORUM_DENOMINATOR, QUORUM_NUMERATOR, SOURCES, VALIDITY_MS, WEIGHTS,
};
use r3e_proto::report::FeedId;

/// The rules of a feed. `bps` are hundredths of a percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Places behind the point of an answer.
    pub decimals: u32,
    /// How old a price may be, by the venue's time or, where it says none, by when its answer came.
    pub max_age_ms: u64,
    /// How far ahead a venue's time may be.
    pub max_ahead_ms: u64,
    /// In how many rounds a source may say the same price with the same time, or without a time the same volume.
    pub frozen_rounds: u32,
    /// The volume of 24 hours, in the pair's quote, below which a source does not count. With it, one that says none does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_volume: Option<Decimal>,
    /// No price below it is believed.
    pub min_answer: Decimal,
    /// No price above it is believed.
    pub max_answer: Decimal,
    /// The share of all weight that one source has at the most.
    pub max_weight_bps: u32,
    /// How far from the middle an outlier is, in percent of the median of all distances.
    pub outlier_mad_percent: u32,
    /// How far from the middle none is an outlier.
    pub outlier_floor_bps: u32,
    /// The change since the last publication that more than one round must confirm.
    pub max_jump_bps: u32,
    /// How many rounds in a row confirm it.
    pub jump_rounds: u32,
    /// The change since the last publication that is published at once.
    pub deviation_bps: u32,
    /// The longest between two publications.
    pub heartbeat_ms: u64,
    /// How much earlier a heartbeat may be, drawn for each from the feed and the sequence, so that not all feeds' fall together.
    pub jitter_ms: u64,
    /// How long a report is valid.
    pub validity_ms: u64,
}

/// A source of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name: a venue's id.
    pub id: String,
    /// How much it counts, before the cap.
    pub weight: u32,
}

/// Why a feed cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// A number out of its range.
    #[error("{field}: {range}")]
    Range {
        /// Which.
        field: &'static str,
        /// What it may be.
        range: String,
    },
    /// The bounds leave no price, or one that cannot be counted with.
    #[error(
        "min_answer is above zero, max_answer above that, and both are numbers of at most 30 digits with the feed's decimals"
    )]
    Bounds,
    /// Two sources of one name.
    #[error("{id:?} is a source twice")]
    Twice {
        /// The name.
        id: String,
    },
    /// A source without a usable name.
    #[error("a source's name has 1 to {MAX_VENUE_ID_BYTES} bytes")]
    Name,
}

/// A feed whose rules fit together.
#[derive(Debug, Clone)]
pub struct Feed {
    pub(super) id: FeedId,
    pub(super) policy: Policy,
    /// In the order of their names, each with its weight under the cap.
    pub(super) sources: Vec<(String, u64)>,
    /// In the answer's units.
    pub(super) bounds: RangeInclusive<i128>,
}

fn within<T: PartialOrd + Debug + Copy>(
    field: &'static str,
    value: T,
    range: &RangeInclusive<T>,
) -> Result<(), FeedError> {
    let error = || FeedError::Range { field, range: format!("{range:?}") };
    if range.contains(&value) { Ok(()) } else { Err(error()) }
}

impl Feed {
    /// A feed of these sources.
    ///
    /// # Errors
    /// [`FeedError`].
    pub fn new(id: FeedId, mut sources: Vec<Source>, policy: Policy) -> Result<Self, FeedError> {
        within("sources", sources.len(), &SOURCES)?;
        sources.sort_by(|one, other| one.id.cmp(&other.id));
        if let Some(pair) = sources.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(FeedError::Twice { id: pair[0].id.clone() });
        }
        for source in &sources {
            within("weight", source.weight, &WEIGHTS)?;
            if source.id.is_empty() || source.id.len() > MAX_VENUE_ID_BYTES {
                return Err(FeedError::Name);
            }
        }
        policy.check()?;
        let weights: Vec<u32> = sources.iter().map(|source| source.weight).collect();
        let weights = capped(&weights, policy.max_weight_bps);
        let sources = sources.into_iter().map(|source| source.id).zip(weights).collect();
        Ok(Self { id, bounds: policy.bounds()?, policy, sources })
    }

    /// The feed's identifier.
    pub fn id(&self) -> FeedId {
        self.id
    }

    /// Its rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its sources, in the order of their names, each with its weight under the cap.
    pub fn sources(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sources.iter().map(|(id, weight)| (id.as_str(), *weight))
    }

    /// How many sources must stand.
    pub fn needed_sources(&self) -> usize {
        // At most 32.
        let needed = (self.sources.len() as u64 * QUORUM_NUMERATOR).div_ceil(QUORUM_DENOMINATOR);
        usize::try_from(needed).unwrap_or(usize::MAX)
    }

    /// How much weight must stand.
    pub fn needed_weight(&self) -> u64 {
        // At most 32 times 10^12.
        let all: u64 = self.sources.iter().map(|(_, weight)| weight).sum();
        (all * QUORUM_NUMERATOR).div_ceil(QUORUM_DENOMINATOR)
    }
}

impl Policy {
    fn check(&self) -> Result<(), FeedError> {
        within("decimals", self.decimals, &(0..=MAX_DECIMALS))?;
        within("max_age_ms", self.max_age_ms, &MAX_AGE_MS)?;
        within("max_ahead_ms", self.max_ahead_ms, &MAX_AHEAD_MS)?;
        within("frozen_rounds", self.frozen_rounds, &FROZEN_ROUNDS)?;
        within("max_weight_bps", self.max_weight_bps, &MAX_WEIGHT_BPS)?;
        within("outlier_mad_percent", self.outlier_mad_percent, &OUTLIER_MAD_PERCENT)?;
        within("outlier_floor_bps", self.outlier_floor_bps, &OUTLIER_FLOOR_BPS)?;
        within("max_jump_bps", self.max_jump_bps, &MAX_JUMP_BPS)?;
        within("jump_rounds", self.jump_rounds, &JUMP_ROUNDS)?;
        within("deviation_bps", self.deviation_bps, &DEVIATION_BPS)?;
        within("heartbeat_ms", self.heartbeat_ms, &HEARTBEAT_MS)?;
        // A heartbeat is never less than half of what it says.
        within("jitter_ms", self.jitter_ms, &(0..=self.heartbeat_ms / 2))?;
        within("validity_ms", self.validity_ms, &VALIDITY_MS)?;
        // Else consumers would be without an answer between two heartbeats.
        within("validity_ms", self.validity_ms, &(self.heartbeat_ms..=*VALIDITY_MS.end()))
    }

    fn bounds(&self) -> Result<RangeInclusive<i128>, FeedError> {
        let units = |bound: Decimal| {
            let exact = |units: &i128| Decimal::from_units(*units, self.decimals) == Some(bound);
            bound.to_units(self.decimals).filter(exact).filter(|units| (1..=MAX_ANSWER_UNITS).contains(units))
        };
        match (units(self.min_answer), units(self.max_answer)) {
            (Some(min), Some(max)) if min < max => Ok(min..=max),
            _ => Err(FeedError::Bounds),
        }
    }
}
