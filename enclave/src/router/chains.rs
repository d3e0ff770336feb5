//! `/v1/chains`.

use axum::Json;
use axum::extract::State;
use r3e_proto::api::chains::ChainStatus;

use super::Shared;
use super::authority::{Tenant, Wallets};
use super::error::ApiError;

/// `GET /v1/chains`
pub(super) async fn list(
    State(appliance): State<Shared>,
    _: Tenant<Wallets>,
) -> Result<Json<Vec<ChainStatus>>, ApiError> {
    Ok(Json(appliance.chains.status().await))
}
