//! What a client demands of an appliance's Evidence: an appraisal policy, once for sessions and once for the document
//! of the report key, which may be older; and the configuration that the image must run with.

use std::sync::Arc;

use r3e_attestation::{
    AppraisalError, AppraisalPolicy, AppraisalPolicyBuilder, AttestationResult, ChainCache, Pcr,
    ReferenceValues, TrustAnchor, UnixTime, appraise_with, inspect,
};
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::{Digest, configuration_digest};
use thiserror::Error;

use crate::error::ClientError;
use crate::evidence::Claims;
use crate::limits::{CLOCK_SKEW_MS, MAX_AGE_MS, REPORT_KEY_MAX_AGE_MS};

/// What a client demands of an appliance.
///
/// ```
/// # fn example(releases: &[u8], configuration: &[u8]) -> Result<r3e_client::Policy, r3e_client::PolicyError> {
/// let releases = r3e_attestation::parse_reference_values(releases)?;
/// r3e_client::Policy::new(
///     r3e_client::Policy::builder().accept_releases(releases).pin_configuration_file(configuration),
/// )
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    session: AppraisalPolicy,
    report_key: AppraisalPolicy,
    /// The session's, with the releases besides it that may have made a quorum's setup; none where there are no such.
    setups: Option<AppraisalPolicy>,
    /// None where any will do, or where the PCRs settle it.
    configuration: Option<Digest>,
    /// None where whoever is known at the address, or the first one there, will do.
    identity: Option<[u8; 32]>,
    /// Shared by clones, so that one appliance's chain is verified once and not for each connection.
    chains: Arc<ChainCache>,
}

/// Why there is no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The appraisal policy itself.
    #[error(transparent)]
    Appraisal(#[from] r3e_attestation::PolicyError),
    /// Nothing says which configuration the image must run with.
    #[error(
        "no configuration is pinned: the configuration names the operator and whom functions' connections trust, so the \
         same image under another one is another's appliance; pin the configuration, or say that any will do"
    )]
    NoConfiguration,
    /// Two different configurations, or one and any, were asked for.
    #[error("two different demands on the configuration: pin one, or say that any will do, once")]
    ConfigurationConflict,
}

impl PolicyError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Appraisal(error) => error.code(),
            Self::NoConfiguration => "no_configuration",
            Self::ConfigurationConflict => "configuration_conflict",
        }
    }
}

impl Policy {
    /// A builder with the clock skew and the maximum age of [`crate::limits`], which suit a session: its Evidence is
    /// fresh by its nonce, and the times only bound what a stolen key of the attestation PKI is good for.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder {
            appraisal: AppraisalPolicy::builder().clock_skew_ms(CLOCK_SKEW_MS).max_age_ms(MAX_AGE_MS),
            setup_releases: Vec::new(),
            demand: Demand::None,
            identity: None,
            required_by_pcr: false,
            releases: 0,
            releases_with_configuration: 0,
        }
    }

    /// The policy.
    ///
    /// # Errors
    /// [`PolicyError`]: it would accept any image, or any configuration without saying so.
    pub fn new(builder: PolicyBuilder) -> Result<Self, PolicyError> {
        let pinned_by_pcr = builder.pins_configuration_by_pcr();
        let configuration = match builder.demand {
            Demand::Pinned(digest) => Some(digest),
            Demand::Any => None,
            Demand::None if pinned_by_pcr => None,
            Demand::Conflict => return Err(PolicyError::ConfigurationConflict),
            // An image that nothing pins is the greater fault: it is named first.
            Demand::None => {
                builder.appraisal.build()?;
                return Err(PolicyError::NoConfiguration);
            }
        };
        let report_key = builder.appraisal.clone().max_age_ms(REPORT_KEY_MAX_AGE_MS).build()?;
        let setups = match builder.setup_releases {
            releases if releases.is_empty() => None,
            releases => Some(builder.appraisal.clone().accept_releases(releases).build()?),
        };
        let session = builder.appraisal.build()?;
        Ok(Self {
            session,
            report_key,
            setups,
            configuration,
            identity: builder.identity,
            chains: Arc::default(),
        })
    }

    /// The root that it trusts.
    pub fn trust_anchor(&self) -> &TrustAnchor {
        self.session.trust_anchor()
    }

    /// The SHA-384 of the one configuration it accepts. None where any will do, or where reference values of PCR16
    /// settle it.
    pub fn pinned_configuration(&self) -> Option<&Digest> {
        self.configuration.as_ref()
    }

    /// The one appliance that it accepts, by the commitment to its root secret; none where that is left to the memory of
    /// [`crate::ApplianceMemory`].
    pub fn pinned_identity(&self) -> Option<&[u8; 32]> {
        self.identity.as_ref()
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

    /// Appraises the document of a quorum's setup as of when it was made, by its own signed word: what it says of its
    /// enclave then does not end when certificates expire.
    pub(crate) fn appraise_setup(&self, document: &[u8]) -> Result<AttestationResult, AppraisalError> {
        let made_at = inspect(document)?.timestamp();
        let by_session = appraise_with(&self.chains, document, &self.session, made_at);
        match &self.setups {
            Some(setups) if by_session.is_err() => appraise_with(&self.chains, document, setups, made_at),
            _ => by_session,
        }
    }

    /// Whether the configuration that PCR16 was found to measure is the pinned one.
    ///
    /// # Errors
    /// [`ClientError::OtherConfiguration`].
    pub(crate) fn check_configuration(&self, found: &Digest) -> Result<(), ClientError> {
        match &self.configuration {
            Some(pinned) if pinned != found => {
                Err(ClientError::OtherConfiguration { pinned: Box::new(*pinned), found: Box::new(*found) })
            }
            _ => Ok(()),
        }
    }
}

