//! A job as it is kept, and each step of its life as a pure function of the step before. Knows nothing of the store.

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{Attempt, Job, JobState, RetryOn, Webhook, WebhookState};
use serde::{Deserialize, Serialize};

use crate::error::JobsError;
use crate::index::Place;
use crate::limits::{WEBHOOK_ATTEMPTS, WEBHOOK_FIRST_DELAY_MS, WEBHOOK_MAX_DELAY_MS};
use crate::policy::{class, longest_delay_ms};

/// The code of an attempt that was under way when the appliance stopped, was killed or was handed over.
pub(crate) const INTERRUPTED: &str = "interrupted";
/// The code of an attempt that a fault of the appliance's or its parent's ended.
pub(crate) const UNAVAILABLE: &str = "unavailable";

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What its tenant is shown.
    pub(crate) job: Job,
    /// Queued: when the next attempt may begin. Ended and to be told of: when the next try may.
    pub(crate) due_at_ms: u64,
    /// The event's and the outcome's bytes, and what every job is charged.
    pub(crate) bytes: u64,
}

/// Which job, of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    pub(crate) tenant: TenantId,
    pub(crate) id: r3e_proto::api::jobs::JobId,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a result.
    Result,
    /// With a function's error of this code.
    Error(String),
    /// The appliance was interrupted.
    Interrupted,
    /// A fault of the appliance's.
    Unavailable,
    /// It could not be invoked, and cannot be.
    Refused(&'static str),
}

impl Ended {
    fn code(&self) -> &str {
        match self {
            Self::Result => "ok",
            Self::Error(code) => code,
            Self::Interrupted => INTERRUPTED,
            Self::Unavailable => UNAVAILABLE,
            Self::Refused(code) => code,
        }
    }

    fn class(&self) -> Option<RetryOn> {
        match self {
            Self::Result | Self::Refused(_) => None,
            Self::Error(code) => class(code),
            Self::Interrupted => Some(RetryOn::Interrupted),
            Self::Unavailable => Some(RetryOn::Unavailable),
        }
    }
}

impl Record {
    /// As it is written.
    ///
    /// # Errors
    /// [`JobsError::Record`].
    pub(crate) fn encode(&self) -> Result<Vec<u8>, JobsError> {
        serde_json::to_vec(self).map_err(|error| JobsError::Record(error.to_string()))
    }

    /// Reads a record that this appliance wrote.
    ///
    /// # Errors
    /// [`JobsError::Record`]: of another release.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, JobsError> {
        serde_json::from_slice(bytes).map_err(|error| JobsError::Record(error.to_string()))
    }

    /// Its one place in the index.
    pub(crate) fn place(&self) -> Place {
        let (due_ms, bytes, state) = (self.due_at_ms, self.bytes, self.job.state);
        match (state, self.job.removed_at_ms) {
            (JobState::Queued, _) => Place::Queued { due_ms, bytes },
            (JobState::Running, _) => Place::Running { bytes },
            (_, None) => Place::Telling { due_ms, state, bytes },
            (_, Some(until_ms)) => Place::Kept { until_ms, state, bytes },
        }
    }

    /// Begins an attempt.
    pub(crate) fn begin(&mut self, now_ms: u64, invocation: [u8; 16]) {
        let number = u32::try_from(self.job.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let invocation = hex::encode(invocation);
        let attempt = Attempt { number, invocation, begun_at_ms: now_ms, ended_at_ms: None, outcome: None };
        self.job.attempts.push(attempt);
        self.job.state = JobState::Running;
        self.job.reason = None;
    }

    /// Puts a job back whose attempt did not come to anything: its event was handed to nobody.
    pub(crate) fn put_back(&mut self, due_at_ms: u64) {
        self.job.attempts.pop();
        self.job.state = JobState::Queued;
        self.job.reason =
            Some("there was no room for an attempt; it waits, and no attempt is counted".to_owned());
        self.due_at_ms = due_at_ms;
    }

    /// Ends the attempt: with it the job, or it is tried again after what `jitter` makes of the longest delay.
    pub(crate) fn end(&mut self, ended: &Ended, now_ms: u64, jitter: impl FnOnce(u64) -> u64) {
        let made = u32::try_from(self.job.attempts.len()).unwrap_or(u32::MAX);
        if let Some(attempt) = self.job.attempts.last_mut() {
            attempt.ended_at_ms = Some(now_ms);
            attempt.outcome = Some(ended.code().to_owned());
        }
        if *ended == Ended::Result {
            self.job.reason = None;
            self.finish(JobState::Succeeded, now_ms);
            return;
        }
        let policy = &self.job.policy;
        let is_retried = ended.class().is_some_and(|class| policy.retry_on.contains(&class));
        let code = ended.code();
        if is_retried && made < policy.attempts {
            let longest_ms = longest_delay_ms(policy.first_delay_ms, policy.max_delay_ms, made);
            self.job.reason =
                Some(format!("attempt {made} of {} ended with {code}; it is tried again", policy.attempts));
            self.due_at_ms = now_ms.saturating_add(jitter(longest_ms));
            self.job.state = JobState::Queued;
            return;
        }
        self.job.reason = Some(if is_retried {
            format!("attempt {made} of {made} ended with {code}")
        } else {
            format!("attempt {made} ended with {code}, which the policy does not retry")
        });
        self.finish(JobState::Dead, now_ms);
    }

    /// Cancels a queued job.
    pub(crate) fn cancel(&mut self, now_ms: u64) {
        self.job.reason = None;
        self.finish(JobState::Cancelled, now_ms);
    }

    fn finish(&mut self, state: JobState, now_ms: u64) {
        self.job.state = state;
        self.job.finished_at_ms = Some(now_ms);
        match &mut self.job.webhook {
            Some(webhook) => {
                webhook.state = WebhookState::Pending;
                self.due_at_ms = now_ms;
            }
            None => self.keep(now_ms),
        }
    }

    fn keep(&mut self, now_ms: u64) {
        self.due_at_ms = 0;
        self.job.removed_at_ms = Some(now_ms.saturating_add(self.job.keep_ms));
    }

    /// Takes note of a try to tell the webhook: what it came to, whether that is enough, and whether another one is worth while.
    pub(crate) fn told(&mut self, told: &Told, now_ms: u64, jitter: impl FnOnce(u64) -> u64) {
        let Some(webhook) = &mut self.job.webhook else { return self.keep(now_ms) };
        let Webhook { state, attempts, last, last_at_ms, .. } = webhook;
        *attempts = attempts.saturating_add(1);
        *last = Some(told.what.clone());
        *last_at_ms = Some(now_ms);
        if !told.is_enough && told.may_be_repeated && *attempts < WEBHOOK_ATTEMPTS {
            let longest_ms = longest_delay_ms(WEBHOOK_FIRST_DELAY_MS, WEBHOOK_MAX_DELAY_MS, *attempts);
            self.due_at_ms = now_ms.saturating_add(jitter(longest_ms));
            return;
        }
        *state = if told.is_enough { WebhookState::Delivered } else { WebhookState::Failed };
        self.keep(now_ms);
    }
}

/// What a try to tell a webhook came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// `http_204`, or a code.
    pub(crate) what: String,
    /// Whether the other end knows now.
    pub(crate) is_enough: bool,
    /// Whether another try may come to something else.
    pub(crate) may_be_repeated: bool,
}

#[cfg(test)]
mod tests;
