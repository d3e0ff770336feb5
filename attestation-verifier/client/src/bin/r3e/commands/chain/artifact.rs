//! Contracts as they were compiled.

use r3e_proto::api::wallets::HexBytes;
use serde::Deserialize;

use crate::error::CliError;

/// The program in a file that `contracts/evm/build` wrote, which creates the contract.
///
/// # Errors
/// What is built in is none: a fault of this tool.
pub(super) fn program(artifact: &str) -> Result<Vec<u8>, CliError> {
    #[derive(Deserialize)]
    struct Artifact {
        bytecode: HexBytes,
    }
    let artifact: Artifact = serde_json::from_str(artifact)
        .map_err(|error| CliError::Usage(format!("this tool has no contract: {error}")))?;
    Ok(artifact.bytecode.0)
}
