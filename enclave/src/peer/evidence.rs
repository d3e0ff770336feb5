//! A peer's evidence: the frame that brings it, and the checks that tie an appraised document to one session.

use r3e_attestation::AttestationResult;
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::{Digest, pcr_extended_once};
use r3e_proto::channel::evidence::{Evidence, EvidenceReply};
use r3e_proto::limits::MAX_EVIDENCE_BYTES;
use r3e_transport::frame::read_frame;
use tokio::io::AsyncRead;

use super::error::PeerError;

/// Reads the one frame of evidence, and not a byte beyond it.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Evidence, PeerError> {
    let body = read_frame(stream, MAX_EVIDENCE_BYTES).await?;
    match EvidenceReply::decode(&body)? {
        EvidenceReply::Evidence(evidence) => Ok(evidence),
        EvidenceReply::Unavailable(why) => Err(PeerError::Unavailable(why)),
    }
}

/// Whether the appraised document belongs to the session of `binding`, names its HPKE key, and measured its configuration.
pub(super) fn check(
    evidence: &Evidence,
    attestation: &AttestationResult,
    binding: &Digest,
) -> Result<(), PeerError> {
    evidence.verify_binding(binding, attestation.user_data().unwrap_or_default())?;
    if attestation.public_key().unwrap_or_default() != evidence.hpke_public_key {
        return Err(PeerError::HpkeKey);
    }
    if attestation.pcr(CONFIGURATION_PCR) != Some(&pcr_extended_once(&evidence.configuration)) {
        return Err(PeerError::Configuration);
    }
    Ok(())
}
