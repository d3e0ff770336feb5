//! What a contract is called once it is deployed.

use crate::hash::{Hash160, hash160};
use crate::number::Int256;
use crate::script::{ScriptBuilder, ScriptError};

/// An operation that no script goes on behind.
const ABORT: u8 = 0x38;
/// Of the end of a file with a program (NEF).
const CHECKSUM_BYTES: usize = 4;

/// The hash of the contract that `sender` deploys of the program in `nef`, under the name that its manifest has: of the same three, it is the
/// same. None of what is no such file.
///
/// # Errors
/// [`ScriptError`]: the name is over a limit.
pub fn deployed_contract(sender: Hash160, nef: &[u8], name: &str) -> Result<Option<Hash160>, ScriptError> {
    let Some(checksum) = nef.last_chunk::<CHECKSUM_BYTES>().filter(|_| nef.starts_with(b"NEF3")) else {
        return Ok(None);
    };
    let checksum = Int256::from(i128::from(u32::from_le_bytes(*checksum)));
    let mut script = ScriptBuilder::default();
    script.operation(ABORT).bytes(&sender.0)?.integer(checksum).bytes(name.as_bytes())?;
    Ok(Some(hash160(&script.finish()?)))
}
