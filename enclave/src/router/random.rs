//! `/v1/random`, `/v1/random-key`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::codes;
use r3e_proto::api::random::{DrawRandom, Random, RandomKey};
use r3e_proto::random::Occasion;

use super::Shared;
use super::authority::{self, Tenant};
use super::body::JsonBody;
use super::error::ApiError;
use crate::limits::MAX_RANDOM_BODY_BYTES;
use crate::service::AttestedKeyError;

/// `POST /v1/random`
pub(super) async fn draw(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    JsonBody { value: request, place: _place }: JsonBody<DrawRandom, MAX_RANDOM_BODY_BYTES>,
) -> Result<Json<Random>, ApiError> {
    let DrawRandom { min, max, seed } = request;
    Ok(Json(appliance.randomness.draw(tenant.id(), Occasion::Seed { seed }, min, max).await?))
}

/// `GET /v1/random-key`
pub(super) async fn key(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
) -> Result<Json<RandomKey>, ApiError> {
    Ok(Json(appliance.randomness.attested(tenant.id()).await.map_err(no_document)?))
}

/// There is no document that attests a tenant's key.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
pub(super) fn no_document(error: AttestedKeyError) -> ApiError {
    let message = format!("the attestation device gives no document now ({error}); try again in a second");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, message)
}
