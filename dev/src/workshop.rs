//! The appliance's parts for functions, put together in this process: compiler, runners, registry, and a sealed store over a
//! parent of its own in a folder that goes when it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use r3e_client::project::Project;
use r3e_egress::{Egress, TrustRoots, TrustedClock};
use r3e_functions::runner_pool::{HostError, Layers, RunnerConfig, RunnerPool};
use r3e_functions::{
    Bundler, CheckError, Completed, Definition, Internet, Invoker, InvokerParts, Loadable, Registry, Values,
};
use r3e_keys::RootSecret;
use r3e_parent::{Parent, RunningParent, Settings};
use r3e_proto::api::identity::TenantId;
use r3e_proto::host::BLOB_PORT;
use r3e_store::{Options, ParentBlobs, Store, StoreKeys};
use r3e_transport::{EnclaveTransport, Endpoint};
use r3e_zk::Zk;
use serde_json::Value;
use tempfile::TempDir;

use crate::error::DevError;
use crate::given::{GivenHosts, GivenSecrets, NoDevice, NoFeeds, NoNodes, Open, OwnDice, OwnSeal, Said};

/// Where the functions' hosts are.
pub(crate) enum Hosts {
    /// On the public internet, as for an appliance.
    Public,
    /// In the case that runs.
    Given(Arc<GivenHosts>),
}

/// Everything that runs functions.
pub(crate) struct Workshop {
    pub(crate) secrets: Arc<GivenSecrets>,
    store: Store,
    pool: Arc<RunnerPool>,
    bundler: Bundler,
    registry: Arc<Registry>,
    invoker: Invoker,
    parent: RunningParent,
    _folder: TempDir,
}

impl Workshop {
    /// Starts the parent and the runners.
    ///
    /// # Errors
    /// [`DevError::NoProgram`], [`DevError::Machine`].
    pub(crate) async fn open(programs: Option<&Path>, hosts: Hosts) -> Result<Self, DevError> {
        let (runner, bundler) = (program(programs, "r3e-runner")?, program(programs, "r3e-bundler")?);
        let folder = tempfile::Builder::new().prefix("r3e-dev-").tempdir().map_err(DevError::machine)?;
        let endpoint = Endpoint::Unix { path: folder.path().join("enclave.sock") };
        let configuration = folder.path().join("configuration.toml");
        // No enclave will ask for it; a parent does not start without one.
        std::fs::write(&configuration, "# there is no enclave\n").map_err(DevError::machine)?;
        let anywhere = ([127, 0, 0, 1], 0).into();
        let settings = Settings::new(anywhere, endpoint.clone(), folder.path().join("data"), configuration);
        let parent = Parent::start(settings).await.map_err(DevError::machine)?;

        let transport = EnclaveTransport::new(endpoint);
        let root = RootSecret::fill_with(|bytes| rand::fill(bytes))
            .map_err(|_| DevError::machine("this machine gives no random numbers"))?;
        let root = Arc::new(root);
        let keys = StoreKeys::derive(&root).map_err(DevError::machine)?;
        let blobs = Arc::new(ParentBlobs::new(transport.clone(), BLOB_PORT));
        let store = Store::open(blobs, keys, Options::default()).await.map_err(DevError::machine)?;

        let internet: Arc<dyn Internet> = match hosts {
            Hosts::Given(hosts) => hosts,
            Hosts::Public => {
                let clock = TrustedClock::new(|| Some(now_ms()));
                Arc::new(Egress::new(transport, TrustRoots::public(), clock).map_err(DevError::machine)?)
            }
        };
        let layers = Layers::beside(&runner);
        let config = RunnerConfig { layers, ..RunnerConfig::new(runner) };
        let proofs = Zk::open_beside(&config.runner_path).map_err(DevError::machine)?;
        let pool = Arc::new(RunnerPool::new(config).map_err(DevError::machine)?);
        let registry = Arc::new(Registry::new(store.clone()));
        let secrets = Arc::new(GivenSecrets::default());
        let invoker = Invoker::new(InvokerParts {
            registry: Arc::clone(&registry),
            pool: Arc::clone(&pool),
            store: store.clone(),
            internet,
            secrets: Arc::clone(&secrets) as _,
            attestation: Arc::new(NoDevice),
            events: Arc::new(Said),
            triggers: Arc::new(Said),
            prices: Arc::new(NoFeeds),
            random: Arc::new(OwnDice(Arc::clone(&root))),
            proofs: Arc::new(proofs),
            notary: Arc::new(OwnSeal(root)),
            networks: Arc::new(NoNodes),
            admissions: Arc::new(Open),
        });
        let bundler = Bundler::new(bundler).with_compilers_beside();
        Ok(Self { secrets, store, pool, bundler, registry, invoker, parent, _folder: folder })
    }

