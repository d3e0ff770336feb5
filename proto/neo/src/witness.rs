//! Witnesses: what a transaction or a block is authorised by.

use crate::bytes::{CodecError, Reader, Writer};
use crate::hash::PublicKey;
use crate::limits::MAX_NEO_WITNESS_BYTES;
use crate::number::Int256;
use crate::script::ScriptBuilder;

/// PUSHDATA1 and the length of a public key.
const PUSH_KEY: [u8; 2] = [0x0c, 33];
/// PUSHDATA1 and the length of a signature.
const PUSH_SIGNATURE: [u8; 2] = [0x0c, 64];
/// SYSCALL System.Crypto.CheckSig.
const CHECK_SIGNATURE: [u8; 5] = [0x41, 0x56, 0xe7, 0xb3, 0x27];
/// The system call that verifies several.
const CHECK_SIGNATURES: &str = "System.Crypto.CheckMultisig";

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

/// The script that verifies `threshold` signatures by as many of `keys`: its hash is their common account, whatever the order in which they
/// are named.
///
/// # Errors
/// [`CodecError`]: a key stands there twice, there are none, or more than a witness has room for; a threshold of 0, or above their number.
pub fn multi_verification_script(threshold: usize, keys: &[PublicKey]) -> Result<Vec<u8>, CodecError> {
    let keys = in_order(keys)?;
    if threshold == 0 || threshold > keys.len() {
        return Err(CodecError::Value { what: "a number of signatures" });
    }
    // Nobody could ever hand so many over.
    if threshold.saturating_mul(PUSH_SIGNATURE.len() + 64) > MAX_NEO_WITNESS_BYTES {
        return Err(CodecError::TooLong { what: "an invocation script", max: MAX_NEO_WITNESS_BYTES });
    }
    let mut script = ScriptBuilder::default();
    let count = |count: usize| Int256::from(i128::try_from(count).unwrap_or(i128::MAX));
    script.integer(count(threshold));
    let too_long = |_| CodecError::TooLong { what: "a verification script", max: MAX_NEO_WITNESS_BYTES };
    for key in &keys {
        script.bytes(&key.0).map_err(too_long)?;
    }
    script.integer(count(keys.len())).system_call(CHECK_SIGNATURES);
    let script = script.finish().map_err(too_long)?;
    let max = MAX_NEO_WITNESS_BYTES;
    if script.len() > max {
        Err(CodecError::TooLong { what: "a verification script", max })
    } else {
        Ok(script)
    }
}

/// As the chain orders keys: by their points' first coordinate, and the second where that is the same.
fn in_order(keys: &[PublicKey]) -> Result<Vec<PublicKey>, CodecError> {
    let mut keys = keys.to_vec();
    // A compressed point has the first coordinate, and whether the second is odd. Two that share the first are each other's negative.
    keys.sort_unstable_by(|one, other| one.0[1..].cmp(&other.0[1..]).then(one.0[0].cmp(&other.0[0])));
    let is_repeated = keys.windows(2).any(|pair| pair[0].0[1..] == pair[1].0[1..]);
    if is_repeated { Err(CodecError::Value { what: "the keys of an account" }) } else { Ok(keys) }
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

    /// Signatures by some of an account's keys, as many as `threshold`.
    ///
    /// # Errors
    /// [`CodecError`]: as in [`multi_verification_script`]; or another number of signatures, or one by none of the keys or by one of them again.
    pub fn of_signatures(
        threshold: usize,
        keys: &[PublicKey],
        signatures: &[(PublicKey, [u8; 64])],
    ) -> Result<Self, CodecError> {
        let verification = multi_verification_script(threshold, keys)?;
        let mut invocation = Vec::new();
        // The machine takes them in the order of their keys.
        for key in in_order(keys)? {
            let of_it = signatures.iter().filter(|(by, _)| *by == key);
            invocation.extend(of_it.flat_map(|(_, signature)| signature_invocation(signature)));
        }
        let distinct = in_order(&signatures.iter().map(|(key, _)| *key).collect::<Vec<_>>())?;
        let is_whole =
            distinct.len() == threshold && invocation.len() == threshold * (PUSH_SIGNATURE.len() + 64);
        if is_whole {
            Ok(Self { invocation, verification })
        } else {
            Err(CodecError::Value { what: "the signatures of an account" })
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let invocation = reader.bytes(MAX_NEO_WITNESS_BYTES, "an invocation script")?.to_vec();
        let verification = reader.bytes(MAX_NEO_WITNESS_BYTES, "a verification script")?.to_vec();
        Ok(Self { invocation, verification })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
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
