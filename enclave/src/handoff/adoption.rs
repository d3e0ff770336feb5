//! A root secret that came by handoff is one that the unlock provider has not released, and could not release again. So it
//! is given to the provider, until it has it: before that, a restart would end the appliance.

use std::sync::{Arc, Weak};

use r3e_attester::Attester;
use r3e_keys::limits::MAX_ADOPT_ENTROPY_BYTES;
use r3e_keys::{KeyError, RootSecret};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::limits::{ADOPTION_RETRY, ADOPTION_WAIT};
use crate::unlock::{DrawnEntropy, Provider};

/// Whether the unlock provider would release this root secret at the next boot.
pub(crate) struct Adoption(watch::Receiver<bool>);

impl Adoption {
    /// The provider released it itself.
    pub(crate) fn of_its_own() -> Self {
        Self(watch::channel(true).1)
    }

    /// Gives `root` to `provider`, and waits a while for that. Where it fails it is tried again, as long as the root secret
    /// is in use.
    pub(crate) async fn begin(provider: Arc<Provider>, root: &Arc<RootSecret>, attester: Attester) -> Self {
        let (adopted, is_adopted) = watch::channel(false);
        let (tried, first_try) = oneshot::channel();
        tokio::spawn(keep_trying(provider, Arc::downgrade(root), attester, adopted, tried));
        // Whether it failed or takes longer: what is lost by a restart now is not won by not serving.
        drop(timeout(ADOPTION_WAIT, first_try).await);
        Self(is_adopted)
    }

    /// Whether it has.
    pub(crate) fn is_done(&self) -> bool {
        *self.0.borrow()
    }
}

async fn keep_trying(
    provider: Arc<Provider>,
    root: Weak<RootSecret>,
    attester: Attester,
    adopted: watch::Sender<bool>,
    tried: oneshot::Sender<()>,
) {
    let mut tried = Some(tried);
    while let Some(root) = root.upgrade() {
        let outcome = adopt(&provider, &root, &attester).await;
        drop(root);
        if outcome.is_ok() {
            tracing::info!("the unlock provider has adopted the root secret");
            adopted.send_replace(true);
        }
        // Dropped, it says as much.
        drop(tried.take());
        match outcome {
            Ok(()) => return,
            Err(error) => tracing::error!(
                %error,
                source = std::error::Error::source(&error).map(ToString::to_string),
                "the unlock provider has not adopted the root secret: a restart now would end the appliance"
            ),
        }
        sleep(ADOPTION_RETRY).await;
    }
}

async fn adopt(provider: &Provider, root: &RootSecret, attester: &Attester) -> Result<(), KeyError> {
    let drawn = DrawnEntropy::draw(attester, MAX_ADOPT_ENTROPY_BYTES).await;
    let entropy = drawn.map_err(|error| KeyError::Entropy(error.into()))?;
    provider.get().adopt(root, &entropy).await
}
