//! `r3e zk verify`: proofs of circuits.

use std::path::{Path, PathBuf};

use clap::Args;
use r3e_client::groth16::{Groth16Error, Proof, VerificationKey, signals_from_json, verify};
use serde_json::json;

use crate::error::CliError;
use crate::limits::MAX_GROTH16_FILE_BYTES;
use crate::output::{Printer, fields};
use crate::profile::read_limited;

pub(super) const HELP: &str = "\
The files are those of snarkjs. It runs on this machine, and asks no appliance. A number at or above its modulus, a point off its curve or outside of the group and the
neutral point are refused, and a key that nobody contributed to. Take the key from whom you trust to have made it, never from whoever made the proof: its maker can prove anything. And compare
the signals with what you expect. Others of the same statement can be made from a proof by whoever sees it: remember statements, not proofs.

Examples:
  r3e zk verify proof.json --key verification_key.json --public public.json
  r3e zk verify proof.json --key verification_key.json --public public.json --json | jq .signals

Exit status:
  0  the proof holds for this key and these public signals
  1  it does not; the reason is printed
  2  wrong usage, a file that cannot be read or is none of snarkjs', or a key that proves nothing";

/// What is verified, and by which key.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof, as `snarkjs groth16 prove` writes it
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The verification key, as `snarkjs zkey export verificationkey` writes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The public signals, as `snarkjs groth16 prove` writes them
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
}

pub(super) fn run(arguments: &Verify, printer: Printer) -> Result<(), CliError> {
    let (key, proof, public) = (read(&arguments.key)?, read(&arguments.proof)?, read(&arguments.public)?);
    let rejected = |error: Groth16Error| match error {
        Groth16Error::Json { .. } | Groth16Error::TooLong { .. } => CliError::Usage(error.to_string()),
        error => CliError::NotProved { why: error.to_string() },
    };
    let unusable = |error: Groth16Error| CliError::Usage(format!("{}: {error}", arguments.key.display()));
    let key = VerificationKey::from_json(key.as_bytes()).map_err(unusable)?;
    let proof = Proof::from_json(proof.as_bytes()).map_err(rejected)?;
    let signals = signals_from_json(public.as_bytes()).map_err(rejected)?;
    verify(&key, &signals, &proof).map_err(rejected)?;
    printer.result(&json!({ "holds": true, "signals": signals }), |_| {
        let mut pairs = vec![("curve", key.curve().to_string())];
        pairs.extend(signals.iter().map(|signal| ("signal", signal.clone())));
        fields(&pairs)
    })
}

pub(super) fn read(path: &Path) -> Result<String, CliError> {
    read_limited(path, MAX_GROTH16_FILE_BYTES)
        .map_err(|source| CliError::Io { what: path.display().to_string(), source })
}
