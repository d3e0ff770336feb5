//! `/v1/secrets` and `/v1/secret-audit`. No route gives a value back, and no API key grants one to a function.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use r3e_proto::api::is_name;
use r3e_proto::api::secrets::{Actor, AuditLog, Grantee, Rollback, Secret, SecretDetails};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Shared;
use super::authority::{Secrets, SignedInTenant, Tenant};
use super::body::{JsonBody, SecretBody};
use super::error::ApiError;
use super::name::Name;
use crate::limits::{MAX_SECRET_BYTES, MAX_SECRET_GRANTS};
use crate::service::SetOptions;

pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
) -> Result<Json<Vec<Secret>>, ApiError> {
    Ok(Json(appliance.secrets.list(tenant.id()).await?))
}

pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Name(name): Name,
) -> Result<Json<SecretDetails>, ApiError> {
    Ok(Json(appliance.secrets.show(tenant.id(), &name).await?))
}

/// How a secret is set, beside its value: the query of `PUT /v1/secrets/{name}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetQuery {
    expires_in_ms: Option<u64>,
    keep_previous_ms: Option<u64>,
    if_version: Option<u64>,
    /// Grantees, with commas between them.
    #[serde(rename = "for")]
    grantees: Option<String>,
}

pub(super) async fn set(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Name(name): Name,
    Checked(query): Checked<SetQuery>,
    SecretBody { bytes: value, place: _place }: SecretBody<MAX_SECRET_BYTES>,
) -> Result<Json<Secret>, ApiError> {
    let options = options(&tenant, query)?;
    Ok(Json(appliance.secrets.set(tenant.id(), actor(&tenant), &name, &value, options).await?))
}

pub(super) async fn rollback(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Name(name): Name,
    JsonBody { value: Rollback { to, if_version }, place: _place }: JsonBody<Rollback>,
) -> Result<Json<Secret>, ApiError> {
    Ok(Json(appliance.secrets.rollback(tenant.id(), actor(&tenant), &name, to, if_version).await?))
}

pub(super) async fn grant(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Granted { name, grantee }: Granted,
) -> Result<Json<Secret>, ApiError> {
    Ok(Json(appliance.secrets.regrant(tenant.id(), &name, &grantee, true).await?))
}

pub(super) async fn revoke(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Granted { name, grantee }: Granted,
) -> Result<Json<Secret>, ApiError> {
    Ok(Json(appliance.secrets.regrant(tenant.id(), &name, &grantee, false).await?))
}

pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.secrets.delete(tenant.id(), actor(&tenant), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What of the log is asked for: the query of `GET /v1/secret-audit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    secret: Option<String>,
    #[serde(default)]
    after: u64,
}

pub(super) async fn audit(
    State(appliance): State<Shared>,
    tenant: Tenant<Secrets>,
    Checked(query): Checked<AuditQuery>,
) -> Result<Json<AuditLog>, ApiError> {
    Ok(Json(appliance.secrets.audit(tenant.id(), query.secret.as_deref(), query.after).await?))
}

/// A query of exactly the expected form.
pub(super) struct Checked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Checked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, appliance).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => Err(ApiError::bad_request(format!("the query is not as it should be: {error}"))),
        }
    }
}

/// A secret's name and whom it is for, as a path holds them.
pub(super) struct Granted {
    name: String,
    grantee: Grantee,
}

impl FromRequestParts<Shared> for Granted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let wrong = || {
            ApiError::bad_request(
                "a grant's path is a secret's name and `FUNCTION` or `FUNCTION@VERSION`, of 64 hex digits",
            )
        };
        let path = Path::<(String, String)>::from_request_parts(parts, appliance).await;
        let Path((name, grantee)) = path.map_err(|_| wrong())?;
        let grantee = Grantee::parse(&grantee).filter(|_| is_name(&name)).ok_or_else(wrong)?;
        Ok(Self { name, grantee })
    }
}

fn actor(tenant: &Tenant<Secrets>) -> Actor {
    match tenant.api_key() {
        Some(id) => Actor::ApiKey { id: id.to_owned() },
        None => Actor::Tenant {},
    }
}

fn options(tenant: &Tenant<Secrets>, query: SetQuery) -> Result<SetOptions, ApiError> {
    let SetQuery { expires_in_ms, keep_previous_ms, if_version, grantees } = query;
    let grantees = match grantees {
        None => Vec::new(),
        Some(_) if tenant.api_key().is_some() => {
            let message = "an API key grants no secret to a function: sign in with the tenant's own key";
            return Err(ApiError::forbidden(message));
        }
        Some(text) => {
            let parsed =
                text.split(',').take(MAX_SECRET_GRANTS + 1).map(Grantee::parse).collect::<Option<_>>();
            parsed.ok_or_else(|| {
                ApiError::bad_request("?for= takes FUNCTION or FUNCTION@VERSION, with commas between them")
            })?
        }
    };
    Ok(SetOptions { expires_in_ms, keep_previous_ms, if_version, grantees })
}
