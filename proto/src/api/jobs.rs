//! Jobs: invocations that are queued, run when there is room, retried by a policy, and end with exactly one outcome.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::functions::{FunctionError, Invocation};

/// A job's id: 48 bits of the appliance's time in milliseconds when it was made, then 80 random ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(pub [u8; 16]);

/// A text that is no job's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job's id has 32 lower-case hex digits")]
pub struct NotAJobId;

impl JobId {
    /// The id of a job made at `time_ms`, with these random bytes.
    pub fn new(time_ms: u64, random: [u8; 10]) -> Self {
        let mut id = [0; 16];
        let time = time_ms.to_be_bytes();
        for (to, from) in id.iter_mut().zip(time.into_iter().skip(2).chain(random)) {
            *to = from;
        }
        Self(id)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for JobId {
    type Err = NotAJobId;

    fn from_str(text: &str) -> Result<Self, NotAJobId> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).map_err(|_| NotAJobId)?;
        // One job has one name.
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Err(NotAJobId) } else { Ok(Self(id)) }
    }
}

impl TryFrom<String> for JobId {
    type Error = NotAJobId;

    fn try_from(text: String) -> Result<Self, NotAJobId> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits: for its first attempt, or for the next one.
    Queued,
    /// An attempt is under way.
    Running,
    /// It ended with a result.
    Succeeded,
    /// It ended without one, and is tried no more: a dead letter.
    Dead,
    /// It was cancelled before an attempt, or between two.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Dead, Self::Cancelled];

    /// As the API writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to the job itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Dead | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A state's name that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job's state is `queued`, `running`, `succeeded`, `dead` or `cancelled`")]
pub struct NotAState;

impl FromStr for JobState {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(NotAState)
    }
}

/// A way for an attempt to end without a result, as far as a retry is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryOn {
    /// The appliance stopped, was killed or was handed over while the attempt was under way: the function may have run whole,
    /// in part or not at all, and what it wrote stands.
    Interrupted,
    /// A fault of the appliance's or its parent's: no runner, no store.
    Unavailable,
    /// The function's process was lost: `crashed`, `protocol`.
    Crashed,
    /// `timeout`.
    Timeout,
    /// `cpu_limit`, `memory_limit`, `output_limit`, `host_call_limit`.
    Limit,
    /// `function_error`, `load_error`: the function threw, or does not load.
    FunctionError,
    /// `store_unconfirmed`: what the function wrote may stand or not, so that a retry may do it twice.
    StoreUnconfirmed,
}

impl RetryOn {
    /// Every way.
    pub const ALL: [Self; 7] = [
        Self::Interrupted,
        Self::Unavailable,
        Self::Crashed,
        Self::Timeout,
        Self::Limit,
        Self::FunctionError,
        Self::StoreUnconfirmed,
    ];

    /// As the API writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Unavailable => "unavailable",
            Self::Crashed => "crashed",
            Self::Timeout => "timeout",
            Self::Limit => "limit",
            Self::FunctionError => "function_error",
            Self::StoreUnconfirmed => "store_unconfirmed",
        }
    }
}

/// A name that is no way for an attempt to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what is retried is `interrupted`, `unavailable`, `crashed`, `timeout`, `limit`, `function_error` or \
     `store_unconfirmed`"
)]
pub struct NotRetryOn;

impl FromStr for RetryOn {
    type Err = NotRetryOn;

    fn from_str(text: &str) -> Result<Self, NotRetryOn> {
        Self::ALL.into_iter().find(|way| way.name() == text).ok_or(NotRetryOn)
    }
}

/// When a job is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub attempts: u32,
    /// The most that is waited before the second attempt; doubled for each further one. What is waited is drawn evenly from
    /// nothing to that (full jitter).
    pub first_delay_ms: u64,
    /// The most that it is doubled to.
    pub max_delay_ms: u64,
    /// What is tried again; anything else ends the job.
    pub retry_on: Vec<RetryOn>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_delay_ms: 1_000,
            max_delay_ms: 60_000,
            retry_on: vec![RetryOn::Interrupted, RetryOn::Unavailable, RetryOn::Crashed],
        }
    }
}

/// Where a job comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A request.
    Api,
    /// Another job, which this one does again.
    Replay(JobId),
    /// A trigger of the tenant's, by its name.
    Trigger(String),
}

/// A job that was taken in, or had been before under the same idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueued {
    /// The job.
    pub id: JobId,
    /// Whether it is an earlier request's: the same idempotency key with the same content.
    pub repeated: bool,
}

