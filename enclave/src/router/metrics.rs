//! `/v1/metrics`, of a tenant for itself, and `/v1/operator/metrics`, of the appliance for its operator.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use r3e_proto::api::observations::OPENMETRICS_TEXT;

use super::Shared;
use super::appliance::attestation_calls;
use super::authority::{self, Operator, Tenant};
use super::error::ApiError;
use crate::RELEASE;
use crate::memory::resident_bytes;
use crate::service::{ApplianceMetrics, TenantMetrics};

/// `GET /v1/metrics`
pub(super) async fn of_tenant(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
) -> Result<Response, ApiError> {
    let metrics = TenantMetrics {
        started_ms: appliance.started_ms,
        functions: appliance.functions.counts(tenant.id())?,
        jobs: appliance.jobs.counts_of(tenant.id()),
        feeds: appliance.feeds.measures(tenant.id()),
    };
    Ok(openmetrics(metrics.into_text()?))
}

/// `GET /v1/operator/metrics`
pub(super) async fn of_appliance(State(appliance): State<Shared>, _: Operator) -> Result<Response, ApiError> {
    let metrics = ApplianceMetrics {
        release: RELEASE,
        started_ms: appliance.started_ms,
        uptime_ms: u64::try_from(appliance.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        resident_bytes: resident_bytes(),
        answers: appliance.counters.answers(),
        connections: appliance.counters.connections(),
        open_sessions: appliance.counters.open(),
        invocations: appliance.functions.totals(),
        jobs: appliance.jobs.counts(),
        feeds: appliance.feeds.count(),
        rounds: appliance.feeds.totals(),
        // Of a state that is not read any more, the rest is worth the more.
        tenants: appliance.tenants.count().ok(),
        store: appliance.store.summary(),
        is_tampered: appliance.store.tampered().is_some(),
        attestation: attestation_calls(&appliance.attester),
    };
    Ok(openmetrics(metrics.into_text()?))
}

fn openmetrics(text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS_TEXT))], text).into_response()
}
