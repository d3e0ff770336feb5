//! `r3e zk export-verifier` and `export-arguments`: what contracts verify Groth16 proofs by.

use std::path::PathBuf;

use clap::Args;
use r3e_client::groth16::{Groth16Error, Proof, VerificationKey, signals_from_json};
use serde_json::json;

use super::groth16::read;
use crate::commands::enclave::write;
use crate::error::CliError;
use crate::output::Printer;

pub(super) const VERIFIER_HELP: &str = "\
The contract has the interface of snarkjs' verifiers: verifyProof(uint256[2], uint256[2][2], uint256[2], uint256[N]) gives whether a proof holds. It verifies alone: what the
signals mean, and that nothing is taken twice, is for the contract that calls it. Over BN254.

Examples:
  r3e zk export-verifier verification_key.json --name CircuitVerifier --save CircuitVerifier.sol
  r3e zk export-verifier verification_key.json > Groth16Verifier.sol";

pub(super) const ARGUMENTS_HELP: &str = "\
As JSON, [a, b, c, signals], each number in hexadecimal: what libraries for Ethereum take as the arguments of verifyProof.

Examples:
  r3e zk export-arguments proof.json --public public.json
  cast call $VERIFIER \"verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[1])\" $(r3e zk export-arguments proof.json --public public.json | jq -c '.[]' | tr -d '\"')";

/// Of which key, and by which name.
#[derive(Debug, Args)]
pub(crate) struct ExportVerifier {
    /// The verification key, as snarkjs or `r3e zk setup` writes it
    #[arg(value_name = "KEY")]
    key: PathBuf,
    /// The contract's name
    #[arg(long, value_name = "NAME", default_value = "Groth16Verifier")]
    name: String,
    /// Save the contract
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// Of which proof.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The proof, as snarkjs or `r3e zk prove` writes it
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// Its public signals
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
}

pub(super) fn verifier(arguments: &ExportVerifier, printer: Printer) -> Result<(), CliError> {
    let key = VerificationKey::from_json(read(&arguments.key)?.as_bytes()).map_err(usage)?;
    let contract = key.contract(&arguments.name).map_err(usage)?;
    if let Some(path) = &arguments.save {
        write(path, contract.as_bytes())?;
    }
    let shown = json!({ "name": arguments.name, "signals": key.signals(), "source": contract });
    let is_saved = arguments.save.is_some();
    printer.result(&shown, |_| if is_saved { String::new() } else { contract })
}

pub(super) fn arguments(arguments: &ExportArguments, printer: Printer) -> Result<(), CliError> {
    let proof = Proof::from_json(read(&arguments.proof)?.as_bytes()).map_err(usage)?;
    let signals = signals_from_json(read(&arguments.public)?.as_bytes()).map_err(usage)?;
    let made = proof.contract_arguments(&signals).map_err(usage)?;
    printer.result(&made, |made| format!("{made}\n"))
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn usage(error: Groth16Error) -> CliError {
    CliError::Usage(error.to_string())
}
