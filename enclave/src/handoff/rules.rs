//! Who may hand over to whom. Each rule has its own refusal and its own code, and none of them asks anybody anything.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::channel::binding::{Digest, pcr_extended_once};
use r3e_proto::channel::statement::Statement;
use r3e_proto::handoff::{codes, successor_binding};
use r3e_proto::release::{HandoffPolicy, Measured, Release, ReleaseError, SignedRelease, Version};
use thiserror::Error;

use super::measured::{Claims, Own};
use crate::RELEASE;

/// The rule that a handoff breaks. The message says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// The configuration has no `[handoff]` table.
    #[error("this configuration has no [handoff] table, so that no release's keys count here")]
    NotAllowed,
    /// The manifest.
    #[error("the release is not approved: {0}")]
    NotApproved(ReleaseError),
    /// The release does not name the predecessor's image.
    #[error("the release does not name the predecessor's PCR0 to 2 among those that it succeeds")]
    NotAPredecessor,
    /// The release is for one appliance, and not for this one.
    #[error(
        "the release is for the appliance {}, and this one is {}",
        hex::encode(appliance),
        hex::encode(identity)
    )]
    OtherAppliance {
        /// The identity in the release.
        appliance: [u8; 32],
        /// The identity of the root secret that would be handed over.
        identity: [u8; 32],
    },
    /// The release is older.
    #[error(
        "the release is {release}, and the predecessor {running}: an upgrade goes to the same version or a later one"
    )]
    Downgrade {
        /// The release's version.
        release: Version,
        /// The version that runs.
        running: Version,
    },
    /// The state is behind.
    #[error(
        "the predecessor's state is at sequence {sequence}, and the release takes {minimum} at least: the state was \
         rolled back"
    )]
    SequenceTooLow {
        /// The state's sequence.
        sequence: u64,
        /// What the release takes.
        minimum: u64,
    },
    /// The successor's document.
    #[error("the successor's attestation does not hold: {0}")]
    NotAttested(String),
    /// The successor's image.
    #[error("the successor's PCR0 to 2 are not those of the release")]
    NotReleased,
    /// The successor's version: the predecessor judges by the release's, which must be true.
    #[error(
        "the release says {release}, and the successor's image is {RELEASE}: release it under its own version"
    )]
    OtherVersion {
        /// The release's version.
        release: Version,
    },
    /// The successor's statement.
    #[error("the successor's document was not made for this session and its configuration")]
    Unbound,
    /// The configurations.
    #[error(
        "predecessor and successor measured different configurations or unlock policies (PCR16, PCR17), and the release \
         does not lead from the one's to the other's"
    )]
    ConfigurationNotReleased,
}

impl Refusal {
    /// Its code on the wire.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed => codes::HANDOFF_NOT_ALLOWED,
            Self::NotApproved(_) => codes::RELEASE_NOT_APPROVED,
            Self::NotAPredecessor => codes::NOT_A_PREDECESSOR,
            Self::OtherAppliance { .. } => codes::APPLIANCE_NOT_RELEASED,
            Self::Downgrade { .. } => codes::DOWNGRADE,
            Self::SequenceTooLow { .. } => codes::SEQUENCE_TOO_LOW,
            Self::NotAttested(_) => codes::SUCCESSOR_NOT_ATTESTED,
            Self::NotReleased => codes::SUCCESSOR_NOT_RELEASED,
            Self::OtherVersion { .. } => codes::VERSION_NOT_RELEASED,
            Self::Unbound => codes::SUCCESSOR_UNBOUND,
            Self::ConfigurationNotReleased => codes::CONFIGURATION_NOT_RELEASED,
        }
    }
}

/// The release in `manifest`, if the policy of either end approves it. Both ends ask this, each by its own measured keys.
pub(crate) fn approved(policy: Option<&HandoffPolicy>, manifest: &[u8]) -> Result<Release, Refusal> {
    let policy = policy.ok_or(Refusal::NotAllowed)?;
    let signed = SignedRelease::decode(manifest).map_err(|error| Refusal::NotApproved(error.into()))?;
    signed.verify(policy, is_signed_by).map_err(Refusal::NotApproved)
}

/// Whether the appliance of this identity may hand over to the release at all, whoever asks.
pub(crate) fn may_hand_over(
    release: &Release,
    own: &Own,
    identity: &[u8; 32],
    running: &Version,
    sequence: u64,
) -> Result<(), Refusal> {
    if !release.succeeds(&own.image) {
        return Err(Refusal::NotAPredecessor);
    }
    if release.version() < running {
        return Err(Refusal::Downgrade { release: release.version().clone(), running: running.clone() });
    }
    meant_for(release, identity)?;
    recent(release, sequence)
}

/// Whether the release is for the appliance of this identity, the commitment of the root secret that is handed over. Both
/// ends ask this.
pub(crate) fn meant_for(release: &Release, identity: &[u8; 32]) -> Result<(), Refusal> {
    match release.appliance() {
        Some(appliance) if !release.is_for(identity) => {
            Err(Refusal::OtherAppliance { appliance: *appliance, identity: *identity })
        }
        _ => Ok(()),
    }
}

/// Whether the state is one that the release lets be handed over. Both ends ask this.
pub(crate) fn recent(release: &Release, sequence: u64) -> Result<(), Refusal> {
    let minimum = release.minimum_sequence();
    if sequence < minimum { Err(Refusal::SequenceTooLow { sequence, minimum }) } else { Ok(()) }
}

/// Whether whoever asks on the session of this binding may have the root secret of an appliance that measured `own`.
/// `configuration` is what it says that its configuration's digest is.
pub(crate) fn may_succeed(
    release: &Release,
    own: &Measured,
    successor: &Claims,
    session: &Digest,
    configuration: &Digest,
) -> Result<(), Refusal> {
    if successor.image.as_ref() != Some(release.pcrs()) {
        return Err(Refusal::NotReleased);
    }
    let statement = Statement::Successor { binding: successor_binding(session, configuration) };
    if successor.user_data != statement.encode() {
        return Err(Refusal::Unbound);
    }
    let measured = successor.measured.ok_or(Refusal::ConfigurationNotReleased)?;
    if measured.configuration != pcr_extended_once(configuration) {
        return Err(Refusal::Unbound);
    }
    if release.leads(own, &measured) { Ok(()) } else { Err(Refusal::ConfigurationNotReleased) }
}

/// Whether an enclave that measured `own` is the release, and may take over from the appliance that it met: a parent could
/// offer it one of its own making, whose root secret it knows.
pub(crate) fn may_take_over(release: &Release, own: &Own, predecessor: &Claims) -> Result<(), Refusal> {
    if own.image != *release.pcrs() {
        return Err(Refusal::NotReleased);
    }
    if release.version().to_string() != RELEASE {
        return Err(Refusal::OtherVersion { release: release.version().clone() });
    }
    if !predecessor.image.as_ref().is_some_and(|image| release.succeeds(image)) {
        return Err(Refusal::NotAPredecessor);
    }
    let theirs = predecessor.measured.ok_or(Refusal::ConfigurationNotReleased)?;
    if release.leads(&theirs, &own.measured) { Ok(()) } else { Err(Refusal::ConfigurationNotReleased) }
}

/// RFC 8032; the library refuses a signature whose second half is not below the group's order.
fn is_signed_by(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests;
