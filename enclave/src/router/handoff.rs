//! The handoff, as a successor asks for it on a session of its own; and what is left of an appliance afterwards.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use r3e_proto::api::codes as api;
use r3e_proto::handoff::{MAX_REQUEST_BYTES, Request, codes};

use super::Shared;
use super::authority::OnSession;
use super::body::Raw;
use super::error::ApiError;
use crate::handoff::HandoverError;
use crate::service::ServiceError;

/// `POST /v1/handoff`
pub(super) async fn grant(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    Raw { bytes, place: _place }: Raw<MAX_REQUEST_BYTES>,
) -> Result<Response, ApiError> {
    let request = Request::decode(&bytes)
        .map_err(|error| ApiError::bad_request(format!("the body is no handoff request: {error}")))?;
    let handover = Arc::clone(&appliance.handover);
    let binding = *session.binding();
    // To its end, whether the successor is still there or not: a frozen store must find somebody to thaw it.
    let granted = tokio::spawn(handover.grant(request, binding)).await;
    let interrupted = |_| ServiceError::Internal("the handoff was interrupted".into());
    let grant = granted.map_err(interrupted)?.map_err(refused)?;
    // Wiped when HTTP has copied it into what it sends.
    let body = Bytes::from_owner(grant.encode());
    Ok(([(header::CONTENT_TYPE, "application/cbor")], Body::from(body)).into_response())
}

/// `POST /v1/handoff/done`
pub(super) async fn done(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
) -> Result<StatusCode, ApiError> {
    appliance.handover.done(session.binding()).map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What everyone is served by an appliance that was superseded, inside a session or not.
pub(crate) fn superseded() -> Router {
    Router::new().fallback(is_superseded)
}

async fn is_superseded() -> Response {
    let message = "another enclave has taken this appliance over: connect again";
    let mut response =
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, api::SUPERSEDED, message).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn refused(error: HandoverError) -> ApiError {
    let message = error.to_string();
    match error {
        HandoverError::Refused(refusal) => ApiError::new(StatusCode::FORBIDDEN, refusal.code(), message),
        HandoverError::UnderWay => ApiError::new(StatusCode::CONFLICT, codes::HANDOFF_UNDER_WAY, message),
        HandoverError::NotOpen => ApiError::new(StatusCode::CONFLICT, codes::HANDOFF_NOT_OPEN, message),
        HandoverError::Store(error) => error.into(),
        HandoverError::Key(_) => ServiceError::Internal(message).into(),
    }
}
