//! `/v1/feeds`, `/v1/oracle-key`, and what anyone may read of public feeds under `/v1/oracle`.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use r3e_feeds::Which;
use r3e_feeds::limits::{MAX_HISTORY_PAGE, MAX_WAIT};
use r3e_proto::api::codes;
use r3e_proto::api::feeds::{
    Feed, HistoryPage, MakeBatch, Next, OracleKey, Published, SetFeed, SignedBatch, SignedReport,
};
use r3e_proto::api::identity::TenantId;
use serde::Deserialize;

use super::Shared;
use super::authority::{self, Tenant};
use super::body::JsonBody;
use super::error::ApiError;
use super::events;
use super::name::Name;
use super::random::no_document;
use crate::limits::{MAX_BATCH_BODY_BYTES, MAX_FEED_BODY_BYTES};
use crate::service::{ServiceError, feed_batch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    sequence: Option<u64>,
    at_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NextQuery {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_s: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamQuery {
    after: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    before: Option<u64>,
    limit: Option<usize>,
}

/// `GET /v1/feeds`
pub(super) async fn list(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
) -> Json<Vec<Feed>> {
    Json(appliance.feeds.list(tenant.id()).await)
}

/// `GET /v1/feeds/{name}`
pub(super) async fn show(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Feed>, ApiError> {
    Ok(Json(appliance.feeds.show(tenant.id(), &name).await.map_err(ServiceError::from)?))
}

/// `PUT /v1/feeds/{name}`
pub(super) async fn set(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
    JsonBody { value: definition, place: _place }: JsonBody<SetFeed, MAX_FEED_BODY_BYTES>,
) -> Result<Json<Feed>, ApiError> {
    if !definition.publish.is_empty() {
        own_key(&tenant)?;
    }
    brings_nothing(&appliance, &tenant, &name).await?;
    let set = appliance.feeds.set(tenant.id(), &name, definition).await;
    Ok(Json(set.map_err(ServiceError::from)?))
}

/// `GET /v1/feeds/{name}/publications`
pub(super) async fn publications(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Vec<Published>>, ApiError> {
    Ok(Json(appliance.publisher.show(tenant.id(), &name).await?))
}

/// `DELETE /v1/feeds/{name}`
pub(super) async fn delete(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    appliance.feeds.delete(tenant.id(), &name).await.map_err(ServiceError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/feeds/{name}/pause`
pub(super) async fn pause(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Feed>, ApiError> {
    let paused = appliance.feeds.pause(tenant.id(), &name, true).await;
    Ok(Json(paused.map_err(ServiceError::from)?))
}

/// `POST /v1/feeds/{name}/resume`
pub(super) async fn resume(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Deploy>,
    Name(name): Name,
) -> Result<Json<Feed>, ApiError> {
    brings_nothing(&appliance, &tenant, &name).await?;
    let resumed = appliance.feeds.pause(tenant.id(), &name, false).await;
    Ok(Json(resumed.map_err(ServiceError::from)?))
}

/// `GET /v1/feeds/{name}/report?sequence=N` or `?at_s=UNIX_S`; the latest without either
pub(super) async fn report(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<Json<SignedReport>, ApiError> {
    let wrong = || ApiError::bad_request("?sequence= takes a number, or ?at_s= Unix seconds; not both");
    let Query(ReportQuery { sequence, at_s }) = query.map_err(|_| wrong())?;
    let which = match (sequence, at_s) {
        (None, None) => Which::Latest,
        (Some(sequence), None) => Which::Sequence(sequence),
        (None, Some(at_s)) => Which::At(at_s),
        (Some(_), Some(_)) => return Err(wrong()),
    };
    let report = appliance.feeds.report(tenant.id(), &name, which).await;
    Ok(Json(report.map_err(ServiceError::from)?))
}

/// `POST /v1/feed-batches`
pub(super) async fn batch(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    JsonBody { value: MakeBatch { feeds }, place: _place }: JsonBody<MakeBatch, MAX_BATCH_BODY_BYTES>,
) -> Result<Json<SignedBatch>, ApiError> {
    Ok(Json(feed_batch(&appliance.feeds, &appliance.oracle_keys, tenant.id(), feeds)?))
}

/// `GET /v1/feeds/{name}/next?after=N&wait_s=N`
pub(super) async fn next(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    query: Result<Query<NextQuery>, QueryRejection>,
) -> Result<Json<Next>, ApiError> {
    let most = MAX_WAIT.as_secs();
    let wrong = || ApiError::bad_request(format!("?after= takes a sequence, ?wait_s= 0 to {most}"));
    let Query(NextQuery { after, wait_s }) = query.map_err(|_| wrong())?;
    if wait_s > most {
        return Err(wrong());
    }
    let next = appliance.feeds.next(tenant.id(), &name, after, Duration::from_secs(wait_s)).await;
    Ok(Json(next.map_err(ServiceError::from)?))
}

/// `GET /v1/feeds/{name}/stream?after=N`, or with the last sequence in `Last-Event-ID`
pub(super) async fn stream(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    headers: HeaderMap,
    query: Result<Query<StreamQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let wrong = || ApiError::bad_request("?after= and Last-Event-ID take a sequence");
    let Query(StreamQuery { after }) = query.map_err(|_| wrong())?;
    // A client that comes again says where it was; that goes before where it began.
    let after = match headers.get("last-event-id") {
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(wrong)?),
        None => after,
    };
    let reports = appliance.feeds.stream(tenant.id(), &name, after).map_err(ServiceError::from)?;
    Ok(events::answer(reports))
}

/// `GET /v1/feeds/{name}/history?before=N&limit=N`
pub(super) async fn history(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
    Name(name): Name,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<HistoryPage>, ApiError> {
    let wrong =
        || ApiError::bad_request(format!("?before= takes a sequence, ?limit= 1 to {MAX_HISTORY_PAGE}"));
    let Query(HistoryQuery { before, limit }) = query.map_err(|_| wrong())?;
    let limit = limit.unwrap_or(MAX_HISTORY_PAGE);
    if !(1..=MAX_HISTORY_PAGE).contains(&limit) {
        return Err(wrong());
    }
    let page = appliance.feeds.history(tenant.id(), &name, before, limit).await;
    Ok(Json(page.map_err(ServiceError::from)?))
}

/// `GET /v1/oracle-key`
pub(super) async fn key(
    State(appliance): State<Shared>,
    tenant: Tenant<authority::Invoke>,
) -> Result<Json<OracleKey>, ApiError> {
    attested(&appliance, tenant.id()).await
}

/// `GET /v1/oracle/{tenant}/key`: for anyone, where the tenant has a public feed
pub(super) async fn public_key(
    State(appliance): State<Shared>,
    Path(tenant): Path<String>,
) -> Result<Json<OracleKey>, ApiError> {
    let tenant = parsed(&tenant).filter(|tenant| appliance.feeds.has_public(*tenant)).ok_or_else(absent)?;
    attested(&appliance, tenant).await
}

/// `GET /v1/oracle/{tenant}/feeds/{name}`: for anyone, where the feed is public
pub(super) async fn public_report(
    State(appliance): State<Shared>,
    Path((tenant, name)): Path<(String, String)>,
) -> Result<Json<SignedReport>, ApiError> {
    let tenant = parsed(&tenant).ok_or_else(absent)?;
    let report = appliance.feeds.public_report(tenant, &name).await;
    Ok(Json(report.map_err(ServiceError::from)?))
}

async fn attested(appliance: &Shared, tenant: TenantId) -> Result<Json<OracleKey>, ApiError> {
    Ok(Json(appliance.oracle_keys.attested(tenant).await.map_err(no_document)?))
}

fn parsed(tenant: &str) -> Option<TenantId> {
    tenant.parse().ok()
}

/// The same for a tenant that there is not, and one without a public feed.
fn absent() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, codes::NOT_FOUND, "there is no such public feed")
}

/// What spends what a wallet has is the tenant's own to begin, to change, and to have go on.
fn own_key(tenant: &Tenant<authority::Deploy>) -> Result<(), ApiError> {
    if tenant.api_key().is_none() {
        return Ok(());
    }
    Err(ApiError::forbidden("a feed whose reports are brought to contracts takes the tenant's own key"))
}

/// Whether whoever asks may change a feed, where there is one: an API key may, if it brings its reports nowhere.
async fn brings_nothing(
    appliance: &Shared,
    tenant: &Tenant<authority::Deploy>,
    name: &str,
) -> Result<(), ApiError> {
    match appliance.feeds.show(tenant.id(), name).await {
        Ok(feed) if !feed.publish.is_empty() => own_key(tenant),
        _ => Ok(()),
    }
}
