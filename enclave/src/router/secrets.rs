//! `/v1/secrets`. No route gives a value back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::secrets::Secret;
use zeroize::Zeroize as _;

use super::Shared;
use super::authority::{Secrets, Tenant};
use super::body::Raw;
use super::error::ApiError;
use super::name::Name;
use crate::limits::MAX_SECRET_BYTES;

pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
) -> Result<Json<Vec<Secret>>, ApiError> {
    Ok(Json(appliance.secrets.list(tenant.id()).await?))
}

pub(super) async fn set(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Name(name): Name,
    Raw { bytes: value, place: _place }: Raw<MAX_SECRET_BYTES>,
) -> Result<Json<Secret>, ApiError> {
    let set = appliance.secrets.set(tenant.id(), &name, &value).await;
    // The body is this handler's alone by now, so it can be wiped where it lies.
    if let Ok(mut bytes) = value.try_into_mut() {
        bytes.zeroize();
    }
    Ok(Json(set?))
}

pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.secrets.delete(tenant.id(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
