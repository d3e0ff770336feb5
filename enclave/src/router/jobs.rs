//! `/v1/jobs`, and `/v1/functions/{name}/jobs`.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use r3e_jobs::NewJob;
use r3e_jobs::limits::{DEFAULT_KEEP_MS, MAX_PAGE};
use r3e_proto::api::jobs::{Enqueued, Job, JobDetails, JobId, JobPage, Origin, RetryOn, RetryPolicy};
use r3e_proto::api::versions::{At, PROD, Reference};
use serde::Deserialize;

use super::Shared;
use super::authority::{self, Tenant};
use super::body::Raw;
use super::error::ApiError;
use super::name::Meant;
use super::secrets::Checked;
use crate::limits::MAX_EVENT_BYTES;
use crate::service::ServiceError;

/// The header that makes the same request made again the same job.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How a job is done, beside its event: the query of `POST /v1/functions/{name}/jobs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobQuery {
    attempts: Option<u32>,
    first_delay_ms: Option<u64>,
    max_delay_ms: Option<u64>,
    /// What is retried, with commas between; empty for nothing.
    retry_on: Option<String>,
    webhook: Option<String>,
    keep_ms: Option<u64>,
}

/// `POST /v1/functions/{name}/jobs`
pub(super) async fn enqueue(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Meant(reference): Meant,
    Checked(query): Checked<JobQuery>,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Raw { bytes: event, place: _place }: Raw<MAX_EVENT_BYTES>,
) -> Result<(StatusCode, Json<Enqueued>), ApiError> {
    let JobQuery { attempts, first_delay_ms, max_delay_ms, retry_on, webhook, keep_ms } = query;
    let default = RetryPolicy::default();
    let first_delay_ms = first_delay_ms.unwrap_or(default.first_delay_ms);
    let policy = RetryPolicy {
        attempts: attempts.unwrap_or(default.attempts),
        first_delay_ms,
        // Where one alone is set, the other gives way.
        max_delay_ms: max_delay_ms.unwrap_or(default.max_delay_ms.max(first_delay_ms)),
        retry_on: match retry_on {
            None => default.retry_on,
            Some(names) => retried(&names)?,
        },
    };
    let new = NewJob {
        function: text(&reference),
        event: event.to_vec(),
        policy,
        webhook,
        keep_ms: keep_ms.unwrap_or(DEFAULT_KEEP_MS),
        idempotency_key,
        origin: Origin::Api,
        hops: 0,
    };
    let enqueued = appliance.jobs.enqueue(tenant.id(), new).await.map_err(ServiceError::from)?;
    Ok((StatusCode::ACCEPTED, Json(enqueued)))
}

/// Which jobs are asked for: the query of `GET /v1/jobs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    state: Option<String>,
    after: Option<JobId>,
    limit: Option<usize>,
}

/// `GET /v1/jobs`
pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Checked(ListQuery { state, after, limit }): Checked<ListQuery>,
) -> Result<Json<JobPage>, ApiError> {
    let state = state.map(|state| state.parse()).transpose();
    let state = state.map_err(|error| ApiError::bad_request(format!("?state=: {error}")))?;
    let page = appliance.jobs.list(tenant.id(), state, after, limit.unwrap_or(MAX_PAGE)).await;
    Ok(Json(page.map_err(ServiceError::from)?))
}

/// `GET /v1/jobs/{id}`
pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Id(id): Id,
) -> Result<Json<JobDetails>, ApiError> {
    Ok(Json(appliance.jobs.show(tenant.id(), id).await.map_err(ServiceError::from)?))
}

/// `DELETE /v1/jobs/{id}`
pub(super) async fn cancel(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Id(id): Id,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(appliance.jobs.cancel(tenant.id(), id).await.map_err(ServiceError::from)?))
}

/// `POST /v1/jobs/{id}/replay`
pub(super) async fn replay(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Id(id): Id,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<(StatusCode, Json<Enqueued>), ApiError> {
    let enqueued = appliance.jobs.replay(tenant.id(), id, key).await.map_err(ServiceError::from)?;
    Ok((StatusCode::ACCEPTED, Json(enqueued)))
}

/// A job's id, as a path holds it.
pub(super) struct Id(JobId);

impl FromRequestParts<Shared> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, appliance).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| ApiError::bad_request("a job's id has 32 lower-case hex digits"))
    }
}

/// The one `Idempotency-Key` of a request, if it has any.
pub(super) struct IdempotencyKey(pub(super) Option<String>);

impl FromRequestParts<Shared> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        match (value.to_str(), values.next()) {
            (Ok(key), None) => Ok(Self(Some(key.to_owned()))),
            _ => Err(ApiError::bad_request("Idempotency-Key must be one line of printable ASCII")),
        }
    }
}

fn retried(names: &str) -> Result<Vec<RetryOn>, ApiError> {
    let names = names.split(',').filter(|name| !name.is_empty()).take(RetryOn::ALL.len() + 1);
    names
        .map(|name| name.parse().map_err(|error| ApiError::bad_request(format!("?retry_on=: {error}"))))
        .collect()
}

/// A reference as it was written, in its one form.
fn text(reference: &Reference) -> String {
    let function = reference.function();
    match reference.at() {
        At::Alias(alias) if alias == PROD => function.to_owned(),
        At::Alias(at) | At::Version(at) => format!("{function}@{at}"),
    }
}
