//! `r3e-qemu-figures`: how long the image takes to its first attested answer, how much memory it needs, and how much is
//! free in it. The figures in docs/performance.md are its output.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use r3e_e2e::Appliance;
use r3e_e2e::main_job::Town;
use r3e_qemu::limits::{DEFAULT_MEMORY_MIB, POLL};
use r3e_qemu::{Image, MachinePlace, options};
use tokio::time::sleep;

/// Measures an enclave image in QEMU.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example:\n  r3e-qemu-figures all r3e-enclave.eif --boots 10")]
struct Cli {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Times and memory; for minutes
    All {
        /// The image, with its reference values beside it
        eif: PathBuf,
        /// How many boots are timed
        #[arg(long, value_name = "N", default_value_t = 10)]
        boots: usize,
    },
    /// Whether the image serves with this memory: the exit code says it
    Try {
        /// The image
        eif: PathBuf,
        /// What it has to do
        goal: Goal,
        /// The machine's memory
        memory_mib: u32,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Goal {
    /// Give evidence that a client accepts
    Attest,
    /// The main job: a function deployed and invoked
    MainJob,
}

/// No image needs more, and none less.
const MEMORY_MIB: std::ops::Range<u32> = 32..1024;
/// Memory is found to so many MiB.
const STEP_MIB: u32 = 8;
/// A machine that has not done it by then will not: it may have ended, or hang.
const TRY_TIMEOUT: Duration = Duration::from_secs(45);

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        What::All { eif, boots } => all(&eif, boots).await,
        What::Try { eif, goal, memory_mib } => attempt(&eif, goal, memory_mib).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("r3e-qemu-figures: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn all(eif: &Path, boots: usize) -> anyhow::Result<()> {
    ensure!(boots > 0, "no boot says nothing");
    println!("image: {} bytes", eif.metadata().with_context(|| eif.display().to_string())?.len());
    let image = image(eif)?;
    let mut times = Vec::new();
    let mut account = String::new();
    for _ in 0..boots {
        let mut appliance = Appliance::prepare(options(), |folder| MachinePlace::new(folder, &image));
        appliance.start_parent();
        let start = Instant::now();
        appliance.start_enclave();
        appliance.ready().await;
        appliance.connect().await;
        times.push(start.elapsed());
        account = memory_account(&appliance.enclave_process().console()).context("init told no memory")?;
    }
    times.sort();
    let seconds = |index: usize| times.get(index).copied().unwrap_or_default().as_secs_f64();
    println!(
        "start of QEMU to the first attested answer, {boots} boots: median {:.2} s, fastest {:.2} s, slowest {:.2} s",
        seconds(boots / 2),
        seconds(0),
        seconds(boots - 1),
    );
    println!("a machine with {DEFAULT_MEMORY_MIB} MiB, when the image is unpacked: {account}");
    for (goal, name) in [(Goal::Attest, "attest"), (Goal::MainJob, "main-job")] {
        println!("least memory for {name}: {} MiB", least(eif, name, goal).await?);
    }
    Ok(())
}

/// What init says of memory before it starts anything.
fn memory_account(console: &str) -> Option<String> {
    console.lines().find_map(|line| line.strip_prefix("r3e-init: memory: ")).map(str::to_owned)
}

/// The programs of the main job run in folders of their own.
fn image(eif: &Path) -> anyhow::Result<Image> {
    Ok(Image::at(&std::path::absolute(eif)?))
}

/// By bisection: the least memory with which a boot reaches the goal.
async fn least(eif: &Path, name: &str, goal: Goal) -> anyhow::Result<u32> {
    let (mut too_little, mut enough) = (MEMORY_MIB.start, MEMORY_MIB.end);
    ensure!(tried(eif, name, enough).await?, "not even {enough} MiB are enough for {goal:?}");
    while enough - too_little > STEP_MIB {
        let middle = u32::midpoint(too_little, enough).next_multiple_of(STEP_MIB);
        if middle >= enough {
            break;
        }
        if tried(eif, name, middle).await? {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    Ok(enough)
}

/// In a process of its own, which ends with the machine in it.
async fn tried(eif: &Path, goal: &str, memory_mib: u32) -> anyhow::Result<bool> {
    let mut attempt = Command::new(std::env::current_exe()?)
        .args(["try".as_ref(), eif.as_os_str(), goal.as_ref()])
        .arg(memory_mib.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    loop {
        if let Some(status) = attempt.try_wait()? {
            eprintln!("{goal} with {memory_mib} MiB: {}", if status.success() { "yes" } else { "no" });
            return Ok(status.success());
        }
        sleep(POLL).await;
    }
}

/// Ends with an error, or by a panic, where the goal was not reached.
async fn attempt(eif: &Path, goal: Goal, memory_mib: u32) -> anyhow::Result<()> {
    let image = image(eif)?;
    let place =
        |folder: &Path| MachinePlace::new(folder, &image).with(|config| config.memory_mib = memory_mib);
    let work = async {
        match goal {
            Goal::Attest => {
                Appliance::start_at(options(), place).await.connect().await;
            }
            Goal::MainJob => Town::with(options(), place).await.do_main_job(),
        }
    };
    tokio::time::timeout(TRY_TIMEOUT, work).await.context("the goal was not reached in time")
}
