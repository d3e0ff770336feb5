//! What anyone may ask, with or without a session.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use r3e_proto::api::{codes, status::Health};
use r3e_proto::channel::binding::public_binding;
use r3e_proto::channel::evidence::EvidenceReply;
use r3e_proto::limits::NONCE_BYTES;
use serde::Deserialize;

use super::error::ApiError;
use super::front::Front;
use crate::RELEASE;

/// `GET /v1/health`
pub(super) async fn health<F: Front>(State(front): State<Arc<F>>) -> Json<Health> {
    Json(Health { status: front.health().to_owned(), version: RELEASE.to_owned() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvidenceQuery {
    nonce: String,
}

/// `GET /v1/evidence?nonce=HEX`: evidence for whoever asks. Its domain is not a session's, so it opens no channel.
pub(super) async fn evidence<F: Front>(
    State(front): State<Arc<F>>,
    query: Result<Query<EvidenceQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let wrong = || ApiError::bad_request(format!("?nonce= takes {} hex digits", 2 * NONCE_BYTES));
    let Query(query) = query.map_err(|_| wrong())?;
    let mut nonce = [0; NONCE_BYTES];
    hex::decode_to_slice(&query.nonce, &mut nonce).map_err(|_| wrong())?;
    let binding = public_binding(&nonce, front.spki(), front.configuration().digest());
    let evidence =
        front.evidence().evidence(binding).await.map_err(|error| {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, error.to_string())
        })?;
    let body = EvidenceReply::Evidence(evidence).encode();
    Ok(([(header::CONTENT_TYPE, "application/cbor")], body).into_response())
}

/// `GET /v1/openapi.json`
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}
