//! Approving releases, and finding out who did: the one place where this crate's signatures and `r3e-proto`'s rules meet.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::release::{HandoffPolicy, Outcome, Release, ReleaseError, SignedRelease, approval_message};

use crate::signing_key::SigningKey;

/// Adds the signature of `key` to a release: its holder's consent that running appliances hand their root secrets to it.
///
/// # Errors
/// [`ReleaseError::AlreadySigned`]; [`ReleaseError::Wire`] where there are 16 signatures already.
pub fn approve_release(release: &mut SignedRelease, key: &SigningKey) -> Result<(), ReleaseError> {
    let signature = key.sign_fixed(&approval_message(release.manifest()));
    release.add(key.public_key(), signature)
}

/// The release, if it is approved under `policy`, as an appliance with this `[handoff]` judges it.
///
/// # Errors
/// [`ReleaseError::NotApproved`].
pub fn verify_release(release: &SignedRelease, policy: &HandoffPolicy) -> Result<Release, ReleaseError> {
    release.verify(policy, verifies)
}

/// What each signature of a release counts for among `keys`.
pub fn release_outcomes(release: &SignedRelease, keys: &[PublicKey]) -> Vec<Outcome> {
    release.outcomes(keys, verifies)
}

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}
