//! `/v1/neo-transactions`: what wallets have brought onto networks of Neo N3.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use r3e_proto::api::neo_transactions::{NeoTransactionPage, SendNeoTransaction, SentNeoTransaction};

use super::Shared;
use super::authority::{SignedInTenant, Tenant, Wallets};
use super::body::JsonBody;
use super::error::ApiError;
use super::name::Name;
use super::transactions::PageQuery;
use super::wallets::by;
use crate::limits::{MAX_SIGN_BODY_BYTES, MAX_TRANSACTIONS_PAGE};

/// `GET /v1/neo-transactions?after=NAME&limit=N`
pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<NeoTransactionPage>, ApiError> {
    let Query(PageQuery { after, limit }) =
        query.map_err(|_| ApiError::bad_request("after is a transaction's name, limit a number"))?;
    let limit = limit.unwrap_or(MAX_TRANSACTIONS_PAGE);
    Ok(Json(appliance.neo_transactions.page(tenant.id(), after.as_deref(), limit).await?))
}

/// `GET /v1/neo-transactions/{name}`
pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
) -> Result<Json<SentNeoTransaction>, ApiError> {
    Ok(Json(appliance.neo_transactions.show(tenant.id(), &name).await?))
}

/// `PUT /v1/neo-transactions/{name}`
pub(super) async fn send(
    State(appliance): State<Shared>,
    tenant: Tenant<Wallets>,
    Name(name): Name,
    JsonBody { value: request, place: _place }: JsonBody<SendNeoTransaction, MAX_SIGN_BODY_BYTES>,
) -> Result<Json<SentNeoTransaction>, ApiError> {
    Ok(Json(appliance.neo_transactions.send(tenant.id(), &by(&tenant), &name, request).await?))
}

/// `DELETE /v1/neo-transactions/{name}`: nothing more is signed for it, and nothing given to nodes; the record stays
pub(super) async fn cancel(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Name(name): Name,
) -> Result<Json<SentNeoTransaction>, ApiError> {
    Ok(Json(appliance.neo_transactions.cancel(tenant.id(), &name).await?))
}
