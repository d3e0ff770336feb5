//! The parent's settings from the command line, the environment and a file, in this order.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use r3e_parent::limits::{MAX_SETTINGS_BYTES, MIN_LEASE_MS};
use r3e_parent::{
    HostRule, ImdsEndpoint, Network, PostgresAddress, PostgresSettings, Resolve, Settings, StoreSettings,
};
use r3e_transport::Endpoint;
use serde::Deserialize;

use super::launch::LaunchOptions;

/// The store's name where there is no database.
const EMBEDDED: &str = "embedded";

/// One setting each; what is not given stands in the file or has a default.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Options {
    /// Where clients connect
    #[arg(long, env = "R3E_PARENT_LISTEN", value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The enclave: vsock:CID, or unix:PATH of its socket
    #[arg(long, env = "R3E_PARENT_ENCLAVE", value_name = "ENDPOINT")]
    pub(super) enclave: Option<String>,
    /// The folder of the embedded store and the admin socket
    #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    #[arg(
        long,
        env = "R3E_PARENT_STORE",
        value_name = "URL",
        help = "Where sealed records are kept: postgres://USER@HOST/DATABASE [default: embedded, in the data folder]"
    )]
    store: Option<String>,
    /// PEM certificates that sign the database server's [default: those of the public web]
    #[arg(long, env = "R3E_PARENT_STORE_CA", value_name = "FILE")]
    store_ca: Option<PathBuf>,
    /// A file with the password of the database alone
    #[arg(long, env = "R3E_PARENT_STORE_PASSWORD_FILE", value_name = "FILE")]
    store_password_file: Option<PathBuf>,
    /// Lets sslmode=disable stand for a database on another machine
    #[arg(long)]
    store_plaintext: bool,
    /// How long the store's lease lasts without being renewed, in milliseconds [default: 10000]
    #[arg(long, env = "R3E_PARENT_STORE_LEASE_MS", value_name = "MS")]
    store_lease_ms: Option<u32>,
    /// The file that the enclave gets as its configuration, read once
    #[arg(long, visible_alias = "config", env = "R3E_PARENT_CONFIGURATION", value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// Whether to answer the enclave's heartbeat; nitro-cli does it itself [default: true over unix, false over vsock]
    #[arg(long, env = "R3E_PARENT_HEARTBEAT", value_name = "BOOL")]
    heartbeat: Option<bool>,
    /// Clients' connections at once [default: 20000]
    #[arg(long, env = "R3E_PARENT_MAX_CONNECTIONS", value_name = "N")]
    max_connections: Option<usize>,
    /// Connections at once from one address, IPv6 by /64; 0 lifts the limit [default: 512]
    #[arg(long, env = "R3E_PARENT_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    max_connections_per_address: Option<u32>,
    /// New connections a second from one address; 0 lifts the limit [default: 100]
    #[arg(long, env = "R3E_PARENT_CONNECTIONS_PER_SECOND", value_name = "N")]
    connections_per_second: Option<u32>,
    /// New connections from one address in a burst [default: 400]
    #[arg(long, env = "R3E_PARENT_CONNECTION_BURST", value_name = "N")]
    connection_burst: Option<u32>,
    /// For a client to say anything, in milliseconds [default: 15000]
    #[arg(long, env = "R3E_PARENT_FIRST_BYTE_TIMEOUT_MS", value_name = "MS")]
    first_byte_timeout_ms: Option<u64>,
    /// Without a byte either way, in milliseconds [default: 300000]
    #[arg(long, env = "R3E_PARENT_IDLE_TIMEOUT_MS", value_name = "MS")]
    idle_timeout_ms: Option<u64>,
    /// How long a client waits for an enclave that is not up, in milliseconds [default: 5000]
    #[arg(long, env = "R3E_PARENT_DIAL_PATIENCE_MS", value_name = "MS")]
    dial_patience_ms: Option<u64>,
    /// How long connections may go on after SIGTERM, in milliseconds [default: 10000]
    #[arg(long, env = "R3E_PARENT_DRAIN_TIMEOUT_MS", value_name = "MS")]
    drain_timeout_ms: Option<u64>,
    /// A host and port the enclave may reach, repeatable: HOST:PORT, *.SUFFIX:PORT, *:PORT [default: *:443]
    #[arg(long, value_name = "RULE")]
    egress_allow: Vec<HostRule>,
    /// A network that may be reached though it is not public, repeatable: ADDRESS/PREFIX
    #[arg(long, value_name = "NETWORK")]
    egress_allow_private: Vec<Network>,
    /// The address of a host, whatever DNS says, repeatable; an IPv6 address in brackets
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    egress_resolve: Vec<Resolve>,
    /// Egress connections at once [default: 1024]
    #[arg(long, env = "R3E_PARENT_EGRESS_MAX_CONNECTIONS", value_name = "N")]
    egress_max_connections: Option<usize>,
    /// Egress without a byte either way, in milliseconds [default: 60000]
    #[arg(long, env = "R3E_PARENT_EGRESS_IDLE_TIMEOUT_MS", value_name = "MS")]
    egress_idle_timeout_ms: Option<u64>,
    #[arg(
        long,
        env = "R3E_PARENT_IMDS_ENDPOINT",
        value_name = "URL",
        help = "EC2's metadata service, which the enclave's credentials come from [default: http://169.254.169.254]"
    )]
    imds_endpoint: Option<ImdsEndpoint>,
    /// What `run` starts; in a file alone, since `run` has it among its own options
    #[arg(skip)]
    pub(super) run: LaunchOptions,
}

