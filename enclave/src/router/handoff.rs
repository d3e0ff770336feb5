//! The handoff, as a successor asks for it on a session of its own; and what is left of an appliance afterwards.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use r3e_proto::api::codes as api;
use r3e_proto::handoff::{MAX_REQUEST_BYTES, Request, codes};

use super::Shared;
use super::authority::OnSession;
use super::body::Raw;
use super::error::ApiError;
use super::front::Front;
use crate::appliance::Appliance;
use crate::handoff::{HandoverError, Standing};
use crate::service::ServiceError;

/// `POST /v1/handoff`
pub(super) async fn grant(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    Raw { bytes, place: _place }: Raw<MAX_REQUEST_BYTES>,
) -> Result<Response, ApiError> {
    // Whoever is refused pays with a handshake for every few tries: judging one costs some milliseconds.
    if !session.may_try() {
        return Err(ApiError::unauthenticated("too many refusals on this session; open another"));
    }
    let request = Request::decode(&bytes)
        .map_err(|error| ApiError::bad_request(format!("the body is no handoff request: {error}")))?;
    // What is not written by now, the successor does not know.
    appliance.billing.flush().await;
    let handover = Arc::clone(&appliance.handover);
    let binding = *session.binding();
    // To its end, whether the successor is still there or not: a frozen store must find somebody to thaw it.
    let granted = tokio::spawn(handover.grant(request, binding)).await;
    let interrupted = |_| ServiceError::Internal("the handoff was interrupted".into());
    let granted = granted.map_err(interrupted)?;
    if let Err(HandoverError::Refused(_)) = &granted {
        session.failed_sign_in();
    }
    let grant = granted.map_err(refused)?;
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

/// Answers a request only from a state that is the appliance's, or was when it was handed over, no longer ago than the
/// patience: otherwise a parent that lets nothing through could have what is long past told as if it were so.
pub(super) async fn from_known_state<F: Front>(
    State(front): State<Arc<F>>,
    request: HttpRequest,
    next: Next,
) -> Response {
    let Some(handover) = front.handover() else { return next.run(request).await };
    match handover.standing() {
        Standing::Own | Standing::HandedOver => {}
        Standing::Unsettled => return being_settled().into_response(),
        Standing::Superseded => return is_superseded().await,
    }
    let response = next.run(request).await;
    // What was under way when the patience ended is answered when it is known whether it was true.
    if handover.may_still_tell().await { response } else { may_stand().into_response() }
}

/// Refuses, where the state was handed over: what other appliances rely on must not be as old as the grant.
///
/// # Errors
/// 503 `handing_over`.
pub(super) fn require_own_state(appliance: &Appliance) -> Result<(), ApiError> {
    match appliance.handover.standing() {
        Standing::Own => Ok(()),
        Standing::HandedOver | Standing::Unsettled | Standing::Superseded => Err(being_settled()),
    }
}

fn being_settled() -> ApiError {
    let message =
        "the appliance is being handed over, and it is not known yet who goes on; try again in a second";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, api::HANDING_OVER, message)
}

fn may_stand() -> ApiError {
    let message = "another enclave took this appliance over meanwhile; connect again, and look whether what you asked for \
                   was done before you ask again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, api::STORE_UNAVAILABLE, message)
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
        HandoverError::Busy => ServiceError::Busy(message).into(),
        HandoverError::Store(error) => error.into(),
        HandoverError::Key(_) | HandoverError::Interrupted => ServiceError::Internal(message).into(),
    }
}
