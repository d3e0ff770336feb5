//! What is measured before the listener opens: the configuration and the unlock policy. Locked, so that nothing that
//! runs later can make them look otherwise.

use r3e_attester::{Attester, AttesterError};
use r3e_proto::channel::binding::{Digest, configuration_digest, pcr_extended_once};
use r3e_proto::channel::{CONFIGURATION_PCR, UNLOCK_PCR};
use thiserror::Error;

/// Why the measurements could not be made. The appliance does not start.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The device.
    #[error("PCR{pcr} cannot be measured: {source}")]
    Device {
        /// The PCR.
        pcr: u8,
        /// The device's error.
        source: AttesterError,
    },
    /// The PCR was extended before us, so its value says nothing.
    #[error("PCR{pcr} was not zero before it was measured: something else extended it")]
    NotFresh {
        /// The PCR.
        pcr: u8,
    },
}

/// Extends PCR16 with the configuration's digest and PCR17 with the unlock policy's, and locks both.
///
/// # Errors
/// [`MeasureError`].
pub(crate) async fn measure(
    attester: &Attester,
    configuration: &Digest,
    unlock_policy: &[u8],
) -> Result<(), MeasureError> {
    measure_one(attester, CONFIGURATION_PCR, configuration).await?;
    measure_one(attester, UNLOCK_PCR, &configuration_digest(unlock_policy)).await
}

async fn measure_one(attester: &Attester, pcr: u8, digest: &Digest) -> Result<(), MeasureError> {
    let failed = |source| MeasureError::Device { pcr, source };
    let index = u16::from(pcr);
    let value = attester.extend_pcr(index, digest).await.map_err(failed)?;
    // Extending a zero register gives one value and no other.
    if value != pcr_extended_once(digest) {
        return Err(MeasureError::NotFresh { pcr });
    }
    attester.lock_pcr(index).await.map_err(failed)
}
