//! From a started process to a serving appliance, in the one order that is safe:
//!
//! 1. configuration from the parent, checked; clock from an attestation document;
//! 2. configuration and unlock policy measured, both PCRs locked;
//! 3. TLS key made;
//! 4. the parent asked whom to succeed. Where it offers an appliance, that one hands over its root secret, and the state is
//!    opened that it left: with its first commit the successor is the appliance, so all else that can fail comes before. Once it
//!    serves, its unlock provider adopts the root secret. Otherwise:
//! 5. root secret released by the provider that the measured policy names: where that waits for a quorum's members, the
//!    listener is open by then, and serves the locked stage;
//! 6. sealed state opened and verified whole;
//! 7. everything served: by the listener that opens now, or that leaves the locked stage; and the parent told so;
//! 8. some day, all of it handed over: then nothing is served any more.
//!
//! A step that fails ends the process: there is no half-started appliance.

mod drain;
mod services;
mod state;

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use r3e_attestation::TrustAnchor;
use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_keys::{AnchorKey, KeyError, ReportKey, RootSecret, UnlockProvider, WitnessKey};
use r3e_proto::host::{BLOB_PORT, CHANNEL_PORT, CONFIGURATION_PORT};
use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use r3e_proto::release::VersionError;
use r3e_store::{ParentBlobs, Store, StoreError, Witnessing};
use r3e_transport::frame::{FrameError, read_frame};
use r3e_transport::{EnclaveTransport, Listener, TransportError};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::drain::{closed, drained};
use self::services::{Ground, Services};
use crate::RELEASE;
use crate::anchor::{AnchorUnread, Anchoring, Anchors};
use crate::appliance::Appliance;
use crate::channel::{Channel, Counters, EvidenceSource, IdentityError, Stages, TlsIdentity};
use crate::configuration::{Configuration, ConfigurationError};
use crate::handoff::{
    Adoption, Handover, HandoverParts, Inherited, Own, Predecessor, SuccessionError, SuccessorParts,
    lifecycle, succession,
};
use crate::limits::{CONFIGURATION_RETRY, CONFIGURATION_TIMEOUT, UNLOCK_ENTROPY_BYTES};
use crate::locked::Locked;
use crate::measure::{MeasureError, measure};
use crate::router;
use crate::service::{ApiKeys, AttestedReportKey, ServiceError, WitnessedAppliances, Workshop};
use crate::unlock::{DrawnEntropy, NoProvider, Provider, Seams};
use crate::witness::{self, OwnWitness, PeersParts, ordered};

/// What a program wires together to make an appliance.
pub struct Parts {
    /// The way to the parent and from it.
    pub transport: EnclaveTransport,
    /// The attestation device.
    pub attester: Attester,
    /// Unlock providers of the program's own, beside those of this library; the configuration chooses one by name.
    pub other_unlock_providers: Vec<Box<dyn UnlockProvider>>,
    /// The runner program.
    pub runner: PathBuf,
    /// The bundler program.
    pub bundler: PathBuf,
    /// The root that other appliances' attestation documents must be signed under.
    pub trust: TrustAnchor,
    /// How long a successor may take, after the root secret was handed to it, to say that it serves:
    /// [`crate::HANDOFF_PATIENCE`].
    pub handoff_patience: Duration,
}

