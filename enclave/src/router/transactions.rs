//! `/v1/transactions`: what wallets have brought onto their chains.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use r3e_proto::api::transactions::{SendTransaction, Transaction, TransactionPage};
use serde::Deserialize;

use super::Shared;
use super::authority::{SignedInTenant, Tenant, Wallets};
use super::body::JsonBody;
use super::error::ApiError;
use super::name::Name;
use super::wallets::by;
use crate::limits::{MAX_SIGN_BODY_BYTES, MAX_TRANSACTIONS_PAGE};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    pub(super) after: Option<String>,
    pub(super) limit: Option<usize>,
}

/// `GET /v1/transactions?after=NAME&limit=N`
pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<TransactionPage>, ApiError> {
    let Query(PageQuery { after, limit }) =
        query.map_err(|_| ApiError::bad_request("after is a transaction's name, limit a number"))?;
    let limit = limit.unwrap_or(MAX_TRANSACTIONS_PAGE);
    Ok(Json(appliance.transactions.page(tenant.id(), after.as_deref(), limit).await?))
}

/// `GET /v1/transactions/{name}`
pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
) -> Result<Json<Transaction>, ApiError> {
    Ok(Json(appliance.transactions.show(tenant.id(), &name).await?))
}

/// `PUT /v1/transactions/{name}`
pub(super) async fn send(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
    JsonBody { value: request, place: _place }: JsonBody<SendTransaction, MAX_SIGN_BODY_BYTES>,
) -> Result<Json<Transaction>, ApiError> {
    Ok(Json(appliance.transactions.send(tenant.id(), &by(&tenant), &name, request).await?))
}

/// `DELETE /v1/transactions/{name}`: what is out is replaced by nothing, which the wallet signs for the tenant itself; the record stays
pub(super) async fn cancel(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
) -> Result<Json<Transaction>, ApiError> {
    Ok(Json(appliance.transactions.cancel(tenant.id(), &name).await?))
}
