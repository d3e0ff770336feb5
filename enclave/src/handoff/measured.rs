//! What the two ends of a handoff measured: this one by its device, the other by its attestation document.

use r3e_attestation::{
    AppraisalError, AppraisalPolicy, AttestationResult, PolicyError, ReferenceValues, TrustAnchor, UnixTime,
    appraise,
};
use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_proto::channel::binding::Digest;
use r3e_proto::channel::{CONFIGURATION_PCR, UNLOCK_PCR};
use r3e_proto::release::{ImagePcrs, Measured, Release};

use super::rules::Refusal;
use crate::peer::Peer;

/// An enclave's own measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Own {
    /// PCR0 to 2: the image.
    pub(crate) image: ImagePcrs,
    /// PCR16 and PCR17: the configuration and the unlock policy.
    pub(crate) measured: Measured,
}

/// What an appraised document of the other end says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    /// PCR0 to 2, if it has them.
    pub(crate) image: Option<ImagePcrs>,
    /// PCR16 and PCR17, if it has them.
    pub(crate) measured: Option<Measured>,
    /// Its `user_data`.
    pub(crate) user_data: Vec<u8>,
}

impl Own {
    /// Reads the registers of this enclave.
    ///
    /// # Errors
    /// The device's.
    pub(crate) async fn read(attester: &Attester) -> Result<Self, AttesterError> {
        let pcr = async |index: u8| Ok::<Digest, AttesterError>(attester.pcr(index.into()).await?.value);
        Ok(Self {
            image: [pcr(0).await?, pcr(1).await?, pcr(2).await?],
            measured: Measured {
                configuration: pcr(CONFIGURATION_PCR).await?,
                unlock: pcr(UNLOCK_PCR).await?,
            },
        })
    }
}

impl Claims {
    /// What the appraisal found.
    pub(crate) fn of(result: &AttestationResult) -> Self {
        let pcr = |index| result.pcr(index).copied();
        let image = || Some([pcr(0)?, pcr(1)?, pcr(2)?]);
        let measured = || Some(Measured { configuration: pcr(CONFIGURATION_PCR)?, unlock: pcr(UNLOCK_PCR)? });
        Self {
            image: image(),
            measured: measured(),
            user_data: result.user_data().unwrap_or_default().to_vec(),
        }
    }

    /// Appraises a successor's document: it must be of the release's image.
    pub(crate) fn appraise(
        document: &[u8],
        release: &Release,
        trust: &TrustAnchor,
        clock: &TrustedClock,
    ) -> Result<Self, Refusal> {
        let refused = |error: PolicyError| Refusal::NotAttested(error.to_string());
        let policy = policy([release.pcrs()], trust).map_err(refused)?;
        match appraise(document, &policy, UnixTime::from_millis(clock.now_ms())) {
            Ok(result) => Ok(Self::of(&result)),
            Err(AppraisalError::PcrMismatch { .. }) => Err(Refusal::NotReleased),
            Err(error) => Err(Refusal::NotAttested(error.to_string())),
        }
    }
}

/// A policy that accepts these images alone. Debug images never.
pub(crate) fn policy<'a>(
    images: impl IntoIterator<Item = &'a ImagePcrs>,
    trust: &TrustAnchor,
) -> Result<AppraisalPolicy, PolicyError> {
    let reference = |[zero, one, two]: &ImagePcrs| ReferenceValues::new("of the release", *zero, *one, *two);
    let references = images.into_iter().map(reference).collect::<Result<Vec<_>, _>>()?;
    Peer::policy(trust).accept_releases(references).build()
}
