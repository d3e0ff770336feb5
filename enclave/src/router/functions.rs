//! `/v1/functions`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::functions::{Deploy, Function, Invocation};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::observations::{LogPage, Metrics, Trace};
use r3e_proto::api::versions::Promotion;
use serde::Deserialize;

use super::Shared;
use super::authority::{self, Tenant};
use super::body::{JsonBody, Raw};
use super::error::ApiError;
use super::name::{Meant, Name, Part};
use super::secrets::Checked;
use super::versions::{StickyKey, actor};
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
    Checked(promotion): Checked<Promotion>,
    JsonBody { value: deploy, place: _place }: JsonBody<Deploy, MAX_DEPLOY_BODY_BYTES>,
) -> Result<Json<Function>, ApiError> {
    if !deploy.permissions.set_secrets.is_empty() {
        tenant.require(Scope::Secrets, "deploying a function that sets secrets")?;
    }
    if !deploy.permissions.wallets.is_empty() {
        tenant.require(Scope::Wallets, "deploying a function that uses wallets")?;
    }
    let by = actor(&tenant);
    Ok(Json(appliance.functions.deploy(tenant.id(), &name, deploy, promotion, by).await?))
}

pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.functions.delete(tenant.id(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which part of a log is asked for: the query of `GET /v1/functions/{name}/logs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    after: Option<String>,
    #[serde(default)]
    wait_ms: u64,
}

pub(super) async fn logs(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    Checked(LogQuery { after, wait_ms }): Checked<LogQuery>,
) -> Result<Json<LogPage>, ApiError> {
    Ok(Json(appliance.functions.logs(tenant.id(), &name, after.as_deref(), wait_ms).await?))
}

pub(super) async fn metrics(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
) -> Result<Json<Metrics>, ApiError> {
    Ok(Json(appliance.functions.metrics(tenant.id(), &name).await?))
}

pub(super) async fn trace(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Part { name, part: invocation }: Part,
) -> Result<Json<Trace>, ApiError> {
    Ok(Json(appliance.functions.trace(tenant.id(), &name, &invocation).await?))
}

pub(super) async fn invoke(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Meant(reference): Meant,
    StickyKey(sticky): StickyKey,
    Raw { bytes: event, place: _place }: Raw<MAX_EVENT_BYTES>,
) -> Result<Json<Invocation>, ApiError> {
    Ok(Json(appliance.functions.invoke(tenant.id(), &reference, sticky.as_deref(), &event).await?))
}
