//! `r3e jobs`.

pub(super) mod options;
mod shown;

use std::time::Duration;

use clap::Subcommand;
use r3e_client::{ClientError, ErrorClass, TenantChannel, VerifiedJob, VerifiedOutcome};
use r3e_proto::api::functions::Outcome;
use r3e_proto::api::jobs::{Enqueued, Job, JobId, JobState};
use tokio::time::{Instant, sleep};

use super::secrets::duration;
use crate::error::CliError;
use crate::limits::{FIRST_JOB_POLL, LAST_JOB_POLL, MAX_LISTED_JOBS};
use crate::output::{Printer, note, spinner, text};
use crate::session;
use crate::settings::Settings;

const LIST_HELP: &str = "\
Examples:
  r3e jobs list --state dead
  r3e jobs list --limit 500 --json | jq '.[].id'";

const WAIT_HELP: &str = "\
The result goes to standard output, as with `r3e functions invoke`; the attempts and the receipt's summary go to
standard error. Exit codes: 0 it succeeded, 4 it ended without a result, 5 it has not ended within --timeout.

Examples:
  r3e jobs wait 019a8b2c3d4e5f60718293a4b5c6d7e8 --timeout 10m
  id=$(r3e functions invoke price --async --json | jq -r .id) && r3e jobs wait \"$id\" --json";

const REPLAY_HELP: &str = "\
The new job has the same function, event, policy and webhook; the job that it does again stays as it is.

Example:
  r3e jobs list --state dead --json | jq -r '.[].id' | xargs -n1 r3e jobs replay";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List jobs, the newest first
    #[command(after_help = LIST_HELP)]
    List {
        /// Those in this state alone: queued, running, succeeded, dead or cancelled
        #[arg(long, value_name = "STATE")]
        state: Option<JobState>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Show one job, with its attempts and its outcome
    #[command(after_help = "Example:\n  r3e jobs show 019a8b2c3d4e5f60718293a4b5c6d7e8 --json")]
    Show {
        /// The job's id
        id: JobId,
    },
    /// Wait until a job has ended, and give its result
    #[command(after_help = WAIT_HELP)]
    Wait {
        /// The job's id
        id: JobId,
        /// For so long at the most: 90s, 15m, 12h
        #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "15m")]
        timeout: u64,
    },
    /// Cancel a job that waits
    #[command(after_help = "Example:\n  r3e jobs cancel 019a8b2c3d4e5f60718293a4b5c6d7e8")]
    Cancel {
        /// The job's id
        id: JobId,
    },
    /// Do again what a job did that has ended: a dead letter, or any other
    #[command(after_help = REPLAY_HELP)]
    Replay {
        /// The job's id
        id: JobId,
        /// Makes this request made again the same job
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    match command {
        Command::List { state, limit } => {
            let jobs = list(&mut tenant, state, limit).await?;
            printer.result(&jobs, |jobs| shown::list(jobs))
        }
        Command::Show { id } => {
            let job = tenant.job(id).await?;
            let shown = shown::Shown::of(&job);
            printer.result(&shown, |_| shown::details(&job))
        }
        Command::Wait { id, timeout } => {
            let job = wait(&mut tenant, id, timeout, settings).await?;
            ended(&job, printer)
        }
        Command::Cancel { id } => {
            let job = tenant.cancel_job(id).await?;
            printer.result(&job, |job| format!("cancelled {}", job.id))?;
            session::remembered(tenant.check_state().await)
        }
        Command::Replay { id, idempotency_key } => {
            let enqueued = tenant.replay_job(id, idempotency_key.as_deref()).await?;
            told(printer, &enqueued)?;
            session::remembered(tenant.check_state().await)
        }
    }
}

/// Says which job was queued.
pub(super) fn told(printer: Printer, enqueued: &Enqueued) -> Result<(), CliError> {
    printer.result(enqueued, |enqueued| enqueued.id.to_string())?;
    if enqueued.repeated {
        note("r3e: this idempotency key was used for that job before; nothing was queued");
    } else {
        note(&format!("r3e: queued; `r3e jobs wait {}` gives its result", enqueued.id));
    }
    Ok(())
}

async fn list(
    tenant: &mut TenantChannel,
    state: Option<JobState>,
    limit: usize,
) -> Result<Vec<Job>, CliError> {
    let limit = limit.min(MAX_LISTED_JOBS);
    let (mut jobs, mut after) = (Vec::new(), None);
    while jobs.len() < limit {
        let page = tenant.jobs(state, after, limit - jobs.len()).await?;
        jobs.extend(page.jobs);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    jobs.truncate(limit);
    Ok(jobs)
}

/// Asks again and again, less and less often, over a lost connection too.
async fn wait(
    tenant: &mut TenantChannel,
    id: JobId,
    timeout_ms: u64,
    settings: &Settings,
) -> Result<VerifiedJob, CliError> {
    let deadline = Instant::now() + Duration::from_millis(timeout_ms);
    let _spinner = spinner("waiting for the job");
    let mut pause = FIRST_JOB_POLL;
    let mut attempts = 0;
    loop {
        let asked = tenant.job(id).await;
        if let Ok(job) = &asked {
            for attempt in job.job.attempts.iter().skip(attempts) {
                note(&format!("attempt {} of {} began", attempt.number, job.job.policy.attempts));
            }
            attempts = job.job.attempts.len();
            if job.job.state.is_final() {
                return Ok(asked?);
            }
        }
        match asked {
            Err(error) if !may_come_back(&error) => return Err(error.into()),
            _ if Instant::now() + pause >= deadline => {
                return Err(CliError::StillOpen { id: id.to_string() });
            }
            Ok(_) => sleep(pause).await,
            Err(_) => {
                sleep(pause).await;
                if let Ok(again) = session::tenant(settings).await {
                    *tenant = again;
                }
            }
        }
        pause = (pause * 2).min(LAST_JOB_POLL);
    }
}

/// A lost connection, an appliance that restarts or hands over.
fn may_come_back(error: &ClientError) -> bool {
    let is_away = |code: &str| ["handing_over", "superseded", "store_unavailable", "busy"].contains(&code);
    error.class() == ErrorClass::Connection || is_away(error.code())
}

/// Prints the end of a job as that of an invocation is printed.
fn ended(job: &VerifiedJob, printer: Printer) -> Result<(), CliError> {
    if printer.is_json() {
        printer.result(&shown::Shown::of(job), |_| String::new())?;
    } else {
        note(&shown::details(job));
    }
    let failed = |code: &str, message: &str| {
        Err(CliError::Function { code: code.to_owned(), message: message.to_owned() })
    };
    match &job.outcome {
        None => failed("cancelled", "the job was cancelled"),
        Some(VerifiedOutcome::NotRun(error)) => failed(&error.code, &error.message),
        Some(VerifiedOutcome::Invocation(invocation)) => match invocation.outcome() {
            Outcome::Output(result) if !printer.is_json() => text(result),
            Outcome::Output(_) => Ok(()),
            Outcome::Error(error) => failed(&error.code, &error.message),
        },
    }
}
