//! A trigger as it is kept: what it is, and how far it is. Knows nothing of the store.

use r3e_proto::api::jobs::JobId;
use r3e_proto::api::triggers::{Definition, Fire, FireOutcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::TriggersError;
use crate::limits::{MAX_HISTORY, MAX_REASON_CHARS};
use crate::price::Judged;

/// What a trigger is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Drawn when it was made: another trigger of its name is another one. A public route is named by it.
    pub(crate) id: TriggerId,
    pub(crate) definition: Definition,
    pub(crate) paused: bool,
    pub(crate) created_at_ms: u64,
    pub(crate) changed_at_ms: u64,
    /// No tick fires that is not later: it was made, resumed, or given another source then. Nor is a chain read on that was
    /// followed before.
    pub(crate) since_ms: u64,
    /// Whether its chain was followed before it was paused or stopped: then it is followed from its end on.
    #[serde(default)]
    pub(crate) is_resumed: bool,
    /// Of a price, the sequence of its feed when it was made, resumed, or given another source: no report up to it is judged.
    #[serde(default)]
    pub(crate) begins_behind: u64,
}

impl Record {
    /// The time since which another source counts: another one than before, though the clock stand still.
    pub(crate) fn next_since_ms(&self, now_ms: u64) -> u64 {
        now_ms.max(self.since_ms.saturating_add(1))
    }
}

/// How far a trigger is: written with each job of its.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The last tick that is settled; none after it is.
    pub(crate) tick_ms: u64,
    /// Jobs in all its life.
    pub(crate) fired: u64,
    /// The last times, the latest one last.
    pub(crate) history: Vec<Fire>,
    /// How far a chain is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) followed: Option<Followed>,
    /// How far a feed's reports are judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) judged: Option<Judged>,
}

/// How far a trigger is beyond what its state says: nothing there fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// A chain is read up to here.
    Read(Followed),
    /// A feed's reports are judged up to here.
    Judged(Judged),
}

/// How far a chain is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Followed {
    /// The record's, when that began: for another one this says nothing.
    pub(crate) since_ms: u64,
    /// Where to go on.
    pub(crate) cursor: String,
    /// The first block that was not read to its end.
    pub(crate) next_block: u64,
    /// Why it goes no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<String>,
}

/// What is settled by a job, or by a time that comes to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing that would be known again.
    Nothing,
    /// A tick: it has at most one job.
    Tick(u64),
    /// A chain, from the cursor `after` on up to here.
    Chain {
        /// Where the chain was read up to before: if it is not, this is settled, or of a source that the trigger has no more.
        after: String,
        /// Up to here.
        to: Followed,
    },
    /// A feed's reports, from behind the sequence `after` on up to here.
    Price {
        /// What was judged before: if it is not, this is settled, or of a source that the trigger has no more.
        after: u64,
        /// Up to here.
        to: Judged,
    },
}

/// A trigger's id, 128 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TriggerId(pub(crate) [u8; 16]);

impl TryFrom<String> for TriggerId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a trigger's id has 32 lower-case hex digits")
    }
}

impl From<TriggerId> for String {
    fn from(id: TriggerId) -> Self {
        hex::encode(id.0)
    }
}

impl TriggerId {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).ok()?;
        // One trigger has one address.
        (!text.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(Self(id))
    }
}

impl Mark {
    pub(crate) fn tick_ms(&self) -> Option<u64> {
        match self {
            Self::Tick(tick_ms) => Some(*tick_ms),
            _ => None,
        }
    }
}

impl State {
    /// After a job.
    pub(crate) fn fired(&self, at_ms: u64, mark: &Mark, job: JobId) -> Self {
        let fire = Fire { at_ms, tick_ms: mark.tick_ms(), outcome: FireOutcome::Job(job) };
        Self { fired: self.fired.saturating_add(1), ..self.with(fire, mark) }
    }

