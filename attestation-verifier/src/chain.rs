//! The path from the pinned root to the leaf. The bundle gives it in order, so nothing is searched for: each
//! certificate must be issued by the one before it.

use crate::{
    AppraisalError, ChainProblem, Malformed, TrustAnchor, UnixTime,
    certificate::{Certificate, CertificateError},
    inspect::sha256_hex,
    limits::MAX_CA_CERTIFICATES,
    signature::{PublicKey, verifies_der},
};

/// A path whose signatures and constraints hold. Its validity in time is checked apart, by
/// [`VerifiedChain::check_time`], once the document's own signature holds as well.
#[derive(Debug)]
pub(crate) struct VerifiedChain {
    pub(crate) leaf_key: PublicKey,
    /// Validity of each certificate, from the root down.
    validities: Vec<(UnixTime, UnixTime)>,
}

/// Verifies the path from `anchor` along `cabundle` to `leaf`.
pub(crate) fn verify(
    anchor: &TrustAnchor,
    cabundle: &[Vec<u8>],
    leaf: &[u8],
) -> Result<VerifiedChain, AppraisalError> {
    let Some((root, intermediates)) = cabundle.split_first() else {
        return Err(Malformed::Rule { rule: "the cabundle must not be empty" }.into());
    };
    if cabundle.len() > MAX_CA_CERTIFICATES {
        let problem = ChainProblem::TooLong { len: cabundle.len(), max: MAX_CA_CERTIFICATES };
        return Err(AppraisalError::Chain { position: MAX_CA_CERTIFICATES, problem });
    }
    if root != anchor.der() {
        return Err(AppraisalError::UntrustedRoot { sha256: sha256_hex(root) });
    }
    let leaf_position = cabundle.len();
    let mut issuer = parse(0, root)?;
    let mut validities = vec![(issuer.not_before, issuer.not_after)];
    check_ca(0, &issuer, intermediates.len())?;
    for (index, der) in intermediates.iter().enumerate() {
        let position = index + 1;
        let certificate = issued(position, der, &issuer)?;
        check_ca(position, &certificate, leaf_position - 1 - position)?;
        validities.push((certificate.not_before, certificate.not_after));
        issuer = certificate;
    }
    let leaf = issued(leaf_position, leaf, &issuer)?;
    check_leaf(leaf_position, &leaf)?;
    validities.push((leaf.not_before, leaf.not_after));
    Ok(VerifiedChain { leaf_key: leaf.key, validities })
}

impl VerifiedChain {
    /// Whether every certificate is valid at `at`, give or take `skew_ms`. The root comes first.
    pub(crate) fn check_time(&self, at: UnixTime, skew_ms: u64) -> Result<(), AppraisalError> {
        for (position, &(not_before, not_after)) in self.validities.iter().enumerate() {
            if at.plus_millis(skew_ms) < not_before {
                return Err(AppraisalError::NotYetValid { position, not_before, at });
            }
            // RFC 5280 section 4.1.2.5: the last second is part of the validity.
            if at > not_after.plus_millis(skew_ms.saturating_add(999)) {
                return Err(AppraisalError::Expired { position, not_after, at });
            }
        }
        Ok(())
    }

    /// When the first certificate of the path expires.
    pub(crate) fn valid_until(&self) -> UnixTime {
        self.validities.iter().map(|(_, not_after)| *not_after).min().unwrap_or(UnixTime::from_millis(0))
    }
}

/// Parses a certificate that `issuer` must have issued.
fn issued<'a>(
    position: usize,
    der: &'a [u8],
    issuer: &Certificate<'_>,
) -> Result<Certificate<'a>, AppraisalError> {
    let certificate = parse(position, der)?;
    // Compared as bytes: the CAs of this PKI copy their name, and RFC 5280 section 7.1 allows no less strict
    // rule that would accept more here.
    if certificate.issuer != issuer.subject {
        return Err(AppraisalError::Chain { position, problem: ChainProblem::IssuerMismatch });
    }
    if certificate.issuer == certificate.subject {
        return Err(AppraisalError::Chain { position, problem: ChainProblem::SelfIssued });
    }
    if !verifies_der(&issuer.key, certificate.tbs, certificate.signature) {
        return Err(AppraisalError::Chain { position, problem: ChainProblem::BadSignature });
    }
    Ok(certificate)
}

fn parse(position: usize, der: &[u8]) -> Result<Certificate<'_>, AppraisalError> {
    Certificate::parse(der).map_err(|error| match error {
        CertificateError::Malformed(what) => Malformed::Certificate { position, what }.into(),
        CertificateError::Algorithm(what) => AppraisalError::Algorithm {
            what: format!("the {what} of certificate {position} of the chain (0 is the root)"),
        },
    })
}

/// The rules for a certificate that issued the next one, with `below` further CA certificates under it
/// (RFC 5280 sections 4.2.1.3 and 4.2.1.9).
fn check_ca(position: usize, certificate: &Certificate<'_>, below: usize) -> Result<(), AppraisalError> {
    let extensions = &certificate.extensions;
    let problem = if let Some(oid) = extensions.unknown_critical {
        ChainProblem::UnknownCriticalExtension { oid: oid.to_string() }
    } else if !extensions.is_ca {
        ChainProblem::NotCa
    } else if !extensions.cert_sign {
        ChainProblem::NoCertSign
    } else if let Some(allowed) = extensions.path_len.filter(|allowed| usize::from(*allowed) < below) {
        ChainProblem::PathTooLong { allowed, below }
    } else {
        return Ok(());
    };
    Err(AppraisalError::Chain { position, problem })
}

/// The rules for the certificate whose key signs the document.
fn check_leaf(position: usize, certificate: &Certificate<'_>) -> Result<(), AppraisalError> {
    let extensions = &certificate.extensions;
    let problem = if let Some(oid) = extensions.unknown_critical {
        ChainProblem::UnknownCriticalExtension { oid: oid.to_string() }
    } else if extensions.is_ca {
        ChainProblem::LeafIsCa
    } else if !extensions.digital_signature {
        ChainProblem::NoDigitalSignature
    } else {
        return Ok(());
    };
    Err(AppraisalError::Chain { position, problem })
}
