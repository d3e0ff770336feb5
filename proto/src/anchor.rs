//! Anchors: how far an appliance is, signed for a contract on a chain that remembers it (contracts/evm, `StateAnchor`). `SPEC.md`, section 5.6.

use crate::api::wallets::{EvmAddress, keccak256};
use crate::report::{EvmTarget, compact, word};
use crate::wallet::PayloadError;
use crate::witness::Commit;

/// An anchor's type under EIP-712.
pub const ANCHOR_TYPE: &str = "Anchor(uint64 sequence,bytes32 head)";
/// The domain's name and version under EIP-712.
pub const ANCHOR_DOMAIN: (&str, &str) = ("R3E StateAnchor", "1");
/// The function by which the contract tells of the last anchor of an appliance.
pub const LAST_OF: &str = "lastOf(address) view returns (uint64, bytes32, uint64)";
/// The one by which it takes an anchor.
const ANCHOR: &str = "anchor(address,uint64,bytes32,bytes32,bytes32)";

/// The 32 bytes that an appliance's anchor key signs to have `commit` remembered by the contract.
///
/// # Errors
/// [`PayloadError::NoChain`]: chain 0 is none.
pub fn anchor_digest(contract: &EvmTarget, commit: &Commit) -> Result<[u8; 32], PayloadError> {
    let Commit { sequence, head } = commit;
    let hash = keccak256(&[&keccak256(&[ANCHOR_TYPE.as_bytes()]), &word((*sequence).into()), head]);
    contract.digest(contract.typed_in(ANCHOR_DOMAIN, hash))
}

/// The data of a call that brings an anchor to its contract. The signature is `r || s || v`. None where it is no such signature.
pub fn anchor_call(appliance: EvmAddress, commit: &Commit, signature: &[u8]) -> Option<Vec<u8>> {
    let (r, vs) = compact(signature)?;
    let selector = keccak256(&[ANCHOR.as_bytes()]);
    let mut data = selector.first_chunk::<4>()?.to_vec();
    data.extend([0; 12]);
    data.extend(appliance.0);
    data.extend(word(commit.sequence.into()));
    for part in [commit.head, r, vs] {
        data.extend(part);
    }
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: EvmTarget = EvmTarget { chain_id: 1, contract: EvmAddress([7; 20]) };

    #[test]
    fn a_digest_is_of_one_commit_on_one_chain_for_one_contract() {
        let commit = |sequence, head| Commit { sequence, head: [head; 32] };
        let other_chain = EvmTarget { chain_id: 5, ..CONTRACT };
        let other_contract = EvmTarget { contract: EvmAddress([8; 20]), ..CONTRACT };
        let all = [
            anchor_digest(&CONTRACT, &commit(1, 2)),
            anchor_digest(&CONTRACT, &commit(2, 2)),
            anchor_digest(&CONTRACT, &commit(1, 3)),
            anchor_digest(&other_chain, &commit(1, 2)),
            anchor_digest(&other_contract, &commit(1, 2)),
        ];
        let different: std::collections::HashSet<_> = all.iter().map(|one| one.as_ref().unwrap()).collect();
        assert_eq!(different.len(), all.len());
        assert!(anchor_digest(&EvmTarget { chain_id: 0, ..CONTRACT }, &commit(1, 2)).is_err());
    }

    #[test]
    fn a_call_has_its_arguments_in_order() {
        let signature = |v: u8, s: u8| [[0x33; 32].as_slice(), &[s; 32], &[v]].concat();
        let commit = Commit { sequence: 258, head: [0x22; 32] };
        let data = anchor_call(EvmAddress([0x11; 20]), &commit, &signature(28, 0x44)).unwrap();
        let words: Vec<&[u8]> = data[4..].chunks(32).collect();
        assert_eq!(data.len(), 4 + 5 * 32);
        assert_eq!((&words[0][..12], &words[0][12..]), (&[0; 12][..], &[0x11; 20][..]));
        assert_eq!(&words[1][24..], 258_u64.to_be_bytes());
        assert_eq!((words[2], words[3]), (&[0x22; 32][..], &[0x33; 32][..]));
        // The parity goes along in the highest bit.
        assert_eq!((words[4][0], words[4][31]), (0xc4, 0x44));
        for wrong in [signature(26, 1), signature(29, 1), signature(27, 0x80), vec![0; 64], Vec::new()] {
            assert_eq!(anchor_call(EvmAddress([0; 20]), &commit, &wrong), None);
        }
    }
}
