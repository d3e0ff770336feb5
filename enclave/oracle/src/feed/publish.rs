//! Whether an answer is published: not before enough rounds confirm a jump, at once where it has moved enough, and by the heartbeat.

use r3e_proto::report::FeedId;
use sha2::{Digest as _, Sha256};

use super::aggregate::ALL_BPS;
use super::policy::Feed;
use super::round::{Answer, Outcome, Publication, Reason};
use super::state::{Jump, Last, State};
use crate::decimal::Decimal;

/// What the draw of a heartbeat's jitter begins with.
const JITTER_DOMAIN: &[u8] = b"r3e/1/feed-jitter";
/// Milliseconds of a second.
const SECOND_MS: u64 = 1_000;

/// Decides about an answer that has its quorum.
pub(super) fn decide(feed: &Feed, now_ms: u64, answer: Answer, state: &mut State) -> Outcome {
    let policy = &feed.policy;
    let shown = Decimal::from_units(answer.units, policy.decimals).unwrap_or_default();
    let units = |number: Decimal| number.to_units(policy.decimals).unwrap_or_default();
    if let Some(last) = state.last {
        if now_ms < last.at_ms {
            return Outcome::Nothing(Reason::Clock { back_ms: last.at_ms - now_ms });
        }
        if is_over(units(last.answer), answer.units, policy.max_jump_bps) {
            // It must be the same jump: far from what was published, and near what the round before said.
            let rounds = match state.jump {
                Some(jump) if !is_over(units(jump.answer), answer.units, policy.max_jump_bps) => {
                    jump.rounds.saturating_add(1)
                }
                _ => 1,
            };
            state.jump = Some(Jump { answer: shown, rounds });
            if rounds < policy.jump_rounds {
                let (last, needed) = (last.answer, policy.jump_rounds);
                return Outcome::Nothing(Reason::Jump { last, answer: shown, rounds, needed });
            }
        } else {
            state.jump = None;
            let due_ms = policy.heartbeat_ms - jitter_ms(feed.id, state.sequence, policy.jitter_ms);
            let moved = is_at_least(units(last.answer), answer.units, policy.deviation_bps);
            if !moved && now_ms - last.at_ms < due_ms {
                return Outcome::Quiet(answer);
            }
        }
    }
    let Some(sequence) = state.sequence.checked_add(1).filter(|sequence| i64::try_from(*sequence).is_ok())
    else {
        return Outcome::Nothing(Reason::Sequence);
    };
    *state = State {
        sequence,
        last: Some(Last { answer: shown, at_ms: now_ms }),
        jump: None,
        seen: std::mem::take(&mut state.seen),
    };
    Outcome::Publish(Publication {
        answer,
        decimals: policy.decimals,
        observed_at_s: now_ms / SECOND_MS,
        valid_until_s: now_ms.saturating_add(policy.validity_ms) / SECOND_MS,
        sequence,
    })
}

/// Whether `to` is farther from `from` than `bps` of it. What does not fit 127 bits, where a feed was given more places behind the point
/// since, is as far as can be.
fn is_over(from: i128, to: i128, bps: u32) -> bool {
    to.saturating_sub(from).saturating_abs().saturating_mul(ALL_BPS) > from.saturating_mul(i128::from(bps))
}

/// Whether `to` is as far from `from` as `bps` of it.
fn is_at_least(from: i128, to: i128, bps: u32) -> bool {
    to.saturating_sub(from).saturating_abs().saturating_mul(ALL_BPS) >= from.saturating_mul(i128::from(bps))
}

/// How much earlier than it must be the heartbeat after the publication `sequence` is: the same wherever it is computed, and another for
/// each feed.
fn jitter_ms(feed: FeedId, sequence: u64, most_ms: u64) -> u64 {
    let digest =
        Sha256::new().chain_update(JITTER_DOMAIN).chain_update(feed.0).chain_update(sequence.to_be_bytes());
    let drawn = digest.finalize().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    // Below half of a heartbeat, see the policy's check.
    drawn % (most_ms + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_spread_and_always_the_same() {
        let feed = FeedId([7; 32]);
        let drawn: Vec<u64> = (0..1_000).map(|sequence| jitter_ms(feed, sequence, 999)).collect();
        assert!(drawn.iter().all(|one| *one < 1_000));
        let early = drawn.iter().filter(|one| **one < 500).count();
        assert!((400..600).contains(&early), "{early}");
        assert_eq!(jitter_ms(feed, 5, 999), drawn[5]);
        assert_ne!(drawn, (0..1_000).map(|at| jitter_ms(FeedId([8; 32]), at, 999)).collect::<Vec<_>>());
        assert_eq!(jitter_ms(feed, 5, 0), 0);
    }
}
