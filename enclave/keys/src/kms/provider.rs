//! The provider itself: which boot is the first, and what is durable before what.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{
    client::Client,
    error::KmsError,
    policy::KmsPolicy,
    recipient::RecipientKey,
    seams::{Credentials, Https},
    slot::{SealedRoot, SlotError},
};
use crate::{
    AdoptFuture, Clock, Documents, Entropy, KeyError, RootSecret, Slot, SlotWritten, UnlockFuture,
    UnlockProvider,
};

const NAME: &str = "aws-kms";

/// What the provider needs of the world.
pub struct KmsParts {
    /// The parent's slot.
    pub slot: Arc<dyn Slot>,
    /// Attestation documents.
    pub documents: Arc<dyn Documents>,
    /// HTTPS to the policy's host, under the policy's roots.
    pub https: Arc<dyn Https>,
    /// The parent's credentials.
    pub credentials: Arc<dyn Credentials>,
    /// The device's time.
    pub clock: Arc<dyn Clock>,
}

/// Keeps the root secret sealed under a data key of AWS KMS.
pub struct AwsKms {
    policy: KmsPolicy,
    parts: KmsParts,
}

impl AwsKms {
    /// A provider for this policy.
    pub fn new(policy: KmsPolicy, parts: KmsParts) -> Self {
        Self { policy, parts }
    }

    async fn release(&self, entropy: &dyn Entropy) -> Result<RootSecret, KmsError> {
        let kept = self.parts.slot.read().await.map_err(KmsError::SlotAccess)?;
        // Before the key is made and KMS is asked: most wrong slots need neither.
        let kept = kept.map(|bytes| SealedRoot::decode(&bytes)).transpose()?;
        if let Some(kept) = &kept {
            kept.check(&self.policy)?;
        }
        let recipient = RecipientKey::generate()?;
        let client = self.client(&recipient);
        match kept {
            Some(kept) => kept.open(&client.decrypt(kept.ciphertext()).await?),
            None => self.make(&client, entropy).await,
        }
    }

    /// A new root, which is used once it is kept: an appliance whose root were lost at the next boot would lose what its
    /// tenants gave it.
    async fn make(&self, client: &Client<'_>, entropy: &dyn Entropy) -> Result<RootSecret, KmsError> {
        let (data_key, ciphertext) = client.generate_data_key().await?;
        let root = RootSecret::fill_with(|bytes| entropy.fill(bytes)).map_err(KeyError::Entropy)?;
        if root.is_constant() {
            return Err(KeyError::DeadEntropy.into());
        }
        let sealed = SealedRoot::seal(&root, &self.policy, &data_key, ciphertext, entropy)?;
        match self.parts.slot.write(None, &sealed.encode()).await.map_err(KmsError::SlotAccess)? {
            SlotWritten::Written => Ok(root),
            SlotWritten::Conflict => Err(KmsError::SlotConflict),
        }
    }

    /// Seals a root that is in use under a new data key, and puts it over whatever stands in the slot. Before that, KMS must
    /// have given the data key back: a policy of the key that lets this image seal and not open would be found out at the
    /// next boot, when nothing else has the root any more.
    async fn seal_anew(&self, root: &RootSecret, entropy: &dyn Entropy) -> Result<(), KmsError> {
        let slot = &self.parts.slot;
        let stands = slot.read().await.map_err(KmsError::SlotAccess)?;
        let recipient = RecipientKey::generate()?;
        let client = self.client(&recipient);
        let (data_key, ciphertext) = client.generate_data_key().await?;
        let sealed = SealedRoot::seal(root, &self.policy, &data_key, ciphertext, entropy)?;
        let opened = sealed.open(&client.decrypt(sealed.ciphertext()).await?)?;
        if opened.commitment()? != root.commitment()? {
            return Err(SlotError::Commitment.into());
        }
        let expected = stands.map(|stands| Sha256::digest(stands).into());
        match slot.write(expected, &sealed.encode()).await.map_err(KmsError::SlotAccess)? {
            SlotWritten::Written => Ok(()),
            SlotWritten::Conflict => Err(KmsError::SlotConflict),
        }
    }

    fn client<'a>(&'a self, recipient: &'a RecipientKey) -> Client<'a> {
        let KmsParts { slot: _, documents, https, credentials, clock } = &self.parts;
        Client { policy: &self.policy, https, credentials, documents, clock, recipient }
    }
}

impl UnlockProvider for AwsKms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn policy_bytes(&self) -> Vec<u8> {
        self.policy.bytes()
    }

    fn unlock<'a>(&'a self, entropy: &'a dyn Entropy) -> UnlockFuture<'a> {
        Box::pin(async move {
            self.release(entropy).await.map_err(|error| match error {
                // A dead entropy source is no matter of KMS.
                KmsError::Key(error) => error,
                error => KeyError::Locked { provider: NAME, source: error.into() },
            })
        })
    }

    fn adopt<'a>(&'a self, root: &'a RootSecret, entropy: &'a dyn Entropy) -> AdoptFuture<'a> {
        Box::pin(async move {
            self.seal_anew(root, entropy).await.map_err(|error| match error {
                KmsError::Key(error) => error,
                error => KeyError::NotAdopted { provider: NAME, source: error.into() },
            })
        })
    }
}
