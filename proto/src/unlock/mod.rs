//! Unlocking by a quorum: who its members are ([`policy`]), what the enclave hands to them ([`setup`]), and what they sign
//! and are sent ([`message`]).
//!
//! Everything here is public. The enclave makes a setup once, the parent keeps it, members verify it. This module knows
//! nothing of how a secret is split or sealed, and verifies no document.

pub mod message;
pub mod policy;
pub mod setup;

/// The policy bytes of an appliance that has another root secret at each start.
pub const EPHEMERAL_POLICY: &[u8] = b"r3e/1/unlock/ephemeral";
/// What the policy bytes begin with, which PCR17 measures.
pub const POLICY_DOMAIN: &str = "r3e/1/unlock/quorum";
/// The domain of a setup, of its digest, and of the statement that attests it.
pub const SETUP_DOMAIN: &str = "r3e/1/unlock-setup";
/// The domain of a setup with its document.
pub const ATTESTED_SETUP_DOMAIN: &str = "r3e/1/unlock-attested-setup";
/// The domain of a share's digest.
pub const SHARE_DOMAIN: &str = "r3e/1/unlock-share";
/// The domain of what a share is sealed under.
pub const SEAL_DOMAIN: &str = "r3e/1/unlock-seal";
/// The domain of the message by which a member has a setup made.
pub const INIT_DOMAIN: &str = "r3e/1/unlock-init";
/// The domain of the message by which a member approves an unlocking.
pub const APPROVE_DOMAIN: &str = "r3e/1/unlock-approve";

/// A share of the root secret, without its index: as long as the root secret.
pub const SHARE_BYTES: usize = 32;
/// A setup's id.
pub const SETUP_ID_BYTES: usize = 16;
/// The commitment to the root secret.
pub const COMMITMENT_BYTES: usize = 32;
/// A sealed share: the share and the tag of AES-256-GCM.
pub const SEALED_SHARE_BYTES: usize = SHARE_BYTES + 16;
/// Fewer would make one member the sole holder of the root secret: that is no quorum.
pub const MIN_THRESHOLD: u8 = 2;
/// Members of a quorum: more people than come together to start a machine.
pub const MAX_MEMBERS: usize = 16;
/// The policy bytes of the most members with the longest names: 16 times some 140 bytes.
pub const MAX_POLICY_BYTES: usize = 4 * 1024;
/// A setup of the most members: its policy, and 16 times some 140 bytes.
pub const MAX_SETUP_BYTES: usize = 8 * 1024;
