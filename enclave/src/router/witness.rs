//! Being a rollback witness: what other appliances record and ask, and whom the operator lets.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use r3e_proto::api::codes;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::{AdmitWitnessed, Answer, Ask, Hex, Record, Recorded, Witnessed};
use r3e_proto::witness::witnessed_message;

use super::Shared;
use super::authority::{OnSession, Operator};
use super::body::JsonBody;
use super::error::ApiError;
use super::handoff::require_own_state;
use crate::appliance::Appliance;
use crate::limits::MAX_SIGN_IN_BODY_BYTES;
use crate::service::Refused;
use crate::session::Session;

/// `POST /v1/witness`
pub(super) async fn record(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    JsonBody { value: request, place: _place }: JsonBody<Record, MAX_SIGN_IN_BODY_BYTES>,
) -> Result<Json<Answer>, ApiError> {
    may_try(&session)?;
    let recorded =
        async { appliance.witnessed.record(&request).await.map_err(|error| refused(&session, error)) };
    let last = of_own_state(|| require_own_state(&appliance), recorded).await?;
    answer(&appliance, &request.key, &request.nonce, Some(last))
}

/// `POST /v1/witness/last`
pub(super) async fn last(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    JsonBody { value: request, place: _place }: JsonBody<Ask, MAX_SIGN_IN_BODY_BYTES>,
) -> Result<Json<Answer>, ApiError> {
    may_try(&session)?;
    let told = async {
        let told = appliance.witnessed.last(&request, session.binding()).await;
        told.map_err(|error| refused(&session, error))
    };
    let last = of_own_state(|| require_own_state(&appliance), told).await?;
    answer(&appliance, &request.key, &request.nonce, last)
}

/// `POST /v1/witnessed`
pub(super) async fn admit(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    _: Operator,
    JsonBody { value: request, place: _place }: JsonBody<AdmitWitnessed>,
) -> Result<(StatusCode, Json<Witnessed>), ApiError> {
    let admitted = appliance.witnessed.admit(request).await.map_err(|error| refused(&session, error))?;
    tracing::info!(key = %admitted.key, name = admitted.name, "the operator has an appliance's commits remembered");
    Ok((StatusCode::CREATED, Json(admitted)))
}

/// `GET /v1/witnessed`
pub(super) async fn list(
    State(appliance): State<Shared>,
    _: Operator,
) -> Result<Json<Vec<Witnessed>>, ApiError> {
    Ok(Json(appliance.witnessed.list().await?))
}

/// `DELETE /v1/witnessed/{key}`
pub(super) async fn remove(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    _: Operator,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiError> {
    let key: PublicKey = key.parse().map_err(|_| ApiError::bad_request("a witness key has 64 hex digits"))?;
    appliance.witnessed.remove(&key).await.map_err(|error| refused(&session, error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What `work` finds, if the state is this appliance's own before and after: while it waited, the state may have been handed
/// over, and what a successor records from then on is not known here.
async fn of_own_state<T>(
    own: impl Fn() -> Result<(), ApiError>,
    work: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    own()?;
    let found = work.await?;
    own()?;
    Ok(found)
}

/// What is remembered, as this appliance's report key says it.
fn answer(
    appliance: &Appliance,
    key: &PublicKey,
    nonce: &Hex<32>,
    last: Option<Recorded>,
) -> Result<Json<Answer>, ApiError> {
    let commit = last.map(|last| last.commit());
    let message = witnessed_message(key, &nonce.0, commit.as_ref());
    let statement = appliance.report_key.sign(&message).map_err(|error| {
        tracing::error!(%error, "a witness's statement was not signed");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL, "a fault of the appliance's")
    })?;
    Ok(Json(Answer { last, statement: Hex(statement) }))
}

fn may_try(session: &Session) -> Result<(), ApiError> {
    if session.may_try() {
        return Ok(());
    }
    Err(ApiError::unauthenticated("too many wrong signatures on this session; open another"))
}

fn refused(session: &Session, error: Refused) -> ApiError {
    let (status, message) = match error {
        Refused::Service(error) => return error.into(),
        Refused::NotOffered => (StatusCode::CONFLICT, error.to_string()),
        Refused::NotAdmitted => (StatusCode::FORBIDDEN, error.to_string()),
        Refused::Signature => {
            session.failed_sign_in();
            (StatusCode::UNAUTHORIZED, error.to_string())
        }
    };
    ApiError::new(status, error.code().unwrap_or(codes::INTERNAL), message)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn handed_over() -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, codes::HANDING_OVER, "handed over")
    }

    #[tokio::test]
    async fn nothing_is_told_of_a_state_that_was_handed_over_before_or_meanwhile() {
        // Whether it is the own state before, and after; whether the work is done, and its outcome told.
        for (before, after, done, told) in
            [(true, true, true, true), (true, false, true, false), (false, true, false, false)]
        {
            let (is_own, was_done) = (Cell::new(before), Cell::new(false));
            let work = async {
                tokio::task::yield_now().await;
                was_done.set(true);
                is_own.set(after);
                Ok(7)
            };
            let found = of_own_state(|| if is_own.get() { Ok(()) } else { Err(handed_over()) }, work).await;
            assert_eq!((found.is_ok(), was_done.get()), (told, done), "{before} {after}");
        }
    }
}
