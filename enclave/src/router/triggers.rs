//! `/v1/triggers`, and `/v1/events/{topic}`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::triggers::{Definition, Fire, Fired, Published, Trigger};
use r3e_triggers::limits::MAX_BODY_BYTES;

use super::Shared;
use super::authority::{self, Tenant};
use super::body::{JsonBody, Raw};
use super::error::ApiError;
use super::jobs::IdempotencyKey;
use super::name::Name;
use crate::service::ServiceError;

/// `GET /v1/triggers`
pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
) -> Json<Vec<Trigger>> {
    Json(appliance.triggers.list(tenant.id()).await)
}

/// `GET /v1/triggers/{name}`
pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Trigger>, ApiError> {
    Ok(Json(appliance.triggers.show(tenant.id(), &name).await.map_err(ServiceError::from)?))
}

/// `PUT /v1/triggers/{name}`
pub(super) async fn set(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
    JsonBody { value: definition, place: _place }: JsonBody<Definition>,
) -> Result<Json<Trigger>, ApiError> {
    let set = appliance.triggers.set(tenant.id(), &name, definition).await;
    Ok(Json(set.map_err(ServiceError::from)?))
}

/// `DELETE /v1/triggers/{name}`
pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.triggers.delete(tenant.id(), &name).await.map_err(ServiceError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/triggers/{name}/pause`
pub(super) async fn pause(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Trigger>, ApiError> {
    let paused = appliance.triggers.pause(tenant.id(), &name, true).await;
    Ok(Json(paused.map_err(ServiceError::from)?))
}

/// `POST /v1/triggers/{name}/resume`
pub(super) async fn resume(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Trigger>, ApiError> {
    let resumed = appliance.triggers.pause(tenant.id(), &name, false).await;
    Ok(Json(resumed.map_err(ServiceError::from)?))
}

/// `POST /v1/triggers/{name}/fire`
pub(super) async fn fire(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    Raw { bytes: data, place: _place }: Raw<MAX_BODY_BYTES>,
) -> Result<(StatusCode, Json<Fired>), ApiError> {
    let fired = appliance.triggers.fire(tenant.id(), &name, &data).await;
    Ok((StatusCode::ACCEPTED, Json(fired.map_err(ServiceError::from)?)))
}

/// `GET /v1/triggers/{name}/history`
pub(super) async fn history(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Vec<Fire>>, ApiError> {
    Ok(Json(appliance.triggers.history(tenant.id(), &name).await.map_err(ServiceError::from)?))
}

/// `POST /v1/events/{topic}`
pub(super) async fn publish(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(topic): Name,
    IdempotencyKey(key): IdempotencyKey,
    Raw { bytes: data, place: _place }: Raw<MAX_BODY_BYTES>,
) -> Result<(StatusCode, Json<Published>), ApiError> {
    let published = appliance.triggers.publish(tenant.id(), &topic, &data, key.as_deref(), 0).await;
    Ok((StatusCode::ACCEPTED, Json(published.map_err(ServiceError::from)?)))
}
