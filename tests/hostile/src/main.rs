//! `r3e-hostile`: runs hostile functions, all of them or some by name, and shows how each ended.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::{ExitCode, Stdio};

use anyhow::Context as _;
use clap::Parser;
use r3e_hostile::limits::MAX_WORKERS;
use r3e_hostile::{Arena, ArenaError, Row, Script, corpus, native, programs, report};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

/// Runs hostile functions against the real runner, each beside a canary of another tenant's
#[derive(Debug, Parser)]
#[command(version)]
#[command(
    after_help = "Examples:\n  r3e-hostile loop-sort memory-spread\n  r3e-hostile --list\n  r3e-hostile --workers 1"
)]
struct Cli {
    /// Scripts by name, or by the beginning of their names up to a dash; all of them without one
    names: Vec<String>,
    /// Says what each script attacks and how it may end, and runs none
    #[arg(long)]
    list: bool,
    /// Scripts at a time, each in a process of its own
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Attacks from inside the box instead, by system calls and lies
    #[arg(long)]
    native: bool,
    /// Runs the scripts of one worker of several in this process, and prints a row of JSON for each
    #[arg(long, value_name = "I/N", hide = true)]
    share: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("r3e-hostile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut scripts = if cli.native { native::attacks() } else { corpus::read()? };
    for layer in ["scripts/python-layer", "scripts/csharp-layer"] {
        let all = scripts.len();
        scripts.retain(|script| corpus::left_out(script) != Some(layer));
        if cli.share.is_none() && scripts.len() < all {
            eprintln!("{} scripts are left out: {layer}", all - scripts.len());
        }
    }
    scripts.retain(|script| cli.names.is_empty() || cli.names.iter().any(|name| is_named(script, name)));
    anyhow::ensure!(!scripts.is_empty(), "no script is named so; see --list");
    if cli.list {
        for script in &scripts {
            let ends: Vec<String> = script.ends.iter().map(ToString::to_string).collect();
            println!("{:<30} {} [{}]", script.name, script.attack, ends.join(" | "));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(share) = &cli.share {
        attack(&scripts, share, if cli.native { "r3e-hostile-native" } else { "r3e-runner" }).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = cli.workers.unwrap_or(MAX_WORKERS).clamp(1, processors.max(1)).min(scripts.len());
    let mut rows = gather(&cli, workers).await?;
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    print!("{}\n{}", report::table(&rows), report::figures(&rows));
    let wrong = rows.iter().filter(|row| !row.wrong.is_empty()).count();
    println!("{} attacks, {wrong} of them wrong", rows.len());
    let in_time = report::serves_in_time(&rows);
    if let Err(why) = &in_time {
        println!("{why}");
    }
    let all_ran = rows.len() == scripts.len();
    if !all_ran {
        println!("{} attacks did not run", scripts.len() - rows.len());
    }
    Ok(if wrong == 0 && all_ran && in_time.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_named(script: &Script, name: &str) -> bool {
    script.name == name || script.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
}

/// Runs every n-th script and prints its row.
async fn attack(scripts: &[Script], share: &str, runner: &'static str) -> anyhow::Result<()> {
    let (index, of) = share.split_once('/').context("a share is I/N")?;
    let (index, of): (usize, usize) = (index.parse()?, of.parse()?);
    // A runner that loses its parent is this process's then, and is counted.
    nix::sys::prctl::set_child_subreaper(true).context("to adopt orphans")?;
    let runner = programs::find(runner).ok_or(ArenaError::NoRunner(runner))?;
    let arena = Arena::open(runner).await?;
    for script in scripts.iter().skip(index).step_by(of.max(1)) {
        let row = arena.run(&script.runnable()?).await;
        println!("{}", serde_json::to_string(&row)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Starts this program once for each worker, and gathers their rows.
async fn gather(cli: &Cli, workers: usize) -> anyhow::Result<Vec<Row>> {
    let program = std::env::current_exe()?;
    let mut tasks = JoinSet::new();
    for index in 0..workers {
        let mut command = Command::new(&program);
        command
            .args(&cli.names)
            .args(cli.native.then_some("--native"))
            .arg("--share")
            .arg(format!("{index}/{workers}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().context("its standard output")?;
        tasks.spawn(async move {
            let mut rows = Vec::new();
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                rows.push(serde_json::from_str::<Row>(&line)?);
            }
            let status = child.wait().await?;
            if !status.success() {
                let last = rows.last().map_or("none", |row| row.name.as_str());
                anyhow::bail!("a worker ended with {status} after {last}");
            }
            anyhow::Ok(rows)
        });
    }
    let mut rows = Vec::new();
    while let Some(done) = tasks.join_next().await {
        rows.extend(done??);
    }
    Ok(rows)
}
