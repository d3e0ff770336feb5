//! `r3e-enclave`: the production program. The transport is vsock, the device is `/dev/nsm`, entropy is the NSM's, and
//! nothing can be set from outside but the configuration, which is measured.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Context as _;
use r3e_attestation::TrustAnchor;
use r3e_attester::{Attester, AttesterConfig, NsmDevice, Version, hwrng_is_nsm};
use r3e_enclave::{HANDOFF_PATIENCE, Parts, run};
use r3e_transport::{EnclaveTransport, Endpoint};
use tokio::sync::watch;

/// The runner, beside this program in the image.
const RUNNER: &str = "r3e-runner";
/// The bundler, likewise.
const BUNDLER: &str = "r3e-bundler";

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_ansi(false).init();
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    hwrng_is_nsm().context("no key can be made safely")?;
    let device = NsmDevice::open()?;
    let program = std::env::current_exe().context("where this program is")?;
    let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
    runtime.block_on(async {
        let attester = Attester::start(device, AttesterConfig::default())?;
        let nsm = attester.describe().await.context("the attestation device does not say what it is")?;
        let Version { major, minor, patch } = nsm.version;
        tracing::info!(module = nsm.module_id, version = %format_args!("{major}.{minor}.{patch}"), "attestation device");
        let parts = Parts {
            transport: EnclaveTransport::new(Endpoint::nitro_parent()),
            attester,
            other_unlock_providers: Vec::new(),
            runner: program.with_file_name(RUNNER),
            bundler: program.with_file_name(BUNDLER),
            trust: TrustAnchor::AwsNitroG1,
            handoff_patience: HANDOFF_PATIENCE,
        };
        // Nothing stops an enclave but its end: the sender lives as long as the appliance serves.
        let (_running, stop) = watch::channel(false);
        Box::pin(run(parts, stop)).await.context("the appliance did not start, or stopped")
    })
}
