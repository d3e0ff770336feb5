//! The HTTP API inside the channel: paths and JSON bodies, shared by the enclave and its clients.
//!
//! | method and path | who | body → answer |
//! |---|---|---|
//! | `GET /v1/health` | anyone | – → [`status::Health`] |
//! | `GET /v1/evidence?nonce=HEX` | anyone | – → `application/cbor`: [`crate::channel::evidence`] |
//! | `GET /v1/openapi.json` | anyone | – → the API's description |
//! | `GET /v1/status` | a session | – → [`status::Status`] |
//! | `GET /v1/configuration` | a session | – → the configuration's bytes, as PCR16 measured them |
//! | `GET /v1/report-key` | a session | – → [`status::ReportKey`] |
//! | `GET /v1/unlock` | a session | – → [`unlock::Unlock`] |
//! | `POST /v1/unlock/init` | a quorum's member | [`unlock::Init`] → [`unlock::Unlock`] |
//! | `POST /v1/unlock/shares` | a quorum's member | [`unlock::Approval`] → [`unlock::Unlock`] |
//! | `POST /v1/handoff`, `POST /v1/handoff/done` | a successor | [`crate::handoff`] |
//! | `POST /v1/sign-in` | a session | [`identity::SignIn`] → [`identity::SignedIn`] |
//! | `GET /v1/whoami` | operator, tenant | – → [`identity::Whoami`] |
//! | `POST`, `GET /v1/tenants` | operator | [`identity::AdmitTenant`] → [`identity::Tenant`]; list |
//! | `PUT /v1/tenants/{id}/state` | operator | [`identity::TenantState`] → [`identity::Tenant`] |
//! | `POST`, `GET /v1/keys` | signed-in tenant | [`identity::CreateKey`] → [`identity::CreatedKey`]; list |
//! | `DELETE /v1/keys/{id}` | signed-in tenant | – |
//! | `GET /v1/secrets` | tenant | – → list of [`secrets::Secret`] |
//! | `PUT`, `DELETE /v1/secrets/{name}` | tenant | the value's bytes → [`secrets::Secret`] |
//! | `GET /v1/secrets/{name}` | tenant | – → [`secrets::SecretDetails`] |
//! | `POST /v1/secrets/{name}/rollback` | tenant | [`secrets::Rollback`] → [`secrets::Secret`] |
//! | `PUT`, `DELETE /v1/secrets/{name}/grants/{grantee}` | signed-in tenant | – → [`secrets::Secret`] |
//! | `GET /v1/secret-audit` | tenant | – → [`secrets::AuditLog`] |
//! | `GET /v1/wallets` | tenant | – → list of [`wallets::Wallet`] |
//! | `GET`, `POST /v1/wallets/{name}` | tenant | [`wallets::CreateWallet`] → [`wallets::WalletDetails`] |
//! | `POST /v1/wallets/{name}/import` | tenant | [`wallets::ImportWallet`] → [`wallets::WalletDetails`] |
//! | `POST /v1/wallets/{name}/signatures` | tenant | [`wallets::SignRequest`] → [`wallets::Signed`] |
//! | `GET /v1/wallets/{name}/audit` | tenant | – → list of [`wallets::AuditEntry`] |
//! | `PUT /v1/wallets/{name}/policy` | signed-in tenant | [`wallets::SetPolicy`] → [`wallets::WalletDetails`] |
//! | `POST /v1/wallets/{name}/export` | signed-in tenant | [`wallets::ExportRequest`] → [`wallets::Exported`] |
//! | `POST /v1/witness` | a witness key | [`witness::Record`] → [`witness::Answer`] |
//! | `POST /v1/witness/last` | a witness key | [`witness::Ask`] → [`witness::Answer`] |
//! | `POST`, `GET /v1/witnessed` | operator | [`witness::AdmitWitnessed`] → [`witness::Witnessed`]; list |
//! | `DELETE /v1/witnessed/{key}` | operator | – |
//! | `POST /v1/anchor` | tenant | – → [`anchor::SignedAnchor`] |
//! | `GET /v1/functions`, `GET`, `PUT`, `DELETE /v1/functions/{name}` | tenant | [`functions::Deploy`] → [`functions::Function`] |
//! | `GET /v1/functions/{name}/versions` | tenant | – → list of [`versions::FunctionVersion`] |
//! | `DELETE /v1/functions/{name}/versions/{version}` | tenant | – |
//! | `GET /v1/functions/{name}/aliases` | tenant | – → list of [`versions::Alias`] |
//! | `GET`, `PUT`, `DELETE /v1/functions/{name}/aliases/{alias}` | tenant | [`versions::SetAlias`] → [`versions::Alias`] |
//! | `POST /v1/functions/{name}/aliases/{alias}/rollback` | tenant | [`versions::RollbackAlias`] → [`versions::Alias`] |
//! | `GET /v1/functions/{name}/logs` | tenant | – → [`observations::LogPage`] |
//! | `GET /v1/functions/{name}/metrics` | tenant | – → [`observations::Metrics`] |
//! | `GET /v1/functions/{name}/traces/{invocation}` | tenant | – → [`observations::Trace`] |
//! | `GET /v1/metrics` | tenant | – → [`observations::OPENMETRICS_TEXT`]: what is counted of its functions, jobs and feeds |
//! | `GET /v1/operator/metrics` | operator | – → the same of the whole appliance: totals, no name of anything of a tenant's |
//! | `GET /v1/usage?month=YYYY-MM` | tenant | – → [`billing::UsageReport`] |
//! | `GET /v1/balance` | tenant | – → [`billing::Balance`] |
//! | `GET /v1/ledger?after=N&limit=N` | tenant | – → [`billing::LedgerPage`] |
//! | `GET /v1/books` | operator | – → [`billing::Books`] |
//! | `GET /v1/tenants/{id}/balance` | operator | – → [`billing::Balance`] |
//! | `PUT /v1/tenants/{id}/plan` | operator | [`billing::SetPlan`] → [`billing::Balance`] |
//! | `PUT /v1/tenants/{id}/quota` | operator | [`billing::SetQuota`] → [`billing::Quota`] |
//! | `POST /v1/tenants/{id}/deposits`, `POST /v1/tenants/{id}/withdrawals` | operator | [`billing::Transfer`] → [`billing::Recorded`] |
//! | `POST /v1/functions/{name}/invocations` | tenant | the event, JSON → [`functions::Invocation`] |
//! | `POST /v1/functions/{name}/jobs` | tenant | the event, JSON → 202 [`jobs::Enqueued`] |
//! | `GET /v1/jobs` | tenant | – → [`jobs::JobPage`] |
//! | `GET`, `DELETE /v1/jobs/{id}` | tenant | – → [`jobs::JobDetails`]; cancelled: [`jobs::Job`] |
//! | `POST /v1/jobs/{id}/replay` | tenant | – → 202 [`jobs::Enqueued`] |
//! | `GET /v1/triggers` | tenant | – → list of [`triggers::Trigger`] |
//! | `GET`, `PUT`, `DELETE /v1/triggers/{name}` | tenant | [`triggers::Definition`] → [`triggers::Trigger`] |
//! | `POST /v1/triggers/{name}/pause`, `POST /v1/triggers/{name}/resume` | tenant | – → [`triggers::Trigger`] |
//! | `POST /v1/triggers/{name}/fire` | tenant | data, JSON → 202 [`triggers::Fired`] |
//! | `GET /v1/triggers/{name}/history` | tenant | – → list of [`triggers::Fire`] |
//! | `POST /v1/events/{topic}` | tenant | data, JSON → 202 [`triggers::Published`] |
//! | `GET /v1/transactions?after=NAME&limit=N` | tenant | – → [`transactions::TransactionPage`] |
//! | `GET`, `PUT`, `DELETE /v1/transactions/{name}` | tenant | [`transactions::SendTransaction`] → [`transactions::Transaction`] |
//! | `GET /v1/neo-transactions?after=NAME&limit=N` | tenant | – → [`neo_transactions::NeoTransactionPage`] |
//! | `GET`, `PUT`, `DELETE /v1/neo-transactions/{name}` | tenant | [`neo_transactions::SendNeoTransaction`] → [`neo_transactions::SentNeoTransaction`] |
//! | `GET /v1/feeds` | tenant | – → list of [`feeds::Feed`] |
//! | `GET`, `PUT`, `DELETE /v1/feeds/{name}` | tenant | [`feeds::SetFeed`] → [`feeds::Feed`] |
//! | `POST /v1/feeds/{name}/pause`, `POST /v1/feeds/{name}/resume` | tenant | – → [`feeds::Feed`] |
//! | `GET /v1/feeds/{name}/report?sequence=N`, `?at_s=UNIX_S` | tenant | – → [`feeds::SignedReport`] |
//! | `GET /v1/feeds/{name}/next?after=N&wait_s=N` | tenant | – → [`feeds::Next`] |
//! | `GET /v1/feeds/{name}/stream?after=N` | tenant | – → `text/event-stream` of [`feeds::SignedReport`] |
//! | `POST /v1/feed-batches` | tenant | [`feeds::MakeBatch`] → [`feeds::SignedBatch`] |
//! | `GET /v1/feeds/{name}/history?before=N&limit=N` | tenant | – → [`feeds::HistoryPage`] |
//! | `GET /v1/oracle-key` | tenant | – → [`feeds::OracleKey`] |
//! | `GET /v1/oracle/{tenant}/feeds/{name}` | anyone | – → [`feeds::SignedReport`] of a public feed |
//! | `GET /v1/oracle/{tenant}/key` | anyone | – → [`feeds::OracleKey`] of a tenant with a public feed |
//! | `POST /v1/random` | tenant | [`random::DrawRandom`] → [`random::Random`] |
//! | `GET /v1/random-key` | tenant | – → [`random::RandomKey`] |
//! | `POST /v1/zk/range-proofs` | tenant | [`zk::ProveRanges`] → [`zk::ProvedRanges`] |
//! | `POST /v1/zk/range-proofs/verify` | tenant | [`zk::RangeProof`] → [`zk::Verdict`] |
//! | `GET`, `POST /v1/hooks/{id}` | anyone | anything → 202 [`triggers::Fired`] |
//!
//! A tenant is one who signed in on this session, or who sends `Authorization: Bearer` with an API key of its own
//! that has the scope.

