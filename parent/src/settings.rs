//! What the operator decides, with a default for all but where things are.

use std::net::SocketAddr;
use std::path::PathBuf;

use r3e_transport::Endpoint;

use crate::blobs::postgres::PostgresSettings;
use crate::credentials::ImdsEndpoint;
use crate::egress::{HostRule, Network, Resolve};
use crate::limits::{
    DEFAULT_CONNECTION_BURST, DEFAULT_CONNECTIONS_PER_SECOND, DEFAULT_DIAL_PATIENCE_MS,
    DEFAULT_DRAIN_TIMEOUT_MS, DEFAULT_EGRESS_IDLE_TIMEOUT_MS, DEFAULT_FIRST_BYTE_TIMEOUT_MS,
    DEFAULT_IDLE_TIMEOUT_MS, DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
    DEFAULT_MAX_EGRESS_CONNECTIONS,
};

/// Everything a parent is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients connect. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The enclave.
    pub enclave: Endpoint,
    /// The folder of the embedded store and the admin socket; made if it is not there.
    pub data: PathBuf,
    /// Where the enclave's sealed records are kept.
    pub store: StoreSettings,
    /// The file with the enclave's configuration.
    pub configuration: PathBuf,
    /// Whether the parent answers the enclave's heartbeat. By default it does over unix sockets and not over vsock:
    /// there `nitro-cli run-enclave` takes the port itself, and fails where another holds it.
    pub heartbeat: bool,
    /// Clients' connections.
    pub forward: Forward,
    /// The enclave's connections to the outside.
    pub egress: Egress,
    /// Where the credentials of this machine's role come from.
    pub imds: ImdsEndpoint,
}

/// Where sealed records are kept.
#[derive(Debug, Clone, Default)]
pub enum StoreSettings {
    /// On this machine's disk, in the data folder.
    #[default]
    Embedded,
    /// In a PostgreSQL database, which several parents may share: one holds its lease at a time.
    Postgres(Box<PostgresSettings>),
}

impl From<PostgresSettings> for StoreSettings {
    fn from(settings: PostgresSettings) -> Self {
        Self::Postgres(Box::new(settings))
    }
}

/// Limits on clients' connections; each default stands in [`crate::limits`] with its reason.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Connections at once; lowered where the limit on open files carries fewer.
    pub max_connections: usize,
    /// Connections at once from one address, IPv6 by /64. Zero: no limit.
    pub max_connections_per_address: u32,
    /// New connections a second from one address. Zero: no limit.
    pub connections_per_second: u32,
    /// New connections from one address in a burst.
    pub connection_burst: u32,
    /// For a client to say anything.
    pub first_byte_timeout_ms: u64,
    /// Without a byte either way.
    pub idle_timeout_ms: u64,
    /// How long a client waits for an enclave that is not up.
    pub dial_patience_ms: u64,
    /// How long connections may go on after a stop.
    pub drain_timeout_ms: u64,
}

/// What the enclave may reach.
#[derive(Debug, Clone)]
pub struct Egress {
    /// Hosts and ports that may be reached; by default port 443 of any host.
    pub allow: Vec<HostRule>,
    /// Networks that may be reached though they are not public; by default none.
    pub allow_private: Vec<Network>,
    /// Hosts whose address is given, whatever DNS says; each may be reached.
    pub resolve: Vec<Resolve>,
    /// Connections at once.
    pub max_connections: usize,
    /// Without a byte either way.
    pub idle_timeout_ms: u64,
}

impl Settings {
    /// With the default for every limit and rule.
    pub fn new(listen: SocketAddr, enclave: Endpoint, data: PathBuf, configuration: PathBuf) -> Self {
        let heartbeat = matches!(enclave, Endpoint::Unix { .. });
        let (forward, egress, imds) = (Forward::default(), Egress::default(), ImdsEndpoint::default());
        let store = StoreSettings::default();
        Self { listen, enclave, data, store, configuration, heartbeat, forward, egress, imds }
    }
}

impl Default for Forward {
    fn default() -> Self {
        Self {
            max_connections: DEFAULT_MAX_CONNECTIONS,
            max_connections_per_address: DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
            connections_per_second: DEFAULT_CONNECTIONS_PER_SECOND,
            connection_burst: DEFAULT_CONNECTION_BURST,
            first_byte_timeout_ms: DEFAULT_FIRST_BYTE_TIMEOUT_MS,
            idle_timeout_ms: DEFAULT_IDLE_TIMEOUT_MS,
            dial_patience_ms: DEFAULT_DIAL_PATIENCE_MS,
            drain_timeout_ms: DEFAULT_DRAIN_TIMEOUT_MS,
        }
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            allow: vec![HostRule::any_host(443)],
            allow_private: Vec::new(),
            resolve: Vec::new(),
            max_connections: DEFAULT_MAX_EGRESS_CONNECTIONS,
            idle_timeout_ms: DEFAULT_EGRESS_IDLE_TIMEOUT_MS,
        }
    }
}
