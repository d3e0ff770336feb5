//! What a session may ask about the appliance itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_attester::Attester;
use r3e_proto::api::codes;
use r3e_proto::api::status::{AttestationCalls, ReportKey, Status};

use super::Shared;
use super::authority::OnSession;
use super::error::ApiError;
use super::front::Front;
use crate::RELEASE;

/// `GET /v1/status`
pub(super) async fn status(State(appliance): State<Shared>, _: OnSession) -> Json<Status> {
    Json(Status {
        version: RELEASE.to_owned(),
        unlock: appliance.unlock.get().name().to_owned(),
        unlock_adopted: appliance.adoption.is_done(),
        identity: hex::encode(appliance.identity),
        witness: appliance.witness.status(&appliance.store),
        anchor: appliance.anchors.as_ref().map(|anchors| anchors.status()),
        sequence: appliance.store.sequence(),
        configuration: hex::encode(appliance.configuration.digest()),
        time_ms: appliance.clock.now_ms(),
        uptime_ms: u64::try_from(appliance.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        attestation: attestation_calls(&appliance.attester),
        attested_sessions: appliance.counters.attested(),
        open_sessions: appliance.counters.open(),
        jobs: appliance.jobs.counts(),
    })
}

/// What the calls to the device came to.
pub(super) fn attestation_calls(attester: &Attester) -> AttestationCalls {
    let device = attester.stats();
    AttestationCalls {
        calls: device.calls,
        errors: device.errors,
        refused: device.rejected,
        abandoned: device.abandoned,
        waiting: device.queue_depth as u64,
        last_us: device.last_latency_us,
        max_us: device.max_latency_us,
        total_us: device.total_latency_us,
    }
}

/// `GET /v1/configuration`
pub(super) async fn configuration<F: Front>(State(front): State<Arc<F>>, _: OnSession) -> Response {
    let bytes = front.configuration().bytes().to_vec();
    ([(header::CONTENT_TYPE, "application/toml")], bytes).into_response()
}

/// `GET /v1/report-key`
pub(super) async fn report_key(
    State(appliance): State<Shared>,
    _: OnSession,
) -> Result<Json<ReportKey>, ApiError> {
    let document = appliance.report_key.document().await.map_err(|error| {
        let message =
            format!("the attestation device gives no document now ({error}); try again in a second");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, message)
    })?;
    Ok(Json(ReportKey {
        public_key: hex::encode(appliance.report_key.public_key()),
        document: STANDARD.encode(document),
    }))
}
