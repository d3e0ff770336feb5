//! `/v1/wallets`. No route gives a key back, but to its tenant's own key, encrypted.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use r3e_proto::api::chains::Funds;
use r3e_proto::api::wallets::{
    CreateWallet, ExportRequest, Exported, ImportWallet, SetPolicy, SignRequest, Signed, Wallet, WalletAudit,
    WalletDetails,
};

use super::Shared;
use super::authority::{SignedInTenant, Tenant, Wallets};
use super::body::{JsonBody, SecretJson};
use super::error::ApiError;
use super::name::Name;
use crate::limits::{MAX_SIGN_BODY_BYTES, MAX_WALLET_BODY_BYTES};
use crate::service::By;

pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
) -> Result<Json<Vec<Wallet>>, ApiError> {
    Ok(Json(appliance.wallets.list(tenant.id()).await?))
}

pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
) -> Result<Json<WalletDetails>, ApiError> {
    Ok(Json(appliance.wallets.show(tenant.id(), &name).await?))
}

/// `GET /v1/wallets/{name}/funds`
pub(super) async fn funds(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
) -> Result<Json<Vec<Funds>>, ApiError> {
    let details = appliance.wallets.show(tenant.id(), &name).await?;
    Ok(Json(appliance.chains.funds(&details.wallet).await))
}

pub(super) async fn create(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
    JsonBody { value: request, place: _place }: JsonBody<CreateWallet, MAX_WALLET_BODY_BYTES>,
) -> Result<(StatusCode, Json<WalletDetails>), ApiError> {
    let made = appliance.wallets.create(tenant.id(), &name, request).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn import(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
    SecretJson { value: request, place: _place }: SecretJson<ImportWallet, MAX_WALLET_BODY_BYTES>,
) -> Result<(StatusCode, Json<WalletDetails>), ApiError> {
    let made = appliance.wallets.import(tenant.id(), &name, request).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn sign(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
    JsonBody { value: request, place: _place }: JsonBody<SignRequest, MAX_SIGN_BODY_BYTES>,
) -> Result<Json<Signed>, ApiError> {
    Ok(Json(appliance.wallets.sign(tenant.id(), &by(&tenant), &name, &request).await?))
}

pub(super) async fn audit(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
) -> Result<Json<WalletAudit>, ApiError> {
    Ok(Json(appliance.wallets.audit(tenant.id(), &name).await?))
}

pub(super) async fn set_policy(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
    JsonBody { value: request, place: _place }: JsonBody<SetPolicy, MAX_WALLET_BODY_BYTES>,
) -> Result<Json<WalletDetails>, ApiError> {
    Ok(Json(appliance.wallets.set_policy(tenant.id(), &name, request).await?))
}

pub(super) async fn export(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
    JsonBody { value: request, place: _place }: JsonBody<ExportRequest>,
) -> Result<Json<Exported>, ApiError> {
    Ok(Json(appliance.wallets.export(tenant.id(), &name, &request).await?))
}

pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.wallets.delete(tenant.id(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn by(tenant: &Tenant<Wallets>) -> By {
    tenant.api_key().map_or(By::Tenant, |id| By::ApiKey(id.to_owned()))
}
