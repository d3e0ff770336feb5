//! A release with the signatures that approve it.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};
use thiserror::Error;

use super::{
    APPROVAL_DOMAIN, HandoffPolicy, MAX_RELEASE_BYTES, MAX_RELEASE_SIGNATURES, Release, SIGNED_RELEASE_DOMAIN,
};
use crate::api::identity::PublicKey;
use crate::channel::binding::{Digest, digest_fields};
use crate::limits::MAX_MANIFEST_BYTES;
use crate::wire::{WireError, limits, within};

/// A release's bytes and up to 16 signatures, in the order in which they were made. Nothing of it is believed before
/// [`SignedRelease::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRelease {
    manifest: Vec<u8>,
    signatures: Vec<(PublicKey, [u8; 64])>,
}

/// What one signature counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It approves.
    Approves,
    /// Its key approved already: a key counts once.
    Duplicate,
    /// The policy does not have its key: it counts for nothing here, whatever it counts for elsewhere.
    UnknownKey,
    /// It is not its key's over this release.
    BadSignature,
}

/// Why a release is not believed, or not signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Not a signed release.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Too few keys of the policy signed it.
    #[error(
        "{approved} of the {threshold} keys that it takes approve the release ({duplicate} signatures by a key that \
         counted already, {unknown} by keys that do not count here, {bad} that do not hold)"
    )]
    NotApproved {
        /// Distinct keys of the policy whose signature holds.
        approved: usize,
        /// How many it takes.
        threshold: u8,
        /// Signatures by a key that counted already.
        duplicate: usize,
        /// Signatures by keys that the policy does not have.
        unknown: usize,
        /// Signatures that do not hold.
        bad: usize,
    },
    /// The key signed it already.
    #[error("the key {0} has signed this release already")]
    AlreadySigned(PublicKey),
}

/// What a key signs to approve a release: SHA-384 over the domain and the release's exact bytes, each behind its length.
pub fn approval_message(manifest: &[u8]) -> Digest {
    digest_fields(&[APPROVAL_DOMAIN.as_bytes(), manifest])
}

impl SignedRelease {
    /// A release that nobody has signed yet.
    pub fn unsigned(release: &Release) -> Self {
        Self { manifest: release.encode(), signatures: Vec::new() }
    }

    /// The release's exact bytes.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The signatures with the keys that are said to have made them.
    pub fn signatures(&self) -> &[(PublicKey, [u8; 64])] {
        &self.signatures
    }

    /// The release without any look at its signatures: to show what it claims, never to rely on it.
    ///
    /// # Errors
    /// [`WireError`]: not a release.
    pub fn read_unverified(&self) -> Result<Release, WireError> {
        Release::decode(&self.manifest)
    }

    /// Adds a key's signature over [`approval_message`] of the release.
    ///
    /// # Errors
    /// [`ReleaseError::AlreadySigned`]; [`ReleaseError::Wire`] where there are 16 already.
    pub fn add(&mut self, key: PublicKey, signature: [u8; 64]) -> Result<(), ReleaseError> {
        if self.signatures.iter().any(|(by, _)| *by == key) {
            return Err(ReleaseError::AlreadySigned(key));
        }
        within("signatures", self.signatures.len() + 1, MAX_RELEASE_SIGNATURES)?;
        self.signatures.push((key, signature));
        Ok(())
    }

    /// What each signature counts for among `keys`, in their order. `ed25519` says whether a signature over a message is
    /// the key's (RFC 8032), and refuses a signature whose second half is not below the group's order.
    pub fn outcomes(
        &self,
        keys: &[PublicKey],
        ed25519: impl Fn(&PublicKey, &[u8], &[u8; 64]) -> bool,
    ) -> Vec<Outcome> {
        let message = approval_message(&self.manifest);
        let mut approved: Vec<&PublicKey> = Vec::new();
        let mut outcome = |key, signature| {
            if !keys.contains(key) {
                Outcome::UnknownKey
            } else if approved.contains(&key) {
                Outcome::Duplicate
            } else if ed25519(key, &message, signature) {
                approved.push(key);
                Outcome::Approves
            } else {
                Outcome::BadSignature
            }
        };
        self.signatures.iter().map(|(key, signature)| outcome(key, signature)).collect()
    }

    /// The release, if as many distinct keys of the policy signed its exact bytes as it takes. Signatures that count for
    /// nothing do no harm: a release may be signed for two policies, so that keys can be changed by a handoff.
    ///
    /// # Errors
    /// [`ReleaseError::NotApproved`]; [`ReleaseError::Wire`]: approved, and yet not a release.
    pub fn verify(
        &self,
        policy: &HandoffPolicy,
        ed25519: impl Fn(&PublicKey, &[u8], &[u8; 64]) -> bool,
    ) -> Result<Release, ReleaseError> {
        let outcomes = self.outcomes(policy.keys(), ed25519);
        let count = |kind| outcomes.iter().filter(|outcome| **outcome == kind).count();
        let (approved, threshold) = (count(Outcome::Approves), policy.threshold());
        if approved < usize::from(threshold) {
            let (duplicate, unknown, bad) =
                (count(Outcome::Duplicate), count(Outcome::UnknownKey), count(Outcome::BadSignature));
            return Err(ReleaseError::NotApproved { approved, threshold, duplicate, unknown, bad });
        }
        Ok(self.read_unverified()?)
    }

    /// The signed release as a file: a deterministic CBOR array.
    pub fn encode(&self) -> Vec<u8> {
        let signatures = self.signatures.iter().map(|(key, signature)| {
            Value::Array(vec![Value::Bytes(key.0.to_vec()), Value::Bytes(signature.to_vec())])
        });
        encode(&Value::Array(vec![
            SIGNED_RELEASE_DOMAIN.into(),
            Value::Bytes(self.manifest.clone()),
            Value::Array(signatures.collect()),
        ]))
    }

    /// Reads a file. The release in it is read, so that one which keeps no rule is refused here; no signature is verified.
    ///
    /// # Errors
    /// [`WireError`]: not a signed release, or over a limit.
    pub fn decode(file: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(file, &limits(MAX_MANIFEST_BYTES, 16 + 3 * MAX_RELEASE_SIGNATURES))?;
        let [domain, manifest, signatures]: [Value; 3] = from_value("signed release", value)?;
        if from_value::<String>("domain of the signed release", domain)? != SIGNED_RELEASE_DOMAIN {
            return Err(WireError::Domain { what: "signed release", expected: SIGNED_RELEASE_DOMAIN });
        }
        let manifest: Vec<u8> = from_value("release", manifest)?;
        within("release", manifest.len(), MAX_RELEASE_BYTES)?;
        Release::decode(&manifest)?;
        let signatures: Vec<Value> = from_value("signatures", signatures)?;
        within("signatures", signatures.len(), MAX_RELEASE_SIGNATURES)?;
        let signature = |value| {
            let [key, signature]: [Value; 2] = from_value("signature", value)?;
            let key = PublicKey(from_value("key of a signature", key)?);
            Ok::<_, WireError>((key, from_value("signature", signature)?))
        };
        let signatures = signatures.into_iter().map(signature).collect::<Result<_, _>>()?;
        Ok(Self { manifest, signatures })
    }
}
