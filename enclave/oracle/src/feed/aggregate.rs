//! One round: the checks of each source by itself, the middle of those that pass, and the quorum of those near it.

use std::collections::BTreeMap;

use super::policy::{Feed, Policy};
use super::publish::decide;
use super::round::{Answer, Fate, Input, Outcome, Reason, RoundError, Said, SourceFate, Step};
use super::state::{Seen, State};
use super::weights::quantile;
use crate::decimal::Decimal;
use crate::venue::Observation;

/// All of something, in hundredths of a percent.
pub(super) const ALL_BPS: i128 = 10_000;

/// Comes to an outcome for the round at `now_ms` (Unix milliseconds). The order of `inputs` does not matter, and a source that is not
/// among them was silent.
///
/// # Errors
/// [`RoundError`].
pub fn aggregate(feed: &Feed, now_ms: u64, inputs: &[Input], state: &State) -> Result<Step, RoundError> {
    let heard = by_source(feed, inputs)?;
    let mut next = state.clone();
    // Of sources that the feed has no more, nothing is kept.
    next.seen.retain(|id, _| feed.sources.iter().any(|(source, _)| source == id));
    let mut fates = Vec::with_capacity(feed.sources.len());
    let mut passed = Vec::with_capacity(feed.sources.len());
    for (at, (id, weight)) in feed.sources.iter().enumerate() {
        let fate = match heard.get(id.as_str()) {
            None => Fate::Silent,
            Some(Said::Unreachable(why)) => Fate::Unreachable(why.clone()),
            Some(Said::Unreadable(error)) => Fate::Unreadable(error.clone()),
            Some(Said::Observation { observation, received_ms }) => {
                let rounds = repeated(&mut next, id, observation);
                match check(feed, now_ms, observation, *received_ms, rounds) {
                    Ok(units) => {
                        passed.push(Standing { at, units, weight: *weight });
                        Fate::Counted
                    }
                    Err(fate) => fate,
                }
            }
        };
        fates.push(SourceFate { source: id.clone(), weight: *weight, fate });
    }
    let outcome = match answer(feed, passed, &mut fates) {
        Ok(answer) => decide(feed, now_ms, answer, &mut next),
        Err(reason) => {
            // Rounds in a row: this is none of them.
            next.jump = None;
            Outcome::Nothing(reason)
        }
    };
    Ok(Step { outcome, fates, state: next })
}

/// A source that has passed its own checks.
struct Standing {
    /// Its place among the sources.
    at: usize,
    units: i128,
    weight: u64,
}

fn by_source<'a>(feed: &Feed, inputs: &'a [Input]) -> Result<BTreeMap<&'a str, &'a Said>, RoundError> {
    let mut heard = BTreeMap::new();
    for Input { source, said } in inputs {
        if !feed.sources.iter().any(|(id, _)| id == source) {
            return Err(RoundError::Unknown { source_id: source.clone() });
        }
        if heard.insert(source.as_str(), said).is_some() {
            return Err(RoundError::Twice { source_id: source.clone() });
        }
    }
    Ok(heard)
}

/// Remembers what a source says, and in how many rounds it has said it.
fn repeated(state: &mut State, id: &str, observation: &Observation) -> u32 {
    let Observation { price, volume, time_ms } = *observation;
    // A venue's time says when it last had something to say; where there is none, its volume moves with what is traded.
    let mut seen = Seen { price, time_ms, volume: volume.filter(|_| time_ms.is_none()), rounds: 1 };
    if let Some(before) = state.seen.get(id)
        && (before.price, before.time_ms, before.volume) == (seen.price, seen.time_ms, seen.volume)
    {
        seen.rounds = before.rounds.saturating_add(1);
    }
    state.seen.insert(id.to_owned(), seen);
    seen.rounds
}

/// A source's price in the answer's units, or what keeps it from counting, whatever the others say.
fn check(
    feed: &Feed,
    now_ms: u64,
    observation: &Observation,
    received_ms: u64,
    rounds: u32,
) -> Result<i128, Fate> {
    let Policy { max_age_ms, max_ahead_ms, frozen_rounds, min_volume, decimals, .. } = feed.policy;
    let observed_ms = observation.time_ms.unwrap_or(received_ms);
    let age_ms = now_ms.saturating_sub(observed_ms);
    if age_ms > max_age_ms {
        return Err(Fate::Stale { age_ms, max_ms: max_age_ms });
    }
    let ahead_ms = observed_ms.saturating_sub(now_ms);
    if ahead_ms > max_ahead_ms {
        return Err(Fate::Ahead { ahead_ms, max_ms: max_ahead_ms });
    }
    if rounds >= frozen_rounds {
        return Err(Fate::Frozen { rounds });
    }
    if let Some(min) = min_volume
        && observation.volume.is_none_or(|volume| volume < min)
    {
        return Err(Fate::Thin { volume: observation.volume, min });
    }
    let price = observation.price;
    let units = price.to_units(decimals).filter(|units| feed.bounds.contains(units));
    units.ok_or(Fate::OutOfBounds { price })
}

/// The middle of those that passed, without whom it is not near enough.
fn answer(feed: &Feed, mut passed: Vec<Standing>, fates: &mut [SourceFate]) -> Result<Answer, Reason> {
    let (needed, sources) = (feed.needed_sources(), feed.sources.len());
    let too_few = |counted| Reason::TooFew { counted, needed, sources };
    passed.sort_unstable_by_key(|standing| standing.units);
    let rising: Vec<_> = passed.iter().map(|standing| (standing.units, standing.weight)).collect();
    let middle = quantile(&rising, 1, 2).ok_or(too_few(0))?;

    let distance = |units: i128| (units - middle).abs();
    let mut distances: Vec<_> = rising.iter().map(|(units, weight)| (distance(*units), *weight)).collect();
    distances.sort_unstable();
    let deviation = quantile(&distances, 1, 2).unwrap_or_default();
    // Both are far below 10^36: units have at most 30 digits.
    let by_deviation = deviation * i128::from(feed.policy.outlier_mad_percent) / 100;
    let by_floor = middle * i128::from(feed.policy.outlier_floor_bps) / ALL_BPS;
    let allowed = by_deviation.max(by_floor);

    let mut near = Vec::with_capacity(passed.len());
    for standing in &passed {
        let far = distance(standing.units);
        if far <= allowed {
            near.push((standing.units, standing.weight));
        } else if let Some(fate) = fates.get_mut(standing.at) {
            let shown = |units| Decimal::from_units(units, feed.policy.decimals).unwrap_or_default();
            fate.fate = Fate::Outlier { distance: shown(far), allowed: shown(allowed) };
        }
    }
    if near.len() < needed {
        return Err(too_few(near.len()));
    }
    let counted = near.iter().map(|(_, weight)| weight).sum();
    if counted < feed.needed_weight() {
        return Err(Reason::TooLight { counted, needed: feed.needed_weight() });
    }
    let quartile = |numerator| quantile(&near, numerator, 4).unwrap_or(middle);
    let confidence = (middle - quartile(1)).max(quartile(3) - middle).unsigned_abs();
    Ok(Answer { units: middle, confidence, sources: near.len() })
}
