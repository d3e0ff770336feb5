//! `r3e zk range`: range proofs.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use r3e_client::range_proof::{check_made, prove_asked, verify_document};
use r3e_client::write_private_new;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::api::zk::{HiddenNumber, Number, ProveRanges, ProvedRanges, RangeProof, Verdict};
use serde_json::json;
use zeroize::Zeroizing;

use crate::commands::enclave::write;
use crate::commands::secrets::Value;
use crate::error::CliError;
use crate::limits::MAX_PROOF_FILE_BYTES;
use crate::output::{Printer, fields, note, printable};
use crate::profile::read_limited;
use crate::session;
use crate::settings::Settings;

const PROVE_HELP: &str = "\
The number comes from standard input or a file, never from an argument: `42`, with --min and --max; or JSON for up to 16 numbers,
  { \"context\": \"auction 7\", \"numbers\": [ { \"value\": \"42\", \"min\": \"18\", \"max\": \"150\" } ] }
with a \"blinding\" where a commitment is to be the same as before. What is saved by --save can be handed on: it hides the number. Whoever has the blinding can open the
commitment: keep it as a secret.

Examples:
  echo 42 | r3e zk range prove --min 18 --max 150 --context \"auction 7\" --save proof.json
  r3e zk range prove --file numbers.json --save proof.json --save-blindings blindings.json
  echo 42 | r3e zk range prove --here --owner alice --min 18 --max 150 --json    # the number never leaves this machine";

const VERIFY_HELP: &str = "\
A proof says by itself whose it is, what for, and between which bounds: require what you expect of it. The owner is a name that the proof is bound to; it is not
a signature.

Examples:
  r3e zk range verify proof.json --min 18 --max 150 --context \"auction 7\"
  r3e zk range verify proof.json --commitment 0x42…d8 --json

Exit status:
  0  the proof holds
  1  it does not, or it proves something else; the reason is printed
  2  wrong usage, or a file that is no range proof";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prove that numbers are between bounds, and show nothing else of them
    #[command(after_help = PROVE_HELP)]
    Prove(Prove),
    /// Verify a range proof, on this machine
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    numbers: Value,
    /// The least that the number may be
    #[arg(long, value_name = "N", requires = "max")]
    min: Option<u64>,
    /// The greatest that it may be
    #[arg(long, value_name = "N", requires = "min")]
    max: Option<u64>,
    /// What the proof is for, at most 1,024 bytes: it holds for nothing else
    #[arg(long, value_name = "TEXT", requires = "min")]
    context: Option<String>,
    /// Make the proof on this machine: the appliance is not asked
    #[arg(long, requires = "owner")]
    here: bool,
    /// With --here: whose proof it is, at most 128 bytes; what an appliance makes is its tenant's
    #[arg(long, value_name = "TEXT", requires = "here")]
    owner: Option<String>,
    /// Write the proof, which can be handed on
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write the blindings, which are secret, to a new file that nobody else may read, and do not print them
    #[arg(long, value_name = "FILE")]
    save_blindings: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof, as `prove --save` or the API gives it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Require it to be this owner's
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// Require it to be for this
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,
    /// Require each number to be proved to be no less
    #[arg(long, value_name = "N")]
    min: Option<u64>,
    /// Require each number to be proved to be no greater
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// Require it to be about these commitments, in this order; once for each
    #[arg(long = "commitment", value_name = "0xHEX")]
    commitments: Vec<Hash32>,
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Prove(arguments) => prove(arguments, settings, printer).await,
        Command::Verify(arguments) => verify(&arguments, printer),
    }
}

async fn prove(arguments: Prove, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let asked = arguments.asked()?;
    let made = match &arguments.owner {
        Some(owner) => prove_asked(owner, &asked).map_err(|error| CliError::Usage(error.to_string()))?,
        None => by_the_appliance(&asked, settings).await?,
    };
    if let Some(path) = &arguments.save_blindings {
        let text = Zeroizing::new(json!(made.blindings).to_string());
        write_private_new(path, text.as_bytes())?;
    }
    if let Some(path) = &arguments.save {
        arguments.save_blindings.as_deref().map_or(Ok(()), |blindings| apart(path, blindings))?;
        write(path, json!(made.proof).to_string().as_bytes())?;
        note(&format!("r3e: saved; `r3e zk range verify {}` verifies it", path.display()));
    }
    match &arguments.save_blindings {
        // What was put where nobody else reads it is not shown.
        Some(_) => printer.result(&made.proof, claims),
        None => printer.result(&made, shown),
    }
}

