//! `/v1/functions`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::functions::{Deploy, Function, Invocation, LogEntry};

use super::Shared;
use super::authority::{self, Tenant};
use super::body::{JsonBody, Raw};
use super::error::ApiError;
use super::name::Name;
use crate::limits::{MAX_DEPLOY_BODY_BYTES, MAX_EVENT_BYTES};

pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
) -> Result<Json<Vec<Function>>, ApiError> {
    Ok(Json(appliance.functions.list(tenant.id()).await?))
}

pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Function>, ApiError> {
    Ok(Json(appliance.functions.show(tenant.id(), &name).await?))
}

pub(super) async fn deploy(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
    JsonBody { value: deploy, place: _place }: JsonBody<Deploy, MAX_DEPLOY_BODY_BYTES>,
) -> Result<Json<Function>, ApiError> {
    Ok(Json(appliance.functions.deploy(tenant.id(), &name, deploy).await?))
}

pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.functions.delete(tenant.id(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn logs(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
) -> Result<Json<Vec<LogEntry>>, ApiError> {
    Ok(Json(appliance.functions.logs(tenant.id(), &name).await?))
}

pub(super) async fn invoke(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    Raw { bytes: event, place: _place }: Raw<MAX_EVENT_BYTES>,
) -> Result<Json<Invocation>, ApiError> {
    Ok(Json(appliance.functions.invoke(tenant.id(), &name, &event).await?))
}
