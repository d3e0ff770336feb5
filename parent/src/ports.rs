//! The parent's ports towards one enclave: its heartbeat, its configuration, its records, its way outside, its life.
//!
//! During an upgrade there are two enclaves, and a set of ports for each: with a configuration and a life of its own, in
//! front of the same store. Knows nothing of why there is a second.

use std::sync::Arc;

use r3e_proto::host::{
    BLOB_PORT, CONFIGURATION_PORT, CREDENTIALS_PORT, EGRESS_PORT, HEARTBEAT_PORT, LIFECYCLE_PORT,
};
use r3e_transport::{ParentTransport, TransportError};
use tokio::task::JoinSet;

use crate::blobs::{Blobs, Commits};
use crate::configuration;
use crate::counters::{Count, Counters};
use crate::credentials::Credentials;
use crate::egress::Egress;
use crate::heartbeat;
use crate::limits::{MAX_BLOB_CONNECTIONS, MAX_CONNECTIONS_PER_SERVICE};
use crate::orders::Orders;
use crate::service::Service;
use crate::upgrade::Lifecycle;

/// What the ports of all enclaves lead to.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) counters: Arc<Counters>,
    pub(crate) blobs: Arc<Blobs>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) orders: Orders,
    /// Egress takes one more connection than it has places, to say that it is busy.
    pub(crate) max_egress_streams: usize,
}

/// Ports that are listened on; the enclave's connections wait.
#[derive(Debug)]
pub(crate) struct OpenPorts {
    heartbeat: Option<Service>,
    configuration: Service,
    records: Service,
    outside: Service,
    credentials: Service,
    lifecycle: Service,
}

/// Ports that are served, until they are closed or dropped.
#[derive(Debug)]
pub(crate) struct Ports {
    services: JoinSet<()>,
    beats: Arc<Count>,
}

impl OpenPorts {
    /// Opens all of them, or none: the heartbeat's only where the parent is to answer it.
    pub(crate) async fn open(transport: &ParentTransport, heartbeat: bool) -> Result<Self, TransportError> {
        Ok(Self {
            heartbeat: if heartbeat {
                Some(Service::open("heartbeat", transport, HEARTBEAT_PORT).await?)
            } else {
                None
            },
            configuration: Service::open("configuration", transport, CONFIGURATION_PORT).await?,
            records: Service::open("blobs", transport, BLOB_PORT).await?,
            outside: Service::open("egress", transport, EGRESS_PORT).await?,
            credentials: Service::open("credentials", transport, CREDENTIALS_PORT).await?,
            lifecycle: Service::open("lifecycle", transport, LIFECYCLE_PORT).await?,
        })
    }

    /// Serves them, each in a task.
    pub(crate) fn serve(
        self,
        common: &Common,
        configuration: Arc<[u8]>,
        lifecycle: Arc<Lifecycle>,
        commits: Arc<Commits>,
    ) -> Ports {
        let Common { counters, blobs, egress, credentials, orders, max_egress_streams } = common.clone();
        let (mut services, beats) = (JoinSet::new(), Arc::<Count>::default());
        if let Some(heartbeats) = self.heartbeat {
            let (all, own) = (Arc::clone(&counters), Arc::clone(&beats));
            services.spawn(heartbeats.run(MAX_CONNECTIONS_PER_SERVICE, move |stream| {
                heartbeat::serve(stream, Arc::clone(&all), Arc::clone(&own))
            }));
        }
        services.spawn(self.configuration.run(MAX_CONNECTIONS_PER_SERVICE, move |stream| {
            configuration::serve(stream, Arc::clone(&configuration), Arc::clone(&counters))
        }));
        services.spawn(
            self.records.run(MAX_BLOB_CONNECTIONS, move |stream| {
                Arc::clone(&blobs).serve(stream, Arc::clone(&commits))
            }),
        );
        services.spawn(self.outside.run(max_egress_streams, move |stream| Arc::clone(&egress).serve(stream)));
        services.spawn(
            self.credentials
                .run(MAX_CONNECTIONS_PER_SERVICE, move |stream| Arc::clone(&credentials).serve(stream)),
        );
        services.spawn(self.lifecycle.run(MAX_CONNECTIONS_PER_SERVICE, move |stream| {
            Arc::clone(&lifecycle).serve(stream, orders.clone())
        }));
        Ports { services, beats }
    }
}

impl Ports {
    /// Counts the heartbeats of this enclave.
    pub(crate) fn beats(&self) -> Arc<Count> {
        Arc::clone(&self.beats)
    }

    /// Closes them, and every connection of this enclave's.
    pub(crate) async fn close(&mut self) {
        self.services.shutdown().await;
    }
}