/// Builds a [`Policy`]. It expects no nonce, `user_data` or `public_key`: those are a session's own.
#[derive(Debug, Clone)]
#[must_use]
pub struct PolicyBuilder {
    appraisal: AppraisalPolicyBuilder,
    setup_releases: Vec<ReferenceValues>,
    demand: Demand,
    identity: Option<[u8; 32]>,
    required_by_pcr: bool,
    releases: usize,
    releases_with_configuration: usize,
}

/// What was said of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    None,
    Pinned(Digest),
    Any,
    Conflict,
}

impl PolicyBuilder {
    /// Trusts `anchor` instead of the AWS root.
    pub fn trust(self, anchor: TrustAnchor) -> Self {
        Self { appraisal: self.appraisal.trust(anchor), ..self }
    }

    /// Accepts a release, beside those accepted already. Where every release has a value for PCR16, they pin the
    /// configuration too.
    pub fn accept_release(mut self, release: ReferenceValues) -> Self {
        self.releases += 1;
        self.releases_with_configuration += usize::from(release.pcrs().contains_key(&CONFIGURATION_PCR));
        Self { appraisal: self.appraisal.accept_release(release), ..self }
    }

    /// Accepts several releases.
    pub fn accept_releases(self, releases: impl IntoIterator<Item = ReferenceValues>) -> Self {
        releases.into_iter().fold(self, Self::accept_release)
    }

    /// Accepts these releases, too, as the makers of a quorum's setup that is seen for the first time. No session is
    /// accepted for them: an image that is no longer trusted to run may have made a setup when it still was.
    pub fn accept_setups_of(mut self, releases: impl IntoIterator<Item = ReferenceValues>) -> Self {
        self.setup_releases.extend(releases);
        self
    }

    /// Requires a value of a PCR, of every release; of PCR16, it pins the configuration.
    ///
    /// # Errors
    /// [`r3e_attestation::PolicyError`]: there is no such PCR, or another value is required already.
    pub fn require_pcr(mut self, index: u8, value: Pcr) -> Result<Self, PolicyError> {
        self.required_by_pcr |= index == CONFIGURATION_PCR;
        Ok(Self { appraisal: self.appraisal.require_pcr(index, value)?, ..self })
    }

    /// Accepts only the configuration with this SHA-384.
    pub fn pin_configuration(self, digest: Digest) -> Self {
        self.demand(Demand::Pinned(digest))
    }

    /// Accepts only this configuration, byte for byte.
    pub fn pin_configuration_file(self, configuration: &[u8]) -> Self {
        self.pin_configuration(configuration_digest(configuration))
    }

    /// Accepts only the appliance with this identity, whichever was known at its address before: the commitment to its
    /// root secret.
    pub fn pin_identity(mut self, identity: [u8; 32]) -> Self {
        self.identity = Some(identity);
        self
    }

    /// UNSAFE where anything is entrusted to the appliance: accepts an accepted image under any configuration, another
    /// operator's too, who may then admit tenants and have functions' connections trust any root.
    pub fn any_configuration(self) -> Self {
        self.demand(Demand::Any)
    }

    /// Whether something pins the configuration.
    pub fn pins_configuration(&self) -> bool {
        matches!(self.demand, Demand::Pinned(_)) || self.pins_configuration_by_pcr()
    }

