//! Unlocking: what a quorum's members ask and send while the appliance is locked, and what is left of it afterwards.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_keys::quorum::{Approve, Init, QuorumError};
use r3e_proto::api::codes;
use r3e_proto::api::unlock::{self, LockedStatus, Unlock, UnlockState};
use zeroize::Zeroizing;

use super::Shared;
use super::appliance::attestation_calls;
use super::authority::OnSession;
use super::body::{JsonBody, SecretJson};
use super::error::ApiError;
use crate::RELEASE;
use crate::limits::MAX_SIGN_IN_BODY_BYTES;
use crate::locked::{InitError, Locked, describe};
use crate::session::Session;

/// `GET /v1/unlock`, locked
pub(super) async fn show(State(locked): State<Arc<Locked>>, _: OnSession) -> Json<Unlock> {
    Json(locked.view())
}

/// `GET /v1/status`, locked
pub(super) async fn status(State(locked): State<Arc<Locked>>, _: OnSession) -> Json<LockedStatus> {
    Json(LockedStatus {
        locked: locked.view(),
        version: RELEASE.to_owned(),
        configuration: hex::encode(locked.configuration.digest()),
        time_ms: locked.clock.now_ms(),
        uptime_ms: u64::try_from(locked.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        attestation: attestation_calls(&locked.attester),
        attested_sessions: locked.counters.attested(),
        open_sessions: locked.counters.open(),
    })
}

/// `POST /v1/unlock/init`, locked
pub(super) async fn init(
    State(locked): State<Arc<Locked>>,
    OnSession(session): OnSession,
    JsonBody { value: request, place: _place }: JsonBody<unlock::Init, MAX_SIGN_IN_BODY_BYTES>,
) -> Result<(StatusCode, Json<Unlock>), ApiError> {
    may_try(&session)?;
    let signature = hex_field("signature", &request.signature)?;
    let request = Init { member: &request.member, signature: &signature };
    match locked.init(request, session.binding()).await {
        Ok(unlock) => Ok((StatusCode::CREATED, Json(unlock))),
        Err(InitError::Quorum(error)) => Err(refused(&session, &error)),
        Err(error @ InitError::Entropy(_)) => Err(unavailable(&error)),
    }
}

/// `POST /v1/unlock/shares`, locked
pub(super) async fn approve(
    State(locked): State<Arc<Locked>>,
    OnSession(session): OnSession,
    SecretJson { value: request, place: _place }: SecretJson<unlock::Approval, MAX_SIGN_IN_BODY_BYTES>,
) -> Result<Json<Unlock>, ApiError> {
    may_try(&session)?;
    let mut share = Zeroizing::new([0; r3e_proto::unlock::SHARE_BYTES]);
    hex::decode_to_slice(request.share.expose(), share.as_mut_slice())
        .map_err(|_| ApiError::bad_request("share takes 64 hex digits"))?;
    let approval = Approve {
        member: &request.member,
        policy: &hex_field("policy", &request.policy)?,
        setup: &hex_field("setup", &request.setup)?,
        share,
        signature: &hex_field("signature", &request.signature)?,
    };
    locked.approve(approval, session.binding()).map(Json).map_err(|error| refused(&session, &error))
}

/// 423 for every other route of a locked appliance's.
pub(super) async fn is_locked(State(locked): State<Arc<Locked>>) -> ApiError {
    let view = locked.view();
    let threshold = view.threshold.unwrap_or_default();
    let message = format!(
        "the appliance is locked ({} of {threshold} members have approved): {}",
        view.approved.len(),
        view.detail
    );
    ApiError::new(StatusCode::LOCKED, codes::LOCKED, message)
}

/// `GET /v1/unlock`, serving
pub(super) async fn show_unlocked(State(appliance): State<Shared>, _: OnSession) -> Json<Unlock> {
    Json(match appliance.unlock.quorum() {
        Some(quorum) => describe(quorum, quorum.view(), true),
        None => Unlock {
            provider: appliance.unlock.get().name().to_owned(),
            state: UnlockState::Unlocked,
            policy: hex::encode(appliance.unlock.get().policy_bytes()),
            setup: None,
            threshold: None,
            approved: Vec::new(),
            detail: "the appliance serves".to_owned(),
        },
    })
}

/// `POST /v1/unlock/…`, serving
pub(super) async fn is_unlocked(_: OnSession) -> ApiError {
    let message = QuorumError::Unlocked.to_string();
    ApiError::new(StatusCode::CONFLICT, unlock::codes::UNLOCKED, message)
}

fn may_try(session: &Session) -> Result<(), ApiError> {
    if session.may_try() {
        return Ok(());
    }
    Err(ApiError::unauthenticated("too much was refused on this session; open another"))
}

fn hex_field<const N: usize>(name: &str, digits: &str) -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| ApiError::bad_request(format!("{name} takes {} hex digits", 2 * N)))?;
    Ok(bytes)
}

/// A refusal as an answer. What only a guesser, or a client with a wrong key, comes by is counted.
fn refused(session: &Session, error: &QuorumError) -> ApiError {
    use unlock::codes;
    let (status, code) = match error {
        QuorumError::Reading | QuorumError::Slot(_) | QuorumError::Documents(_) => return unavailable(error),
        QuorumError::NoSetup => (StatusCode::CONFLICT, codes::NO_SETUP),
        QuorumError::SetupStands => (StatusCode::CONFLICT, codes::SETUP_STANDS),
        QuorumError::Unusable(_) => (StatusCode::CONFLICT, codes::SETUP_UNUSABLE),
        QuorumError::Unlocked => (StatusCode::CONFLICT, codes::UNLOCKED),
        QuorumError::Foreign(_) => (StatusCode::FORBIDDEN, codes::FOREIGN),
        QuorumError::Stale => (StatusCode::CONFLICT, codes::STALE),
        QuorumError::Signature => (StatusCode::UNAUTHORIZED, codes::SIGNATURE),
        QuorumError::Duplicate { .. } => (StatusCode::CONFLICT, codes::DUPLICATE),
        QuorumError::WrongShare { .. } => (StatusCode::UNPROCESSABLE_ENTITY, codes::WRONG_SHARE),
        QuorumError::OtherRoot => (StatusCode::CONFLICT, codes::OTHER_ROOT),
        _ => {
            tracing::error!(%error, "the quorum failed");
            let message = "a fault of the appliance's; the operator's log has the cause";
            return ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                r3e_proto::api::codes::INTERNAL,
                message,
            );
        }
    };
    if matches!(
        error,
        QuorumError::Foreign(_)
            | QuorumError::Stale
            | QuorumError::Signature
            | QuorumError::WrongShare { .. }
    ) {
        session.failed_sign_in();
    }
    tracing::warn!(code, "a member's request was refused");
    ApiError::new(status, code, error.to_string())
}

/// 503: the parent or the device did not do its part. Why is for the operator's log.
fn unavailable(error: &dyn std::error::Error) -> ApiError {
    tracing::warn!(%error, source = error.source().map(ToString::to_string), "an unlocking could not go on");
    let message = format!("{error}; try again in a second");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, unlock::codes::UNAVAILABLE, message)
}
