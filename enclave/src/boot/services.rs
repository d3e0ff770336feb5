//! What works on the sealed state for tenants, each made of those before it.

use std::sync::Arc;

use r3e_attester::{Attester, TrustedClock};
use r3e_feeds::Feeds;
use r3e_jobs::Jobs;
use r3e_keys::{ReportKey, RootSecret};
use r3e_store::Store;
use r3e_transport::EnclaveTransport;
use r3e_triggers::Triggers;
use r3e_zk::Zk;

use super::BootError;
use crate::configuration::Configuration;
use crate::service::{
    Billing, ByWallets, Chains, FeedsFrom, ForFunctions, FunctionEvents, Functions, FunctionsParts,
    LatestPrices, NeoParts, NeoSending, NeoTransactions, OracleKeys, OracleNotary, Publisher, QueueParts,
    Randomness, Secrets, Sending, Transactions, TriggersFrom, Wallets, Workshop, start_feeds, start_jobs,
    start_triggers,
};

/// What they stand on.
pub(super) struct Ground<'a> {
    pub(super) store: &'a Store,
    pub(super) transport: &'a EnclaveTransport,
    pub(super) configuration: &'a Configuration,
    pub(super) clock: &'a TrustedClock,
    pub(super) workshop: Workshop,
    pub(super) attester: &'a Attester,
    pub(super) report_key: &'a Arc<ReportKey>,
    pub(super) root: &'a Arc<RootSecret>,
}

/// All of them.
pub(super) struct Services {
    pub(super) secrets: Arc<Secrets>,
    pub(super) billing: Billing,
    pub(super) functions: Arc<Functions>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) triggers: Arc<Triggers>,
    pub(super) feeds: Arc<Feeds>,
    pub(super) oracle_keys: Arc<OracleKeys>,
    pub(super) randomness: Arc<Randomness>,
    pub(super) zk: Arc<Zk>,
    pub(super) wallets: Arc<Wallets>,
    pub(super) chains: Arc<Chains>,
    pub(super) transactions: Arc<Transactions>,
    pub(super) neo_transactions: Arc<NeoTransactions>,
    pub(super) publisher: Publisher,
}

impl Services {
    /// Jobs are worked on, feeds have their rounds, triggers fire and transactions go on from here on.
    ///
    /// # Errors
    /// [`BootError::Service`], [`BootError::Store`].
    pub(super) async fn start(ground: Ground<'_>) -> Result<Self, BootError> {
        let Ground { store, transport, configuration, clock, workshop, attester, report_key, root } = ground;
        let time = clock.clone();
        let secrets = Secrets::start(store.clone(), move || time.now_ms())?;
        let billing = Billing::start(store, clock, configuration.billing())?;
        let oracle_keys = Arc::new(OracleKeys::new(Arc::clone(root), attester.clone()));
        let zk = workshop.zk();
        let randomness = Arc::new(Randomness::new(Arc::clone(root), attester.clone()));
        let feeds = start_feeds(FeedsFrom {
            store,
            transport,
            configuration,
            clock,
            tenants: billing.tenants(),
            keys: &oracle_keys,
        })
        .await?;
        let feeds = Arc::new(feeds);
        let wallets = Arc::new(Wallets::new(store.clone(), clock.clone(), Arc::clone(root)));
        let sending = Sending::open(transport, configuration, clock)?;
        let signer = Arc::new(ByWallets::new(Arc::clone(&wallets), billing.tenants()));
        let transactions = Transactions::start(store, clock, (&wallets, &signer), sending)?;
        let transactions = Arc::new(transactions);
        let sending = NeoSending::open(transport, configuration, clock)?;
        let neo_transactions = NeoTransactions::start(store, clock, (&wallets, &signer), sending)?;
        let neo_transactions = Arc::new(neo_transactions);
        let chains = Arc::new(Chains::open(transport, configuration, clock)?);
        let on_chains =
            ForFunctions::new(Arc::clone(&chains), Arc::clone(&transactions), Arc::clone(&neo_transactions));
        let events = Arc::new(FunctionEvents::default());
        let functions = Arc::new(Functions::new(FunctionsParts {
            store: store.clone(),
            workshop,
            attester: attester.clone(),
            clock: clock.clone(),
            secrets: Arc::clone(&secrets),
            report_key: Arc::clone(report_key),
            admissions: billing.admissions(),
            events: Arc::clone(&events) as _,
            triggers: Arc::clone(&events) as _,
            prices: Arc::new(LatestPrices(Arc::clone(&feeds))),
            random: Arc::clone(&randomness) as _,
            notary: Arc::new(OracleNotary::new(Arc::clone(&oracle_keys), clock.clone())),
            networks: Arc::new(on_chains),
        })?);
        let jobs = start_jobs(QueueParts {
            store: store.clone(),
            transport: transport.clone(),
            configuration,
            clock,
            functions: Arc::clone(&functions),
            tenants: billing.tenants(),
            report_key: Arc::clone(report_key),
        })?;
        let triggers = start_triggers(TriggersFrom {
            store,
            clock,
            jobs: &jobs,
            functions: &functions,
            secrets: &secrets,
            billing: &billing,
            events: &events,
            chains: &chains,
            feeds: &feeds,
        })
        .await?;
        // Apart from tenants' own transactions, which wait for nothing of feeds.
        let networks = NeoSending::open(transport, configuration, clock)?;
        let neo = NeoParts { networks, wallets: Arc::clone(&wallets), signer, store: store.clone() };
        let publisher = Publisher::start(&feeds, &transactions, neo, clock);
        Ok(Self {
            secrets,
            billing,
            functions,
            jobs,
            triggers,
            feeds,
            oracle_keys,
            randomness,
            zk,
            wallets,
            chains,
            transactions,
            neo_transactions,
            publisher,
        })
    }
}
