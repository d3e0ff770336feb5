//! Forwarding side by side, on loopback, each part a process of its own:
//!
//! | target | path |
//! |---|---|
//! | direct | load → unix socket → backend |
//! | haproxy | load → TCP → HAProxy in TCP mode → unix socket → backend |
//! | r3e-parent | load → TCP → `r3e-parent` with its limits and timers → unix socket by `CONNECT` → backend |
//! | copy | the same with `tokio::io::copy_bidirectional_with_sizes` of 32 KiB alone: no limit, no timer |
//!
//! HAProxy cannot speak the hybrid-vsock convention, so its socket is a plain one of the same backend. The convention
//! costs one exchange a connection; the rows `connect` show it, the others do not meet it.
//!
//! `cargo run --release [-- MILLISECONDS ROUNDS [WORKLOAD]]` runs everything and prints two tables, in two minutes as it stands.
//! The targets take short turns in each of many rounds, so that whatever else the machine does weighs on all of them;
//! the figures are medians over the rounds.
#![forbid(unsafe_code)]

mod backend;
mod load;
mod proxies;
mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use load::Workload;
use proxies::Targets;
use report::Report;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["backend", folder] => backend::run(Path::new(folder)),
        ["parent", folder, listen] => proxies::run_parent(Path::new(folder), listen.parse()?),
        ["copy", folder, listen] => proxies::run_copy(Path::new(folder), listen.parse()?),
        [] => measure(Duration::from_millis(300), 15, ""),
        [turn, rounds] => measure(Duration::from_millis(turn.parse()?), rounds.parse()?, ""),
        [turn, rounds, only] => measure(Duration::from_millis(turn.parse()?), rounds.parse()?, only),
        other => {
            bail!("{other:?}: give nothing, or MILLISECONDS ROUNDS and perhaps how a workload's name begins")
        }
    }
}

fn measure(turn: Duration, rounds: usize, only: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let targets = Targets::start(folder.path()).context("the targets did not start")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report::default();
    for workload in Workload::ALL.into_iter().filter(|workload| workload.name().starts_with(only)) {
        for round in 0..=rounds {
            for target in &targets.all {
                let cpu = target.cpu()?;
                let done = runtime.block_on(load::run(workload, target, turn))?;
                let cpu = target.cpu()?.saturating_sub(cpu);
                // The first round warms up.
                if round > 0 {
                    report.add(workload, target.name, done, cpu);
                }
            }
        }
        eprintln!("{} done", workload.name());
    }
    print!("{report}");
    Ok(())
}
