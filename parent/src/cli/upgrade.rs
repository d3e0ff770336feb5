//! `r3e-parent upgrade`: from the enclave that runs to its successor.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use r3e_parent::finding::in_words;
use r3e_parent::order_upgrade;
use r3e_parent::upgrade::{Line, Order};

use super::{EXIT_FAILED, EXIT_USAGE, exit, print};

/// Between two turns of the spinner.
const TICK_MS: u64 = 120;

#[derive(Debug, Args)]
#[command(
    after_help = "The parent that runs opens the files, so its user must be let to them. Leaving before the successor has taken the state over cancels it.\n\
    Exit codes: 0 the successor serves and the old enclave has ended, 1 it does not serve: the words say which of the two goes on, 2 wrong use.\n\n\
    Examples:\n  r3e-parent upgrade --data /var/lib/r3e --image r3e-2.eif --manifest release.cbor\n  \
    r3e-parent upgrade --data /var/lib/r3e --manifest release.cbor --configuration new.toml      # the same image\n  \
    r3e-parent upgrade --data /var/lib/r3e --manifest release.cbor --enclave vsock:17            # under serve"
)]
pub(super) struct Upgrade {
    /// The running parent's data folder
    #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
    data: PathBuf,
    /// The release manifest, signed by as many as the configuration that runs asks for
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The successor's image [default: the one that runs]
    #[arg(long, value_name = "FILE", conflicts_with = "enclave")]
    image: Option<PathBuf>,
    /// The published reference values [default: those that the parent has]
    #[arg(long, value_name = "FILE", conflicts_with = "enclave")]
    reference_values: Option<PathBuf>,
    /// The successor's configuration [default: the one that runs]
    #[arg(long, visible_alias = "config", value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// For a parent under serve: where the successor is, that someone else starts: vsock:CID, or unix:PATH
    #[arg(long, value_name = "ENDPOINT")]
    enclave: Option<String>,
    /// For the successor to take the state over, from its start, and again to serve, in milliseconds [default: 300000]
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
    /// Writes each step, and the outcome, as one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Upgrade {
    /// Orders it, and shows its steps.
    pub(super) fn run(self) -> ExitCode {
        let order = match self.order() {
            Ok(order) => order,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        match upgrade(&self.data, &order, self.json) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(EXIT_FAILED),
            Err(error) => exit(Err(error), EXIT_FAILED),
        }
    }

    fn order(&self) -> anyhow::Result<Order> {
        if self.image.is_none() && self.configuration.is_none() && self.enclave.is_none() {
            anyhow::bail!("nothing to upgrade to: give --image or --configuration, or --enclave under serve");
        }
        Ok(Order {
            manifest: absolute(&self.manifest)?,
            image: self.image.as_deref().map(absolute).transpose()?,
            reference_values: self.reference_values.as_deref().map(absolute).transpose()?,
            enclave: self.enclave.clone(),
            configuration: self.configuration.as_deref().map(absolute).transpose()?,
            timeout_ms: self.timeout_ms,
        })
    }
}

/// The parent that runs has another working folder.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot use {}", path.display()))
}

/// Whether the successor serves.
fn upgrade(data: &Path, order: &Order, json: bool) -> anyhow::Result<bool> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let bar = bar(json);
    let mut told = |line: &Line| {
        // A closed stream is not worth a word: the upgrade goes on, and its end is seen by the exit code.
        let _ = if json { show_json(line) } else { bar.suspend(|| show(line)) };
        if let Line::Step { .. } = line {
            bar.set_message("…");
        }
    };
    let last = runtime.block_on(order_upgrade(data, order, &mut told));
    bar.finish_and_clear();
    Ok(matches!(last?, Line::Done { .. }))
}

fn show_json(line: &Line) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    print(&text)
}

/// Steps on standard output, and a failure on the error stream.
fn show(line: &Line) -> anyhow::Result<()> {
    match line {
        Line::Step { words, .. } => print(format!("{}\n", words.trim_end()).as_bytes()),
        Line::Done { words, next } => print(format!("{words}\nNext: {next}\n").as_bytes()),
        Line::TookOver { code, words, next } => {
            let text = format!(
                "r3e-parent: the successor took over and does not serve yet [{code}]: {words}\nNext: {next}\n"
            );
            Ok(std::io::stderr().write_all(text.as_bytes())?)
        }
        Line::Failed { code, words, findings } => {
            let found = if findings.is_empty() { String::new() } else { in_words(findings) };
            // A preflight's words hold its findings already.
            let found = if words.contains(found.trim_end()) { String::new() } else { found };
            let text = format!(
                "r3e-parent: no upgrade [{code}]: {words}\n{found}The enclave that served goes on.\n"
            );
            Ok(std::io::stderr().write_all(text.as_bytes())?)
        }
    }
}

/// Something that turns while one waits; nothing where the error stream is no terminal.
fn bar(json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(TICK_MS));
    bar
}
