//! Where this boot's root secret comes from: the provider that the measured configuration names, and what it is lent of the
//! house: the parent's slot, attestation documents, entropy.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_keys::kms::{AwsKms, KmsParts};
use r3e_keys::quorum::Quorum;
use r3e_keys::{BoxError, Documents, Entropy, Ephemeral, Slot, SlotFuture, SlotWritten, UnlockProvider};
use r3e_store::{CommitAnswer, ParentBlobs};
use r3e_transport::EnclaveTransport;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::aws_kms::{self, DeviceClock};
use crate::configuration::UnlockChoice;

/// What a provider may be lent.
pub(crate) struct Seams {
    /// The parent's blobs, where its slot is.
    pub(crate) blobs: ParentBlobs,
    /// The attestation device.
    pub(crate) attester: Attester,
    /// The way to the parent, for credentials and egress.
    pub(crate) transport: EnclaveTransport,
    /// The device's time.
    pub(crate) clock: TrustedClock,
}

/// The provider of this boot.
pub(crate) enum Provider {
    /// Waits for members, on the attested channel.
    Quorum(Arc<Quorum>),
    /// Waits for nobody that comes by the channel.
    Alone(Box<dyn UnlockProvider>),
}

/// Why there is no provider.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NoProvider {
    /// The configuration names one that this program has not.
    #[error(
        "the configuration names the unlock provider {named:?}; this program has: ephemeral, quorum, aws-kms{more}"
    )]
    Unknown {
        /// What it names.
        named: String,
        /// Those of the program's own.
        more: String,
    },
    /// Its policy cannot be followed.
    #[error("[unlock.aws_kms] cannot be followed: {0}")]
    AwsKms(BoxError),
}

impl Provider {
    /// The provider that `choice` names; `others` are the program's own, beside those of this library.
    ///
    /// # Errors
    /// [`NoProvider`].
    pub(crate) fn new(
        choice: &UnlockChoice,
        seams: Seams,
        others: Vec<Box<dyn UnlockProvider>>,
    ) -> Result<Self, NoProvider> {
        let Seams { blobs, attester, transport, clock } = seams;
        match choice {
            UnlockChoice::Ephemeral => Ok(Self::Alone(Box::new(Ephemeral))),
            UnlockChoice::Quorum(policy) => {
                let (slot, documents) = (Arc::new(ParentSlot(blobs)), Arc::new(DeviceDocuments(attester)));
                let clock = Arc::new(DeviceClock(clock));
                Ok(Self::Quorum(Arc::new(Quorum::new(policy.clone(), slot, documents, clock))))
            }
            UnlockChoice::AwsKms(choice) => {
                let (https, credentials, clock) =
                    aws_kms::seams(&transport, &clock, &choice.policy, &choice.roots)
                        .map_err(NoProvider::AwsKms)?;
                let (slot, documents) = (Arc::new(ParentSlot(blobs)), Arc::new(DeviceDocuments(attester)));
                let parts = KmsParts { slot, documents, https, credentials, clock };
                Ok(Self::Alone(Box::new(AwsKms::new(choice.policy.clone(), parts))))
            }
            UnlockChoice::Other(named) => {
                let more = std::iter::once("").chain(others.iter().map(|provider| provider.name()));
                let more = more.collect::<Vec<_>>().join(", ");
                let found = others.into_iter().find(|provider| provider.name() == named);
                found.map(Self::Alone).ok_or_else(|| NoProvider::Unknown { named: named.clone(), more })
            }
        }
    }

    /// The provider, whichever it is.
    pub(crate) fn get(&self) -> &dyn UnlockProvider {
        match self {
            Self::Quorum(quorum) => quorum.as_ref(),
            Self::Alone(provider) => provider.as_ref(),
        }
    }

    /// The quorum, where it is one.
    pub(crate) fn quorum(&self) -> Option<&Arc<Quorum>> {
        match self {
            Self::Quorum(quorum) => Some(quorum),
            Self::Alone(_) => None,
        }
    }
}

/// The parent's slot.
struct ParentSlot(ParentBlobs);

impl Slot for ParentSlot {
    fn read(&self) -> SlotFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.0.slot_read().await?) })
    }

    fn write<'a>(&'a self, expected: Option<[u8; 32]>, value: &'a [u8]) -> SlotFuture<'a, SlotWritten> {
        Box::pin(async move {
            Ok(match self.0.slot_write(expected, value.to_vec()).await? {
                CommitAnswer::Committed => SlotWritten::Written,
                CommitAnswer::Conflict => SlotWritten::Conflict,
            })
        })
    }
}

/// Documents of the device.
struct DeviceDocuments(Attester);

impl Documents for DeviceDocuments {
    fn attest<'a>(
        &'a self,
        public_key: Option<&'a [u8]>,
        user_data: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>> {
        Box::pin(async move {
            let document = self.0.attest(Some(user_data), None, public_key).await?;
            Ok(document.into_bytes())
        })
    }
}

/// Entropy drawn from the device beforehand: providers take it synchronously, the device gives it asynchronously.
/// Each byte is given once.
pub(crate) struct DrawnEntropy(Mutex<Zeroizing<Vec<u8>>>);

impl DrawnEntropy {
    /// Draws `length` bytes.
    ///
    /// # Errors
    /// The device's.
    pub(crate) async fn draw(attester: &Attester, length: usize) -> Result<Self, AttesterError> {
        Ok(Self(Mutex::new(attester.random(length).await?)))
    }
}

impl Entropy for DrawnEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = drawn.len().checked_sub(out.len()).ok_or("more entropy was asked for than was drawn")?;
        out.copy_from_slice(&drawn[rest..]);
        // Wiped before it is cut off: `truncate` alone would leave it in memory.
        drawn[rest..].fill(0);
        drawn.truncate(rest);
        Ok(())
    }
}
