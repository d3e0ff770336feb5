//! A root secret that came by handoff is one that the unlock provider has not released, and could not release again. So it
//! is given to the provider, until it has it: before that, a restart would end the appliance.

use std::sync::{Arc, Weak};

use r3e_attester::Attester;
use r3e_keys::limits::MAX_ADOPT_ENTROPY_BYTES;
use r3e_keys::{KeyError, RootSecret};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::limits::ADOPTION_RETRY;
use crate::unlock::{DrawnEntropy, Provider};

/// Whether the unlock provider would release this root secret at the next boot.
pub(crate) struct Adoption {
    provider: Arc<Provider>,
    /// It is not kept for this.
    root: Weak<RootSecret>,
    attester: Attester,
    is_done: watch::Sender<bool>,
}

impl Adoption {
    /// Of `root`, by `provider`; `is_done` where the provider released it itself.
    pub(crate) fn new(
        provider: Arc<Provider>,
        root: &Arc<RootSecret>,
        attester: Attester,
        is_done: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            provider,
            root: Arc::downgrade(root),
            attester,
            is_done: watch::Sender::new(is_done),
        })
    }

    /// Whether it would.
    pub(crate) fn is_done(&self) -> bool {
        *self.is_done.borrow()
    }

    /// Gives the root secret to the provider, unless it has it. Where that fails it is tried again, as long as the root secret is
    /// in use. Nobody waits for it: a provider that does not answer keeps no successor from serving.
    pub(crate) async fn see_to(self: Arc<Self>) {
        while let (false, Some(root)) = (self.is_done(), self.root.upgrade()) {
            let outcome = self.adopt(&root).await;
            drop(root);
            match outcome {
                Ok(()) => {
                    tracing::info!("the unlock provider has adopted the root secret");
                    self.is_done.send_replace(true);
                    return;
                }
                Err(error) => tracing::error!(
                    %error,
                    source = std::error::Error::source(&error).map(ToString::to_string),
                    "the unlock provider has not adopted the root secret: a restart now would end the appliance"
                ),
            }
            sleep(ADOPTION_RETRY).await;
        }
    }

    async fn adopt(&self, root: &RootSecret) -> Result<(), KeyError> {
        let drawn = DrawnEntropy::draw(&self.attester, MAX_ADOPT_ENTROPY_BYTES).await;
        let entropy = drawn.map_err(|error| KeyError::Entropy(error.into()))?;
        self.provider.get().adopt(root, &entropy).await
    }
}
