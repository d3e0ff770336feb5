//! What a client demands of an appliance's Evidence: an appraisal policy, once for sessions and once for the document
//! of the report key, which may be older.

use std::sync::Arc;

use r3e_attestation::{
    AppraisalError, AppraisalPolicy, AppraisalPolicyBuilder, AttestationResult, ChainCache, PolicyError,
    TrustAnchor, UnixTime, appraise_with,
};
use r3e_proto::channel::CONFIGURATION_PCR;

use crate::evidence::Claims;
use crate::limits::{CLOCK_SKEW_MS, MAX_AGE_MS, REPORT_KEY_MAX_AGE_MS};

/// What a client demands of an appliance.
///
/// ```
/// # fn example(file: &[u8]) -> Result<r3e_client::Policy, r3e_attestation::PolicyError> {
/// let releases = r3e_attestation::parse_reference_values(file)?;
/// r3e_client::Policy::new(r3e_client::Policy::builder().accept_releases(releases))
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    session: AppraisalPolicy,
    report_key: AppraisalPolicy,
    /// Shared by clones, so that one appliance's chain is verified once and not for each connection.
    chains: Arc<ChainCache>,
}

impl Policy {
    /// A builder with the clock skew and the maximum age of [`crate::limits`], which suit a session: its Evidence is
    /// fresh by its nonce, and the times only bound what a stolen key of the attestation PKI is good for.
    pub fn builder() -> AppraisalPolicyBuilder {
        AppraisalPolicy::builder().clock_skew_ms(CLOCK_SKEW_MS).max_age_ms(MAX_AGE_MS)
    }

    /// The policy. It must expect no `nonce`, `user_data` or `public_key`: those are a session's own.
    ///
    /// # Errors
    /// [`PolicyError`]: it would accept any image.
    pub fn new(builder: AppraisalPolicyBuilder) -> Result<Self, PolicyError> {
        let report_key = builder.clone().max_age_ms(REPORT_KEY_MAX_AGE_MS).build()?;
        Ok(Self { session: builder.build()?, report_key, chains: Arc::default() })
    }

    /// The root that it trusts.
    pub fn trust_anchor(&self) -> &TrustAnchor {
        self.session.trust_anchor()
    }

    /// Appraises the document of a session.
    pub(crate) fn appraise(&self, document: &[u8], now_ms: u64) -> Result<AttestationResult, AppraisalError> {
        appraise_with(&self.chains, document, &self.session, UnixTime::from_millis(now_ms))
    }

    /// Appraises the document of a report key.
    pub(crate) fn appraise_report_key(
        &self,
        document: &[u8],
        now_ms: u64,
    ) -> Result<AttestationResult, AppraisalError> {
        appraise_with(&self.chains, document, &self.report_key, UnixTime::from_millis(now_ms))
    }
}

/// What an appraised document says that concerns a session.
pub(crate) fn claims(result: &AttestationResult) -> Claims<'_> {
    Claims {
        user_data: result.user_data().unwrap_or_default(),
        public_key: result.public_key().unwrap_or_default(),
        configuration_pcr: result.pcr(CONFIGURATION_PCR),
    }
}
