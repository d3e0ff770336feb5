//! One attempt: its begin is committed, the function is invoked, its end is committed. Whatever happens in between, the next
//! boot finds that it had begun.

use aws_lc_rs::rand;
use r3e_proto::api::functions::{FunctionError, Outcome};
use r3e_proto::api::jobs::{JobOutcome, JobState};
use r3e_store::Value;

use crate::changes::{Changed, GivenUp, Pauses, carry_through, closed, read_through};
use crate::error::JobsError;
use crate::index::Place;
use crate::jobs::Inner;
use crate::limits::{JOB_BYTES, NO_ROOM_PAUSE_MS};
use crate::outside::{NotInvoked, Run};
use crate::policy::jittered;
use crate::record::{Address, Ended, Record, UNAVAILABLE};
use crate::spaces::{self, Standing};

/// Makes one attempt of a job that is claimed, and gives the claim back.
pub(crate) async fn make(inner: &Inner, address: Address) {
    // Otherwise the claim stays: nobody here may touch the job any more.
    if let Ok(place) = begin_and_end(inner, address).await {
        inner.release(address, place);
    }
}

/// Where the job is afterwards.
async fn begin_and_end(inner: &Inner, address: Address) -> Result<Option<Place>, GivenUp> {
    let Some(standing) = read_through(&inner.store, &inner.phase, address).await? else { return Ok(None) };
    if standing.record.job.state != JobState::Queued {
        return Ok(Some(standing.record.place()));
    }
    let mut invocation = [0; 16];
    if rand::fill(&mut invocation).is_err() {
        tracing::error!("the random generator failed: a job waits");
        return Ok(Some(later(&standing.record, inner.now_ms())));
    }
    let mut begun = standing.record.clone();
    begun.begin(inner.now_ms(), invocation);
    let standing = match step(inner, address, &standing, begun, None).await? {
        Stepped::Stands(standing) => *standing,
        Stepped::Other(place) => return Ok(place),
    };
    inner.board().moved(address, standing.record.place());
    inner.tallies.begun.add();

    let event = event(inner, address).await?;
    let function = standing.record.job.function.as_str();
    let run = Run { job: address.id, invocation, hops: standing.record.job.hops };
    let ran = tokio::select! {
        // Dropped with the invocation, the runner is ended.
        () = closed(&inner.phase) => return Err(GivenUp),
        ran = inner.invocations.invoke(address.tenant, run, function, event.as_bytes()) => ran,
    };
    let (ended, outcome) = match ran {
        Ok(invocation) => {
            let ended = match &invocation.outcome {
                Outcome::Output(_) => Ended::Result,
                Outcome::Error(error) => Ended::Error(error.code.clone()),
            };
            (ended, JobOutcome::Invocation(invocation))
        }
        Err(NotInvoked::NoRoom) => {
            let mut record = standing.record.clone();
            record.put_back(inner.now_ms().saturating_add(NO_ROOM_PAUSE_MS + jittered(NO_ROOM_PAUSE_MS)));
            return match step(inner, address, &standing, record, None).await? {
                Stepped::Stands(standing) => Ok(Some(standing.record.place())),
                Stepped::Other(place) => Ok(place),
            };
        }
        Err(NotInvoked::Refused { code, message }) => (Ended::Refused(code), not_run(code, message)),
        Err(NotInvoked::Unavailable(message)) => (Ended::Unavailable, not_run(UNAVAILABLE, message)),
    };
    end(inner, address, standing, &ended, &outcome).await
}

/// Records how an attempt ended; where the job is afterwards.
pub(crate) async fn end(
    inner: &Inner,
    address: Address,
    standing: Standing,
    ended: &Ended,
    outcome: &JobOutcome,
) -> Result<Option<Place>, GivenUp> {
    let mut record = standing.record.clone();
    record.end(ended, inner.now_ms(), jittered);
    let bytes = if record.job.state.is_final() { Some(encoded(outcome)?) } else { None };
    if let Some(bytes) = &bytes {
        record.bytes = JOB_BYTES + record.job.event_bytes + bytes.len() as u64;
    }
    let state = record.job.state;
    match step(inner, address, &standing, record, bytes).await? {
        Stepped::Stands(standing) => {
            match state {
                JobState::Succeeded => inner.tallies.succeeded.add(),
                JobState::Dead => inner.tallies.dead.add(),
                _ => inner.tallies.retried.add(),
            }
            if state.is_final() {
                inner.board().ended(address.tenant, state);
            }
            Ok(Some(standing.record.place()))
        }
        // Somebody else recorded something first: what happened here is not the job's outcome.
        Stepped::Other(place) => Ok(place),
    }
}

/// An attempt that gave no invocation.
pub(crate) fn not_run(code: &str, message: String) -> JobOutcome {
    JobOutcome::NotRun(FunctionError { code: code.to_owned(), message, stack: None })
}

/// What became of a step.
pub(crate) enum Stepped {
    /// It stands, like this.
    Stands(Box<Standing>),
    /// Another record stands, and this is its place.
    Other(Option<Place>),
}

/// Writes one step of a job's life.
pub(crate) async fn step(
    inner: &Inner,
    address: Address,
    before: &Standing,
    after: Record,
    outcome: Option<Vec<u8>>,
) -> Result<Stepped, GivenUp> {
    let given_up = |error: JobsError| {
        tracing::error!(%error, "a job's step cannot be written");
        GivenUp
    };
    let bytes = after.encode().map_err(given_up)?;
    let writes = inner.spaces.step(address, before, &after, outcome.as_deref()).map_err(given_up)?;
    Ok(match carry_through(&inner.store, &inner.phase, address, &writes, Some(&bytes)).await? {
        Changed::Stands(version) => {
            Stepped::Stands(Box::new(Standing { record: after, version, bytes: Value::from(bytes) }))
        }
        Changed::Other(found) => Stepped::Other(found.map(|found| found.record.place())),
    })
}

fn encoded(outcome: &JobOutcome) -> Result<Vec<u8>, GivenUp> {
    let encode = |outcome: &JobOutcome| {
        spaces::encode_outcome(outcome).map_err(|error| {
            tracing::error!(%error, "a job's outcome cannot be written");
            GivenUp
        })
    };
    let bytes = encode(outcome)?;
    if bytes.len() <= r3e_store::limits::MAX_VALUE_BYTES {
        return Ok(bytes);
    }
    encode(&not_run("output_limit", "the result and the log do not fit one record of the store".to_owned()))
}

async fn event(inner: &Inner, address: Address) -> Result<Value, GivenUp> {
    let mut pauses = Pauses::new(&inner.phase);
    loop {
        match spaces::read_event(&inner.store, address).await {
            Ok(Some(event)) => return Ok(event),
            // Written with the job, and removed with it.
            Ok(None) => return Err(GivenUp),
            Err(error) if !error.may_pass() => return Err(GivenUp),
            Err(_) => pauses.next().await?,
        }
    }
}

fn later(record: &Record, now_ms: u64) -> Place {
    Place::Queued { due_ms: now_ms.saturating_add(NO_ROOM_PAUSE_MS), bytes: record.bytes }
}
