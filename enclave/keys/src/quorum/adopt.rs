//! A root secret that came by handoff: from now on this quorum's members bring it back.

use sha2::{Digest as _, Sha256};

use super::{Held, Quorum, QuorumError};
use crate::RootSecret;
use crate::unlock::{Entropy, SlotWritten};

impl Quorum {
    /// Has the slot hold a setup of `root` for this policy. One that stands with this root's commitment and this policy is
    /// kept; anything else is replaced by a new setup, which this enclave makes and attests.
    ///
    /// The commitment and the policy are all that is compared, and both are public: that the shares of what stands are this
    /// root's, only the members can tell, by the digest that they remember. A parent can therefore have a setup kept that
    /// nobody can use. That lets nothing out, since what its shares make is held against the commitment, and it is no more
    /// than the parent can do afterwards with any setup, by losing it. A new setup at each handoff would win nothing against
    /// that, and would teach every member to accept a setup that it does not know at each upgrade.
    ///
    /// Nobody's approval is waited for any more, and no member can have another root made, whatever comes of it.
    ///
    /// # Errors
    /// [`QuorumError::Slot`], [`QuorumError::SlotConflict`], [`QuorumError::Documents`], [`QuorumError::Key`].
    pub(super) async fn take_over(
        &self,
        root: &RootSecret,
        entropy: &dyn Entropy,
    ) -> Result<(), QuorumError> {
        let _making = self.making.lock().await;
        self.release(None);
        let stands = self.slot.read().await.map_err(QuorumError::Slot)?;
        if let Held::Waiting(standing) = self.held(stands.clone())
            && standing.setup.commitment == root.commitment()?
        {
            self.release(Some(standing.slot));
            return Ok(());
        }
        let slot = self.make(root, entropy).await?.encode();
        let expected = stands.map(|stands| Sha256::digest(stands).into());
        match self.slot.write(expected, &slot).await {
            Ok(SlotWritten::Written) => {}
            Ok(SlotWritten::Conflict) => return Err(QuorumError::SlotConflict),
            Err(reason) => {
                // Nobody knows whether it stands: what is read now settles it.
                if self.slot.read().await.map_err(QuorumError::Slot)?.as_ref() != Some(&slot) {
                    return Err(QuorumError::Slot(reason));
                }
            }
        }
        self.release(Some(slot));
        Ok(())
    }

    fn release(&self, slot: Option<Vec<u8>>) {
        self.state().held = Held::Released { slot, approved: Vec::new() };
    }
}
