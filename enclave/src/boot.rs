//! From a started process to a serving appliance, in the one order that is safe:
//!
//! 1. configuration from the parent, checked;
//! 2. configuration and unlock policy measured, both PCRs locked;
//! 3. root secret released by the provider that the measured policy names;
//! 4. clock from an attestation document;
//! 5. sealed state opened and verified whole;
//! 6. TLS key made, listener opened.
//!
//! A step that fails ends the process: there is no half-started appliance.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_keys::{BoxError, Entropy, KeyError, ReportKey, RootSecret, UnlockProvider};
use r3e_proto::host::{BLOB_PORT, CHANNEL_PORT, CONFIGURATION_PORT};
use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use r3e_store::{Options, ParentBlobs, Store, StoreError, StoreKeys};
use r3e_transport::frame::{FrameError, read_frame};
use r3e_transport::{EnclaveTransport, TransportError};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use crate::appliance::Appliance;
use crate::channel::{Channel, Counters, EvidenceSource, IdentityError, TlsIdentity};
use crate::configuration::{Configuration, ConfigurationError};
use crate::limits::{CONFIGURATION_RETRY, CONFIGURATION_TIMEOUT, UNLOCK_ENTROPY_BYTES};
use crate::measure::{MeasureError, measure};
use crate::router;
use crate::service::{ApiKeys, AttestedReportKey, Functions, FunctionsParts, Secrets, ServiceError, Tenants};

/// What a program wires together to make an appliance.
pub struct Parts {
    /// The way to the parent and from it.
    pub transport: EnclaveTransport,
    /// The attestation device.
    pub attester: Attester,
    /// The unlock providers that this program has; the configuration chooses one by name.
    pub unlock_providers: Vec<Box<dyn UnlockProvider>>,
    /// The runner program.
    pub runner: PathBuf,
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
    #[error("the configuration names the unlock provider {named:?}; this image has: {available}")]
    NoProvider {
        /// What it names.
        named: String,
        /// What there is.
        available: String,
    },
    /// The measurements.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The attestation device.
    #[error("the attestation device: {0}")]
    Attester(#[from] AttesterError),
    /// The root secret.
    #[error("the root secret was not released: {0}")]
    Unlock(#[from] KeyError),
    /// The sealed state.
    #[error("the sealed state cannot be opened: {0}")]
    Store(#[from] StoreError),
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
    let Parts { transport, attester, unlock_providers, runner } = parts;
    let configuration = Configuration::parse(fetch_configuration(&transport).await?)?;
    let provider = choose(&unlock_providers, configuration.unlock_provider())?;
    measure(&attester, configuration.digest(), &provider.policy_bytes()).await?;
    tracing::info!(configuration = %hex::encode(configuration.digest()), "measured and locked");

    let entropy = DrawnEntropy::draw(&attester).await?;
    let root = provider.unlock(&entropy).await?;
    let report_key = Arc::new(ReportKey::of(&root)?);
    let clock = TrustedClock::start(&attester.attest(None, None, None).await?)?;
    let store = open_store(&transport, &root).await?;
    // All keys are derived: nothing after this needs the root.
    drop(root);
    tracing::info!(sequence = store.sequence(), records = store.records(), "state opened");

    let identity = TlsIdentity::generate()?;
    let digest = *configuration.digest();
    let evidence = EvidenceSource::start(attester.clone(), clock.clone(), digest);
    let secrets = Arc::new(Secrets::new(store.clone(), clock.clone()));
    let functions = Functions::new(FunctionsParts {
        store: store.clone(),
        transport: transport.clone(),
        runner,
        configuration: &configuration,
        attester: attester.clone(),
        clock: clock.clone(),
        secrets: Arc::clone(&secrets),
        report_key: Arc::clone(&report_key),
    })?;
    let counters = Arc::new(Counters::default());
    let appliance = Arc::new(Appliance {
        unlock: provider.name(),
        spki: identity.spki().to_vec(),
        evidence: evidence.clone(),
        bodies: router::Bodies::new(),
        counters: Arc::clone(&counters),
        tenants: Tenants::new(store.clone(), clock.clone())?,
        api_keys: ApiKeys::new(store.clone(), clock.clone())?,
        secrets,
        functions,
        report_key: AttestedReportKey::new(report_key, attester.clone()),
        started: Instant::now(),
        configuration,
        attester,
        clock,
        store,
    });
    let listener = transport.listen(CHANNEL_PORT).await?;
    tracing::info!("serving");
    let channel = Channel {
        identity,
        configuration: digest,
        evidence,
        attested: router::attested(Arc::clone(&appliance)),
        public: router::public(appliance),
        counters,
    };
    Ok(channel.run(listener, stop).await?)
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

fn choose<'a>(
    providers: &'a [Box<dyn UnlockProvider>],
    named: &str,
) -> Result<&'a dyn UnlockProvider, BootError> {
    let found = providers.iter().find(|provider| provider.name() == named);
    found.map(AsRef::as_ref).ok_or_else(|| BootError::NoProvider {
        named: named.to_owned(),
        available: providers.iter().map(|provider| provider.name()).collect::<Vec<_>>().join(", "),
    })
}

/// The first epoch of the store's keys, and the only one until keys are rotated.
const FIRST_EPOCH: u32 = 1;

async fn open_store(transport: &EnclaveTransport, root: &RootSecret) -> Result<Store, StoreError> {
    let blobs = Arc::new(ParentBlobs::new(transport.clone(), BLOB_PORT));
    let keys = StoreKeys::derive(root, FIRST_EPOCH..=FIRST_EPOCH)?;
    Store::open(blobs, keys, Options::default()).await
}

/// Entropy drawn from the device beforehand: providers take it synchronously, the device gives it asynchronously.
/// Each byte is given once.
struct DrawnEntropy(Mutex<Zeroizing<Vec<u8>>>);

impl DrawnEntropy {
    async fn draw(attester: &Attester) -> Result<Self, AttesterError> {
        Ok(Self(Mutex::new(attester.random(UNLOCK_ENTROPY_BYTES).await?)))
    }
}

impl Entropy for DrawnEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = drawn.len().checked_sub(out.len()).ok_or("more entropy was asked for than was drawn")?;
        out.copy_from_slice(&drawn[rest..]);
        // Wiped before it is cut off: `truncate` alone would leave it in memory.
        drawn[rest..].fill(0);
        drawn.truncate(rest);
        Ok(())
    }
}
