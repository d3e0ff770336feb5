//! `r3e-parent serve`: settings from the command line, the environment and a file, in this order; then the parent, until
//! a signal.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use r3e_parent::limits::MAX_SETTINGS_BYTES;
use r3e_parent::{HostRule, Network, Parent, Resolve, Settings};
use r3e_transport::Endpoint;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, warn};

use super::log::Log;
use super::{EXIT_FAILED, EXIT_USAGE, exit};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r3e-parent serve --listen 0.0.0.0:443 --enclave vsock:16 --data /var/lib/r3e --configuration /etc/r3e/enclave.toml\n  \
    r3e-parent serve --settings /etc/r3e/parent.toml\n\n\
    A settings file has the same names as the options, dashes and all; lists are lists:\n  \
    listen = \"0.0.0.0:443\"\n  \
    enclave = \"vsock:16\"\n  \
    egress-allow = [\"*:443\"]\n\n\
    The command line goes before the environment (R3E_PARENT_LISTEN, ...), and both before the file.")]
pub(super) struct Serve {
    /// A file with settings in TOML
    #[arg(long, env = "R3E_PARENT_SETTINGS", value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    log: Log,
}

/// One setting each; what is not given stands in the file or has a default.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Options {
    /// Where clients connect
    #[arg(long, env = "R3E_PARENT_LISTEN", value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The enclave: vsock:CID, or unix:PATH of its socket
    #[arg(long, env = "R3E_PARENT_ENCLAVE", value_name = "ENDPOINT")]
    enclave: Option<String>,
    /// The folder of the blob store and the admin socket
    #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The file that the enclave gets as its configuration, read once
    #[arg(long, env = "R3E_PARENT_CONFIGURATION", value_name = "FILE")]
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
}

impl Serve {
    /// Runs the parent until a signal.
    pub(super) fn run(self) -> ExitCode {
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        self.log.begin();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        exit(
            runtime.context("cannot start").and_then(|runtime| runtime.block_on(serve(settings))),
            EXIT_FAILED,
        )
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let file = self.settings.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        self.options.over(file)
    }
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let parent =
        Parent::start(settings).await.inspect_err(|failure| error!(%failure, "the parent did not start"))?;
    let mut asked = async || tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () };
    asked().await;
    tokio::select! {
        () = parent.shutdown() => {}
        () = asked() => warn!("asked again: ending at once"),
    }
    Ok(())
}

impl Options {
    fn read(path: &Path) -> anyhow::Result<Self> {
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
    fn over(&self, file: Self) -> anyhow::Result<Settings> {
        let missing =
            |name| format!("--{name} is missing: give it here, in the environment or in the settings");
        let enclave = self.enclave.clone().or(file.enclave).with_context(|| missing("enclave"))?;
        let mut settings = Settings::new(
            self.listen.or(file.listen).with_context(|| missing("listen"))?,
            enclave.parse::<Endpoint>()?,
            self.data.clone().or(file.data).with_context(|| missing("data"))?,
            self.configuration.clone().or(file.configuration).with_context(|| missing("configuration"))?,
        );
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
        Ok(settings)
    }
}

/// The first that is given goes over the default.
fn set<T>(setting: &mut T, first: Option<T>, second: Option<T>) {
    if let Some(value) = first.or(second) {
        *setting = value;
    }
}

/// A list that has anything in it.
fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}
