//! Witnesses: what a transaction or a block is authorised by.

use super::bytes::{CodecError, Reader, Writer};
use super::hash::PublicKey;
use crate::limits::MAX_NEO_WITNESS_BYTES;

/// PUSHDATA1 and the length of a public key.
const PUSH_KEY: [u8; 2] = [0x0c, 33];
/// PUSHDATA1 and the length of a signature.
const PUSH_SIGNATURE: [u8; 2] = [0x0c, 64];
/// SYSCALL System.Crypto.CheckSig.
const CHECK_SIGNATURE: [u8; 5] = [0x41, 0x56, 0xe7, 0xb3, 0x27];

/// Two scripts: the first puts on the stack what the second takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witness {
    /// The signatures, usually.
    pub invocation: Vec<u8>,
    /// What verifies them; its hash is the account. Empty for a contract's account.
    pub verification: Vec<u8>,
}

/// The script that verifies one signature by `key`.
pub fn verification_script(key: &PublicKey) -> Vec<u8> {
    [&PUSH_KEY, key.0.as_slice(), &CHECK_SIGNATURE].concat()
}

/// The script that hands over one signature: r and s.
pub fn signature_invocation(signature: &[u8; 64]) -> Vec<u8> {
    [PUSH_SIGNATURE.as_slice(), signature].concat()
}

impl Witness {
    /// One signature by one key.
    pub fn of_signature(key: &PublicKey, signature: &[u8; 64]) -> Self {
        Self { invocation: signature_invocation(signature), verification: verification_script(key) }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let invocation = reader.bytes(MAX_NEO_WITNESS_BYTES, "an invocation script")?.to_vec();
        let verification = reader.bytes(MAX_NEO_WITNESS_BYTES, "a verification script")?.to_vec();
        Ok(Self { invocation, verification })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.invocation).bytes(&self.verification);
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        for (script, what) in
            [(&self.invocation, "an invocation script"), (&self.verification, "a verification script")]
        {
            if script.len() > MAX_NEO_WITNESS_BYTES {
                return Err(CodecError::TooLong { what, max: MAX_NEO_WITNESS_BYTES });
            }
        }
        Ok(())
    }
}
