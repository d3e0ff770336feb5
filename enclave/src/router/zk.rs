//! `/v1/zk`.

use axum::Json;
use axum::extract::State;
use r3e_proto::api::zk::{ProveRanges, ProvedRanges, RangeProof, Verdict, VerifyProof};

use super::Shared;
use super::authority::{self, Tenant};
use super::body::{JsonBody, SecretJson};
use super::error::ApiError;
use crate::limits::{MAX_RANGE_PROOF_BODY_BYTES, MAX_VERIFY_PROOF_BODY_BYTES};
use crate::service::zk_error;

/// `POST /v1/zk/range-proofs`
pub(super) async fn prove_ranges(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    SecretJson { value: asked, place: _place }: SecretJson<ProveRanges, MAX_RANGE_PROOF_BODY_BYTES>,
) -> Result<Json<ProvedRanges>, ApiError> {
    Ok(Json(appliance.zk.prove_ranges(tenant.id(), asked).await.map_err(zk_error)?))
}

/// `POST /v1/zk/proofs/verify`
pub(super) async fn verify_proof(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    JsonBody { value: asked, place: _place }: JsonBody<VerifyProof, MAX_VERIFY_PROOF_BODY_BYTES>,
) -> Result<Json<Verdict>, ApiError> {
    Ok(Json(appliance.zk.verify_proof(tenant.id(), asked).await.map_err(zk_error)?))
}

/// `POST /v1/zk/range-proofs/verify`
pub(super) async fn verify_ranges(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    JsonBody { value: proof, place: _place }: JsonBody<RangeProof, MAX_RANGE_PROOF_BODY_BYTES>,
) -> Result<Json<Verdict>, ApiError> {
    Ok(Json(appliance.zk.verify_ranges(tenant.id(), proof).await.map_err(zk_error)?))
}
