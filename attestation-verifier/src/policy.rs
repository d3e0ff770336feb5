//! The appraisal policy: what the relying party demands. A policy that exists pins an image: it cannot be
//! built otherwise.

use std::collections::BTreeMap;

use crate::{Pcr, PolicyError, ReferenceValues, TrustAnchor, limits::MAX_RELEASES, reference::insert};

/// What a document must satisfy. Made by [`AppraisalPolicy::builder`].
#[derive(Clone, Debug)]
pub struct AppraisalPolicy {
    pub(crate) anchor: TrustAnchor,
    pub(crate) releases: Vec<ReferenceValues>,
    pub(crate) required: BTreeMap<u8, Pcr>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
    pub(crate) max_age_ms: Option<u64>,
    pub(crate) clock_skew_ms: u64,
    pub(crate) allow_debug: bool,
}

impl AppraisalPolicy {
    /// Starts a policy: AWS root, no release, no clock skew, no age limit but the certificates' three hours, no
    /// debug.
    pub fn builder() -> AppraisalPolicyBuilder {
        AppraisalPolicyBuilder(Self {
            anchor: TrustAnchor::AwsNitroG1,
            releases: Vec::new(),
            required: BTreeMap::new(),
            nonce: None,
            user_data: None,
            public_key: None,
            max_age_ms: None,
            clock_skew_ms: 0,
            allow_debug: false,
        })
    }

    /// The root that this policy trusts.
    pub const fn trust_anchor(&self) -> &TrustAnchor {
        &self.anchor
    }

    /// The same policy, which expects these bindings of one document (and no others). For a relying party with
    /// one policy and a fresh nonce for each request.
    #[must_use]
    pub fn with_bindings(
        &self,
        nonce: Option<Vec<u8>>,
        user_data: Option<Vec<u8>>,
        public_key: Option<Vec<u8>>,
    ) -> Self {
        Self { nonce, user_data, public_key, ..self.clone() }
    }

    /// Whether a document that satisfies this policy says which image runs: PCR0 measures all of it, PCR1 and
    /// PCR2 together do as well.
    fn pins_image(&self) -> bool {
        let requires = |index| self.required.contains_key(&index);
        !self.releases.is_empty() || requires(0) || (requires(1) && requires(2))
    }
}

/// Builds an [`AppraisalPolicy`].
#[derive(Clone, Debug)]
#[must_use]
pub struct AppraisalPolicyBuilder(AppraisalPolicy);

impl AppraisalPolicyBuilder {
    /// Trusts `anchor` instead of the AWS root.
    pub fn trust(mut self, anchor: TrustAnchor) -> Self {
        self.0.anchor = anchor;
        self
    }

    /// Accepts a release, beside those accepted already: a document must have all PCRs of one of them.
    pub fn accept_release(mut self, release: ReferenceValues) -> Self {
        self.0.releases.push(release);
        self
    }

    /// Accepts several releases.
    pub fn accept_releases(mut self, releases: impl IntoIterator<Item = ReferenceValues>) -> Self {
        self.0.releases.extend(releases);
        self
    }

    /// Requires a value of a PCR, of every release: PCR3 is the parent's IAM role, PCR4 its instance ID, PCR8
    /// the image's signer, PCR16 and PCR17 what the appliance measures into them.
    ///
    /// # Errors
    /// [`PolicyError::PcrIndex`], if there is no such PCR; [`PolicyError::PcrConflict`], if another value is
    /// required already.
    pub fn require_pcr(mut self, index: u8, value: Pcr) -> Result<Self, PolicyError> {
        insert(&mut self.0.required, index, value)?;
        Ok(self)
    }

    /// Expects exactly this nonce.
    pub fn expect_nonce(mut self, nonce: impl Into<Vec<u8>>) -> Self {
        self.0.nonce = Some(nonce.into());
        self
    }

    /// Expects exactly this user data.
    pub fn expect_user_data(mut self, user_data: impl Into<Vec<u8>>) -> Self {
        self.0.user_data = Some(user_data.into());
        self
    }

    /// Expects exactly this public key.
    pub fn expect_public_key(mut self, public_key: impl Into<Vec<u8>>) -> Self {
        self.0.public_key = Some(public_key.into());
        self
    }

    /// Refuses documents whose timestamp lies further back than this, clock skew added.
    pub fn max_age_ms(mut self, max_age_ms: u64) -> Self {
        self.0.max_age_ms = Some(max_age_ms);
        self
    }

    /// Tolerates this difference between the clocks, in both directions, wherever times are compared.
    pub fn clock_skew_ms(mut self, clock_skew_ms: u64) -> Self {
        self.0.clock_skew_ms = clock_skew_ms;
        self
    }

    /// Accepts enclaves in debug mode, whose memory is open to whoever runs them.
    ///
    /// This lifts the refusal and nothing else. The PCRs are compared as always, and PCR0, 1 and 2 of a debug
    /// enclave are zero: a policy for one must name the zeros as reference values, too.
    pub fn allow_debug(mut self) -> Self {
        self.0.allow_debug = true;
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// [`PolicyError::NoPolicy`], if neither a release is accepted nor PCR0 required, nor PCR1 and PCR2: such a
    /// policy would accept any image. [`PolicyError::TooManyReleases`], above 256.
    pub fn build(self) -> Result<AppraisalPolicy, PolicyError> {
        if !self.0.pins_image() {
            return Err(PolicyError::NoPolicy);
        }
        if self.0.releases.len() > MAX_RELEASES {
            return Err(PolicyError::TooManyReleases { max: MAX_RELEASES });
        }
        Ok(self.0)
    }
}
