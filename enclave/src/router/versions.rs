//! `/v1/functions/{name}/versions` and `/v1/functions/{name}/aliases`.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{
    Alias, FunctionVersion, RollbackAlias, STICKY_KEY_HEADER, SetAlias, is_sticky_key, is_version_prefix,
};

use super::Shared;
use super::authority::{self, Tenant};
use super::body::JsonBody;
use super::error::ApiError;
use super::name::{Name, Part};
use super::secrets::Checked;

pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Vec<FunctionVersion>>, ApiError> {
    Ok(Json(appliance.functions.versions(tenant.id(), &name).await?))
}

pub(super) async fn remove(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Part { name, part: digits }: Part,
) -> Result<StatusCode, ApiError> {
    if !is_version_prefix(&digits) {
        return Err(ApiError::bad_request("a version is named by 6 to 64 of its lower-case hex digits"));
    }
    appliance.functions.remove_version(tenant.id(), &name, &digits).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn aliases(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Vec<Alias>>, ApiError> {
    Ok(Json(appliance.functions.aliases(tenant.id(), &name).await?))
}

pub(super) async fn show_alias(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Part { name, part: alias }: Part,
) -> Result<Json<Alias>, ApiError> {
    Ok(Json(appliance.functions.alias(tenant.id(), &name, &alias).await?))
}

pub(super) async fn set_alias(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Part { name, part: alias }: Part,
    JsonBody { value: set, place: _place }: JsonBody<SetAlias>,
) -> Result<Json<Alias>, ApiError> {
    let canary = set.canary.iter().map(|canary| canary.version.as_str());
    if !canary.chain([set.version.as_str()]).all(is_version_prefix) {
        return Err(ApiError::bad_request("a version is named by 6 to 64 of its lower-case hex digits"));
    }
    Ok(Json(appliance.functions.set_alias(tenant.id(), &name, &alias, set, actor(&tenant)).await?))
}

pub(super) async fn roll_back(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Part { name, part: alias }: Part,
    JsonBody { value: rollback, place: _place }: JsonBody<RollbackAlias>,
) -> Result<Json<Alias>, ApiError> {
    Ok(Json(appliance.functions.roll_back(tenant.id(), &name, &alias, rollback, actor(&tenant)).await?))
}

pub(super) async fn remove_alias(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Part { name, part: alias }: Part,
    Checked(RollbackAlias { if_revision }): Checked<RollbackAlias>,
) -> Result<StatusCode, ApiError> {
    appliance.functions.remove_alias(tenant.id(), &name, &alias, if_revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who deploys or moves an alias.
pub(super) fn actor(tenant: &Tenant<authority::Deploy>) -> Actor {
    match tenant.api_key() {
        Some(id) => Actor::ApiKey { id: id.to_owned() },
        None => Actor::Tenant {},
    }
}

/// The key by which events stay with one version of a split, where the request has one.
pub(super) struct StickyKey(pub(super) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for StickyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(STICKY_KEY_HEADER).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        match (value.to_str(), values.next()) {
            (Ok(key), None) if is_sticky_key(key) => Ok(Self(Some(key.to_owned()))),
            _ => {
                Err(ApiError::bad_request("r3e-sticky-key is one text of 1 to 256 visible ASCII characters"))
            }
        }
    }
}
