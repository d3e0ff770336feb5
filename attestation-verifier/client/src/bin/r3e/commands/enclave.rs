//! `r3e enclave`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use r3e_client::{Appliance, AttestedChannel, ClientError};
use r3e_proto::api::anchor::AnchorStatus;
use r3e_proto::api::codes;
use r3e_proto::api::status::{AttestationCalls, Status};
use serde::Serialize;

use super::operator::witness;
use crate::error::CliError;
use crate::output::{Printer, fields, printable, time};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify the attestation and show what it says
    #[command(after_help = "\
Example:
  r3e enclave attest --document enclave.doc
  r3e-verify document enclave.doc --reference-values release.json    # the same, offline")]
    Attest {
        /// Save the attestation document
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
        /// Save the configuration, as PCR16 measured it
        #[arg(long, value_name = "FILE")]
        configuration: Option<PathBuf>,
    },
    /// Show the appliance's state, in its own words
    Status,
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut channel = session::attest(settings).await?;
    match command {
        Command::Attest { document, configuration } => {
            let appliance = appliance(&mut channel).await?;
            if let Some(path) = document {
                write(&path, channel.document())?;
            }
            if let Some(path) = configuration {
                write(&path, &channel.configuration().await?)?;
            }
            let address = settings.address.as_ref().map(|set| set.value.as_str()).unwrap_or_default();
            printer.result(&Attested::new(address, &channel, appliance), Attested::human)
        }
        Command::Status => {
            let status = channel.check_state().await?;
            printer.result(&status, human)
        }
    }
}

/// Who it is, by its identity and the key that signs receipts; nobody while it is locked.
async fn appliance(channel: &mut AttestedChannel) -> Result<Option<Appliance>, CliError> {
    match channel.appliance().await {
        Ok(appliance) => Ok(Some(appliance)),
        Err(ClientError::Api { code, .. }) if code == codes::LOCKED => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What `attest` shows.
#[derive(Serialize)]
struct Attested {
    accepted: bool,
    address: String,
    root: String,
    release: Option<String>,
    debug: bool,
    module_id: String,
    timestamp_ms: u64,
    valid_until_ms: u64,
    configuration: String,
    /// None while the appliance is locked: it has no keys yet.
    identity: Option<String>,
    report_key: Option<String>,
    pcrs: BTreeMap<u8, String>,
}

impl Attested {
    fn new(address: &str, channel: &AttestedChannel, appliance: Option<Appliance>) -> Self {
        let result = channel.attestation();
        Self {
            accepted: true,
            address: address.to_owned(),
            root: result.root().to_string(),
            release: result.matched_release().map(str::to_owned),
            debug: result.is_debug(),
            module_id: result.module_id().to_owned(),
            timestamp_ms: result.timestamp_ms(),
            valid_until_ms: result.valid_until().as_millis(),
            configuration: hex::encode(channel.configuration_digest()),
            identity: appliance.map(|appliance| hex::encode(appliance.identity)),
            report_key: appliance.map(|appliance| hex::encode(appliance.report_key)),
            pcrs: result.pcrs().iter().map(|(index, pcr)| (*index, hex::encode(pcr))).collect(),
        }
    }

    fn human(&self) -> String {
        let runs = match &self.release {
            Some(release) => format!("release {}", printable(release)),
            None => "an image of the required PCRs".to_owned(),
        };
        let debug = if self.debug { "YES: whoever runs it reads its memory" } else { "no" };
        let locked = || "none yet: the appliance is locked".to_owned();
        let mut pairs = vec![
            ("root", self.root.clone()),
            ("module", self.module_id.clone()),
            ("attested at", time(self.timestamp_ms)),
            ("valid until", time(self.valid_until_ms)),
            ("debug mode", debug.to_owned()),
            ("configuration", self.configuration.clone()),
            ("identity", self.identity.clone().unwrap_or_else(locked)),
            ("report key", self.report_key.clone().unwrap_or_else(locked)),
        ];
        let names: Vec<(String, &String)> = self
            .pcrs
            .iter()
            .filter(|(_, pcr)| pcr.bytes().any(|digit| digit != b'0'))
            .map(|(index, pcr)| (format!("PCR{index}"), pcr))
            .collect();
        pairs.extend(names.iter().map(|(name, pcr)| (name.as_str(), (*pcr).clone())));
        format!("accepted: the appliance at {} runs {runs}\n\n{}", self.address, fields(&pairs))
    }
}

/// The unlock provider; where it would not release this root secret again, that is what matters.
fn unlock(status: &Status) -> String {
    let Status { unlock, unlock_adopted, .. } = status;
    if *unlock_adopted {
        unlock.clone()
    } else {
        format!("{unlock}, which has not adopted the root secret yet: a restart now would end the appliance")
    }
}

fn human(status: &Status) -> String {
    fields(&[
        ("version", status.version.clone()),
        ("unlock", unlock(status)),
        ("identity", status.identity.clone()),
        ("rollback witness", witness::words(&status.witness)),
        ("witness key", status.witness.key.to_string()),
        ("anchor", status.anchor.as_ref().map_or("none".to_owned(), anchor_words)),
        ("sequence", status.sequence.to_string()),
        ("configuration", status.configuration.clone()),
        ("time", time(status.time_ms)),
        ("up for", format!("{} s", status.uptime_ms / 1000)),
        ("attestation", calls(&status.attestation)),
        ("sessions", format!("{} open, {} attested", status.open_sessions, status.attested_sessions)),
        (
            "jobs",
            format!(
                "{} queued, {} running, {} kept",
                status.jobs.queued, status.jobs.running, status.jobs.kept
            ),
        ),
    ])
}

/// The calls to the attestation device, and what they cost.
fn calls(calls: &AttestationCalls) -> String {
    let AttestationCalls { calls: made, errors, refused, abandoned, waiting, max_us, total_us, .. } = calls;
    let mean_us = total_us.checked_div(*made).unwrap_or(0);
    format!(
        "{made} calls, {errors} failed, {refused} refused, {abandoned} abandoned, {waiting} waiting; \
         {mean_us} us each, {max_us} us at most"
    )
}

/// Writes a file for the user.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|source| CliError::Io { what: path.display().to_string(), source })
}

/// Writes a document that came as base64.
pub(crate) fn write_document(path: &Path, document: &str) -> Result<(), CliError> {
    write(path, &document_bytes(document)?)
}

/// A document that came as base64.
pub(crate) fn document_bytes(document: &str) -> Result<Vec<u8>, CliError> {
    let document = STANDARD.decode(document);
    document.map_err(|_| CliError::Usage("the appliance's document is no base64".to_owned()))
}

/// The chain that remembers how far the appliance was, in words.
fn anchor_words(anchor: &AnchorStatus) -> String {
    let AnchorStatus { network, contract, appliance, .. } = anchor;
    let on_chain = match (&anchor.on_chain, anchor.read_at_ms) {
        (Some(last), Some(read)) => {
            format!("{}, brought {}, seen {}", last.sequence, time(last.at_ms), time(read))
        }
        (None, Some(read)) => format!("none at {}", time(read)),
        (_, None) => "not read yet".to_owned(),
    };
    let problem = anchor.problem.as_ref().map(|why| format!("; now: {why}")).unwrap_or_default();
    format!("{on_chain}{problem} ({network}:{contract}, there as {appliance})")
}
