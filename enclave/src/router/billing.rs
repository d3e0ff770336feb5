//! `/v1/usage`, `/v1/balance`, `/v1/ledger`, and what the operator does with tenants' accounts. No route lets a tenant see another's, and
//! none lets anybody but the operator move money.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use r3e_proto::api::billing::{
    Balance, Books, LedgerPage, Month, Quota, Recorded, SetPlan, SetQuota, Transfer, UsageReport,
};
use r3e_proto::api::identity::TenantId;
use r3e_proto::limits::MAX_LEDGER_PAGE;
use serde::Deserialize;

use super::Shared;
use super::authority::{self, Operator, Tenant};
use super::body::JsonBody;
use super::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageQuery {
    month: Option<Month>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LedgerQuery {
    after: Option<u64>,
    limit: Option<usize>,
}

/// `GET /v1/usage?month=YYYY-MM`
pub(super) async fn usage(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Billing>,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Json<UsageReport>, ApiError> {
    let Query(query) =
        query.map_err(|_| ApiError::bad_request("?month= takes YYYY-MM, and there is nothing else"))?;
    Ok(Json(appliance.billing.usage(tenant.id(), query.month).await?))
}

/// `GET /v1/balance`
pub(super) async fn balance(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Billing>,
) -> Result<Json<Balance>, ApiError> {
    Ok(Json(appliance.billing.balance(tenant.id()).await?))
}

/// `GET /v1/ledger?after=N&limit=N`
pub(super) async fn ledger(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Billing>,
    query: Result<Query<LedgerQuery>, QueryRejection>,
) -> Result<Json<LedgerPage>, ApiError> {
    let wrong =
        || ApiError::bad_request(format!("?after= takes an entry's number, ?limit= 1 to {MAX_LEDGER_PAGE}"));
    let Query(LedgerQuery { after, limit }) = query.map_err(|_| wrong())?;
    let limit = limit.unwrap_or(MAX_LEDGER_PAGE);
    if !(1..=MAX_LEDGER_PAGE).contains(&limit) {
        return Err(wrong());
    }
    Ok(Json(appliance.billing.entries(tenant.id(), after.unwrap_or_default(), limit).await?))
}

/// `GET /v1/books`
pub(super) async fn books(State(appliance): State<Shared>, _: Operator) -> Result<Json<Books>, ApiError> {
    Ok(Json(appliance.billing.books().await?))
}

/// `GET /v1/tenants/{id}/balance`
pub(super) async fn balance_of(
    State(appliance): State<Shared>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Json<Balance>, ApiError> {
    Ok(Json(appliance.billing.balance_of(tenant(&id)?).await?))
}

/// `PUT /v1/tenants/{id}/plan`
pub(super) async fn set_plan(
    State(appliance): State<Shared>,
    _: Operator,
    Path(id): Path<String>,
    JsonBody { value: request, place: _place }: JsonBody<SetPlan>,
) -> Result<Json<Balance>, ApiError> {
    let id = tenant(&id)?;
    let balance = appliance.billing.set_plan(id, request).await?;
    tracing::info!(tenant = %id, plan = balance.plan, "the operator put a tenant under a plan");
    Ok(Json(balance))
}

/// `PUT /v1/tenants/{id}/quota`
pub(super) async fn set_quota(
    State(appliance): State<Shared>,
    _: Operator,
    Path(id): Path<String>,
    JsonBody { value: request, place: _place }: JsonBody<SetQuota>,
) -> Result<Json<Quota>, ApiError> {
    let id = tenant(&id)?;
    let quota = appliance.billing.set_quota(id, request).await?;
    tracing::info!(tenant = %id, "the operator set a tenant's quota");
    Ok(Json(quota))
}

/// `POST /v1/tenants/{id}/deposits`
pub(super) async fn deposit(
    State(appliance): State<Shared>,
    _: Operator,
    Path(id): Path<String>,
    JsonBody { value: transfer, place: _place }: JsonBody<Transfer>,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    let id = tenant(&id)?;
    let recorded = appliance.billing.deposit(id, transfer).await?;
    tracing::info!(tenant = %id, entry = recorded.entry, repeated = recorded.repeated, "the operator recorded a deposit");
    Ok(answer(recorded))
}

/// `POST /v1/tenants/{id}/withdrawals`
pub(super) async fn withdraw(
    State(appliance): State<Shared>,
    _: Operator,
    Path(id): Path<String>,
    JsonBody { value: transfer, place: _place }: JsonBody<Transfer>,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    let id = tenant(&id)?;
    let recorded = appliance.billing.withdraw(id, transfer).await?;
    tracing::info!(tenant = %id, entry = recorded.entry, repeated = recorded.repeated, "the operator recorded a withdrawal");
    Ok(answer(recorded))
}

/// 200 where it was there before.
fn answer(recorded: Recorded) -> (StatusCode, Json<Recorded>) {
    (if recorded.repeated { StatusCode::OK } else { StatusCode::CREATED }, Json(recorded))
}

fn tenant(id: &str) -> Result<TenantId, ApiError> {
    id.parse().map_err(|_| ApiError::bad_request("a tenant's id has 32 hex digits"))
}
