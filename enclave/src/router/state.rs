//! The sealed state, as its operator sees and keeps it: how far it is, and a new epoch of its keys.

use axum::Json;
use axum::extract::State;
use r3e_proto::api::state::SealedState;
use r3e_store::Summary;

use super::Shared;
use super::authority::Operator;
use super::error::ApiError;

/// `GET /v1/state`
pub(super) async fn show(State(appliance): State<Shared>, _: Operator) -> Json<SealedState> {
    Json(sealed_state(&appliance.store.summary()))
}

/// `POST /v1/state/rotate`
pub(super) async fn rotate(
    State(appliance): State<Shared>,
    _: Operator,
) -> Result<Json<SealedState>, ApiError> {
    let epoch = appliance.store.rotate().await?;
    tracing::info!(epoch, "the operator began a new epoch");
    Ok(Json(sealed_state(&appliance.store.summary())))
}

fn sealed_state(summary: &Summary) -> SealedState {
    SealedState {
        sequence: summary.sequence,
        head: hex::encode(summary.head),
        root: hex::encode(summary.root),
        records: summary.records,
        epoch: summary.epoch,
        oldest_epoch: summary.oldest_epoch,
        to_reseal: summary.to_reseal,
        sealings: summary.sealings,
        checkpoint_pages: summary.checkpoint_pages,
        tail: summary.tail,
    }
}
