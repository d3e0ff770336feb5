//! Starts the parts, and stops them in an order that loses nothing.

use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use r3e_transport::{Listener, ParentTransport};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tracing::{info, warn};

use crate::admin::{self, ADMIN_SOCKET, Admin, Watched};
use crate::blobs::postgres::Lease;
use crate::blobs::{Blobs, Commits, Keeper, OpenStore};
use crate::configuration;
use crate::counters::Counters;
use crate::credentials::Credentials;
use crate::descriptors;
use crate::egress::Egress;
use crate::error::ParentError;
use crate::forwarder::{self, Forwarder, Target, Targets};
use crate::launch::State;
use crate::limits::{CLAIM_PATIENCE_MS, CLAIM_RETRY_PAUSE_MS, MAX_CONNECTIONS_PER_SERVICE};
use crate::orders::Orders;
use crate::ports::{Common, OpenPorts};
use crate::settings::Settings;
use crate::upgrade::{Configuration, Lifecycle, Means, Upgrades};

/// The file whose lock says that a parent uses the data folder.
pub(crate) const LOCK_FILE: &str = "parent.lock";

/// Starts parents.
#[derive(Debug, Clone, Copy)]
pub struct Parent;

/// A parent that runs until [`RunningParent::shutdown`]; dropped, it stops at once, and what was answered stands.
#[derive(Debug)]
pub struct RunningParent {
    local_addr: SocketAddr,
    stopping: watch::Sender<bool>,
    forwarding: Forwarding,
    /// The admin socket.
    services: JoinSet<()>,
    /// With every port towards an enclave.
    upgrades: Arc<Upgrades>,
    keeper: Option<Keeper>,
    lease: Option<Lease>,
    /// Keeps the lease.
    tenure: JoinSet<()>,
    _lock: File,
}

impl Parent {
    /// Starts every part. When this returns, clients can connect, and so can the enclave.
    ///
    /// # Errors
    /// [`ParentError`]: nothing keeps running then.
    pub async fn start(settings: Settings) -> Result<RunningParent, ParentError> {
        Self::start_supervising(settings, None).await
    }

    /// The same, where this process starts the enclave too: the status then tells of `supervised`.
    pub(crate) async fn start_supervising(
        mut settings: Settings,
        supervised: Option<Arc<State>>,
    ) -> Result<RunningParent, ParentError> {
        settings.forward.max_connections = affordable_connections(&settings)?;
        let lock = claim(&settings.data)?;
        let bytes = configuration::read(&settings.configuration)?;
        let configuration = Configuration { path: settings.configuration.clone(), bytes };
        let counters = Arc::<Counters>::default();

        let transport = ParentTransport::new(settings.enclave.clone());
        let ports = OpenPorts::open(&transport, settings.heartbeat).await?;
        let admin_listener = Listener::at_path(&settings.data.join(ADMIN_SOCKET)).await?;
        let public = forwarder::listen(settings.listen)
            .map_err(|source| ParentError::Listen { address: settings.listen, source })?;
        let local_addr =
            public.local_addr().map_err(|source| ParentError::Listen { address: settings.listen, source })?;

        let OpenStore { keeper, handle, lease, tenure } =
            OpenStore::open(&settings, Arc::clone(&counters)).await?;

        let common = Common {
            blobs: Arc::new(Blobs::new(handle.clone(), Arc::clone(&counters))),
            max_egress_streams: settings.egress.max_connections.saturating_add(MAX_CONNECTIONS_PER_SERVICE),
            egress: Arc::new(Egress::new(settings.egress, Arc::clone(&counters))),
            credentials: Arc::new(Credentials::new(settings.imds)),
            counters: Arc::clone(&counters),
            orders: Orders::of(&settings.data),
        };
        let targets = Arc::new(Targets::new(Target::new(transport.clone(), supervised)));
        let (life, commits) = (Lifecycle::ordinary(), Commits::unwatched());
        let ports = ports.serve(&common, Arc::clone(&configuration.bytes), life, commits);
        let means = Means {
            common,
            transport,
            targets: Arc::clone(&targets),
            data: settings.data.clone(),
            heartbeat: settings.heartbeat,
            drain_timeout_ms: settings.forward.drain_timeout_ms,
            idle_timeout_ms: settings.forward.idle_timeout_ms,
            lease: lease.clone(),
        };
        let upgrades = Arc::new(Upgrades::new(means, ports, configuration));
        let watched = Watched {
            data: settings.data.clone(),
            targets: Arc::clone(&targets),
            upgrades: Arc::clone(&upgrades),
            heartbeat: settings.heartbeat,
            store: handle,
            lease: lease.clone(),
        };
        let admin = Arc::new(Admin::new(Arc::clone(&counters), watched));
        let mut services = JoinSet::new();
        services.spawn(admin::run(admin_listener, admin));

        let (stopping, stopped) = watch::channel(false);
        let forwarder = Forwarder::new(public, lease.clone(), targets, settings.forward, counters);
        let forwarding = Forwarding(Some(tokio::spawn(forwarder.run(stopped))));
        info!(listen = %local_addr, enclave = %settings.enclave, data = %settings.data.display(), "the parent is up");
        let keeper = Some(keeper);
        Ok(RunningParent {
            local_addr,
            stopping,
            forwarding,
            services,
            upgrades,
            keeper,
            lease,
            tenure,
            _lock: lock,
        })
    }
}

