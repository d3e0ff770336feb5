//! `r3e random`.

use std::path::PathBuf;

use clap::Subcommand;
use r3e_proto::api::random::{DrawRandom, Random, RandomKey};
use serde_json::json;

use super::enclave::{write, write_document};
use crate::error::CliError;
use crate::output::{Printer, fields, note};
use crate::session;
use crate::settings::Settings;

const DRAW_HELP: &str = "\
The number is decided by the seed and the tenant's key: nobody can foretell it, and the same seed gives the same number in every range. So announce the seed's source
and the key (`r3e random key`) before it is known, such as the hash of a coming block: another appliance has another key. The saved file holds the proof and the document that attests the key.

Examples:
  r3e random draw \"raffle 7, block 0x9b83c12c\" --min 1 --max 100 --save draw.json
  r3e-verify random draw.json --reference-values release.json --min 1 --max 100 --key $KEY --seed \"raffle 7, block 0x9b83c12c\"
  r3e random draw \"$BLOCK_HASH\" --max 5 --json | jq .value";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw the number for a seed, with a proof that it could be no other
    #[command(after_help = DRAW_HELP)]
    Draw {
        /// What it is drawn for: 1 to 256 bytes of text
        seed: String,
        /// The least that it may be
        #[arg(long, default_value_t = 0, value_name = "N")]
        min: u64,
        /// The greatest that it may be, at most 2^53 - 1
        #[arg(long, value_name = "N")]
        max: u64,
        /// Write the number, its proof and the document that attests the key
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Show the key that this tenant's numbers are drawn with
    #[command(after_help = "Examples:\n  r3e random key\n  r3e random key --save random-key.document")]
    Key {
        /// Write the document that attests it, for `r3e-verify random --document`
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    match command {
        Command::Draw { seed, min, max, save } => {
            let mut drawn = tenant.draw_random(&DrawRandom { min, max, seed }).await?;
            if let Some(path) = save {
                drawn.document = Some(tenant.random_key().await?.document);
                write(&path, json!(drawn).to_string().as_bytes())?;
                note(&format!("r3e: saved; `r3e-verify random {}` verifies it", path.display()));
            }
            printer.result(&drawn, number)?;
        }
        Command::Key { save } => {
            let key = tenant.random_key().await?;
            if let Some(path) = save {
                write_document(&path, &key.document)?;
            }
            printer.result(&key, shown)?;
        }
    }
    session::remembered(tenant.check_state().await)
}

fn number(drawn: &Random) -> String {
    fields(&[
        ("value", drawn.value.to_string()),
        ("range", format!("{} to {}", drawn.min, drawn.max)),
        ("output", drawn.output.to_string()),
        ("proof", drawn.proof.to_string()),
        ("key", drawn.key.to_string()),
    ])
}

fn shown(key: &RandomKey) -> String {
    fields(&[("tenant", key.tenant.to_string()), ("key", key.key.to_string())])
}
