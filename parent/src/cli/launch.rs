//! Which enclave `run` and `check` are about: options, environment, and the table `[run]` of a settings file.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use r3e_parent::{Host, Launch, Restart, Settings};
use serde::Deserialize;

use super::settings::{Options, missing, set};

/// The socket of an emulated enclave in the data folder.
const ENCLAVE_SOCKET: &str = "enclave.sock";
/// The word that leaves it to the program where QEMU is.
const AUTO: &str = "auto";

/// One setting each; what is not given stands in the file or has a default.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[command(next_help_heading = "The enclave")]
pub(super) struct LaunchOptions {
    /// The enclave image file
    #[arg(long, env = "R3E_PARENT_IMAGE", value_name = "FILE")]
    image: Option<PathBuf>,
    /// The published reference values; an image that they do not name is not started
    #[arg(long, env = "R3E_PARENT_REFERENCE_VALUES", value_name = "FILE")]
    reference_values: Option<PathBuf>,
    /// Its processors [default: 2]
    #[arg(long, env = "R3E_PARENT_CPUS", value_name = "N")]
    cpus: Option<u32>,
    /// Its memory in MiB [default: 2048]
    #[arg(long, env = "R3E_PARENT_MEMORY", value_name = "MIB")]
    memory: Option<u64>,
    /// Its context id [default: 16]
    #[arg(long, env = "R3E_PARENT_CID", value_name = "N")]
    cid: Option<u32>,
    /// The program that starts enclaves [default: nitro-cli, from PATH]
    #[arg(long, env = "R3E_PARENT_NITRO_CLI", value_name = "PROGRAM")]
    nitro_cli: Option<PathBuf>,
    /// Emulates the enclave, which PROTECTS NOTHING: the folder of QEMU and vhost-device-vsock, or "auto"
    #[arg(long, value_name = "DIR", conflicts_with = "nitro_cli")]
    qemu: Option<String>,
    /// The key and certificates (key.der, leaf.der, ca0.der, ca1.der) of a test root, by which QEMU signs documents
    #[arg(long, value_name = "DIR")]
    qemu_sign_with: Option<PathBuf>,
    /// Opens the enclave to this machine, so that it PROTECTS NOTHING: its PCRs are zeros, and no client accepts it
    #[arg(long, conflicts_with = "qemu")]
    debug_mode: bool,
    /// Does not start the enclave again: ends with 1 when it has ended
    #[arg(long)]
    once: bool,
    /// Before the first restart; each further one waits twice as long, in milliseconds [default: 1000]
    #[arg(long, env = "R3E_PARENT_RESTART_FIRST_MS", value_name = "MS")]
    restart_first_ms: Option<u64>,
    /// The longest wait before a restart, in milliseconds [default: 60000]
    #[arg(long, env = "R3E_PARENT_RESTART_MAX_MS", value_name = "MS")]
    restart_max_ms: Option<u64>,
    /// For the enclave to send its heartbeat, in milliseconds [default: 120000]
    #[arg(long, env = "R3E_PARENT_BOOT_TIMEOUT_MS", value_name = "MS")]
    boot_timeout_ms: Option<u64>,
    /// Between two looks at whether the enclave runs, in milliseconds [default: 5000]
    #[arg(long, env = "R3E_PARENT_WATCH_INTERVAL_MS", value_name = "MS")]
    watch_interval_ms: Option<u64>,
}

/// Settings of both, with `run`'s own options before the table `[run]` of the file.
pub(super) fn both(
    launch: &LaunchOptions,
    options: &Options,
    mut file: Options,
) -> anyhow::Result<(Settings, Launch)> {
    if options.enclave.is_some() || file.enclave.is_some() {
        bail!("--enclave says where an enclave is that someone else starts: leave it out, or use serve");
    }
    let launch = launch.over(&std::mem::take(&mut file.run))?;
    let data = options.data.clone().or_else(|| file.data.clone()).with_context(|| missing("data"))?;
    file.enclave = Some(match launch.host {
        Host::Nitro { .. } => format!("vsock:{}", launch.cid),
        Host::Qemu { .. } => format!("unix:{}", data.join(ENCLAVE_SOCKET).display()),
    });
    Ok((options.over(file)?, launch))
}

impl LaunchOptions {
    fn over(&self, file: &Self) -> anyhow::Result<Launch> {
        let image = self.image.clone().or_else(|| file.image.clone()).with_context(|| missing("image"))?;
        let nitro_cli = self.nitro_cli.as_ref().or(file.nitro_cli.as_ref());
        let sign_with = self.qemu_sign_with.as_ref().or(file.qemu_sign_with.as_ref()).cloned();
        let host = match self.qemu.as_deref().or(file.qemu.as_deref()) {
            Some(folder) => Host::Qemu { folder: (folder != AUTO).then(|| folder.into()), sign_with },
            None if sign_with.is_some() => bail!("--qemu-sign-with needs --qemu"),
            None => Host::Nitro { nitro_cli: nitro_cli.cloned().unwrap_or_else(|| "nitro-cli".into()) },
        };
        let mut launch = Launch::new(image, host);
        launch.reference_values = self.reference_values.clone().or_else(|| file.reference_values.clone());
        // Never from a file: it would be overlooked there.
        if file.debug_mode {
            bail!("debug-mode in a settings file is not taken: give --debug-mode each time");
        }
        launch.debug_mode = self.debug_mode;
        if launch.debug_mode && matches!(launch.host, Host::Qemu { .. }) {
            bail!("--debug-mode is for nitro-cli; QEMU's console is always open");
        }
        set(&mut launch.cpus, self.cpus, file.cpus);
        set(&mut launch.memory_mib, self.memory, file.memory);
        set(&mut launch.cid, self.cid, file.cid);
        set(&mut launch.boot_timeout_ms, self.boot_timeout_ms, file.boot_timeout_ms);
        set(&mut launch.watch_interval_ms, self.watch_interval_ms, file.watch_interval_ms);
        if let Restart::Backoff { first_ms, max_ms } = &mut launch.restart {
            set(first_ms, self.restart_first_ms, file.restart_first_ms);
            set(max_ms, self.restart_max_ms, file.restart_max_ms);
        }
        if self.once || file.once {
            launch.restart = Restart::Never;
        }
        Ok(launch)
    }
}
