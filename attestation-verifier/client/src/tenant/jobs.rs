//! Jobs: invocations that are queued, as a tenant's channel asks for them and follows them.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use r3e_proto::api::functions::FunctionError;
use r3e_proto::api::jobs::{Enqueued, Job, JobDetails, JobId, JobOutcome, JobPage, JobState, RetryPolicy};

use super::TenantChannel;
use crate::error::ClientError;
use crate::http::{Body, answer, json};
use crate::input;
use crate::invocation::{Expected, Invocation};

/// How a job is done, beside its event. The default is the appliance's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobOptions {
    /// When it is tried again.
    pub policy: Option<RetryPolicy>,
    /// An `https` URL to tell when it has ended; its host is among the function's grants.
    pub webhook: Option<String>,
    /// How long it is kept once it has ended.
    pub keep_ms: Option<u64>,
    /// The same key with the same content is the same job: with one, the request can be made again where nobody knows whether it
    /// was done.
    pub idempotency_key: Option<String>,
}

/// A job whose receipt, where it has one, was checked.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct VerifiedJob {
    /// The job.
    pub job: Job,
    /// How it ended; none while it has not, and of one that was cancelled.
    pub outcome: Option<VerifiedOutcome>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifiedOutcome {
    /// What the last attempt gave. Its receipt holds; it names the configuration under which it was made, which may be an earlier
    /// one than this session's.
    Invocation(Box<Invocation>),
    /// The last attempt gave nothing that could be vouched for.
    NotRun(FunctionError),
}

impl TenantChannel {
    /// Queues an invocation of a function, `NAME`, `NAME@ALIAS` or `NAME@VERSION`, with an event, JSON text. When this returns, it
    /// is durable.
    ///
    /// # Errors
    /// [`ClientError`]; `busy` where the queue is full, `conflict` where the idempotency key was used for another job.
    pub async fn enqueue(
        &mut self,
        name: &str,
        event: impl Into<Bytes>,
        options: &JobOptions,
    ) -> Result<Enqueued, ClientError> {
        input::reference(name)?;
        let path = format!("/v1/functions/{name}/jobs{}", query(options));
        let header = idempotency(options.idempotency_key.as_deref())?;
        let what = "the job";
        let body = Body::Json(event.into());
        json(what, &self.send_with(what, Method::POST, &path, header, body).await?)
    }

    /// Some jobs, the newest first: those in `state`, where one is named, that are older than `after`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn jobs(
        &mut self,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<JobPage, ClientError> {
        let mut path = format!("/v1/jobs?limit={limit}");
        // Writing to a string does not fail.
        if let Some(state) = state {
            let _ = write!(path, "&state={state}");
        }
        if let Some(after) = after {
            let _ = write!(path, "&after={after}");
        }
        self.get("the list of jobs", &path).await
    }

    /// One job, with its outcome once it has ended, whose receipt is checked.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none, or its time is over; [`ClientError::Receipt`].
    pub async fn job(&mut self, id: JobId) -> Result<VerifiedJob, ClientError> {
        let what = "the job";
        let tenant = self.known_tenant().await?;
        let JobDetails { job, outcome } = self.get(what, &format!("/v1/jobs/{id}")).await?;
        if job.id != id {
            return Err(answer(what, &"it is another one"));
        }
        let outcome = match outcome {
            None => None,
            Some(JobOutcome::NotRun(error)) => Some(VerifiedOutcome::NotRun(error)),
            Some(JobOutcome::Invocation(invocation)) => {
                let mut event = [0; 32];
                hex::decode_to_slice(&job.event_sha256, &mut event).map_err(|error| answer(what, &error))?;
                let is_attempt =
                    job.attempts.last().is_some_and(|attempt| attempt.invocation == invocation.id);
                if !is_attempt {
                    return Err(answer(what, &"its outcome is none of its attempts'"));
                }
                let function = input::reference(&job.function)?;
                let expected = Expected {
                    function: &function,
                    event: &[],
                    tenant,
                    configuration: self.channel.configuration_digest(),
                    report_key: &self.report_key,
                };
                let verified = Invocation::verify_recorded(invocation, &expected, &event)?;
                Some(VerifiedOutcome::Invocation(Box::new(verified)))
            }
        };
        Ok(VerifiedJob { job, outcome })
    }

