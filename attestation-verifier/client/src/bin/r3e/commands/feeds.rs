//! `r3e feeds`.

mod shown;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use r3e_client::TenantChannel;
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::{SetFeed, SignedReport};
use r3e_proto::report::Report;
use serde_json::json;

use super::enclave::{write, write_document};
use crate::error::CliError;
use crate::limits::{MAX_ANSWER_FILE_BYTES, MAX_FEED_FILE_BYTES};
use crate::output::{Printer, note, text};
use crate::session;
use crate::settings::Settings;

/// How long one request waits for the next report.
const WATCH_WAIT: Duration = Duration::from_secs(20);

const CREATE_HELP: &str = "\
The file is JSON, or TOML where its name ends in .toml: the pair, at least five sources, and what is not to be as by default:
policy, interval_ms, timeout_ms, targets, publish, public. docs/oracle.md has all of it.

  pair = \"BTC/USD\"
  sources = [\"bitstamp\", \"coinbase\", \"gemini\", \"kraken\",
    { venue = \"binance\", markets.\"BTC/USD\" = { quote = \"USDC\" } }]
  targets = [\"eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"]
  [policy]
  deviation_bps = 50
  heartbeat_ms = 3600000

Examples:
  r3e feeds create btc-usd btc-usd.toml
  r3e feeds create btc-usd btc-usd.json --json | jq -r .config_digest";

const REPORT_HELP: &str = "\
Without --sequence and --at, it is the latest one. The saved file holds the signatures and the document that attests who signed.

Examples:
  r3e feeds report btc-usd --save btc-usd.report
  r3e feeds report btc-usd --at 1763000000 --json | jq -r '.signatures[0].signature'
  r3e-verify report btc-usd.report --reference-values release.json";

const BATCH_HELP: &str = "\
It is signed for each target that all of the feeds have, once for all of them; each report has a proof that it is one of them, which `r3e-verify report`
takes. Each is the latest of its feed, of its own time, and may be valid no more, as of a feed that is paused: whoever takes one holds it to its own
times and sequence, as without a batch. docs/oracle.md says what is signed.

Example:
  r3e feeds batch btc-usd eth-usd neo-usd --save prices.batch";
const KEY_HELP: &str = "\
A feed's contract is deployed for these: the address on Ethereum and chains like it, the public key on Neo N3, and the SHA-256 of the document.
They sign what endpoints answer to functions, too: --into adds the document to such an answer, for those who verify it.

Examples:
  r3e feeds key --save oracle-key.document && sha256sum oracle-key.document
  r3e functions invoke rates > rate.json
  r3e feeds key --into rate.json
  r3e-verify data rate.json --reference-values release.json";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a feed, or give it another definition
    #[command(after_help = CREATE_HELP)]
    Create {
        /// The feed's name, which is its identifier on chain
        name: String,
        /// The definition: FILE.toml, or a file of JSON
        file: PathBuf,
    },
    /// List the feeds
    #[command(after_help = "Example:\n  r3e feeds list --json | jq '.[].latest.answer'")]
    List,
    /// Show one feed, with what became of each source in the last round
    #[command(
        after_help = "Example:\n  r3e feeds show btc-usd --json | jq .definition > btc-usd.definition.json"
    )]
    Show {
        /// The feed's name
        name: String,
    },
    /// Show how far a feed's reports are brought to contracts, and what holds them up
    #[command(after_help = "Example:\n  r3e feeds publications btc-usd --json | jq '.[].trouble'")]
    Publications {
        /// The feed's name
        name: String,
    },
    /// Print each report as it is published, until interrupted
    #[command(after_help = "Example:\n  r3e feeds watch btc-usd --json --count 3")]
    Watch {
        /// The feed's name
        name: String,
        /// Begin behind this sequence, rather than with the latest report
        #[arg(long, value_name = "SEQUENCE")]
        after: Option<u64>,
        /// End after so many
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Show the last reports, the latest first
    #[command(after_help = "Example:\n  r3e feeds history btc-usd --limit 10 --json")]
    History {
        /// The feed's name
        name: String,
        /// So many at the most
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Print one report with its signatures, and save it for those who verify it
    #[command(after_help = REPORT_HELP)]
    Report {
        /// The feed's name
        name: String,
        /// The report of this sequence
        #[arg(long, value_name = "N", conflicts_with = "at")]
        sequence: Option<u64>,
        /// The report that was the latest at this time
        #[arg(long, value_name = "UNIX_SECONDS")]
        at: Option<u64>,
        /// Save it with the document that attests its keys
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Print the latest reports of several feeds under one signature, and save them for those who verify them
    #[command(after_help = BATCH_HELP)]
    Batch {
        /// The feeds' names
        #[arg(required = true)]
        names: Vec<String>,
        /// Save it with the document that attests its keys
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Show the keys that sign this tenant's reports and what its functions were answered
    #[command(after_help = KEY_HELP)]
    Key {
        /// Write the document that attests them, for `r3e-verify data --document`
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// Put the document into this file, which a function's getCustomData gave
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Have a feed ask nobody until it is resumed
    #[command(after_help = "Example:\n  r3e feeds pause btc-usd")]
    Pause {
        /// The feed's name
        name: String,
    },
    /// Have a feed ask again
    #[command(after_help = "Example:\n  r3e feeds resume btc-usd")]
    Resume {
        /// The feed's name
        name: String,
    },
    /// Delete a feed with its reports; a later one of its name goes on behind its last sequence
    #[command(after_help = "Example:\n  r3e feeds delete btc-usd")]
    Delete {
        /// The feed's name
        name: String,
    },
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let read = match &command {
        Command::Create { file, .. } => Some(definition(file)?),
        _ => None,
    };
    // Whoever has reports brought to contracts spends what a wallet has.
    let spends = read.as_ref().is_some_and(|definition| !definition.publish.is_empty());
    let mut tenant = if spends {
        session::signed_in(settings).await?.into_tenant()
    } else {
        session::tenant(settings).await?
    };
    match command {
        Command::List => return printer.result(&tenant.feeds().await?, |feeds| shown::list(feeds)),
        Command::Show { name } => return printer.result(&tenant.feed(&name).await?, shown::one),
        Command::Publications { name } => {
            let published = tenant.feed_publications(&name).await?;
            return printer.result(&published, |published| shown::published(published));
        }
        Command::Watch { name, after, count } => {
            return watch(&mut tenant, &name, after, count, printer).await;
        }
        Command::History { name, limit } => {
            let reports = history(&mut tenant, &name, limit).await?;
            return printer.result(&reports, |reports| shown::history(reports));
        }
        Command::Report { name, sequence, at, save } => {
            let signed = match (sequence, at) {
                (Some(sequence), _) => tenant.feed_report_of(&name, sequence).await?,
                (None, Some(at_s)) => tenant.feed_report_at(&name, at_s).await?,
                (None, None) => tenant.feed_report(&name).await?,
            };
            return report(&mut tenant, signed, save.as_deref(), printer).await;
        }
        Command::Batch { names, save } => return batch(&mut tenant, &names, save.as_deref(), printer).await,
        Command::Key { save, into } => {
            return key(&mut tenant, save.as_deref(), into.as_deref(), printer).await;
        }
        Command::Create { name, .. } => {
            let Some(definition) = read else { return Ok(()) };
            printer.result(&tenant.set_feed(&name, &definition).await?, shown::one)?;
        }
        Command::Pause { name } => {
            let feed = tenant.pause_feed(&name, true).await?;
            printer.result(&feed, |feed| format!("paused {}", feed.name))?;
        }
        Command::Resume { name } => {
            if !tenant.feed(&name).await?.publish.is_empty() {
                tenant = session::signed_in(settings).await?.into_tenant();
            }
            let feed = tenant.pause_feed(&name, false).await?;
            printer.result(&feed, |feed| format!("resumed {}", feed.name))?;
        }
        Command::Delete { name } => {
            tenant.delete_feed(&name).await?;
            printer.result(&json!({ "deleted": name }), |_| format!("deleted {name}"))?;
        }
    }
    session::remembered(tenant.check_state().await)
}

/// One line each, as they come: the latest first, then what comes after.
async fn watch(
    tenant: &mut TenantChannel,
    name: &str,
    after: Option<u64>,
    count: Option<u64>,
    printer: Printer,
) -> Result<(), CliError> {
    let (mut after, mut left) = (after.unwrap_or_default(), count.unwrap_or(u64::MAX));
    while left > 0 {
        let Some(signed) = tenant.next_feed_report(name, after, WATCH_WAIT).await? else { continue };
        after = signed.report.sequence;
        left -= 1;
        let line = if printer.is_json() { json!(signed).to_string() } else { shown::line(&signed.report) };
        text(&line)?;
    }
    Ok(())
}

async fn history(tenant: &mut TenantChannel, name: &str, limit: usize) -> Result<Vec<Report>, CliError> {
    let (mut reports, mut before) = (Vec::new(), None);
    while reports.len() < limit {
        let page = tenant.feed_history(name, before, limit - reports.len()).await?;
        reports.extend(page.reports);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    Ok(reports)
}

async fn report(
    tenant: &mut TenantChannel,
    mut signed: SignedReport,
    save: Option<&Path>,
    printer: Printer,
) -> Result<(), CliError> {
    if let Some(path) = save {
        signed.document = Some(tenant.oracle_key().await?.document);
        write(path, json!(signed).to_string().as_bytes())?;
        note(&format!("r3e: saved; `r3e-verify report {}` verifies it", path.display()));
    }
    printer.result(&signed, shown::report)
}

async fn batch(
    tenant: &mut TenantChannel,
    names: &[String],
    save: Option<&Path>,
    printer: Printer,
) -> Result<(), CliError> {
    let mut signed = tenant.feed_batch(names).await?;
    if let Some(path) = save {
        signed.document = Some(tenant.oracle_key().await?.document);
        write(path, json!(signed).to_string().as_bytes())?;
        note(&format!("r3e: saved; `r3e-verify report {}` verifies it", path.display()));
    }
    printer.result(&signed, shown::batch)
}

/// The keys that sign, and their document where it is wanted.
async fn key(
    tenant: &mut TenantChannel,
    save: Option<&Path>,
    into: Option<&Path>,
    printer: Printer,
) -> Result<(), CliError> {
    // What cannot be read is said before anything is asked.
    let signed = into.map(answer).transpose()?;
    let key = tenant.oracle_key().await?;
    if let Some(path) = save {
        write_document(path, &key.document)?;
    }
    if let (Some(path), Some(mut signed)) = (into, signed) {
        signed.document = Some(key.document.clone());
        write(path, json!(signed).to_string().as_bytes())?;
        note(&format!("r3e: saved; `r3e-verify data {}` verifies it", path.display()));
    }
    printer.result(&key, shown::key)
}

/// What a function was answered, in a file.
fn answer(path: &Path) -> Result<SignedObservation, CliError> {
    let what = path.display().to_string();
    let io = |source| CliError::Io { what: what.clone(), source };
    if std::fs::metadata(path).map_err(io)?.len() > MAX_ANSWER_FILE_BYTES {
        return Err(CliError::Usage(format!("{what} is over {MAX_ANSWER_FILE_BYTES} bytes")));
    }
    let text = std::fs::read(path).map_err(io)?;
    serde_json::from_slice(&text).map_err(|error| CliError::Usage(format!("{what}: {error}")))
}

/// A definition: TOML where the file's name says so, else JSON.
fn definition(path: &Path) -> Result<SetFeed, CliError> {
    let what = path.display().to_string();
    let io = |source| CliError::Io { what: what.clone(), source };
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > MAX_FEED_FILE_BYTES {
        return Err(CliError::Usage(format!("{what} is over {MAX_FEED_FILE_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    let read = if path.extension().is_some_and(|extension| extension == "toml") {
        toml::from_str(&text).map_err(|error| error.to_string())
    } else {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    read.map_err(|error| CliError::Usage(format!("{what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_read_from_either_form() {
        let folder = tempfile::tempdir().unwrap();
        let toml = folder.path().join("feed.toml");
        let text = "pair = \"BTC/USD\"\nsources = [\"okx\", { venue = \"binance\", markets.\"BTC/USD\" = { quote = \"USDC\" } }]\n\
                    targets = [\"eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"]\n[policy]\ndecimals = 2\n";
        std::fs::write(&toml, text).unwrap();
        let read = definition(&toml).unwrap();
        assert_eq!(read.sources[1]["markets"]["BTC/USD"]["quote"], "USDC");
        let plain = folder.path().join("feed.json");
        std::fs::write(&plain, serde_json::to_string(&read).unwrap()).unwrap();
        assert_eq!(definition(&plain).unwrap(), read);
        std::fs::write(&plain, r#"{"pair":"BTC/USD","sources":[],"nope":1}"#).unwrap();
        assert_eq!(definition(&plain).unwrap_err().code(), "usage");
        assert_eq!(definition(Path::new("/nonexistent")).unwrap_err().code(), "io");
    }
}
