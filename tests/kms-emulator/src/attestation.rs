//! What KMS does with an attestation document: it must be genuine and of the last minutes. Which image it is of, only a
//! key's policy asks.

use r3e_attestation::{
    AppraisalPolicy, AttestationResult, TrustAnchor, UnixTime, UnsafeTestRoot, appraise, inspect,
};

use crate::refusal::Refusal;
use crate::unix_ms;

/// KMS takes documents of the last five minutes.
const MAX_AGE_MS: u64 = 300_000;
const CLOCK_SKEW_MS: u64 = 5_000;

/// The root that documents must lead to: a test's, in place of AWS's.
#[derive(Debug, Clone)]
pub struct NitroRoot(TrustAnchor);

impl NitroRoot {
    /// From a certificate in PEM.
    pub fn from_pem(pem: &str) -> Self {
        Self(TrustAnchor::UnsafeTest(UnsafeTestRoot::from_pem(pem).expect("a root certificate")))
    }

    /// Authenticates a document.
    pub(crate) fn verify(&self, document: &[u8]) -> Result<AttestationResult, Refusal> {
        let refused =
            |why: String| Refusal::new("ValidationException", format!("AttestationDocument: {why}"));
        // A policy must pin an image; this one pins whichever the document claims.
        let claims = inspect(document).map_err(|error| refused(error.to_string()))?;
        let pcr0 = *claims.pcrs().get(&0).ok_or_else(|| refused("it has no PCR0".to_owned()))?;
        let policy = AppraisalPolicy::builder()
            .trust(self.0.clone())
            .require_pcr(0, pcr0)
            .and_then(|builder| {
                builder.max_age_ms(MAX_AGE_MS).clock_skew_ms(CLOCK_SKEW_MS).allow_debug().build()
            })
            .expect("a policy");
        appraise(document, &policy, UnixTime::from_millis(unix_ms()))
            .map_err(|error| refused(error.to_string()))
    }
}
