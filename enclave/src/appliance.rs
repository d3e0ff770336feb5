//! The appliance: all that its handlers share, once it has booted.

use std::sync::{Arc, Weak};
use std::time::Instant;

use r3e_attester::{Attester, TrustedClock};
use r3e_feeds::Feeds;
use r3e_jobs::Jobs;
use r3e_store::Store;
use r3e_triggers::Triggers;
use r3e_zk::Zk;

use crate::anchor::Anchors;
use crate::channel::{Counters, EvidenceSource};
use crate::configuration::Configuration;
use crate::handoff::{Adoption, Handover};
use crate::router::Bodies;
use crate::service::{
    ApiKeys, AttestedReportKey, Billing, Chains, Functions, NeoTransactions, OracleKeys, Publisher,
    Randomness, Secrets, Tenants, Transactions, Wallets, WitnessedAppliances,
};
use crate::unlock::Provider;
use crate::witness::OwnWitness;

/// What a request can reach. Each field has one purpose; none of them knows of HTTP.
pub(crate) struct Appliance {
    /// The configuration as it was measured.
    pub(crate) configuration: Configuration,
    /// The unlock provider that released the root secret.
    pub(crate) unlock: Arc<Provider>,
    /// Whether that provider would release it again.
    pub(crate) adoption: Arc<Adoption>,
    /// The way to a successor.
    pub(crate) handover: Arc<Handover>,
    /// The commitment to the root secret.
    pub(crate) identity: [u8; 32],
    /// The attestation device.
    pub(crate) attester: Attester,
    /// The clock that the device sets.
    pub(crate) clock: TrustedClock,
    /// Evidence for bindings.
    pub(crate) evidence: EvidenceSource,
    /// The TLS certificate's SubjectPublicKeyInfo.
    pub(crate) spki: Vec<u8>,
    /// Room for request bodies.
    pub(crate) bodies: Bodies,
    /// What the listener counts.
    pub(crate) counters: Arc<Counters>,
    /// The sealed state.
    pub(crate) store: Store,
    /// Who was admitted.
    pub(crate) tenants: Arc<Tenants>,
    /// Metering, plans and balances.
    pub(crate) billing: Billing,
    /// Tenants' API keys.
    pub(crate) api_keys: ApiKeys,
    /// Tenants' secrets.
    pub(crate) secrets: Arc<Secrets>,
    /// Tenants' wallets.
    pub(crate) wallets: Arc<Wallets>,
    /// What they have brought onto chains.
    pub(crate) transactions: Arc<Transactions>,
    pub(crate) neo_transactions: Arc<NeoTransactions>,
    /// The networks that the configuration has nodes of.
    pub(crate) chains: Arc<Chains>,
    /// Tenants' functions.
    pub(crate) functions: Arc<Functions>,
    /// Tenants' jobs.
    pub(crate) jobs: Arc<Jobs>,
    /// Tenants' triggers.
    pub(crate) triggers: Arc<Triggers>,
    /// Tenants' feeds.
    pub(crate) feeds: Arc<Feeds>,
    /// What brings their reports to contracts.
    pub(crate) publisher: Publisher,
    /// The keys that sign reports of feeds and observations.
    pub(crate) oracle_keys: Arc<OracleKeys>,
    /// What draws random numbers.
    pub(crate) randomness: Arc<Randomness>,
    /// What makes and verifies zero-knowledge proofs.
    pub(crate) zk: Arc<Zk>,
    /// The appliances that this one is a rollback witness of.
    pub(crate) witnessed: WitnessedAppliances,
    /// Its own rollback witness.
    pub(crate) witness: OwnWitness,
    /// The chain that remembers how far it was.
    pub(crate) anchors: Option<Arc<Anchors>>,
    /// The key that signs receipts.
    pub(crate) report_key: AttestedReportKey,
    /// When it had booted.
    pub(crate) started: Instant,
    /// The same by the appliance's clock.
    pub(crate) started_ms: u64,
}

impl Appliance {
    /// Writes what is in memory alone, before the process ends in order. One that has given way has nothing to write any more.
    pub(crate) async fn last_words(appliance: &Weak<Self>) {
        if let Some(appliance) = appliance.upgrade() {
            appliance.billing.flush().await;
        }
    }
}
