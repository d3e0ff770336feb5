//! What members sign, and what shares are bound to.
//!
//! Both messages hold the session's binding: a signature is worth nothing on another session, and so on another enclave.

use super::{
    APPROVE_DOMAIN, COMMITMENT_BYTES, INIT_DOMAIN, SEAL_DOMAIN, SETUP_ID_BYTES, SHARE_BYTES, SHARE_DOMAIN,
};
use crate::channel::binding::{Digest, digest_fields};

/// The digest of a share, which stands in the setup, so that a wrong share is known for one before it is used.
///
/// It helps nobody to guess: a share is 32 bytes that are uniformly random to whoever holds fewer shares than the
/// threshold, so there is nothing smaller than all 2^256 of them to try.
pub fn share_digest(setup: &[u8; SETUP_ID_BYTES], index: u8, share: &[u8; SHARE_BYTES]) -> Digest {
    digest_fields(&[SHARE_DOMAIN.as_bytes(), setup, &[index], share])
}

/// HPKE's `info` for the share of the member `name` at `index`: it opens in that place and no other.
pub fn seal_info(setup: &[u8; SETUP_ID_BYTES], name: &str, index: u8) -> Digest {
    digest_fields(&[SEAL_DOMAIN.as_bytes(), setup, name.as_bytes(), &[index]])
}

/// HPKE's additional data for every share of a setup: the commitment, so that a share opens beside its root alone.
pub fn seal_aad(commitment: &[u8; COMMITMENT_BYTES]) -> &[u8] {
    commitment
}

/// What a member signs to have a root secret made, on the session of this binding, for the quorum of this policy.
pub fn init_message(binding: &Digest, policy: &Digest) -> Digest {
    digest_fields(&[INIT_DOMAIN.as_bytes(), binding, policy])
}

/// What a member signs to approve, on the session of this binding, the unlocking of this setup with this share.
pub fn approve_message(binding: &Digest, setup: &Digest, share: &Digest) -> Digest {
    digest_fields(&[APPROVE_DOMAIN.as_bytes(), binding, setup, share])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_serves_for_another() {
        let (one, other) = ([1; 48], [2; 48]);
        let all = [
            init_message(&one, &other),
            init_message(&other, &one),
            approve_message(&one, &other, &other),
            approve_message(&other, &one, &other),
            approve_message(&other, &other, &one),
            share_digest(&[1; 16], 1, &[1; 32]),
            share_digest(&[1; 16], 2, &[1; 32]),
            share_digest(&[2; 16], 1, &[1; 32]),
            seal_info(&[1; 16], "a", 1),
            seal_info(&[1; 16], "b", 1),
            seal_info(&[1; 16], "a", 2),
            seal_info(&[2; 16], "a", 1),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
