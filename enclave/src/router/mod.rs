//! Paths to handlers. A handler's signature says who may call it: one that takes an [`authority::Tenant`] cannot run
//! without one.

mod appliance;
pub(crate) mod authority;
mod bodies;
mod body;
mod error;
mod functions;
mod identity;
mod name;
mod public;
mod secrets;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

pub(crate) use bodies::Bodies;

use crate::appliance::Appliance;

/// What every handler is given.
pub(crate) type Shared = Arc<Appliance>;

/// What a session is served: everything.
pub(crate) fn attested(appliance: Shared) -> Router {
    public_routes()
        .route("/v1/status", get(appliance::status))
        .route("/v1/configuration", get(appliance::configuration))
        .route("/v1/report-key", get(appliance::report_key))
        .route("/v1/sign-in", post(identity::sign_in))
        .route("/v1/whoami", get(identity::whoami))
        .route("/v1/tenants", get(identity::list_tenants).post(identity::admit_tenant))
        .route("/v1/tenants/{id}/state", put(identity::set_tenant_state))
        .route("/v1/keys", get(identity::list_keys).post(identity::create_key))
        .route("/v1/keys/{id}", axum::routing::delete(identity::revoke_key))
        .route("/v1/secrets", get(secrets::list))
        .route("/v1/secrets/{name}", put(secrets::set).delete(secrets::delete))
        .route("/v1/functions", get(functions::list))
        .route("/v1/functions/{name}", get(functions::show).put(functions::deploy).delete(functions::delete))
        .route("/v1/functions/{name}/logs", get(functions::logs))
        .route("/v1/functions/{name}/invocations", post(functions::invoke))
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .with_state(appliance)
}

/// What anyone is served: evidence, health and the API's description, all of them public by nature.
pub(crate) fn public(appliance: Shared) -> Router {
    public_routes()
        .fallback(error::not_attested)
        .method_not_allowed_fallback(error::no_such_method)
        .with_state(appliance)
}

fn public_routes() -> Router<Shared> {
    Router::new()
        .route("/v1/health", get(public::health))
        .route("/v1/evidence", get(public::evidence))
        .route("/v1/openapi.json", get(public::openapi))
}
