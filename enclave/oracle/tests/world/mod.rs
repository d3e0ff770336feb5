//! Feeds and rounds for tests.
#![allow(dead_code, reason = "each test uses what it needs")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_oracle::decimal::Decimal;
use r3e_oracle::feed::{Fate, Feed, Input, Policy, Said, Source, State, Step, aggregate};
use r3e_oracle::venue::Observation;
use r3e_proto::report::FeedId;

/// When tests happen.
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

pub(crate) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        decimals: 8,
        max_age_ms: 60_000,
        max_ahead_ms: 2_000,
        frozen_rounds: 5,
        min_volume: None,
        min_answer: number("0.00000001"),
        max_answer: number("10000000000000000000000"),
        max_weight_bps: 3_333,
        outlier_mad_percent: 500,
        outlier_floor_bps: 50,
        max_jump_bps: 1_000,
        jump_rounds: 3,
        deviation_bps: 50,
        heartbeat_ms: 3_600_000,
        jitter_ms: 0,
        validity_ms: 3_600_000,
    }
}

pub(crate) fn id(at: usize) -> String {
    format!("venue-{at:02}")
}

pub(crate) fn feed(weights: &[u32], policy: Policy) -> Feed {
    let source = |(at, weight): (usize, &u32)| Source { id: id(at), weight: *weight };
    Feed::new(FeedId::named("BTC/USD").unwrap(), weights.iter().enumerate().map(source).collect(), policy)
        .unwrap()
}

pub(crate) fn observed(at: usize, price: Decimal, time_ms: u64) -> Input {
    let observation = Observation { price, volume: None, time_ms: Some(time_ms) };
    Input { source: id(at), said: Said::Observation { observation, received_ms: time_ms } }
}

/// Each source in order says its price.
pub(crate) fn round(prices: &[&str], time_ms: u64) -> Vec<Input> {
    prices.iter().enumerate().map(|(at, price)| observed(at, number(price), time_ms)).collect()
}

pub(crate) fn step(feed: &Feed, now_ms: u64, inputs: &[Input], state: &State) -> Step {
    aggregate(feed, now_ms, inputs, state).unwrap()
}

pub(crate) fn fates(step: &Step) -> Vec<&Fate> {
    step.fates.iter().map(|one| &one.fate).collect()
}
