//! `r3e operator witness`: whose commits this appliance remembers.

use clap::Subcommand;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::{WitnessStatus, Witnessed};

use crate::error::CliError;
use crate::output::{Printer, fields, printable, table, time};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Have this appliance remember how far another one is, by that one's witness key
    #[command(after_help = "\
The key stands in the other appliance's `r3e enclave status`. That one names this appliance in its [witness.peers]: by the
identity, the reference values and, where it wants, the configuration that `r3e enclave attest` shows here.

Example:
  r3e operator witness admit 19bf44096984cdfe…6e1 --name 'appliance of example.org'")]
    Admit {
        /// The other appliance's witness key, 64 hex digits
        key: PublicKey,
        /// What to call it
        #[arg(long)]
        name: String,
    },
    /// List whose commits are remembered, and how far each was
    List,
    /// Serve an appliance no more; what was remembered of it is kept, and counts when it is admitted again
    #[command(after_help = "Example:\n  r3e operator witness remove 19bf44096984cdfe…6e1")]
    Remove {
        /// Its witness key, 64 hex digits
        key: PublicKey,
    },
}

pub(super) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut operator = session::operator(settings).await?;
    match command {
        Command::Admit { key, name } => {
            let admitted = operator.admit_witnessed(key, &name).await?;
            printer.result(&admitted, |one| {
                let last = one.sequence.map_or_else(
                    || "nothing is remembered of it yet".to_owned(),
                    |sequence| format!("the sequence {sequence} is remembered of it"),
                );
                format!("admitted {} ({}); {last}", one.key, printable(&one.name))
            })?;
            session::remembered(operator.check_state().await)
        }
        Command::List => {
            let all = operator.witnessed().await?;
            printer.result(&all, |all| list(all))
        }
        Command::Remove { key } => {
            operator.remove_witnessed(key).await?;
            printer.result(&key, |key| format!("removed {key}; what was remembered of it is kept"))?;
            session::remembered(operator.check_state().await)
        }
    }
}

fn list(all: &[Witnessed]) -> String {
    let rows: Vec<[String; 6]> = all
        .iter()
        .map(|one| {
            let state = if one.admitted { "admitted" } else { "removed" };
            [
                one.key.to_string(),
                state.to_owned(),
                one.sequence.map_or_else(|| "-".to_owned(), |sequence| sequence.to_string()),
                one.recorded_at_ms.map_or_else(|| "-".to_owned(), time),
                one.refused.to_string(),
                one.name.clone(),
            ]
        })
        .collect();
    table(["WITNESS KEY", "STATE", "SEQUENCE", "RECORDED", "REFUSED", "NAME"], &rows)
}

/// An appliance's own witness, for its status.
pub(crate) fn words(status: &WitnessStatus) -> String {
    let mut text = format!("{}: {}", printable(&status.provider), printable(&status.detail));
    if let Some(restored) = &status.restored {
        let (from, over, at) = (restored.from, restored.over, time(restored.at_ms));
        text = format!("{text}; the sequence {from} was restored over {over} by order at {at}");
    }
    if let Some(problem) = &status.problem {
        text = format!("{text}; NOTHING IS SERVED FROM THE STATE: {}", printable(problem));
    }
    let peers: Vec<(String, String)> = status
        .peers
        .iter()
        .map(|peer| {
            let signed = match (peer.sequence, peer.at_ms) {
                (Some(sequence), Some(at_ms)) => format!("signed {sequence} at {}", time(at_ms)),
                _ => "has signed nothing yet".to_owned(),
            };
            let state = match &peer.problem {
                Some(problem) => format!("{signed}; does not confirm: {}", printable(problem)),
                None => signed,
            };
            (format!("  {} {}", printable(&peer.name), printable(&peer.host)), state)
        })
        .collect();
    if peers.is_empty() {
        return text;
    }
    let peers: Vec<_> = peers.iter().map(|(name, state)| (name.as_str(), state.clone())).collect();
    format!("{text}\n{}", fields(&peers).trim_end())
}
