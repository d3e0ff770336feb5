//! Paths to handlers. A handler's signature says who may call it: one that takes an [`authority::Tenant`] cannot run
//! without one.

mod anchor;
mod appliance;
pub(crate) mod authority;
mod billing;
mod bodies;
mod body;
mod chains;
mod error;
mod events;
mod feeds;
mod front;
mod functions;
mod handoff;
mod hooks;
mod identity;
mod jobs;
mod metrics;
mod name;
mod neo_transactions;
mod public;
mod random;
mod secrets;
mod state;
mod transactions;
mod triggers;
mod unlock;
mod versions;
mod wallets;
mod witness;
mod zk;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};

pub(crate) use bodies::Bodies;
pub(crate) use handoff::superseded;

use crate::appliance::Appliance;
use crate::locked::Locked;
use front::Front;

/// What every handler is given.
pub(crate) type Shared = Arc<Appliance>;

/// What a session is served: everything.
pub(crate) fn attested(appliance: Shared) -> Router {
    public_routes()
        .route("/v1/status", get(appliance::status))
        .route("/v1/configuration", get(appliance::configuration::<Appliance>))
        .route("/v1/unlock", get(unlock::show_unlocked))
        .route("/v1/unlock/init", post(unlock::is_unlocked))
        .route("/v1/unlock/shares", post(unlock::is_unlocked))
        .route("/v1/report-key", get(appliance::report_key))
        .route("/v1/sign-in", post(identity::sign_in))
        .route("/v1/whoami", get(identity::whoami))
        .route("/v1/tenants", get(identity::list_tenants).post(identity::admit_tenant))
        .route("/v1/tenants/{id}/state", put(identity::set_tenant_state))
        .route("/v1/tenants/{id}/balance", get(billing::balance_of))
        .route("/v1/tenants/{id}/plan", put(billing::set_plan))
        .route("/v1/tenants/{id}/quota", put(billing::set_quota))
        .route("/v1/tenants/{id}/deposits", post(billing::deposit))
        .route("/v1/tenants/{id}/withdrawals", post(billing::withdraw))
        .route("/v1/metrics", get(metrics::of_tenant))
        .route("/v1/operator/metrics", get(metrics::of_appliance))
        .route("/v1/usage", get(billing::usage))
        .route("/v1/balance", get(billing::balance))
        .route("/v1/ledger", get(billing::ledger))
        .route("/v1/books", get(billing::books))
        .route("/v1/state", get(state::show))
        .route("/v1/state/rotate", post(state::rotate))
        .route("/v1/anchor", post(anchor::sign))
        .route("/v1/witness", post(witness::record))
        .route("/v1/witness/last", post(witness::last))
        .route("/v1/witnessed", get(witness::list).post(witness::admit))
        .route("/v1/witnessed/{key}", axum::routing::delete(witness::remove))
        .route("/v1/keys", get(identity::list_keys).post(identity::create_key))
        .route("/v1/keys/{id}", axum::routing::delete(identity::revoke_key))
        .route("/v1/secrets", get(secrets::list))
        .route("/v1/secrets/{name}", get(secrets::show).put(secrets::set).delete(secrets::delete))
        .route("/v1/secrets/{name}/rollback", post(secrets::rollback))
        .route("/v1/secrets/{name}/grants/{grantee}", put(secrets::grant).delete(secrets::revoke))
        .route("/v1/secret-audit", get(secrets::audit))
        .route("/v1/wallets", get(wallets::list))
        .route("/v1/wallets/{name}", get(wallets::show).post(wallets::create).delete(wallets::delete))
        .route("/v1/wallets/{name}/import", post(wallets::import))
        .route("/v1/wallets/{name}/policy", put(wallets::set_policy))
        .route("/v1/wallets/{name}/signatures", post(wallets::sign))
        .route("/v1/wallets/{name}/export", post(wallets::export))
        .route("/v1/wallets/{name}/audit", get(wallets::audit))
        .route("/v1/wallets/{name}/funds", get(wallets::funds))
        .route("/v1/chains", get(chains::list))
        .route("/v1/neo-transactions", get(neo_transactions::list))
        .route(
            "/v1/neo-transactions/{name}",
            get(neo_transactions::show).put(neo_transactions::send).delete(neo_transactions::cancel),
        )
        .route("/v1/transactions", get(transactions::list))
        .route(
            "/v1/transactions/{name}",
            get(transactions::show).put(transactions::send).delete(transactions::cancel),
        )
        .route("/v1/functions", get(functions::list))
        .route("/v1/functions/{name}", get(functions::show).put(functions::deploy).delete(functions::delete))
        .route("/v1/functions/{name}/versions", get(versions::list))
        .route("/v1/functions/{name}/versions/{version}", axum::routing::delete(versions::remove))
        .route("/v1/functions/{name}/aliases", get(versions::aliases))
        .route(
            "/v1/functions/{name}/aliases/{alias}",
            get(versions::show_alias).put(versions::set_alias).delete(versions::remove_alias),
        )
        .route("/v1/functions/{name}/aliases/{alias}/rollback", post(versions::roll_back))
        .route("/v1/functions/{name}/logs", get(functions::logs))
        .route("/v1/functions/{name}/metrics", get(functions::metrics))
        .route("/v1/functions/{name}/traces/{invocation}", get(functions::trace))
        .route("/v1/functions/{name}/invocations", post(functions::invoke))
        .route("/v1/functions/{name}/jobs", post(jobs::enqueue))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/jobs/{id}", get(jobs::show).delete(jobs::cancel))
        .route("/v1/jobs/{id}/replay", post(jobs::replay))
        .route("/v1/triggers", get(triggers::list))
        .route("/v1/triggers/{name}", get(triggers::show).put(triggers::set).delete(triggers::delete))
        .route("/v1/triggers/{name}/pause", post(triggers::pause))
        .route("/v1/triggers/{name}/resume", post(triggers::resume))
        .route("/v1/triggers/{name}/fire", post(triggers::fire))
        .route("/v1/triggers/{name}/history", get(triggers::history))
        .route("/v1/events/{topic}", post(triggers::publish))
        .route("/v1/feeds", get(feeds::list))
        .route("/v1/feeds/{name}", get(feeds::show).put(feeds::set).delete(feeds::delete))
        .route("/v1/feeds/{name}/publications", get(feeds::publications))
        .route("/v1/feeds/{name}/pause", post(feeds::pause))
        .route("/v1/feeds/{name}/resume", post(feeds::resume))
        .route("/v1/feeds/{name}/report", get(feeds::report))
        .route("/v1/feeds/{name}/next", get(feeds::next))
        .route("/v1/feeds/{name}/stream", get(feeds::stream))
        .route("/v1/feeds/{name}/history", get(feeds::history))
        .route("/v1/feed-batches", post(feeds::batch))
        .route("/v1/oracle-key", get(feeds::key))
        .merge(proven_routes())
        .merge(hook_routes())
        .merge(public_feed_routes())
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(Arc::clone(&appliance), handoff::from_known_state::<Appliance>))
        .merge(handoff_routes())
        .with_state(appliance)
}