    /// Cancels a job that waits.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none, `conflict` where an attempt is under way or it has ended.
    pub async fn cancel_job(&mut self, id: JobId) -> Result<Job, ClientError> {
        self.request("the cancelled job", Method::DELETE, &format!("/v1/jobs/{id}"), Body::Empty).await
    }

    /// Does again what a job did that has ended: a new job, which names its origin.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found`, `conflict` where it has not ended.
    pub async fn replay_job(
        &mut self,
        id: JobId,
        idempotency_key: Option<&str>,
    ) -> Result<Enqueued, ClientError> {
        let what = "the replayed job";
        let header = idempotency(idempotency_key)?;
        let path = format!("/v1/jobs/{id}/replay");
        json(what, &self.send_with(what, Method::POST, &path, header, Body::Empty).await?)
    }
}

pub(super) fn idempotency(key: Option<&str>) -> Result<Option<(HeaderName, HeaderValue)>, ClientError> {
    let Some(key) = key else { return Ok(None) };
    let is_printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    // Blanks at the ends of a header's value are not part of it (RFC 9110 section 5.5).
    let holds = (1..=128).contains(&key.len()) && is_printable && key.trim() == key;
    let value = HeaderValue::from_str(key).ok().filter(|_| holds);
    let value = value.ok_or_else(|| ClientError::Input {
        what: "an idempotency key",
        text: key.to_owned(),
        rule: "it takes 1 to 128 printable ASCII characters, the first and the last no blanks",
    })?;
    Ok(Some((HeaderName::from_static("idempotency-key"), value)))
}

fn query(options: &JobOptions) -> String {
    let JobOptions { policy, webhook, keep_ms, idempotency_key: _ } = options;
    let mut parts = Vec::new();
    if let Some(RetryPolicy { attempts, first_delay_ms, max_delay_ms, retry_on }) = policy {
        let names: Vec<&str> = retry_on.iter().map(|way| way.name()).collect();
        parts.push(format!("attempts={attempts}"));
        parts.push(format!("first_delay_ms={first_delay_ms}"));
        parts.push(format!("max_delay_ms={max_delay_ms}"));
        parts.push(format!("retry_on={}", names.join(",")));
    }
    parts.extend(webhook.as_ref().map(|url| format!("webhook={}", escaped(url))));
    parts.extend(keep_ms.map(|keep_ms| format!("keep_ms={keep_ms}")));
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}

/// A text in a query: all but the unreserved characters escaped (RFC 3986 section 2.3).
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::jobs::RetryOn;

    use super::*;

    #[test]
    fn options_become_a_query_that_nothing_can_break_out_of() {
        assert_eq!(query(&JobOptions::default()), "");
        let policy = RetryPolicy {
            attempts: 2,
            first_delay_ms: 3,
            max_delay_ms: 4,
            retry_on: vec![RetryOn::Timeout, RetryOn::StoreUnconfirmed],
        };
        let options = JobOptions {
            policy: Some(policy),
            webhook: Some("https://a.test/x?y=1&keep_ms=2#é".into()),
            keep_ms: Some(60_000),
            idempotency_key: Some("not in the query".into()),
        };
        assert_eq!(
            query(&options),
            "?attempts=2&first_delay_ms=3&max_delay_ms=4&retry_on=timeout,store_unconfirmed\
             &webhook=https%3A%2F%2Fa.test%2Fx%3Fy%3D1%26keep_ms%3D2%23%C3%A9&keep_ms=60000"
        );
    }

    #[test]
    fn an_idempotency_key_is_one_headers_value() {
        assert_eq!(idempotency(None).unwrap(), None);
        assert_eq!(idempotency(Some("a b/1")).unwrap().unwrap().1, "a b/1");
        for wrong in ["", "a\r\nb", " a", "a ", "é", &"k".repeat(129)] {
            assert_eq!(idempotency(Some(wrong)).unwrap_err().code(), "input", "{wrong:?}");
        }
    }
}
