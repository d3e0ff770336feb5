//! `r3e-parent status`: how a parent and its enclave are, in words or for machines.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use r3e_parent::finding::in_words;
use r3e_parent::{Finding, Severity, StatusError, StatusFormat, query_status};
use serde::Deserialize;
use serde_json::json;

use super::{EXIT_FAILED, exit, print};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 it serves, 1 something is wrong, 2 wrong use. With --format prometheus: 0 there are metrics.\n\n\
    Examples:\n  r3e-parent status --data /var/lib/r3e\n  \
    r3e-parent status --data /var/lib/r3e --json\n  \
    r3e-parent status --data /var/lib/r3e --format prometheus > /var/lib/node-exporter/r3e.prom\n  \
    curl --unix-socket /var/lib/r3e/admin.sock http://parent/status"
)]
pub(super) struct Status {
    /// The running parent's data folder
    #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
    data: PathBuf,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Prometheus,
}

/// What is shown in words of what the parent answers.
#[derive(Debug, Deserialize)]
struct Answer {
    serving: bool,
    version: String,
    findings: Vec<Finding>,
    enclave: Enclave,
    process: Process,
    clients: Clients,
    blobs: Blobs,
}

#[derive(Debug, Deserialize)]
struct Enclave {
    started_by: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    state_seconds: Option<u64>,
    #[serde(default)]
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Process {
    uptime_seconds: u64,
}

#[derive(Debug, Deserialize)]
struct Clients {
    open: u64,
    accepted: u64,
}

#[derive(Debug, Deserialize)]
struct Blobs {
    commits: u64,
    disk_bytes: u64,
}

impl Status {
    /// Asks and shows.
    pub(super) fn run(self) -> ExitCode {
        let format = if self.json { Format::Json } else { self.format };
        match status(&self.data, format) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(EXIT_FAILED),
            Err(error) => exit(Err(error), EXIT_FAILED),
        }
    }
}

/// Whether it serves.
fn status(data: &Path, format: Format) -> anyhow::Result<bool> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    if format == Format::Prometheus {
        print(runtime.block_on(query_status(data, StatusFormat::Prometheus))?.as_bytes())?;
        return Ok(true);
    }
    let answer = match runtime.block_on(query_status(data, StatusFormat::Json)) {
        Ok(answer) => answer,
        Err(error) => return not_running(data, &error, format),
    };
    let read: Answer = serde_json::from_str(&answer).context("the parent that runs is of another version")?;
    match format {
        Format::Text => print(words(&read).as_bytes())?,
        Format::Json | Format::Prometheus => print(answer.as_bytes())?,
    }
    Ok(read.serving)
}

fn not_running(data: &Path, error: &StatusError, format: Format) -> anyhow::Result<bool> {
    let next = match error {
        StatusError::Connect { .. } => {
            "start it, or name the data folder of the one that runs: --data DIR. Its \
                                        user and root alone may ask it"
        }
        _ => "see its log; restart it if it hangs",
    };
    let code = match error {
        StatusError::Connect { .. } => "parent_not_running",
        _ => "parent_not_answering",
    };
    let finding =
        Finding { code: code.into(), severity: Severity::Error, words: error.to_string(), next: next.into() };
    print(
        match format {
            Format::Text => format!("NOT serving: {}\n{}", data.display(), in_words(&[finding])),
            Format::Json | Format::Prometheus => {
                format!("{:#}\n", json!({ "serving": false, "findings": [finding] }))
            }
        }
        .as_bytes(),
    )?;
    Ok(false)
}

fn words(answer: &Answer) -> String {
    let Answer { serving, version, findings, enclave, process, clients, blobs } = answer;
    let verdict = if *serving { "serving" } else { "NOT serving" };
    let mut text = format!("{verdict}: r3e-parent {version}, up {} s\n", process.uptime_seconds);
    // Writing to a string does not fail.
    let _ = match (&enclave.state, enclave.state_seconds) {
        (Some(state), Some(seconds)) => writeln!(
            text,
            "  enclave   {state} for {seconds} s, by {}{}",
            enclave.started_by,
            enclave.id.as_ref().map(|id| format!(", {id}")).unwrap_or_default()
        ),
        _ => writeln!(text, "  enclave   started by another"),
    };
    let _ = writeln!(text, "  clients   {} now, {} so far", clients.open, clients.accepted);
    let _ = writeln!(text, "  blobs     {} commits, {} MiB on disk", blobs.commits, blobs.disk_bytes >> 20);
    text + &in_words(findings)
}
