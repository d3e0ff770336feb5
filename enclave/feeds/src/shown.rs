//! Feeds and their rounds, as their tenants are shown them.

use r3e_oracle::decimal::Decimal;
use r3e_oracle::feed::{Answer, Fate, Feed as Rules, Input, Outcome, Step};
use r3e_proto::api::feeds::{Feed, Round, RoundOutcome, SourceFate};
use r3e_proto::api::wallets::Hash32;

use crate::entry::Entry;
use crate::round::prices;

/// All of something, in hundredths of a percent.
const ALL_BPS: u128 = 10_000;

/// A round.
pub(crate) fn round(rules: &Rules, at_ms: u64, took_ms: u64, step: &Step, inputs: &[Input]) -> Round {
    let (outcome, answer, sequence, reason) = match &step.outcome {
        Outcome::Publish(it) => (RoundOutcome::Published, Some(it.answer), Some(it.sequence), None),
        Outcome::Quiet(answer) => (RoundOutcome::Quiet, Some(*answer), None, None),
        Outcome::Nothing(reason) => (RoundOutcome::Nothing, None, None, Some(reason.to_string())),
    };
    let decimals = rules.policy().decimals;
    let number = |units| Decimal::from_units(units, decimals).map(|number| number.to_string());
    let of = |answer: Answer| (number(answer.units), i128::try_from(answer.confidence).ok().and_then(number));
    let (answer, confidence) = answer.map(of).unwrap_or_default();
    let all: u128 = step.fates.iter().map(|fate| u128::from(fate.weight)).sum();
    let prices = prices(inputs);
    let fate = |one: &r3e_oracle::feed::SourceFate| SourceFate {
        source: one.source.clone(),
        weight_bps: u32::try_from(u128::from(one.weight) * ALL_BPS / all.max(1)).unwrap_or_default(),
        fate: code(&one.fate).to_owned(),
        message: one.fate.to_string(),
        price: prices.get(one.source.as_str()).cloned(),
    };
    let sources = step.fates.iter().map(fate).collect();
    Round { at_ms, took_ms, outcome, answer, confidence, sequence, reason, sources }
}

/// A feed.
pub(crate) async fn feed(entry: &Entry) -> Feed {
    let sequence = entry.standing.lock().await.progress.state.sequence;
    let shape = entry.shape();
    let record = &shape.record;
    let (last_round, rounds) = entry.rounds();
    let latest = entry.latest().map(|kept| *kept.report());
    Feed {
        name: entry.address.name.clone(),
        definition: serde_json::to_value(&record.definition).unwrap_or_default(),
        config_digest: Hash32(shape.digest),
        interval_ms: record.interval_ms,
        timeout_ms: record.timeout_ms,
        targets: record.targets.clone(),
        publish: record.publish.clone(),
        public: record.public,
        paused: record.paused,
        created_at_ms: record.created_at_ms,
        changed_at_ms: record.changed_at_ms,
        sequence: sequence.max(latest.map_or(0, |latest| latest.sequence)),
        latest,
        last_round,
        rounds,
    }
}

fn code(fate: &Fate) -> &'static str {
    match fate {
        Fate::Counted => "counted",
        Fate::Outlier { .. } => "outlier",
        Fate::Silent => "silent",
        Fate::Unreachable(_) => "unreachable",
        Fate::Unreadable(_) => "unreadable",
        Fate::Stale { .. } => "stale",
        Fate::Ahead { .. } => "ahead",
        Fate::Frozen { .. } => "frozen",
        Fate::Thin { .. } => "thin",
        Fate::OutOfBounds { .. } => "out_of_bounds",
        _ => "other",
    }
}
