//! Rollback witnesses: what an appliance signs for those that remember how far it was, and what they sign of it.
//!
//! The appliance's witness key signs each commit that it has recorded. A witness keeps that signature and gives it back, so
//! that it can tell of an older commit than the last, and can never invent one.

use crate::api::identity::PublicKey;
use crate::channel::binding::{Digest, digest_fields};

/// The domain of the message that records a commit.
pub const RECORD_DOMAIN: &str = "r3e/1/witness-record";
/// The domain of the message that asks for the last one.
pub const ASK_DOMAIN: &str = "r3e/1/witness-ask";
/// The domain of a witness's own statement.
pub const WITNESSED_DOMAIN: &str = "r3e/1/witnessed";

/// Bytes of the nonce that a witness's statement is over.
pub const NONCE_BYTES: usize = 32;

/// A commit, as a witness remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commit {
    /// The head's sequence.
    pub sequence: u64,
    /// SHA-256 of the sealed head.
    pub head: [u8; 32],
}

/// What the witness key signs to have a commit remembered. It holds for every witness and every session: what it says is
/// true, whoever shows it.
pub fn record_message(key: &PublicKey, commit: &Commit) -> Digest {
    let Commit { sequence, head } = commit;
    digest_fields(&[RECORD_DOMAIN.as_bytes(), &key.0, &sequence.to_be_bytes(), head])
}

/// What the witness key signs to learn what is remembered of it, on the session of this binding.
pub fn ask_message(key: &PublicKey, binding: &Digest, nonce: &[u8; NONCE_BYTES]) -> Digest {
    digest_fields(&[ASK_DOMAIN.as_bytes(), &key.0, binding, nonce])
}

/// What a witness signs with its report key: the last commit of `key` that it remembers, or that it remembers none, which
/// are two empty fields.
pub fn witnessed_message(key: &PublicKey, nonce: &[u8; NONCE_BYTES], last: Option<&Commit>) -> Digest {
    let sequence = last.map(|commit| commit.sequence.to_be_bytes());
    let (sequence, head) = match (&sequence, last) {
        (Some(sequence), Some(commit)) => (sequence.as_slice(), commit.head.as_slice()),
        _ => (&[][..], &[][..]),
    };
    digest_fields(&[WITNESSED_DOMAIN.as_bytes(), &key.0, nonce, sequence, head])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_serves_for_another() {
        let (one, other) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let commit = |sequence, head| Commit { sequence, head: [head; 32] };
        let all = [
            record_message(&one, &commit(1, 3)),
            record_message(&other, &commit(1, 3)),
            record_message(&one, &commit(2, 3)),
            record_message(&one, &commit(1, 4)),
            ask_message(&one, &[5; 48], &[6; 32]),
            ask_message(&other, &[5; 48], &[6; 32]),
            ask_message(&one, &[7; 48], &[6; 32]),
            ask_message(&one, &[5; 48], &[7; 32]),
            witnessed_message(&one, &[6; 32], None),
            witnessed_message(&other, &[6; 32], None),
            witnessed_message(&one, &[7; 32], None),
            witnessed_message(&one, &[6; 32], Some(&commit(0, 0))),
            witnessed_message(&one, &[6; 32], Some(&commit(1, 0))),
            witnessed_message(&one, &[6; 32], Some(&commit(0, 1))),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