impl RunningParent {
    /// Where clients connect.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The enclave that serves, and what takes it to its successor.
    pub(crate) fn upgrades(&self) -> &Upgrades {
        &self.upgrades
    }

    /// Takes no new clients, and gives those there are their time; the enclave's ports stay open.
    pub async fn drain(&mut self) {
        info!("stopping");
        // The receiver lives as long as the forwarder.
        let _ = self.stopping.send(true);
        if let Some(forwarding) = &mut self.forwarding.0 {
            if forwarding.await.is_err() {
                warn!("the forwarder ended early");
            }
            self.forwarding.0 = None;
        }
    }

    /// Stops: no new clients, then time for those there are, then the enclave's ports, then the store.
    pub async fn shutdown(mut self) {
        self.drain().await;
        self.stop().await;
    }

    /// Stops without waiting for clients: those that are left are cut. An enclave that was started here is ended.
    pub(crate) async fn stop(mut self) {
        self.upgrades.shutdown().await;
        if let Some(forwarding) = self.forwarding.0.take() {
            forwarding.abort();
            // Ended by the line above, which is no failure.
            let _ = forwarding.await;
        }
        self.services.shutdown().await;
        drop(self.upgrades);
        if let Some(keeper) = self.keeper.take() {
            // Its handles went with the services and the ports, so it ends by itself.
            let _ = spawn_blocking(|| keeper.join()).await;
        }
        // Nothing of ours writes any more, so another parent may.
        if let Some(lease) = self.lease.take() {
            lease.release().await;
        }
        self.tenure.shutdown().await;
        info!("stopped");
    }
}

/// Ends with its owner.
#[derive(Debug)]
struct Forwarding(Option<JoinHandle<()>>);

impl Drop for Forwarding {
    fn drop(&mut self) {
        if let Some(forwarding) = &self.0 {
            forwarding.abort();
        }
    }
}

/// Takes the data folder for this process, for as long as the file is open. One that has only just been given up is waited
/// for: a child that its last owner was starting holds the lock too, until it runs its own program.
pub(crate) fn claim(data: &Path) -> Result<File, ParentError> {
    let failed = |source| ParentError::Data { path: data.into(), source };
    if !data.is_dir() {
        fs::create_dir_all(data).map_err(failed)?;
        fs::set_permissions(data, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join(LOCK_FILE))
        .map_err(failed)?;
    let patience = Instant::now() + Duration::from_millis(CLAIM_PATIENCE_MS);
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < patience => {
                thread::sleep(Duration::from_millis(CLAIM_RETRY_PAUSE_MS));
            }
            Err(fs::TryLockError::WouldBlock) => return Err(ParentError::Held { path: data.into() }),
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

fn affordable_connections(settings: &Settings) -> Result<usize, ParentError> {
    let (wanted, egress) = (settings.forward.max_connections, settings.egress.max_connections);
    let limit = descriptors::raise(wanted.saturating_add(egress));
    let affordable =
        descriptors::affordable(limit, wanted, egress).ok_or(ParentError::Descriptors { limit })?;
    if affordable < wanted {
        warn!(
            limit,
            affordable, wanted, "the limit of open files carries fewer connections than were asked for"
        );
    }
    Ok(affordable)
}