    /// Compiles a project, loads it once, and keeps it for the tenant. Its version.
    ///
    /// # Errors
    /// [`DevError::Refused`] in the words that an appliance would use; [`DevError::Machine`].
    pub(crate) async fn load(&self, tenant: TenantId, project: &Project) -> Result<String, DevError> {
        let definition = Definition::new(&project.name, project.deploy.clone())
            .map_err(|error| DevError::Refused(error.to_string()))?;
        let loadable = match Loadable::check(&self.pool, &self.bundler, tenant, definition).await {
            Ok(loadable) => loadable,
            Err(CheckError::Refused(words)) => return Err(DevError::Refused(words)),
            Err(error) => return Err(DevError::machine(error)),
        };
        let deployed = self.registry.deploy(tenant, loadable, now_ms()).await.map_err(DevError::machine)?;
        Ok(deployed.function.version)
    }

    /// One event of the function that was loaded last under this name.
    ///
    /// # Errors
    /// [`DevError::Refused`]: the event is none, or no runner could be had.
    pub(crate) async fn invoke(
        &self,
        tenant: TenantId,
        name: &str,
        event: &[u8],
    ) -> Result<Completed, DevError> {
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| DevError::machine("this machine gives no random numbers"))?;
        let completed = self.invoker.invoke(tenant, &id, name, event).await;
        completed.map_err(|error| DevError::Refused(error.to_string()))
    }

    /// What the function keeps under a key.
    ///
    /// # Errors
    /// [`DevError::Refused`]: no such key can be.
    pub(crate) async fn value(
        &self,
        tenant: TenantId,
        name: &str,
        key: &str,
    ) -> Result<Option<Value>, DevError> {
        let kept = self.values(tenant, name)?.read(key).await.map_err(refused)?;
        kept.map(|text| serde_json::from_str(&text)).transpose().map_err(DevError::machine)
    }

    /// Has the function find a value under a key.
    ///
    /// # Errors
    /// [`DevError::Refused`]: no such key can be, or the value is over its limit.
    pub(crate) async fn keep(
        &self,
        tenant: TenantId,
        name: &str,
        key: &str,
        value: &Value,
    ) -> Result<(), DevError> {
        self.values(tenant, name)?.write(key, Some(value.to_string())).await.map_err(refused)
    }

    fn values(&self, tenant: TenantId, name: &str) -> Result<Values, DevError> {
        Values::of(&self.store, tenant, name).map_err(DevError::machine)
    }

    /// Ends the parent.
    pub(crate) async fn close(self) {
        self.parent.shutdown().await;
    }
}

/// How long since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn program(folder: Option<&Path>, name: &str) -> Result<PathBuf, DevError> {
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_path_buf));
    let folder = folder.map(Path::to_path_buf).or(beside).unwrap_or_default();
    let path = folder.join(name);
    if path.is_file() { Ok(path) } else { Err(DevError::NoProgram(path)) }
}

/// In the words that the function itself would get.
fn refused(error: HostError) -> DevError {
    DevError::Refused(error.message)
}