/// One attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The invocation's id, 32 hex digits: the receipt and the secrets' audit log name it.
    pub invocation: String,
    /// When it began, by the appliance's clock.
    pub begun_at_ms: u64,
    /// When it ended, or was found to have been interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<u64>,
    /// `ok`, the error's code, `interrupted` or `unavailable`; absent while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// Where a completed job is told to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The `https` URL, whose host is among the function's grants.
    pub url: String,
    /// How far it is.
    pub state: WebhookState,
    /// Requests that were sent or tried.
    pub attempts: u32,
    /// What the last one came to: `http_204`, or the code of a failed request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at_ms: Option<u64>,
}

/// How far a webhook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// The job has not ended.
    Waiting,
    /// It has, and the other end has not said yet that it knows.
    Pending,
    /// The other end answered with 2xx.
    Delivered,
    /// It did not, as often as is tried, or may not be told any more.
    Failed,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it invokes.
    pub function: String,
    /// Where it is in its life.
    pub state: JobState,
    /// Where it comes from.
    pub origin: Origin,
    /// How many events caused one another before it: 1 where a function published the event, one more where another function's
    /// event had that function run, and so on.
    #[serde(default, skip_serializing_if = "is_none_before")]
    pub hops: u32,
    /// When it was taken in, by the appliance's clock.
    pub queued_at_ms: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at_ms: Option<u64>,
    /// No earlier than when it is removed, with its event and result; absent until it has ended and been told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at_ms: Option<u64>,
    /// Its attempts, the first one first.
    pub attempts: Vec<Attempt>,
    /// Why it waits for another attempt, or why it is tried no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it is tried again.
    pub policy: RetryPolicy,
    /// How long it is kept once it has ended.
    pub keep_ms: u64,
    /// The event's length.
    pub event_bytes: u64,
    /// SHA-256 of the event's JSON text, hex: what a receipt's `input` is.
    pub event_sha256: String,
    /// Where it is told to, if anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none_before(hops: &u32) -> bool {
    *hops == 0
}

/// A job with its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDetails {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// The one outcome, once it has ended; absent for one that was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JobOutcome>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// What its last attempt gave: a result, or the function's error; with the receipt.
    Invocation(Invocation),
    /// Its last attempt gave nothing that could be vouched for: `interrupted`, `unavailable`, or why the function could not
    /// be invoked.
    NotRun(FunctionError),
}

/// Some of a tenant's jobs, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The id to ask for what follows with; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<JobId>,
}

/// The jobs of all tenants together, and what was done with them since the appliance booted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that are under way.
    pub running: u64,
    /// Jobs that have ended and are kept.
    pub kept: u64,
    /// Jobs taken in since the boot.
    pub enqueued: u64,
    /// Attempts begun since the boot.
    pub begun: u64,
    /// Jobs that ended with a result since the boot.
    pub succeeded: u64,
    /// Jobs that became dead letters since the boot.
    pub dead: u64,
    /// Jobs cancelled since the boot.
    pub cancelled: u64,
    /// Attempts that are to be made again, since the boot.
    pub retried: u64,
    /// Attempts that a crash or a handoff had interrupted, found since the boot.
    pub interrupted: u64,
    /// Jobs removed at the end of their time since the boot.
    pub removed: u64,
    /// Webhooks delivered since the boot.
    pub webhooks_delivered: u64,
    /// Webhooks given up since the boot.
    pub webhooks_failed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text_and_sorts_by_time() {
        let id = JobId::new(0x0102_0304_0506, [7; 10]);
        assert_eq!(id.to_string(), "01020304050607070707070707070707");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(JobId::new(1, [255; 10]) < JobId::new(2, [0; 10]));
        for wrong in ["", "01", "0102030405060707070707070707070G", "ABCDEF04050607070707070707070707"] {
            assert_eq!(wrong.parse::<JobId>(), Err(NotAJobId), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<JobId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn names_are_what_json_has() {
        for state in JobState::ALL {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("{:?}", state.name()));
            assert_eq!(state.name().parse(), Ok(state));
        }
        for way in RetryOn::ALL {
            assert_eq!(serde_json::to_string(&way).unwrap(), format!("{:?}", way.name()));
            assert_eq!(way.name().parse(), Ok(way));
        }
        assert!("Dead".parse::<JobState>().is_err() && "any".parse::<RetryOn>().is_err());
    }
}
