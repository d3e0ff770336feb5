//! Starts the parts, and stops them in an order that loses nothing.

use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use r3e_proto::host::{BLOB_PORT, CONFIGURATION_PORT, CREDENTIALS_PORT, EGRESS_PORT, HEARTBEAT_PORT};
use r3e_transport::{Listener, ParentTransport};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tracing::{info, warn};

use crate::admin::{self, ADMIN_SOCKET, Admin, Watched};
use crate::blobs::postgres::Lease;
use crate::blobs::{Blobs, Keeper, OpenStore};
use crate::configuration;
use crate::counters::Counters;
use crate::credentials::Credentials;
use crate::descriptors;
use crate::egress::Egress;
use crate::error::ParentError;
use crate::forwarder::{self, Forwarder};
use crate::heartbeat;
use crate::launch::State;
use crate::limits::{MAX_BLOB_CONNECTIONS, MAX_CONNECTIONS_PER_SERVICE};
use crate::service::Service;
use crate::settings::Settings;

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
    /// None once it has ended.
    forwarding: Option<JoinHandle<()>>,
    services: JoinSet<()>,
    keeper: Option<Keeper>,
    lease: Option<Lease>,
    /// Keeps the lease.
    tenure: JoinSet<()>,
    counters: Arc<Counters>,
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
        let configuration = configuration::read(&settings.configuration)?;
        let counters = Arc::<Counters>::default();

        let transport = ParentTransport::new(settings.enclave.clone());
        let heartbeats = if settings.heartbeat {
            Some(Service::open("heartbeat", &transport, HEARTBEAT_PORT).await?)
        } else {
            None
        };
        let configurations = Service::open("configuration", &transport, CONFIGURATION_PORT).await?;
        let records = Service::open("blobs", &transport, BLOB_PORT).await?;
        let outside = Service::open("egress", &transport, EGRESS_PORT).await?;
        let credentials_asked = Service::open("credentials", &transport, CREDENTIALS_PORT).await?;
        let admin_listener = Listener::at_path(&settings.data.join(ADMIN_SOCKET)).await?;
        let public = forwarder::listen(settings.listen)
            .map_err(|source| ParentError::Listen { address: settings.listen, source })?;
        let local_addr =
            public.local_addr().map_err(|source| ParentError::Listen { address: settings.listen, source })?;

        let OpenStore { keeper, handle, lease, tenure } =
            OpenStore::open(&settings, Arc::clone(&counters)).await?;

        // Egress takes one more connection than it has places, to say that it is busy.
        let max_egress_streams = settings.egress.max_connections.saturating_add(MAX_CONNECTIONS_PER_SERVICE);
        let blobs = Arc::new(Blobs::new(handle.clone(), Arc::clone(&counters)));
        let egress = Arc::new(Egress::new(settings.egress, Arc::clone(&counters)));
        let credentials = Arc::new(Credentials::new(settings.imds));
        let mut services = JoinSet::new();
        if let Some(heartbeats) = heartbeats {
            let count = Arc::clone(&counters);
            let serve = move |stream| heartbeat::serve(stream, Arc::clone(&count));
            services.spawn(heartbeats.run(MAX_CONNECTIONS_PER_SERVICE, serve));
        }
        let count = Arc::clone(&counters);
        services.spawn(configurations.run(MAX_CONNECTIONS_PER_SERVICE, move |stream| {
            configuration::serve(stream, Arc::clone(&configuration), Arc::clone(&count))
        }));
        services.spawn(records.run(MAX_BLOB_CONNECTIONS, move |stream| Arc::clone(&blobs).serve(stream)));
        services.spawn(outside.run(max_egress_streams, move |stream| Arc::clone(&egress).serve(stream)));
        let serve = move |stream| Arc::clone(&credentials).serve(stream);
        services.spawn(credentials_asked.run(MAX_CONNECTIONS_PER_SERVICE, serve));
        let watched = Watched {
            data: settings.data.clone(),
            transport: transport.clone(),
            heartbeat: settings.heartbeat,
            supervised,
            store: handle,
            lease: lease.clone(),
        };
        let admin = Arc::new(Admin::new(Arc::clone(&counters), watched));
        services.spawn(admin::run(admin_listener, admin));

        let (stopping, stopped) = watch::channel(false);
        let forwarder =
            Forwarder::new(public, lease.clone(), transport, settings.forward, Arc::clone(&counters));
        let forwarding = Some(tokio::spawn(forwarder.run(stopped)));
        info!(listen = %local_addr, enclave = %settings.enclave, data = %settings.data.display(), "the parent is up");
        let keeper = Some(keeper);
        Ok(RunningParent {
            local_addr,
            stopping,
            forwarding,
            services,
            keeper,
            lease,
            tenure,
            counters,
            _lock: lock,
        })
    }
}

impl RunningParent {
    /// Where clients connect.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What it counts.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The lease of the store, where several parents may share it.
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.lease.clone()
    }

    /// Takes no new clients, and gives those there are their time; the enclave's ports stay open.
    pub async fn drain(&mut self) {
        info!("stopping");
        // The receiver lives as long as the forwarder.
        let _ = self.stopping.send(true);
        if let Some(forwarding) = &mut self.forwarding {
            if forwarding.await.is_err() {
                warn!("the forwarder ended early");
            }
            self.forwarding = None;
        }
    }

    /// Stops: no new clients, then time for those there are, then the enclave's ports, then the store.
    pub async fn shutdown(mut self) {
        self.drain().await;
        self.stop().await;
    }

    /// Stops without waiting for clients: those that are left are cut.
    pub(crate) async fn stop(mut self) {
        if let Some(forwarding) = self.forwarding.take() {
            forwarding.abort();
            // Ended by the line above, which is no failure.
            let _ = forwarding.await;
        }
        self.services.shutdown().await;
        if let Some(keeper) = self.keeper.take() {
            // Its handles went with the services, so it ends by itself.
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

impl Drop for RunningParent {
    fn drop(&mut self) {
        if let Some(forwarding) = &self.forwarding {
            forwarding.abort();
        }
    }
}

/// Takes the data folder for this process, for as long as the file is open.
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
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(ParentError::Held { path: data.into() }),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
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
