//! The enclave as a local process: the same library as `r3e-enclave`, wired to a unix socket and to a fake attestation
//! device that signs under a root of its own. It is another program, not a mode of the production one, and a client
//! trusts it only when it is told to trust that root by name.
//!
//! It also does what `nitro-cli` and the image's init do on hardware: it sends the heartbeat, and it writes down the
//! reference values that a build would publish.
#![forbid(unsafe_code)]

mod test_unlock;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use r3e_attestation::{TrustAnchor, UnsafeTestRoot};
use r3e_attester::{Attester, AttesterConfig};
use r3e_enclave::{HANDOFF_PATIENCE, Parts, run};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig, measured};
use r3e_proto::host::{HEARTBEAT, HEARTBEAT_PORT};
use r3e_transport::{EnclaveTransport, Endpoint};
use test_unlock::TestUnlock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Runs the enclave as a local process over unix sockets, with a fake attestation device. For tests and local runs:
/// it protects nothing.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The unix socket that stands for the enclave's vsock; the parent's ports are the same path, an underscore and the port.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Where the fake device keeps its test root, where the test unlock provider keeps its secret, and where
    /// `test-root.pem` and `reference-values.json` are written.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The runner program; beside this one by default.
    #[arg(long, value_name = "FILE")]
    runner: Option<PathBuf>,
    /// How long this appliance waits to hear from a successor that it handed its root secret to.
    #[arg(long, value_name = "N", default_value_t = default_patience_ms())]
    handoff_patience_ms: u64,
    /// Measures PCR0 to 2 as zeros, as an enclave in debug mode does.
    #[arg(long)]
    debug_mode: bool,
    /// How long each call to the fake device takes; real ones take milliseconds.
    #[arg(long, value_name = "N", default_value_t = 2)]
    device_latency_ms: u64,
}

/// The longest wait for the parent's heartbeat echo, with all retries.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_mins(1);
const HEARTBEAT_RETRY: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match start(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: Options) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.state).context("the state directory")?;
    let program = std::env::current_exe().context("where this program is")?;
    let runner = options.runner.unwrap_or_else(|| program.with_file_name("r3e-runner"));
    let mut pcrs = image_pcrs(&program, &runner)?;
    if options.debug_mode {
        pcrs = FakeNsmConfig::debug_mode().pcrs;
    }
    let config = FakeNsmConfig {
        pcrs,
        call_latency: Duration::from_millis(options.device_latency_ms),
        instance_authority: true,
        ..FakeNsmConfig::default()
    };
    let device = FakeNsm::open(&options.state, config)?;
    let only_in_tests_trust_the_fake_devices_root = unsafe_test_root(&device)?;
    write_reference_values(&options.state, &pcrs)?;

    let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
    runtime.block_on(async {
        let transport = EnclaveTransport::new(Endpoint::Unix { path: options.socket });
        timeout(HEARTBEAT_TIMEOUT, heartbeat(&transport)).await.context("no parent answers the heartbeat")?;
        let (stopping, stop) = watch::channel(false);
        tokio::spawn(stop_on_signal(stopping));
        let parts = Parts {
            transport,
            attester: Attester::start(device, AttesterConfig::default())?,
            other_unlock_providers: vec![Box::new(TestUnlock::new(&options.state))],
            runner,
            bundler: program.with_file_name("r3e-bundler"),
            trust: only_in_tests_trust_the_fake_devices_root,
            handoff_patience: Duration::from_millis(options.handoff_patience_ms),
        };
        Box::pin(run(parts, stop)).await.context("the enclave did not start, or stopped")
    })
}

/// The root that this program's own fake device signs under, for its peers': whoever holds its key can make any document.
fn unsafe_test_root(device: &FakeNsm) -> anyhow::Result<TrustAnchor> {
    let root = UnsafeTestRoot::from_pem(device.root().pem()).context("the test root")?;
    Ok(TrustAnchor::UnsafeTest(root))
}

fn default_patience_ms() -> u64 {
    u64::try_from(HANDOFF_PATIENCE.as_millis()).unwrap_or(u64::MAX)
}

/// PCR0 to 2 as a build would have them: of this program and its runner. The other registers stay zero.
fn image_pcrs(program: &Path, runner: &Path) -> anyhow::Result<[[u8; 48]; 16]> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let (program, runner) = (read(program)?, read(runner)?);
    let mut pcrs = [[0; 48]; 16];
    pcrs[0] = measured(&[program.as_slice(), runner.as_slice()].concat());
    pcrs[1] = measured(b"a local process has no kernel of its own");
    pcrs[2] = measured(&program);
    Ok(pcrs)
}

fn write_reference_values(state: &Path, pcrs: &[[u8; 48]; 16]) -> anyhow::Result<()> {
    let release = serde_json::json!({
        "name": concat!("enclave-under-test ", env!("CARGO_PKG_VERSION")),
        "pcrs": { "0": hex::encode(pcrs[0]), "1": hex::encode(pcrs[1]), "2": hex::encode(pcrs[2]) },
    });
    let file = serde_json::json!({ "releases": [release] });
    let path = state.join("reference-values.json");
    let text = serde_json::to_vec_pretty(&file).context("reference values")?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Sends the heartbeat until it is echoed, as the image's init does.
async fn heartbeat(transport: &EnclaveTransport) {
    while let Err(error) = heartbeat_once(transport).await {
        tracing::debug!("{error:#}");
        sleep(HEARTBEAT_RETRY).await;
    }
}

async fn heartbeat_once(transport: &EnclaveTransport) -> anyhow::Result<()> {
    let mut stream = transport.dial_parent(HEARTBEAT_PORT).await?;
    stream.write_all(&[HEARTBEAT]).await?;
    let echo = stream.read_u8().await?;
    if echo != HEARTBEAT {
        bail!("the parent echoed {echo:#04x}");
    }
    Ok(())
}

async fn stop_on_signal(stopping: watch::Sender<bool>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stopping.send_replace(true);
}
