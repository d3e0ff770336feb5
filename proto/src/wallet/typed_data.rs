//! EIP-712: the domain separator from the domain's parts, and what is signed for a struct in it.

use super::PayloadError;
use crate::api::wallets::{Eip712Domain, TypedData, keccak256};
use crate::limits::MAX_DOMAIN_TEXT_BYTES;

/// `keccak256("\x19\x01" ‖ domainSeparator ‖ hashStruct(message))`.
pub(super) fn signing_hash(typed: &TypedData) -> Result<[u8; 32], PayloadError> {
    for text in [&typed.domain.name, &typed.domain.version].into_iter().flatten() {
        if text.len() > MAX_DOMAIN_TEXT_BYTES {
            let what = "a domain's name or version, in bytes";
            return Err(PayloadError::TooLong { what, max: MAX_DOMAIN_TEXT_BYTES });
        }
    }
    Ok(keccak256(&[b"\x19\x01", &separator(&typed.domain), &typed.struct_hash.0]))
}

/// `hashStruct(eip712Domain)`: the type names the parts that are there, in the standard's order, and so does the data.
fn separator(domain: &Eip712Domain) -> [u8; 32] {
    let mut kinds = Vec::new();
    let mut data = Vec::new();
    let mut part = |kind: &'static str, word: [u8; 32]| {
        kinds.push(kind);
        data.extend_from_slice(&word);
    };
    if let Some(name) = &domain.name {
        part("string name", keccak256(&[name.as_bytes()]));
    }
    if let Some(version) = &domain.version {
        part("string version", keccak256(&[version.as_bytes()]));
    }
    part("uint256 chainId", right(&domain.chain_id.to_be_bytes()));
    part("address verifyingContract", right(&domain.verifying_contract.0));
    if let Some(salt) = &domain.salt {
        part("bytes32 salt", salt.0);
    }
    let kind = format!("EIP712Domain({})", kinds.join(","));
    keccak256(&[&keccak256(&[kind.as_bytes()]), &data])
}

/// A number or an address in a word of 32 bytes.
fn right(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    for (to, from) in word.iter_mut().rev().zip(bytes.iter().rev()) {
        *to = *from;
    }
    word
}