/// What anyone is served by an appliance that serves: what is public by nature, and tenants' public routes
/// and public feeds.
pub(crate) fn open(appliance: Shared) -> Router {
    public_routes()
        .merge(hook_routes())
        .merge(public_feed_routes())
        .fallback(error::not_attested)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(Arc::clone(&appliance), handoff::from_known_state::<Appliance>))
        .with_state(appliance)
}

/// What comes with a proof.
fn proven_routes() -> Router<Shared> {
    Router::new()
        .route("/v1/random", post(random::draw))
        .route("/v1/random-key", get(random::key))
        .route("/v1/zk/range-proofs", post(zk::prove_ranges))
        .route("/v1/zk/range-proofs/verify", post(zk::verify_ranges))
        .route("/v1/zk/proofs/verify", post(zk::verify_proof))
}

/// Where others' services tell a tenant's triggers of something.
fn hook_routes() -> Router<Shared> {
    Router::new().route("/v1/hooks/{id}", get(hooks::take).post(hooks::take))
}

/// What anyone may read of feeds that their tenants made public: what is signed stands by itself.
fn public_feed_routes() -> Router<Shared> {
    Router::new()
        .route("/v1/oracle/{tenant}/key", get(feeds::public_key))
        .route("/v1/oracle/{tenant}/feeds/{name}", get(feeds::public_report))
}

/// What settles whose the state is, and so is answered before that is known.
fn handoff_routes() -> Router<Shared> {
    Router::new()
        .route("/v1/handoff", post(handoff::grant))
        .route("/v1/handoff/done", post(handoff::done))
        .method_not_allowed_fallback(error::no_such_method)
}

/// What a session is served while the appliance is locked: what unlocks it, and what a member must know before.
pub(crate) fn locked(locked: Arc<Locked>) -> Router {
    public_routes()
        .route("/v1/status", get(unlock::status))
        .route("/v1/configuration", get(appliance::configuration::<Locked>))
        .route("/v1/unlock", get(unlock::show))
        .route("/v1/unlock/init", post(unlock::init))
        .route("/v1/unlock/shares", post(unlock::approve))
        .fallback(unlock::is_locked)
        .method_not_allowed_fallback(error::no_such_method)
        .with_state(locked)
}

/// What anyone is served while the appliance is locked: evidence, health and the API's description, all of them public by nature.
pub(crate) fn public<F: Front>(front: Arc<F>) -> Router {
    public_routes()
        .fallback(error::not_attested)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(Arc::clone(&front), handoff::from_known_state::<F>))
        .with_state(front)
}

fn public_routes<F: Front>() -> Router<Arc<F>> {
    Router::new()
        .route("/v1/health", get(public::health::<F>))
        .route("/v1/evidence", get(public::evidence::<F>))
        .route("/v1/openapi.json", get(public::openapi))
}