impl Options {
    /// The settings of a file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("cannot read the settings {}", path.display());
        let mut text = String::new();
        std::fs::File::open(path)
            .with_context(unreadable)?
            .take(MAX_SETTINGS_BYTES)
            .read_to_string(&mut text)
            .with_context(unreadable)?;
        toml::from_str(&text).with_context(unreadable)
    }

    /// These options, and `file`'s where there is none.
    pub(super) fn over(&self, file: Self) -> anyhow::Result<Settings> {
        let store = self.store_over(&file)?;
        let enclave = self.enclave.clone().or(file.enclave).with_context(|| missing("enclave"))?;
        let mut settings = Settings::new(
            self.listen.or(file.listen).with_context(|| missing("listen"))?,
            enclave.parse::<Endpoint>()?,
            self.data.clone().or(file.data).with_context(|| missing("data"))?,
            self.configuration.clone().or(file.configuration).with_context(|| missing("configuration"))?,
        );
        settings.store = store;
        set(&mut settings.heartbeat, self.heartbeat, file.heartbeat);
        let forward = &mut settings.forward;
        set(&mut forward.max_connections, self.max_connections, file.max_connections);
        set(
            &mut forward.max_connections_per_address,
            self.max_connections_per_address,
            file.max_connections_per_address,
        );
        set(&mut forward.connections_per_second, self.connections_per_second, file.connections_per_second);
        set(&mut forward.connection_burst, self.connection_burst, file.connection_burst);
        set(&mut forward.first_byte_timeout_ms, self.first_byte_timeout_ms, file.first_byte_timeout_ms);
        set(&mut forward.idle_timeout_ms, self.idle_timeout_ms, file.idle_timeout_ms);
        set(&mut forward.dial_patience_ms, self.dial_patience_ms, file.dial_patience_ms);
        set(&mut forward.drain_timeout_ms, self.drain_timeout_ms, file.drain_timeout_ms);
        let egress = &mut settings.egress;
        set(&mut egress.allow, given(&self.egress_allow), given(&file.egress_allow));
        set(&mut egress.allow_private, given(&self.egress_allow_private), given(&file.egress_allow_private));
        set(&mut egress.resolve, given(&self.egress_resolve), given(&file.egress_resolve));
        set(&mut egress.max_connections, self.egress_max_connections, file.egress_max_connections);
        set(&mut egress.idle_timeout_ms, self.egress_idle_timeout_ms, file.egress_idle_timeout_ms);
        set(&mut settings.imds, self.imds_endpoint, file.imds_endpoint);
        Ok(settings)
    }
}

impl Options {
    /// Those of a store, and no other.
    pub(super) fn of_store(
        store: Option<String>,
        store_ca: Option<PathBuf>,
        store_password_file: Option<PathBuf>,
        store_plaintext: bool,
    ) -> Self {
        Self { store, store_ca, store_password_file, store_plaintext, ..Self::default() }
    }

    /// Where sealed records are kept, by these options and `file`'s.
    pub(super) fn store_over(&self, file: &Self) -> anyhow::Result<StoreSettings> {
        let Some(url) = self.store.as_ref().or(file.store.as_ref()).filter(|url| *url != EMBEDDED) else {
            return Ok(StoreSettings::Embedded);
        };
        let plaintext = self.store_plaintext || file.store_plaintext;
        let address = PostgresAddress::parse(url, plaintext).context("--store")?;
        let mut postgres = PostgresSettings::new(address);
        postgres.ca = self.store_ca.clone().or_else(|| file.store_ca.clone());
        postgres.password_file =
            self.store_password_file.clone().or_else(|| file.store_password_file.clone());
        set(&mut postgres.lease_ms, self.store_lease_ms, file.store_lease_ms);
        if postgres.lease_ms < MIN_LEASE_MS {
            bail!("--store-lease-ms must be {MIN_LEASE_MS} or more");
        }
        Ok(StoreSettings::from(postgres))
    }
}

/// What to say of a setting that has no default.
pub(super) fn missing(name: &str) -> String {
    format!("--{name} is missing: give it here, in the environment or in the settings")
}

/// The first that is given goes over the default.
pub(super) fn set<T>(setting: &mut T, first: Option<T>, second: Option<T>) {
    if let Some(value) = first.or(second) {
        *setting = value;
    }
}

/// A list that has anything in it.
fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}