    /// Refuses documents whose timestamp lies further back than this, clock skew added.
    pub fn max_age_ms(self, max_age_ms: u64) -> Self {
        Self { appraisal: self.appraisal.max_age_ms(max_age_ms), ..self }
    }

    /// Tolerates this difference between the clocks, in both directions.
    pub fn clock_skew_ms(self, clock_skew_ms: u64) -> Self {
        Self { appraisal: self.appraisal.clock_skew_ms(clock_skew_ms), ..self }
    }

    /// Accepts enclaves in debug mode, whose memory is open to whoever runs them.
    pub fn allow_debug(self) -> Self {
        Self { appraisal: self.appraisal.allow_debug(), ..self }
    }

    fn demand(mut self, demand: Demand) -> Self {
        self.demand = match self.demand {
            Demand::None => demand,
            same if same == demand => same,
            _ => Demand::Conflict,
        };
        self
    }

    fn pins_configuration_by_pcr(&self) -> bool {
        self.required_by_pcr || (self.releases > 0 && self.releases == self.releases_with_configuration)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn release(name: &str) -> ReferenceValues {
        ReferenceValues::new(name, [1; 48], [2; 48], [3; 48]).unwrap()
    }

    fn code(builder: PolicyBuilder) -> &'static str {
        Policy::new(builder).map_or_else(|error| error.code(), |_| "accepted")
    }

    #[test]
    fn a_policy_says_which_configuration_or_that_any_will_do() {
        let image = || Policy::builder().accept_release(release("1"));
        assert_eq!(code(image()), "no_configuration");
        assert_eq!(code(image().any_configuration()), "accepted");
        assert_eq!(code(image().pin_configuration([7; 48])), "accepted");
        assert_eq!(code(image().pin_configuration([7; 48]).pin_configuration([7; 48])), "accepted");
        assert_eq!(
            code(image().pin_configuration([7; 48]).pin_configuration([8; 48])),
            "configuration_conflict"
        );
        assert_eq!(code(image().pin_configuration([7; 48]).any_configuration()), "configuration_conflict");
        assert_eq!(code(image().any_configuration().pin_configuration([7; 48])), "configuration_conflict");
        assert_eq!(code(image().require_pcr(CONFIGURATION_PCR, [9; 48]).unwrap()), "accepted");
        assert_eq!(code(image().require_pcr(17, [9; 48]).unwrap()), "no_configuration");
        assert_eq!(code(Policy::builder()), "no_policy");
        assert_eq!(code(Policy::builder().any_configuration()), "no_policy");
    }

    #[test]
    fn reference_values_pin_the_configuration_only_if_each_release_does() {
        let with = |name: &str| release(name).with_pcr(CONFIGURATION_PCR, [5; 48]).unwrap();
        assert_eq!(code(Policy::builder().accept_releases([with("1"), with("2")])), "accepted");
        assert_eq!(code(Policy::builder().accept_releases([with("1"), release("2")])), "no_configuration");
        assert!(Policy::builder().accept_release(with("1")).pins_configuration());
        assert!(!Policy::builder().accept_release(release("1")).any_configuration().pins_configuration());
    }

    #[test]
    fn releases_of_setups_accept_no_image_and_pin_no_configuration() {
        let with = release("old").with_pcr(CONFIGURATION_PCR, [5; 48]).unwrap();
        assert_eq!(code(Policy::builder().accept_setups_of([with.clone()]).any_configuration()), "no_policy");
        let beside = Policy::builder().accept_release(release("1")).accept_setups_of([with]);
        assert_eq!(code(beside.clone()), "no_configuration");
        let policy = Policy::new(beside.any_configuration()).unwrap();
        assert!(policy.setups.is_some());
    }

    #[test]
    fn another_configuration_is_told_from_the_pinned_one() {
        let policy = |builder: PolicyBuilder| Policy::new(builder.accept_release(release("1"))).unwrap();
        let pinned = policy(Policy::builder().pin_configuration_file(b"a"));
        pinned.check_configuration(&configuration_digest(b"a")).unwrap();
        let refused = pinned.check_configuration(&configuration_digest(b"b")).unwrap_err();
        assert_eq!(refused.code(), "other_configuration");
        let text = refused.to_string();
        for digest in [configuration_digest(b"a"), configuration_digest(b"b")] {
            assert!(text.contains(&hex::encode(digest)), "{text}");
        }
        policy(Policy::builder().any_configuration()).check_configuration(&[1; 48]).unwrap();
    }
}
