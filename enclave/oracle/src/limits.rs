//! Every limit of the oracle's core, in one table, each with its reason.

use std::ops::RangeInclusive;

/// Characters of a number: what venues write has some thirty.
pub const MAX_NUMBER_BYTES: usize = 64;
/// Digits of a number: what 127 bits hold whole.
pub const MAX_DIGITS: u32 = 38;
/// Of them, those behind the point: twice what the smallest unit of Ether has.
pub const MAX_SCALE: u32 = 36;
/// An exponent of ten, either way: what is written with a larger one is no price.
pub const MAX_EXPONENT: i32 = 64;

/// A venue's answer, where its definition does not say: tickers of one market have some 500 bytes.
pub const DEFAULT_ANSWER_BYTES: usize = 64 * 1024;
/// The same, where it does: a venue that answers about all its markets at once.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Nesting of an answer: the venues that are built in have three.
pub const MAX_ANSWER_DEPTH: usize = 16;
/// Values and names of members in an answer, together: some thousand markets.
pub const MAX_ANSWER_VALUES: usize = 32 * 1024;

/// A venue's name.
pub const MAX_VENUE_ID_BYTES: usize = 32;
/// The name of an asset, ours or a venue's.
pub const MAX_ASSET_BYTES: usize = 16;
/// A URL with its placeholders.
pub const MAX_URL_BYTES: usize = 512;
/// A path, or a text with placeholders.
pub const MAX_TEMPLATE_BYTES: usize = 128;
/// Steps of a path: as deep as an answer may be.
pub const MAX_PATH_STEPS: usize = MAX_ANSWER_DEPTH;
/// An index in a path: within the values that are read.
pub const MAX_INDEX: usize = MAX_ANSWER_VALUES;
/// Assets and markets that a definition names for itself, and things that it expects.
pub const MAX_RENAMED: usize = 64;

/// What a source may weigh before its share is capped: a figure with room for judgement.
pub const WEIGHTS: RangeInclusive<u32> = 1..=1_000_000;
/// Sources of a feed. With fewer than five, two that fail leave nobody to compare; more than 32 independent venues of one market do
/// not exist.
pub const SOURCES: RangeInclusive<usize> = 5..=32;
/// Of the sources, by number and by weight, how many must stand for an answer: this,
pub const QUORUM_NUMERATOR: u64 = 2;
/// divided by this.
pub const QUORUM_DENOMINATOR: u64 = 3;
/// The share of all weight that one source can have at the most, in hundredths of a percent: less than what can be left out.
pub const MAX_WEIGHT_BPS: RangeInclusive<u32> = 1..=3_333;

/// A feed's name: it is its identifier on chain, 32 bytes.
pub const MAX_FEED_NAME_BYTES: usize = 32;
/// Places behind the point of an answer: Ether's smallest unit.
pub const MAX_DECIMALS: u32 = 18;
/// An answer in its units: times 10,000 and times a deviation it still fits 127 bits.
pub const MAX_ANSWER_UNITS: i128 = 1_000_000_000_000_000_000_000_000_000_000;
/// How old an observation may be.
pub const MAX_AGE_MS: RangeInclusive<u64> = 100..=24 * 3_600 * 1_000;
/// How far a venue's clock may be ahead.
pub const MAX_AHEAD_MS: RangeInclusive<u64> = 0..=60_000;
/// Rounds in which a source may say the same before it counts as frozen.
pub const FROZEN_ROUNDS: RangeInclusive<u32> = 2..=1_000_000;
/// The distance from the middle beyond which a source is an outlier, in percent of the median deviation.
pub const OUTLIER_MAD_PERCENT: RangeInclusive<u32> = 100..=10_000;
/// The distance within which none is, in hundredths of a percent: quiet markets deviate by nothing.
pub const OUTLIER_FLOOR_BPS: RangeInclusive<u32> = 1..=5_000;
/// The jump that more than one round must confirm, in hundredths of a percent.
pub const MAX_JUMP_BPS: RangeInclusive<u32> = 1..=10_000;
/// Rounds in a row that confirm a jump.
pub const JUMP_ROUNDS: RangeInclusive<u32> = 2..=1_000;
/// The change that is published before the heartbeat is due, in hundredths of a percent.
pub const DEVIATION_BPS: RangeInclusive<u32> = 1..=10_000;
/// The longest that a feed says nothing while all is well.
pub const HEARTBEAT_MS: RangeInclusive<u64> = 100..=7 * 24 * 3_600 * 1_000;
/// How long a report is valid.
pub const VALIDITY_MS: RangeInclusive<u64> = 1_000..=30 * 24 * 3_600 * 1_000;
/// What a source's failure is cut to, in characters: it is kept with the round.
pub const MAX_FAILURE_CHARS: usize = 256;