    /// After a time that came to no job.
    pub(crate) fn passed(&self, at_ms: u64, mark: &Mark, outcome: FireOutcome) -> Self {
        let outcome = match outcome {
            FireOutcome::Failed(reason) => FireOutcome::Failed(short(&reason)),
            other => other,
        };
        self.with(Fire { at_ms, tick_ms: mark.tick_ms(), outcome }, mark)
    }

    /// It went on, and nothing fired.
    pub(crate) fn went_on(&self, ahead: Ahead) -> Self {
        match ahead {
            Ahead::Read(followed) => Self { followed: Some(followed), ..self.clone() },
            Ahead::Judged(judged) => Self { judged: Some(judged), ..self.clone() },
        }
    }

    /// Whether both are as far, in chains and in feeds.
    pub(crate) fn is_as_far(&self, other: &Self) -> bool {
        self.followed == other.followed && self.judged == other.judged
    }

    fn with(&self, fire: Fire, mark: &Mark) -> Self {
        let tick_ms = fire.tick_ms.unwrap_or_default().max(self.tick_ms);
        let over = (self.history.len() + 1).saturating_sub(MAX_HISTORY);
        let history = self.history.iter().skip(over).cloned().chain([fire]).collect();
        let followed = match mark {
            Mark::Chain { to, .. } => Some(to.clone()),
            _ => self.followed.clone(),
        };
        let judged = match mark {
            Mark::Price { to, .. } => Some(to.clone()),
            _ => self.judged.clone(),
        };
        Self { tick_ms, fired: self.fired, history, followed, judged }
    }
}

/// A reason, as it is kept.
pub(crate) fn short(reason: &str) -> String {
    reason.chars().take(MAX_REASON_CHARS).collect()
}

pub(crate) fn encode(record: &impl Serialize) -> Result<Vec<u8>, TriggersError> {
    serde_json::to_vec(record).map_err(|error| TriggersError::Record(error.to_string()))
}

/// Reads what this appliance wrote.
///
/// # Errors
/// [`TriggersError::Record`]: of another release.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TriggersError> {
    serde_json::from_slice(bytes).map_err(|error| TriggersError::Record(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_bounded_and_ticks_never_go_back() {
        let mut state = State::default();
        for number in 0..100 {
            state = state.fired(number, &Mark::Tick(number), JobId([0; 16]));
        }
        state = state.passed(100, &Mark::Tick(7), FireOutcome::Failed("x".repeat(10_000)));
        assert_eq!((state.history.len(), state.tick_ms, state.fired), (MAX_HISTORY, 99, 100));
        let FireOutcome::Failed(reason) = &state.history.last().unwrap().outcome else { panic!() };
        assert_eq!(reason.len(), MAX_REASON_CHARS);
        let state = state.fired(101, &Mark::Nothing, JobId([0; 16]));
        assert_eq!(state.tick_ms, 99);
        let followed = Followed { since_ms: 1, cursor: "c".into(), next_block: 7, stopped: None };
        let state =
            state.fired(102, &Mark::Chain { after: "b".into(), to: followed.clone() }, JobId([0; 16]));
        let state = state.fired(103, &Mark::Nothing, JobId([0; 16]));
        assert_eq!(state.followed, Some(followed), "only a mark of a chain moves it");
        let judged = Judged { sequence: 7, ..Judged::nothing(1) };
        let state = state.fired(104, &Mark::Price { after: 6, to: judged.clone() }, JobId([0; 16]));
        let state = state.fired(105, &Mark::Nothing, JobId([0; 16]));
        assert_eq!(state.judged, Some(judged), "nor does anything but a price's mark move that");
        assert_eq!(decode::<State>(&encode(&state).unwrap()).unwrap(), state);
    }

    #[test]
    fn an_id_has_one_text() {
        let id = TriggerId([0xab; 16]);
        assert_eq!(TriggerId::parse(&String::from(id)), Some(id));
        for wrong in ["", "ab", &"AB".repeat(16), &"ab".repeat(17), "../../"] {
            assert_eq!(TriggerId::parse(wrong), None, "{wrong}");
        }
    }
}
