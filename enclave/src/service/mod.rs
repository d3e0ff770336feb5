//! What the appliance does for its operator and tenants. Services know nothing of HTTP: they take typed requests and
//! give typed answers; who may ask is settled before (`router::authority`).

mod api_keys;
mod billing;
mod by_wallets;
mod chains;
mod egress;
mod error;
mod feeds;
mod finish;
mod functions;
mod jobs;
pub(crate) mod json;
mod metrics;
mod neo_transactions;
mod notary;
mod publishing;
mod randomness;
mod report_key;
mod secrets;
mod tenant_keys;
mod tenants;
mod transactions;
mod triggers;
mod turns;
mod wallets;
mod witnessed;

pub(crate) use api_keys::{ApiKeys, KeyGrant};
pub(crate) use billing::Billing;
pub(crate) use by_wallets::ByWallets;
pub(crate) use chains::{
    Chains, ForFunctions, HttpsNodes, NeoNetworks, NeoSending, Sending, in_words, quorum_of,
};
pub(crate) use error::ServiceError;
pub(crate) use feeds::{FeedsFrom, LatestPrices, OracleKeys, start_feeds};
pub(crate) use functions::{Functions, FunctionsParts, Workshop};
pub(crate) use jobs::{QueueParts, start_jobs};
pub(crate) use metrics::{ApplianceMetrics, TenantMetrics};
pub(crate) use neo_transactions::NeoTransactions;
pub(crate) use notary::OracleNotary;
pub(crate) use publishing::{NeoParts, Publisher};
pub(crate) use randomness::Randomness;
pub(crate) use report_key::AttestedReportKey;
pub(crate) use secrets::{Secrets, SetOptions};
pub(crate) use tenant_keys::AttestedKeyError;
pub(crate) use tenants::Tenants;
pub(crate) use transactions::Transactions;
pub(crate) use triggers::{FunctionEvents, TriggersFrom, start_triggers};
pub(crate) use wallets::{By, Wallets};
pub(crate) use witnessed::{Refused, WitnessedAppliances};
