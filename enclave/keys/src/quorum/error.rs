//! Why a quorum's member was refused, or why the quorum cannot go on. No variant carries a share.

use r3e_proto::WireError;

use crate::error::{BoxError, KeyError};

/// Why nothing came of what a member, or the parent, sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// The slot has not been read yet.
    #[error("what the parent keeps is still being read; try again in a second")]
    Reading,
    /// There is nothing to approve.
    #[error("there is no setup: a member must have one made first (r3e operator init)")]
    NoSetup,
    /// A setup would be written over.
    #[error(
        "a setup stands: another one would make a new appliance, and leave the state of this one closed for ever"
    )]
    SetupStands,
    /// What stands in the slot cannot be used.
    #[error(transparent)]
    Unusable(#[from] SetupProblem),
    /// There is nothing left to do.
    #[error("the appliance is unlocked already")]
    Unlocked,
    /// Not of this quorum.
    #[error("{0}")]
    Foreign(&'static str),
    /// Of this quorum, and of another setup.
    #[error(
        "the share is of another setup than the one that stands: of an older one, or of another appliance of the same \
         members; look at the setup again"
    )]
    Stale,
    /// The signature does not hold.
    #[error("the signature is not the member's over this session and what it sent")]
    Signature,
    /// The member has approved.
    #[error("{member} has approved already; it takes others")]
    Duplicate {
        /// Its name, as the policy has it.
        member: String,
    },
    /// The share is not the one in the setup.
    #[error("this is not {member}'s share of this setup")]
    WrongShare {
        /// Its name, as the policy has it.
        member: String,
    },
    /// The shares fit the setup, and the setup does not fit its own commitment.
    #[error(
        "the shares gave another root secret than the setup's commitment names: whoever made this setup did not split \
         that secret. Every share was dropped"
    )]
    OtherRoot,
    /// The parent did not do its part.
    #[error("the parent's slot cannot be used now")]
    Slot(#[source] BoxError),
    /// The slot was written meanwhile.
    #[error("somebody else wrote into the parent's slot at the same time; it is read again at the next try")]
    SlotConflict,
    /// The attestation device did not do its part.
    #[error("the attestation device gives no document now")]
    Documents(#[source] BoxError),
    /// A key could not be made or used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why what stands in the slot is no setup of this quorum's.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SetupProblem {
    /// Not a setup.
    #[error(
        "what the parent keeps is no setup of a quorum ({0}): restore the one that stood there; nothing else opens this \
         appliance's state"
    )]
    Malformed(WireError),
    /// A setup for other members.
    #[error(
        "the setup that the parent keeps was made for other members, or another threshold, than the measured \
         configuration names: start the appliance with the configuration that it was made under"
    )]
    OtherPolicy,
}
