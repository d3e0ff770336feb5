//! What an approver signs: consent to one thing, for one wallet, under one revision of its policy, for a while.
//!
//! An approval may be used again while it holds. That gives nobody a second thing: the same payload gives the same
//! signature, since signatures are deterministic, and a changed policy has another revision.

use sha2::{Digest as _, Sha256};

use crate::api::identity::TenantId;
use crate::api::wallets::{Hash32, Policy};
use crate::channel::binding::{Digest, digest_fields};

/// The first field of an approval's message.
pub const APPROVAL_DOMAIN: &str = "r3e/1/wallet/approval";

/// What is consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A signature over this digest ([`super::digest`]).
    Sign(Hash32),
    /// Another policy, by its digest ([`policy_digest`]).
    SetPolicy(Hash32),
    /// An export to this X25519 public key.
    Export(Hash32),
}

/// Which wallet, under which revision of its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletRevision<'a> {
    /// Whose wallet.
    pub tenant: TenantId,
    /// Its name.
    pub name: &'a str,
    /// Its public key.
    pub public_key: &'a [u8],
    /// The policy's revision that stands.
    pub revision: u64,
}

/// What an approver's Ed25519 key signs: SHA-384 over domain, tenant, the wallet's name and public key, revision, what is
/// consented to, and the expiry, each behind its length.
pub fn message(wallet: &WalletRevision<'_>, subject: Subject, expires_at_ms: u64) -> Digest {
    let (kind, what): (&[u8], _) = match subject {
        Subject::Sign(digest) => (b"sign", digest),
        Subject::SetPolicy(digest) => (b"set-policy", digest),
        Subject::Export(recipient) => (b"export", recipient),
    };
    digest_fields(&[
        APPROVAL_DOMAIN.as_bytes(),
        &wallet.tenant.0,
        wallet.name.as_bytes(),
        wallet.public_key,
        &wallet.revision.to_be_bytes(),
        kind,
        &what.0,
        &expires_at_ms.to_be_bytes(),
    ])
}

/// SHA-256 of a policy's JSON without blanks, its members in the order of [`Policy`], absent where they have no value.
///
/// # Errors
/// None that a policy can cause: those of writing JSON.
pub fn policy_digest(policy: &Policy) -> Result<Hash32, serde_json::Error> {
    Ok(Hash32(Sha256::digest(serde_json::to_vec(policy)?).into()))
}
