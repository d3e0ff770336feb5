//! Webhooks: telling the other end that a job has ended, by a signed notice, until it answers or enough was tried. What it came
//! to is recorded with the job. The other end may be told more than once, and knows a job by its id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_proto::api::functions::{FunctionError, Outcome};
use r3e_proto::api::jobs::{JobOutcome, WebhookState};
use r3e_proto::notice::Notice;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::attempts::{Stepped, step};
use crate::changes::{GivenUp, closed, read_through};
use crate::index::Place;
use crate::jobs::Inner;
use crate::outside::Telling;
use crate::policy::jittered;
use crate::record::{Address, Record, Told};
use crate::spaces;

/// The one status that asks for no further try.
const GONE: u16 = 410;

/// Tells one job's webhook, and gives the claim back.
pub(crate) async fn tell(inner: &Inner, address: Address) {
    // Otherwise it is left to whoever opens the state next.
    if let Ok(place) = tell_once(inner, address).await {
        inner.release(address, place);
    }
}

async fn tell_once(inner: &Inner, address: Address) -> Result<Option<Place>, GivenUp> {
    let Some(standing) = read_through(&inner.store, &inner.phase, address).await? else { return Ok(None) };
    let place = standing.record.place();
    if !matches!(place, Place::Telling { .. }) {
        return Ok(Some(place));
    }
    let told = tokio::select! {
        () = closed(&inner.phase) => return Err(GivenUp),
        told = told(inner, address, &standing.record) => told,
    };
    let mut record = standing.record.clone();
    record.told(&told, inner.now_ms(), jittered);
    let state = record.job.webhook.as_ref().map(|webhook| webhook.state);
    match step(inner, address, &standing, record, None).await? {
        Stepped::Stands(standing) => {
            match state {
                Some(WebhookState::Delivered) => inner.tallies.webhooks_delivered.add(),
                Some(WebhookState::Failed) => inner.tallies.webhooks_failed.add(),
                _ => {}
            }
            Ok(Some(standing.record.place()))
        }
        Stepped::Other(place) => Ok(place),
    }
}

/// Tries once; what that came to.
async fn told(inner: &Inner, address: Address, record: &Record) -> Told {
    let again = |what: &str| Told { what: what.to_owned(), is_enough: false, may_be_repeated: true };
    let never = |what: &str| Told { what: what.to_owned(), is_enough: false, may_be_repeated: false };
    let Some(webhook) = &record.job.webhook else { return never("no_webhook") };
    let granted = match inner.invocations.granted(address.tenant, &record.job.function).await {
        Ok(Some(granted)) => granted,
        Ok(None) => return never("no_function"),
        Err(_) => return again("unavailable"),
    };
    // The grants may have changed since the job was taken in.
    if inner.courier.check(&webhook.url, &granted).is_err() {
        return never("host_not_granted");
    }
    let Ok(outcome) = spaces::read_outcome(&inner.store, address).await else { return again("unavailable") };
    let Some((notice, body)) = signed(inner, address, record, outcome.as_ref()) else {
        return again("internal");
    };
    let telling = Telling { url: &webhook.url, granted: &granted, notice: &notice, body: &body };
    match inner.courier.tell(telling).await {
        Ok(status) => Told {
            what: format!("http_{status}"),
            is_enough: (200..300).contains(&status),
            may_be_repeated: status != GONE,
        },
        Err(code) => again(&code),
    }
}

/// The notice and the body that it is about.
fn signed(
    inner: &Inner,
    address: Address,
    record: &Record,
    outcome: Option<&JobOutcome>,
) -> Option<(String, Vec<u8>)> {
    let job = &record.job;
    let (code, text, receipt) = match outcome {
        None => ("cancelled", "", None),
        Some(JobOutcome::NotRun(FunctionError { code, message, .. })) => {
            (code.as_str(), message.as_str(), None)
        }
        Some(JobOutcome::Invocation(invocation)) => {
            let receipt = Some(invocation.receipt.as_str());
            match &invocation.outcome {
                Outcome::Output(text) => ("ok", text.as_str(), receipt),
                Outcome::Error(error) => (error.code.as_str(), error.message.as_str(), receipt),
            }
        }
    };
    let output: [u8; 32] = Sha256::digest(text).into();
    let time_ms = job.finished_at_ms.unwrap_or_default();
    let body = json!({
        "id": job.id,
        "function": job.function,
        "state": job.state,
        "outcome": code,
        "output_sha256": hex::encode(output),
        "finished_at_ms": time_ms,
        "attempts": job.attempts.len(),
        "receipt": receipt,
    });
    let body = body.to_string().into_bytes();
    let notice = Notice {
        job: address.id.0,
        tenant: address.tenant.0,
        function: job.function.clone(),
        state: job.state.name().to_owned(),
        outcome: code.to_owned(),
        output,
        time_ms,
        body: Sha256::digest(&body).into(),
    };
    let mut failed = false;
    let signed = notice.sign(|message| {
        inner.report_key.sign(message).unwrap_or_else(|error| {
            tracing::error!(%error, "a notice cannot be signed");
            failed = true;
            [0; 64]
        })
    });
    (!failed).then(|| (BASE64.encode(signed), body))
}
