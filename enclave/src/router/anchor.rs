//! `/v1/anchor`: how far the state is, signed for the chain that remembers it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::anchor::SignedAnchor;
use r3e_proto::api::codes;

use super::Shared;
use super::authority::{Tenant, Wallets};
use super::error::ApiError;

/// `POST /v1/anchor`: whoever may pay for it is given it.
pub(super) async fn sign(
    State(appliance): State<Shared>,
    _: Tenant<Wallets>,
) -> Result<Json<SignedAnchor>, ApiError> {
    let Some(anchors) = &appliance.anchors else {
        let message = "this appliance is anchored on no chain: its configuration has no [anchor]";
        return Err(ApiError::new(StatusCode::NOT_FOUND, codes::NOT_FOUND, message.to_owned()));
    };
    Ok(Json(anchors.sign().await?))
}
