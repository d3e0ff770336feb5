//! `r3e functions invoke`.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use r3e_client::{Invocation, ReportKey};
use r3e_proto::api::functions::{LogLine, Outcome, Usage};
use r3e_proto::api::identity::TenantId;
use serde::Serialize;

use super::enclave::write;
use super::jobs::options::QueueArguments;
use super::jobs::told;
use crate::error::CliError;
use crate::limits::MAX_EVENT_BYTES;
use crate::output::{Printer, note, printable, spinner, text, time};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Args)]
#[command(after_help = "\
The result goes to standard output; logs and the receipt's summary go to standard error. The event is sent as
the bytes that are given, since the receipt is over them. A function that fails ends with exit code 4, and has
a receipt too.

Examples:
  r3e functions invoke price --input '{\"pair\":\"NEO/USD\"}' --receipt price.receipt
  r3e functions invoke price --input @event.json --json
  r3e functions invoke price --input @event.json --async --webhook https://hooks.example.com/price
  r3e-verify receipt price.receipt --reference-values release.json")]
pub(crate) struct Invoke {
    /// The function: its name, which means its alias prod, or with an alias or a version
    #[arg(value_name = "NAME[@ALIAS|@VERSION]")]
    name: String,
    /// The event: JSON text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-", default_value = "null")]
    input: String,
    /// Save the receipt with the document that attests its key
    #[arg(long, value_name = "FILE", conflicts_with = "queue")]
    receipt: Option<PathBuf>,
    /// Queue it instead, and print the job's id; `r3e jobs wait` gives its result
    #[arg(long = "async", id = "queue")]
    queue: bool,
    #[command(flatten)]
    queued: QueueArguments,
    /// Where an alias is split between two versions: events with the same key go to the same one
    #[arg(long, value_name = "KEY")]
    sticky: Option<String>,
}

impl Invoke {
    pub(crate) async fn run(self, settings: &Settings, printer: Printer) -> Result<(), CliError> {
        let event = event(&self.input)?;
        let mut tenant = session::tenant(settings).await?;
        if self.queue {
            let enqueued = tenant.enqueue(&self.name, event, &self.queued.options()).await?;
            told(printer, &enqueued)?;
            return session::remembered(tenant.check_state().await);
        }
        let invocation = {
            let _spinner = spinner("running the function");
            tenant.invoke_for(&self.name, self.sticky.as_deref(), event).await?
        };
        if let Some(path) = &self.receipt {
            write(path, &invocation.bundle().encode())?;
        }
        if printer.is_json() {
            printer.result(&Shown::new(&invocation, tenant.report_key()), |_| String::new())?;
        } else {
            summary(&invocation);
        }
        match invocation.outcome() {
            Outcome::Output(result) if !printer.is_json() => text(result),
            Outcome::Output(_) => Ok(()),
            Outcome::Error(error) => {
                Err(CliError::Function { code: error.code.clone(), message: error.message.clone() })
            }
        }
    }
}

/// What `--json` shows.
#[derive(Serialize)]
struct Shown<'a> {
    function: &'a str,
    #[serde(flatten)]
    ran: Ran<'a>,
    receipt: ShownReceipt,
}

/// What an invocation came to, as every command shows it.
#[derive(Serialize)]
pub(super) struct Ran<'a> {
    id: &'a str,
    version: &'a str,
    #[serde(flatten)]
    outcome: &'a Outcome,
    logs: &'a [LogLine],
    logs_truncated: bool,
    usage: Usage,
}

impl<'a> Ran<'a> {
    pub(super) fn of(invocation: &'a Invocation) -> Self {
        Self {
            id: invocation.id(),
            version: invocation.version(),
            outcome: invocation.outcome(),
            logs: invocation.logs(),
            logs_truncated: invocation.logs_truncated(),
            usage: invocation.usage(),
        }
    }
}

/// A receipt that was verified: there is no other.
#[derive(Serialize)]
struct ShownReceipt {
    verified: bool,
    tenant: TenantId,
    sequence: u64,
    time_ms: u64,
    configuration: String,
    report_key: String,
    bundle: String,
}

impl<'a> Shown<'a> {
    fn new(invocation: &'a Invocation, key: &ReportKey) -> Self {
        let receipt = invocation.receipt();
        Self {
            function: &receipt.function,
            ran: Ran::of(invocation),
            receipt: ShownReceipt {
                verified: true,
                tenant: TenantId(receipt.tenant),
                sequence: receipt.sequence,
                time_ms: receipt.time_ms,
                configuration: hex::encode(receipt.configuration),
                report_key: hex::encode(key.public_key()),
                bundle: STANDARD.encode(invocation.bundle().encode()),
            },
        }
    }
}

fn summary(invocation: &Invocation) {
    for line in invocation.logs() {
        note(&format!("{:<5} {}", printable(&line.level), printable(&line.text)));
    }
    if invocation.logs_truncated() {
        note("      (lines were left out: the log is over its limit)");
    }
    if let Outcome::Error(error) = invocation.outcome()
        && let Some(stack) = &error.stack
    {
        for line in stack.lines() {
            note(&printable(line));
        }
    }
    let (receipt, usage) = (invocation.receipt(), invocation.usage());
    note(&format!(
        "receipt verified: version {}, sequence {}, {}; {} us of CPU, {} us, {} host calls",
        invocation.version().get(..16).unwrap_or_default(),
        receipt.sequence,
        time(receipt.time_ms),
        usage.cpu_us,
        usage.wall_us,
        usage.host_calls
    ));
}

/// The event's bytes, once they are known to be JSON.
pub(super) fn event(input: &str) -> Result<Vec<u8>, CliError> {
    let bytes = match input.strip_prefix('@') {
        Some(path) => {
            let file = File::open(path).map_err(|source| CliError::Io { what: path.to_owned(), source })?;
            read(path, file)?
        }
        None if input == "-" => read("standard input", io::stdin().lock())?,
        None => input.as_bytes().to_vec(),
    };
    if bytes.len() as u64 > MAX_EVENT_BYTES {
        return Err(CliError::Usage(format!("the event is over {MAX_EVENT_BYTES} bytes")));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(CliError::Usage(format!(
            "the event is not JSON ({error}); a text needs its quotes: --input '\"text\"', a file an @: --input @FILE"
        ))),
    }
}

fn read(what: &str, input: impl Read) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    input
        .take(MAX_EVENT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| CliError::Io { what: what.to_owned(), source })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_as_they_are() {
        assert_eq!(event("{\"a\" : 1}").unwrap(), b"{\"a\" : 1}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("event.json");
        std::fs::write(&path, " [1,\n2]\n").unwrap();
        assert_eq!(event(&format!("@{}", path.display())).unwrap(), b" [1,\n2]\n");
    }

    #[test]
    fn what_is_no_event_says_why() {
        for input in ["", "hello", "{", "1 2", "{\"a\":1}x"] {
            assert_eq!(event(input).unwrap_err().code(), "usage", "{input:?}");
        }
        assert_eq!(event("@/nonexistent").unwrap_err().code(), "io");
        let long = format!("\"{}\"", "x".repeat(1024 * 1024));
        assert_eq!(event(&long).unwrap_err().code(), "usage");
    }
}
