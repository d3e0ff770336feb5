//! Where an observation's signature is to hold: for one contract on one network, as a report's, or for nobody in particular.

use sha2::{Digest as _, Sha256};

use super::Observation;
use crate::api::feeds::Target;
use crate::api::wallets::keccak256;
use crate::report::ORACLE_DOMAIN;
use crate::wallet::PayloadError;

/// An observation's type under EIP-712.
pub const OBSERVATION_TYPE: &str = "Observation(string functionName,string url,string path,string value,uint16 status,uint64 observedAt,bytes32 certificate,bytes32 responseHash,bytes32 requestHash)";
/// The domain of what is signed for no chain. No other has its type, so that nothing of it holds in a contract's.
const UNBOUND_DOMAIN_TYPE: &str = "EIP712Domain(string name,string version)";
/// What an observation for Neo begins with.
pub const NEO_DATA_DOMAIN: &[u8; 16] = b"r3e/1/neo-data\0\0";

impl Observation {
    /// The 32 bytes that are signed: for a contract, or without one under a domain that is bound to no chain.
    ///
    /// # Errors
    /// [`PayloadError`]: chain 0 is none.
    pub fn digest(&self, target: Option<&Target>) -> Result<[u8; 32], PayloadError> {
        match target {
            None => Ok(keccak256(&[b"\x19\x01", &unbound_separator(), &self.struct_hash()])),
            Some(Target::Evm(target)) => target.digest(target.typed(self.struct_hash())),
            Some(Target::Neo(target)) => {
                Ok(Sha256::digest(target.bound(NEO_DATA_DOMAIN, &self.encode())).into())
            }
        }
    }

    /// EIP-712's `hashStruct`: a text stands as its hash.
    pub fn struct_hash(&self) -> [u8; 32] {
        let text = |text: &str| keccak256(&[text.as_bytes()]);
        keccak256(&[
            &keccak256(&[OBSERVATION_TYPE.as_bytes()]),
            &text(&self.function),
            &text(&self.url),
            &text(&self.path),
            &text(&self.value),
            &word(self.status.into()),
            &word(self.observed_at_s),
            &self.certificate.0,
            &self.response_hash.0,
            &self.request_hash.0,
        ])
    }

    /// The canonical form, which is signed for Neo: each text behind its length, 2 bytes; numbers little-endian, as Neo's machine reads them.
    ///
    /// It is one only of what [`Observation::check`] finds to be an observation: a longer text would not have its length before it.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in [&self.function, &self.url, &self.path, &self.value] {
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(self.status.to_le_bytes());
        bytes.extend(self.observed_at_s.to_le_bytes());
        for hash in [&self.certificate, &self.response_hash, &self.request_hash] {
            bytes.extend(hash.0);
        }
        bytes
    }
}

fn unbound_separator() -> [u8; 32] {
    let text = |text: &str| keccak256(&[text.as_bytes()]);
    let (name, version) = ORACLE_DOMAIN;
    keccak256(&[&text(UNBOUND_DOMAIN_TYPE), &text(name), &text(version)])
}

fn word(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}