pub mod anchor;
pub mod billing;
pub mod chains;
pub mod data;
pub mod feeds;
pub mod functions;
pub mod identity;
pub mod jobs;
pub mod modules;
pub mod neo_transactions;
pub mod observations;
pub mod random;
pub mod secrets;
pub mod state;
pub mod status;
pub mod transactions;
pub mod triggers;
pub mod unlock;
pub mod versions;
pub mod wallets;
pub mod witness;
pub mod zk;

use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for a program and for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// Stable; one of [`codes`], or a function's own.
    pub code: String,
    /// For a person; says what to do next where there is something to do.
    pub message: String,
}

/// The stable error codes of the API.
pub mod codes {
    /// 400: the request is not of the form that the route takes.
    pub const BAD_REQUEST: &str = "bad_request";
    /// 401: the route needs a signed-in key or an API key.
    pub const UNAUTHENTICATED: &str = "unauthenticated";
    /// 402: the balance does not cover the most that it may cost. Deposit the difference, or lower the function's limits.
    pub const INSUFFICIENT_BALANCE: &str = "insufficient_balance";
    /// 402: the measured configuration has no plan of the name that the tenant was put under. The operator assigns another.
    pub const NO_SUCH_PLAN: &str = "no_such_plan";
    /// 403: known, but not allowed to do this.
    pub const FORBIDDEN: &str = "forbidden";
    /// 404: no such object of this tenant's.
    pub const NOT_FOUND: &str = "not_found";
    /// 409: it exists already, or it changed meanwhile.
    pub const CONFLICT: &str = "conflict";
    /// 413: over a limit.
    pub const TOO_LARGE: &str = "too_large";
    /// 421: this route is served inside the attested channel only.
    pub const NOT_ATTESTED: &str = "not_attested";
    /// 422: the function's code was refused.
    pub const INVALID_FUNCTION: &str = "invalid_function";
    /// 423: the appliance has no root secret yet, so it serves nothing but what unlocks it.
    pub const LOCKED: &str = "locked";
    /// 429: over a rate or a queue; try again later.
    pub const BUSY: &str = "busy";
    /// 429: over what may be used in a month. `Retry-After` says when the next one begins.
    pub const QUOTA_EXCEEDED: &str = "quota_exceeded";
    /// 500: a fault of the appliance's.
    pub const INTERNAL: &str = "internal";
    /// 501: the appliance's image was built without what it takes.
    pub const UNSUPPORTED: &str = "unsupported";
    /// 502: the function that a hook answers with the result of gave none.
    pub const FUNCTION_FAILED: &str = "function_failed";
    /// 503: the parent's store does not answer. What was acknowledged is not lost; a write that was not may still take
    /// effect: read before you write again.
    pub const STORE_UNAVAILABLE: &str = "store_unavailable";
    /// 503: the state is being handed to a successor, and takes no writes for some seconds. Nothing was written: try again, with
    /// a new connection where this one is closed.
    pub const HANDING_OVER: &str = "handing_over";
    /// 503: a successor has taken this appliance over. Connect again.
    pub const SUPERSEDED: &str = "superseded";
    /// 503: the parent's store gave back what was not put there; the appliance serves no more state.
    pub const STORE_TAMPERED: &str = "store_tampered";
}

/// Whether `name` may name a function or a secret: 1 to 64 of ASCII letters, digits, `-`, `_` and `.`, the first one
/// not `.` or `-`.
pub fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let first = bytes.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let rest = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    first && rest && bytes.len() <= crate::limits::MAX_NAME_BYTES
}
