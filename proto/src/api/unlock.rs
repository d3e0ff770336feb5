//! Unlocking, as the API speaks of it: how the root secret comes into memory, and what a quorum's members send.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::status::AttestationCalls;
use super::wallets::SecretText;

/// How far the unlocking is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlockState {
    /// What the parent keeps for it is being read.
    Reading,
    /// There is no setup: a member must have one made.
    NoSetup,
    /// What the parent keeps is no setup of this quorum's.
    SetupUnusable,
    /// Members must approve.
    Waiting,
    /// The root secret is there, and the sealed state is being opened.
    Opening,
    /// The appliance serves.
    Unlocked,
}

/// The answer to `GET /v1/unlock`, and to what members send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlock {
    /// The unlock provider.
    pub provider: String,
    /// How far it is.
    pub state: UnlockState,
    /// The policy bytes that PCR17 measures, hex.
    pub policy: String,
    /// A quorum's setup with its document (`attested-setup` of `unlock.cddl`), standard base64; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// How many members must approve; absent for other providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u8>,
    /// The members that have approved since the start, by name, in their order.
    #[serde(default)]
    pub approved: Vec<String>,
    /// What is wrong, or what to do, for a person.
    pub detail: String,
}

/// A member has a root secret made, and split for the quorum: `POST /v1/unlock/init`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Init {
    /// The member's name.
    pub member: String,
    /// Ed25519 over [`crate::unlock::message::init_message`], 128 hex digits.
    pub signature: String,
}

/// A member approves with its share: `POST /v1/unlock/shares`. The share is wiped when it is dropped, and `Debug` shows nothing
/// of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The member's name.
    pub member: String,
    /// SHA-384 of the policy bytes that the share is for, 96 hex digits.
    pub policy: String,
    /// The id of the setup that the share is from, 32 hex digits.
    pub setup: String,
    /// The share, 64 hex digits.
    pub share: SecretText,
    /// Ed25519 over [`crate::unlock::message::approve_message`], 128 hex digits.
    pub signature: String,
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approval")
            .field("member", &self.member)
            .field("policy", &self.policy)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

/// The answer to `GET /v1/status` while the appliance is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedStatus {
    /// Why, how far, and from whom.
    pub locked: Unlock,
    /// The release.
    pub version: String,
    /// SHA-384 of the configuration, hex.
    pub configuration: String,
    /// By the appliance's clock, which the attestation device sets.
    pub time_ms: u64,
    /// How long it has been up.
    pub uptime_ms: u64,
    /// Calls to the attestation device.
    pub attestation: AttestationCalls,
    /// Sessions that were given evidence.
    pub attested_sessions: u64,
    /// Open sessions, this one among them.
    pub open_sessions: u64,
}

/// The stable codes by which an unlocking is refused, beside those of [`super::codes`].
pub mod codes {
    /// 409: the appliance is unlocked already.
    pub const UNLOCKED: &str = "unlocked";
    /// 409: there is no setup to approve; a member must have one made.
    pub const NO_SETUP: &str = "unlock_no_setup";
    /// 409: a setup stands, so that no other is made.
    pub const SETUP_STANDS: &str = "unlock_setup_stands";
    /// 409: what the parent keeps is no setup of this quorum's.
    pub const SETUP_UNUSABLE: &str = "unlock_setup_unusable";
    /// 403: another appliance's share, or not a member of this quorum.
    pub const FOREIGN: &str = "unlock_foreign";
    /// 409: a share of another setup of the same quorum: an older one, as a rule.
    pub const STALE: &str = "unlock_stale";
    /// 401: the signature is not the member's over this session, setup and share.
    pub const SIGNATURE: &str = "unlock_signature";
    /// 409: the member has approved already.
    pub const DUPLICATE: &str = "unlock_duplicate";
    /// 422: not the share that the setup names.
    pub const WRONG_SHARE: &str = "unlock_wrong_share";
    /// 409: the shares gave another root secret than the setup names; all of them were dropped.
    pub const OTHER_ROOT: &str = "unlock_other_root";
    /// 503: the parent or the attestation device did not do its part; try again.
    pub const UNAVAILABLE: &str = "unlock_unavailable";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_does_not_show_its_share() {
        let approval = Approval {
            member: "alice".into(),
            policy: "aa".into(),
            setup: "bb".into(),
            share: SecretText::new("5ec7e7".to_owned().into()),
            signature: "5197".into(),
        };
        let shown = format!("{approval:?}");
        assert!(shown.contains("alice") && !shown.contains("5ec7e7") && !shown.contains("5197"), "{shown}");
    }
}
