//! `r3e-qemu`: boots an enclave image by hand, and shows its console.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use r3e_proto::host::HEARTBEAT_PORT;
use r3e_qemu::limits::{DEFAULT_MEMORY_MIB, DEFAULT_PROCESSORS};
use r3e_qemu::{Heartbeat, Machine, MachineConfig, Manner, TestAuthority, Tools};
use tokio::signal::ctrl_c;
use tokio::time::sleep;

/// Boots enclave images in QEMU, for tests and by hand. What runs there is not protected from this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Boots an image, shows its console, and ends with it or at Ctrl-C
    #[command(after_help = "Examples:\n  r3e-qemu boot r3e.eif --folder /tmp/m\n  \
        r3e-parent serve --enclave unix:/tmp/m/vsock --listen 127.0.0.1:8443 --data /tmp/data --configuration enclave.toml\n\n\
        The parent must run before the machine boots, or be started again: nothing refuses a connection to a port of \
        the parent on which nobody listens.")]
    Boot(Boot),
    /// Makes a test root, and a key and chain under it that a machine signs documents with for some hours
    #[command(after_help = "Example:\n  r3e-qemu authority /tmp/authority\n  \
        r3e-parent run --image r3e.eif --qemu auto --qemu-sign-with /tmp/authority …")]
    Authority {
        /// Where to; a root that is there already stays
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Boot {
    /// The image
    eif: PathBuf,
    /// Where sockets, logs and the test root are kept; a short path
    #[arg(long, value_name = "DIR", default_value = "/tmp/r3e-qemu")]
    folder: PathBuf,
    /// Memory in MiB
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY_MIB)]
    memory: u32,
    /// Processors
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PROCESSORS)]
    processors: u32,
    /// Arguments for the kernel after the image's own
    #[arg(long, value_name = "TEXT")]
    append: Option<String>,
    /// Leave attestation documents unsigned, as QEMU does by itself
    #[arg(long)]
    unsigned: bool,
    /// Answer the heartbeat here; without it a parent must
    #[arg(long)]
    heartbeat: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Boot(options) => boot(options).await,
        Command::Authority { folder } => authority(&folder),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("r3e-qemu: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn authority(folder: &std::path::Path) -> anyhow::Result<ExitCode> {
    let authority = TestAuthority::issue(folder)?;
    println!("{}", authority.root_file().display());
    Ok(ExitCode::SUCCESS)
}

async fn boot(options: Boot) -> anyhow::Result<ExitCode> {
    let folder = options.folder;
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let tools = Tools::find()?;
    let mut config = MachineConfig {
        memory_mib: options.memory,
        processors: options.processors,
        append: options.append,
        ..MachineConfig::new(&options.eif, &folder)
    };
    if !options.unsigned {
        let authority = TestAuthority::issue(&folder.join("authority"))?;
        eprintln!("test root: {}", authority.root_file().display());
        config.sign_dir = Some(authority.folder().to_owned());
    }
    let beats = r3e_qemu::machine::parent_socket(&folder, HEARTBEAT_PORT);
    let _beats = options.heartbeat.then(|| Heartbeat::listen(&beats, Manner::Echo)).transpose()?;
    // What earlier machines left on the console is not shown.
    let shown = r3e_qemu::machine::console_file(&folder).metadata().map_or(0, |file| file.len());
    let mut machine = Machine::boot(&tools, &config)?;
    eprintln!("enclave:   unix:{}", machine.socket().display());
    tokio::select! {
        status = follow(&mut machine, usize::try_from(shown)?) => Ok(exit_code(status?.success())),
        _ = ctrl_c() => Ok(ExitCode::SUCCESS),
    }
}

fn exit_code(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the console from a place on, until the machine ends.
async fn follow(machine: &mut Machine, mut shown: usize) -> anyhow::Result<std::process::ExitStatus> {
    loop {
        let ended = machine.ended()?;
        let console = machine.console();
        let new = console.as_bytes().get(shown..).unwrap_or_default();
        std::io::stdout().write_all(new)?;
        std::io::stdout().flush()?;
        shown += new.len();
        if let Some(status) = ended {
            return Ok(status);
        }
        sleep(Duration::from_millis(50)).await;
    }
}