/// What is handed on must not take the place of what opens the commitments, by whatever name.
fn apart(proof: &Path, blindings: &Path) -> Result<(), CliError> {
    match (proof.canonicalize(), blindings.canonicalize()) {
        (Ok(proof), Ok(blindings)) if proof == blindings => Err(CliError::Usage(format!(
            "{} holds the blindings now, which are not to be handed on: save the proof in another file",
            blindings.display()
        ))),
        _ => Ok(()),
    }
}

async fn by_the_appliance(asked: &ProveRanges, settings: &Settings) -> Result<ProvedRanges, CliError> {
    let mut tenant = session::tenant(settings).await?;
    let made = tenant.prove_ranges(asked).await?;
    session::remembered(tenant.check_state().await)?;
    // What can be checked here is not taken on trust.
    check_made(None, asked, &made).map_err(|error| CliError::NotProved { why: error.to_string() })?;
    Ok(made)
}

impl Prove {
    fn asked(&self) -> Result<ProveRanges, CliError> {
        let text = self.numbers.read()?;
        let Some((min, max)) = self.min.zip(self.max) else {
            if serde_json::from_slice::<Number>(&text).is_ok() {
                return Err(CliError::Usage("a number alone needs its bounds: --min and --max".to_owned()));
            }
            return serde_json::from_slice(&text).map_err(|error| wrong(&error));
        };
        let value = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
        let number = HiddenNumber { value, min: Number(min), max: Number(max), blinding: None };
        Ok(ProveRanges { context: self.context.clone().unwrap_or_default(), numbers: vec![number] })
    }
}

/// Where reading ended, and not what stood there: that is a secret.
fn wrong(error: &serde_json::Error) -> CliError {
    let (line, column) = (error.line(), error.column());
    CliError::Usage(format!(
        "this is no number, and not the JSON of several, at line {line}, column {column}"
    ))
}

fn verify(arguments: &Verify, printer: Printer) -> Result<(), CliError> {
    let what = arguments.file.display().to_string();
    let text = read_limited(&arguments.file, MAX_PROOF_FILE_BYTES)
        .map_err(|source| CliError::Io { what: what.clone(), source })?;
    // By the place alone: a file of blindings given by mistake is not to be shown.
    let proof: RangeProof = serde_json::from_str(&text).map_err(|error| {
        CliError::Usage(format!("{what} is no range proof: line {}, column {}", error.line(), error.column()))
    })?;
    arguments.require(&proof).map_err(|why| CliError::NotProved { why })?;
    verify_document(&proof).map_err(|error| CliError::NotProved { why: error.to_string() })?;
    printer.result(&Verdict { holds: true, reason: None }, |_| claims(&proof))
}

impl Verify {
    /// Whether the proof is about what is expected.
    fn require(&self, proof: &RangeProof) -> Result<(), String> {
        let differs = |what: &str, expected: &Option<String>, found: &str| match expected {
            Some(expected) if expected != found => {
                Err(format!("the {what} is {:?}, not {expected:?}", printable(found)))
            }
            _ => Ok(()),
        };
        differs("owner", &self.owner, &proof.owner)?;
        differs("context", &self.context, &proof.context)?;
        for claim in &proof.claims {
            let (min, max) = (claim.min.0, claim.max.0);
            if self.min.is_some_and(|least| min < least) || self.max.is_some_and(|greatest| max > greatest) {
                return Err(format!("it proves no more than that a number is in {min} to {max}"));
            }
        }
        let found: Vec<_> = proof.claims.iter().map(|claim| claim.commitment).collect();
        if !self.commitments.is_empty() && self.commitments != found {
            return Err("it is about other commitments".to_owned());
        }
        Ok(())
    }
}

fn shown(made: &ProvedRanges) -> String {
    let mut text = claims(&made.proof);
    for blinding in &made.blindings {
        let digits = hex::encode(blinding.expose());
        text.push_str(&fields(&[(
            "blinding",
            format!("0x{digits}, which opens the commitment: keep it secret"),
        )]));
    }
    text
}

fn claims(proof: &RangeProof) -> String {
    let mut pairs = vec![
        ("owner", printable(&proof.owner).into_owned()),
        ("context", printable(&proof.context).into_owned()),
    ];
    for claim in &proof.claims {
        pairs.push(("commitment", claim.commitment.to_string()));
        pairs.push(("is of", format!("{} to {}", claim.min, claim.max)));
    }
    pairs.push(("proof", format!("{} bytes", proof.proof.0.len())));
    fields(&pairs)
}
