//! What goes into a round, and what comes out.

use r3e_proto::report::{FeedId, Report, ReportError};

use super::state::State;
use crate::decimal::Decimal;
use crate::limits::{MAX_FAILURE_CHARS, QUORUM_DENOMINATOR, QUORUM_NUMERATOR};
use crate::venue::{Observation, ReadError};

/// What was heard of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub source: String,
    /// What was heard.
    pub said: Said,
}

/// What can be heard of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A price.
    Observation {
        /// What it said.
        observation: Observation,
        /// When its answer was there, in Unix milliseconds by the clock that the round is told by.
        received_ms: u64,
    },
    /// An answer that says nothing.
    Unreadable(ReadError),
    /// No answer, and why, in words.
    Unreachable(String),
}

impl Said {
    /// No answer; of the reason so much as is kept.
    pub fn unreachable(why: &str) -> Self {
        Self::Unreachable(why.chars().take(MAX_FAILURE_CHARS).collect())
    }
}

/// What a round is told that no round can be about. It is the caller's mistake, not a source's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoundError {
    /// Not a source of the feed.
    #[error("{source_id:?} is no source of this feed")]
    Unknown {
        /// The name.
        source_id: String,
    },
    /// A source that was heard twice.
    #[error("{source_id:?} was heard twice in this round")]
    Twice {
        /// The name.
        source_id: String,
    },
}

/// What became of a source in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFate {
    /// Its name.
    pub source: String,
    /// Its weight under the cap.
    pub weight: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What can become of a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fate {
    /// It counts.
    #[error("counts")]
    Counted,
    /// It is too far from the middle: no part of the quorum and of the confidence.
    #[error("is an outlier: {distance} from the middle, and {allowed} is allowed")]
    Outlier {
        /// How far.
        distance: Decimal,
        /// How far it may be.
        allowed: Decimal,
    },
    /// Nothing was heard of it.
    #[error("was not heard")]
    Silent,
    /// There was no answer.
    #[error("could not be reached: {0}")]
    Unreachable(String),
    /// Its answer says nothing.
    #[error("could not be read: {0}")]
    Unreadable(ReadError),
    /// What it says is too old.
    #[error("is stale: {age_ms} ms old, and {max_ms} ms is allowed")]
    Stale {
        /// How old.
        age_ms: u64,
        /// How old it may be.
        max_ms: u64,
    },
    /// What it says is from the future.
    #[error("is {ahead_ms} ms ahead, and {max_ms} ms is allowed")]
    Ahead {
        /// How far.
        ahead_ms: u64,
        /// How far it may be.
        max_ms: u64,
    },
    /// It says the same again and again.
    #[error("is frozen: it has said the same in {rounds} rounds")]
    Frozen {
        /// In how many.
        rounds: u32,
    },
    /// Too little is traded there, or it does not say how much.
    #[error("trades too little: {volume:?}, and {min} is the least")]
    Thin {
        /// How much.
        volume: Option<Decimal>,
        /// The least.
        min: Decimal,
    },
    /// Its price is none that is believed, or is nothing in the answer's units.
    #[error("has a price out of bounds: {price}")]
    OutOfBounds {
        /// The price.
        price: Decimal,
    },
}

/// A round's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The answer, in units of ten to the minus `decimals`.
    pub units: i128,
    /// How far from it the quartiles are, the farther of the two; in the same units.
    pub confidence: u128,
    /// Sources that count.
    pub sources: usize,
}

/// Why nothing is published although the feed was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Too few sources count.
    #[error(
        "{counted} of {sources} sources count, and {needed} are needed: {QUORUM_NUMERATOR} of {QUORUM_DENOMINATOR}"
    )]
    TooFew {
        /// How many count.
        counted: usize,
        /// How many must.
        needed: usize,
        /// How many there are.
        sources: usize,
    },
    /// The sources that count have too little weight.
    #[error("the sources that count weigh {counted}, and {needed} is needed")]
    TooLight {
        /// How much counts.
        counted: u64,
        /// How much must.
        needed: u64,
    },
    /// The answer has jumped, and not enough rounds have said so.
    #[error("the answer has jumped from {last} to {answer}: {rounds} of {needed} rounds say so")]
    Jump {
        /// What was published last.
        last: Decimal,
        /// What this round says.
        answer: Decimal,
        /// How many rounds in a row have said the like.
        rounds: u32,
        /// How many must.
        needed: u32,
    },
    /// The round is not after the last publication.
    #[error("the clock went back by {back_ms} ms since the last publication")]
    Clock {
        /// How far.
        back_ms: u64,
    },
    /// There is no further sequence.
    #[error("the sequence is at its end")]
    Sequence,
}

/// What a round comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer that is to be signed and published.
    Publish(Publication),
    /// An answer that is near enough to the last one, whose heartbeat is not due.
    Quiet(Answer),
    /// Nothing, and why.
    Nothing(Reason),
}

/// What is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// The answer.
    pub answer: Answer,
    /// Its places behind the point.
    pub decimals: u32,
    /// When the round was, in Unix seconds.
    pub observed_at_s: u64,
    /// The last second in which it is valid.
    pub valid_until_s: u64,
    /// One more than the last.
    pub sequence: u64,
}

impl Publication {
    /// The report of it.
    ///
    /// # Errors
    /// [`ReportError`]: none of a publication that [`super::aggregate`] made.
    pub fn report(&self, feed: FeedId, config_digest: [u8; 32]) -> Result<Report, ReportError> {
        let report = Report {
            feed_id: feed,
            answer: self.answer.units,
            confidence: self.answer.confidence,
            decimals: u8::try_from(self.decimals).unwrap_or(u8::MAX),
            observed_at_s: self.observed_at_s,
            valid_until_s: self.valid_until_s,
            sequence: self.sequence,
            sources: u8::try_from(self.answer.sources).unwrap_or(u8::MAX),
            config_digest,
        };
        report.check()?;
        Ok(report)
    }
}

/// A round's outcome with all that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it comes to.
    pub outcome: Outcome,
    /// What became of each source, in the order of their names.
    pub fates: Vec<SourceFate>,
    /// What the next round is told. Where the outcome is to be published, this is written down first.
    pub state: State,
}
