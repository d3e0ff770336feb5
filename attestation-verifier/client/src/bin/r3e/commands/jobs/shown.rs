//! Jobs as they are shown.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_client::{VerifiedJob, VerifiedOutcome};
use r3e_proto::api::functions::FunctionError;
use r3e_proto::api::jobs::{Job, Origin};
use serde::Serialize;

use crate::commands::invoke::Ran;
use crate::output::{fields, printable, table, time};

/// What `--json` shows.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    job: &'a Job,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation: Option<ShownInvocation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run: Option<&'a FunctionError>,
}

#[derive(Serialize)]
struct ShownInvocation<'a> {
    #[serde(flatten)]
    ran: Ran<'a>,
    /// The signed receipt with the document that attests its key: it was verified.
    bundle: String,
}

impl<'a> Shown<'a> {
    pub(super) fn of(verified: &'a VerifiedJob) -> Self {
        let (invocation, not_run) = match &verified.outcome {
            None => (None, None),
            Some(VerifiedOutcome::NotRun(error)) => (None, Some(error)),
            Some(VerifiedOutcome::Invocation(invocation)) => {
                let shown = ShownInvocation {
                    ran: Ran::of(invocation),
                    bundle: STANDARD.encode(invocation.bundle().encode()),
                };
                (Some(shown), None)
            }
        };
        Self { job: &verified.job, invocation, not_run }
    }
}

pub(super) fn list(jobs: &[Job]) -> String {
    let rows: Vec<[String; 5]> = jobs
        .iter()
        .map(|job| {
            let attempts = format!("{}/{}", job.attempts.len(), job.policy.attempts);
            [
                job.id.to_string(),
                job.function.clone(),
                job.state.to_string(),
                attempts,
                time(job.queued_at_ms),
            ]
        })
        .collect();
    table(["ID", "FUNCTION", "STATE", "ATTEMPTS", "QUEUED"], &rows)
}

/// All of a job but its result.
pub(super) fn details(verified: &VerifiedJob) -> String {
    let job = &verified.job;
    let origin = match &job.origin {
        Origin::Api => "a request".to_owned(),
        Origin::Replay(id) => format!("a replay of {id}"),
        Origin::Trigger(name) => format!("the trigger {name}"),
    };
    let mut pairs = vec![
        ("job", job.id.to_string()),
        ("function", job.function.clone()),
        ("state", job.state.to_string()),
        ("from", origin),
        ("queued", time(job.queued_at_ms)),
    ];
    pairs.extend(job.finished_at_ms.map(|at| ("ended", time(at))));
    pairs.extend(job.removed_at_ms.map(|at| ("kept until", time(at))));
    pairs.extend(job.reason.clone().map(|reason| ("reason", reason)));
    if let Some(webhook) = &job.webhook {
        let last = webhook.last.as_deref().unwrap_or("not told yet");
        pairs.push(("webhook", format!("{}: {last}, {} tries", webhook.url, webhook.attempts)));
    }
    match &verified.outcome {
        None => {}
        Some(VerifiedOutcome::NotRun(error)) => {
            pairs.push(("outcome", format!("{}: {}", error.code, error.message)));
        }
        Some(VerifiedOutcome::Invocation(invocation)) => {
            let receipt = invocation.receipt();
            pairs.push(("outcome", receipt.outcome.clone()));
            pairs.push((
                "receipt",
                format!("verified: sequence {}, {}", receipt.sequence, time(receipt.time_ms)),
            ));
        }
    }
    let mut text = fields(&pairs);
    for attempt in &job.attempts {
        let outcome = attempt.outcome.as_deref().unwrap_or("under way");
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "attempt {}  {}  {}",
            attempt.number,
            time(attempt.begun_at_ms),
            printable(outcome)
        );
    }
    if let Some(VerifiedOutcome::Invocation(invocation)) = &verified.outcome {
        for line in invocation.logs() {
            let _ = writeln!(text, "{:<5} {}", printable(&line.level), printable(&line.text));
        }
    }
    text.trim_end().to_owned()
}