/// Why the appliance did not start, or stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BootError {
    /// The parent gave no configuration.
    #[error("the parent gave no configuration within {} s: {last}", CONFIGURATION_TIMEOUT.as_secs())]
    NoConfiguration {
        /// What the last try ended with.
        last: String,
    },
    /// The configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The configuration names a provider that this program has not.
    #[error(transparent)]
    NoProvider(#[from] NoProvider),
    /// The measurements.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The attestation device.
    #[error("the attestation device: {0}")]
    Attester(#[from] AttesterError),
    /// The handoff.
    #[error("this enclave does not succeed the appliance that the parent offers: {0}")]
    Succession(#[from] SuccessionError),
    /// The root secret.
    #[error("the root secret was not released: {0}")]
    Unlock(#[from] KeyError),
    /// The sealed state.
    #[error("the sealed state cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The chain that holds its anchor.
    #[error("[anchor]: no state is opened before it is known which anchor the chain holds: {0}")]
    Anchor(String),
    /// A witness peer's reference values.
    #[error("[witness.peers] makes no policy: {0}")]
    Witness(#[from] r3e_attestation::PolicyError),
    /// The TLS key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A service.
    #[error("a service did not start: {0}")]
    Service(String),
    /// The listener.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl From<AnchorUnread> for BootError {
    fn from(error: AnchorUnread) -> Self {
        Self::Anchor(error.to_string())
    }
}

impl From<ServiceError> for BootError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error.to_string())
    }
}

/// Boots the appliance and serves until `stop` says so.
///
/// # Errors
/// [`BootError`]: which step failed, and why.
pub async fn run(parts: Parts, stop: watch::Receiver<bool>) -> Result<(), BootError> {
    let Parts { transport, attester, other_unlock_providers, runner, bundler, trust, handoff_patience } =
        parts;
    let configuration = Configuration::parse(fetch_configuration(&transport).await?)?;
    // Made before anything is measured, and shown to nobody: only its time is read.
    let clock = TrustedClock::start(&attester.attest(None, None, None).await?)?;
    let blobs = ParentBlobs::new(transport.clone(), BLOB_PORT);
    let seams = Seams {
        blobs: blobs.clone(),
        attester: attester.clone(),
        transport: transport.clone(),
        clock: clock.clone(),
    };
    let provider = Provider::new(configuration.unlock(), seams, other_unlock_providers)?;
    measure(&attester, configuration.digest(), &provider.get().policy_bytes()).await?;
    tracing::info!(configuration = %hex::encode(configuration.digest()), "measured and locked");
    let own = Own::read(&attester).await?;

    let clock = TrustedClock::start(&attester.attest(None, None, None).await?)?;
    let identity = TlsIdentity::generate()?;
    let digest = *configuration.digest();
    let evidence = EvidenceSource::start(attester.clone(), clock.clone(), digest);
    let counters = Arc::new(Counters::new(clock.now_ms()));
    let asking = SuccessorParts {
        transport: &transport,
        configuration: &configuration,
        own: &own,
        attester: &attester,
        clock: &clock,
        trust: &trust,
    };
    let succession = succession(asking).await?;
    let house = House {
        spki: identity.spki().to_vec(),
        evidence: evidence.clone(),
        counters: Arc::clone(&counters),
        transport: transport.clone(),
        configuration,
        provider,
        blobs,
        runner,
        bundler,
        attester,
        clock,
        own,
        trust,
        handoff_patience,
    };
    let channel = Channel { identity, configuration: digest, evidence, counters };
    let (inherited, predecessor) = succession.map(|it| (it.inherited, it.predecessor)).unzip();
    let locked = if inherited.is_none() { house.locked().await? } else { None };
    let Some(locked) = locked else {
        let opened = listen_and_open(&transport, house, inherited).await;
        if let (Err(error), true) = (&opened, predecessor.is_some()) {
            lifecycle::failed(&transport, &error.to_string()).await;
        }
        let (listener, appliance) = opened?;
        let (superseded, jobs) = (appliance.handover.superseded(), Arc::downgrade(&appliance.jobs));
        let closing = Arc::downgrade(&appliance);
        tokio::spawn(closed(stop.clone(), superseded.clone(), closing.clone()));
        tokio::spawn(say_serving(transport, Arc::clone(&appliance.adoption), predecessor));
        let stages = Stages::begin(router::attested(Arc::clone(&appliance)), router::open(appliance));
        let serving = pin!(channel.run(listener, &stages, stop.clone()));
        let served = drained(until_superseded(serving, &stages, superseded), stop, jobs).await;
        Appliance::last_words(&closing).await;
        return served;
    };
    let stages = Stages::begin(router::locked(Arc::clone(&locked)), router::public(locked));
    let listener = transport.listen(CHANNEL_PORT).await?;
    tracing::info!("locked: serving what unlocks it");
    let mut serving = pin!(channel.run(listener, &stages, stop.clone()));
    let (superseded, jobs, closing) = tokio::select! {
        served = &mut serving => return Ok(served?),
        opened = house.open(None) => {
            let appliance = opened?;
            let jobs = Arc::downgrade(&appliance.jobs);
            let begun = (appliance.handover.superseded(), jobs, Arc::downgrade(&appliance));
            let closing = Arc::downgrade(&appliance);
            tokio::spawn(closed(stop.clone(), appliance.handover.superseded(), closing));
            let adoption = Arc::clone(&appliance.adoption);
            stages.next(router::attested(Arc::clone(&appliance)), router::open(appliance));
            tokio::spawn(say_serving(transport, adoption, None));
            begun
        }
    };
    let served = drained(until_superseded(serving, &stages, superseded), stop, jobs).await;
    Appliance::last_words(&closing).await;
    served
}

/// The appliance, and what clients come to. A successor has the listener first, so that there is nothing left to fail for want of
/// it once the state is its own.
async fn listen_and_open(
    transport: &EnclaveTransport,
    house: House,
    inherited: Option<Inherited>,
) -> Result<(Listener, Arc<Appliance>), BootError> {
    if inherited.is_some() {
        let listener = transport.listen(CHANNEL_PORT).await?;
        return Ok((listener, house.open(inherited).await?));
    }
    let appliance = house.open(None).await?;
    Ok((transport.listen(CHANNEL_PORT).await?, appliance))
}

/// Tells the parent that this enclave serves, and then the predecessor, which waits for that. What a successor was handed is
/// given to its unlock provider meanwhile.
async fn say_serving(transport: EnclaveTransport, adoption: Arc<Adoption>, predecessor: Option<Predecessor>) {
    tracing::info!("serving");
    lifecycle::serving(&transport).await;
    tokio::spawn(adoption.see_to());
    if let Some(predecessor) = predecessor {
        predecessor.done().await;
    }
}

/// Serves, and once everything was handed over, nothing more: whatever the appliance held goes with its last request.
async fn until_superseded(
    mut serving: Pin<&mut impl Future<Output = Result<(), TransportError>>>,
    stages: &Stages,
    mut superseded: watch::Receiver<bool>,
) -> Result<(), BootError> {
    let handed_over = async {
        // Without an appliance there is nobody left to say it.
        if superseded.wait_for(|superseded| *superseded).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = &mut serving => return Ok(served?),
        () = handed_over => {}
    }
    stages.next(router::superseded(), router::superseded());
    Ok(serving.await?)
}

/// What there is before the root secret, and what becomes the appliance with it.
struct House {
    transport: EnclaveTransport,
    configuration: Configuration,
    provider: Provider,
    blobs: ParentBlobs,
    runner: PathBuf,
    bundler: PathBuf,
    attester: Attester,
    clock: TrustedClock,
    evidence: EvidenceSource,
    spki: Vec<u8>,
    counters: Arc<Counters>,
    own: Own,
    trust: TrustAnchor,
    handoff_patience: Duration,
}

impl House {
    /// What is served until the root secret is there, where that takes members who come by the channel.
    async fn locked(&self) -> Result<Option<Arc<Locked>>, BootError> {
        let Some(quorum) = self.provider.quorum() else { return Ok(None) };
        quorum.load().await?;
        Ok(Some(Arc::new(Locked {
            configuration: self.configuration.clone(),
            quorum: Arc::clone(quorum),
            attester: self.attester.clone(),
            clock: self.clock.clone(),
            evidence: self.evidence.clone(),
            spki: self.spki.clone(),
            bodies: router::Bodies::new(),
            counters: Arc::clone(&self.counters),
            started: Instant::now(),
        })))
    }

    /// Waits for the root secret, unless it was inherited, and opens the sealed state with it.
    async fn open(self, inherited: Option<Inherited>) -> Result<Arc<Appliance>, BootError> {
        let Self {
            transport,
            configuration,
            provider,
            blobs,
            runner,
            bundler,
            attester,
            clock,
            evidence,
            spki,
            counters,
            own,
            trust,
            handoff_patience,
        } = self;
        let provider = Arc::new(provider);
        // It stays in memory: keys are derived from it as they are needed.
        let (root, expected) = if let Some(Inherited { root, expected }) = inherited {
            (Arc::new(root), Some(expected))
        } else {
            let entropy = DrawnEntropy::draw(&attester, UNLOCK_ENTROPY_BYTES).await?;
            (Arc::new(provider.get().unlock(&entropy).await?), None)
        };
        let version = RELEASE.parse().map_err(|error: VersionError| BootError::Service(error.to_string()))?;
        let workshop = Workshop::open(transport.clone(), runner, bundler, &configuration, &clock)?;
        let report_key = Arc::new(ReportKey::of(&root)?);
        let identity = root.commitment()?;
        let parts = peers(&transport, &trust, &clock, Arc::new(WitnessKey::of(&root)?));
        let witness = OwnWitness::start(configuration.witness(), parts)?;
        let restore = ordered(&transport, configuration.restore(), &identity, clock.now_ms()).await;
        let anchoring = anchoring(&transport, &configuration, &clock, &root, expected.is_some()).await?;
        let anchored = anchoring.as_ref().map(Anchoring::anchored).transpose()?.flatten();
        let witnessing = Witnessing { witness: witness.witness(), restore, anchored };
        let options = witness::store_options(configuration.witness());
        let store = state::open(blobs, &root, expected, witnessing, options).await?;
        let anchors = Anchors::start(anchoring, &store)?;
        tracing::info!(sequence = store.sequence(), records = store.records(), "state opened");
        let adoption = Adoption::new(Arc::clone(&provider), &root, attester.clone(), expected.is_none());

        let services = Services::start(Ground {
            store: &store,
            transport: &transport,
            configuration: &configuration,
            clock: &clock,
            workshop,
            attester: &attester,
            report_key: &report_key,
            root: &root,
        })
        .await?;
        let handover = Handover::new(HandoverParts {
            root: Arc::clone(&root),
            identity,
            store: store.clone(),
            jobs: Arc::clone(&services.jobs),
            policy: configuration.handoff().cloned(),
            version,
            own,
            clock: clock.clone(),
            trust,
            patience: handoff_patience,
        });
        Ok(Arc::new(Appliance {
            triggers: services.triggers,
            feeds: services.feeds,
            oracle_keys: services.oracle_keys,
            randomness: services.randomness,
            zk: services.zk,
            identity,
            anchors,
            witnessed: witnessed(store.clone(), &clock, &witness)?,
            witness,
            wallets: services.wallets,
            transactions: services.transactions,
            neo_transactions: services.neo_transactions,
            chains: services.chains,
            publisher: services.publisher,
            unlock: provider,
            adoption,
            handover,
            bodies: router::Bodies::new(),
            tenants: services.billing.tenants(),
            billing: services.billing,
            api_keys: ApiKeys::new(store.clone(), clock.clone())?,
            secrets: services.secrets,
            functions: services.functions,
            jobs: services.jobs,
            report_key: AttestedReportKey::new(report_key, attester.clone()),
            started: Instant::now(),
            started_ms: counters.since_ms(),
            configuration,
            attester,
            clock,
            evidence,
            spki,
            counters,
            store,
        }))
    }
}

/// The chain that remembers how far the appliance was, if the configuration names one, and what it holds. What a predecessor hands over is its
/// state, and by the time of its successor's first commit nothing may fail any more: a successor looks later.
async fn anchoring(
    transport: &EnclaveTransport,
    configuration: &Configuration,
    clock: &TrustedClock,
    root: &RootSecret,
    is_successor: bool,
) -> Result<Option<Anchoring>, BootError> {
    let Some(choice) = configuration.anchor() else { return Ok(None) };
    let mut anchoring = Anchoring::open(choice, AnchorKey::of(root)?, transport, configuration, clock)?;
    if !is_successor {
        anchoring.read().await?;
    }
    Ok(Some(anchoring))
}

/// What an appliance asks its own witnesses by.
fn peers(
    transport: &EnclaveTransport,
    trust: &TrustAnchor,
    clock: &TrustedClock,
    key: Arc<WitnessKey>,
) -> PeersParts {
    PeersParts { transport: transport.clone(), trust: trust.clone(), clock: clock.clone(), key }
}

/// Whom this appliance is a witness of, if it is one.
fn witnessed(
    store: Store,
    clock: &TrustedClock,
    own: &OwnWitness,
) -> Result<WitnessedAppliances, StoreError> {
    let clock = clock.clone();
    WitnessedAppliances::new(store, move || clock.now_ms(), own.is_none())
}

async fn fetch_configuration(transport: &EnclaveTransport) -> Result<Vec<u8>, BootError> {
    let mut last = "no try was made".to_owned();
    let fetch = async {
        loop {
            match fetch_once(transport).await {
                Ok(bytes) => return bytes,
                Err(error) => last = error,
            }
            sleep(CONFIGURATION_RETRY).await;
        }
    };
    let fetched = timeout(CONFIGURATION_TIMEOUT, fetch).await;
    fetched.map_err(|_| BootError::NoConfiguration { last })
}

async fn fetch_once(transport: &EnclaveTransport) -> Result<Vec<u8>, String> {
    let mut stream = transport.dial_parent(CONFIGURATION_PORT).await.map_err(|error| error.to_string())?;
    read_frame(&mut stream, MAX_CONFIGURATION_BYTES).await.map_err(|error: FrameError| error.to_string())
}
