//! Opens the sealed state, once the root secret is there. Knows nothing of what is in it.

use std::sync::Arc;
use std::time::Instant;

use r3e_keys::RootSecret;
use r3e_store::{BlobStore, Expected, Options, ParentBlobs, Store, StoreError, StoreKeys, Witnessing};
use tokio::time::sleep;

use crate::limits::{STATE_OPENING_FIRST_PAUSE, STATE_OPENING_LAST_PAUSE, STATE_OPENING_TIMEOUT};

/// Opens the sealed state: the one that was handed over, where one was. Where the parent does not answer, the root secret is
/// kept and it is asked again; anything else it does ends the boot.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn open(
    blobs: ParentBlobs,
    root: &RootSecret,
    mut expected: Option<Expected>,
    witnessing: Witnessing,
    options: Options,
) -> Result<Store, StoreError> {
    let blobs: Arc<dyn BlobStore> = Arc::new(blobs);
    let deadline = Instant::now() + STATE_OPENING_TIMEOUT;
    let mut pause = STATE_OPENING_FIRST_PAUSE;
    loop {
        let keys = StoreKeys::derive(root)?;
        let (blobs, witnessing) = (Arc::clone(&blobs), witnessing.clone());
        let opened = match &mut expected {
            None => Store::open_witnessed(blobs, keys, options, witnessing).await,
            Some(expected) => Store::open_at(blobs, keys, options, witnessing, expected).await,
        };
        match opened {
            Err(error @ (StoreError::Unavailable(_) | StoreError::Unwitnessed { .. }))
                if Instant::now() + pause < deadline =>
            {
                tracing::warn!(
                    %error,
                    source = std::error::Error::source(&error).map(ToString::to_string),
                    "the sealed state is not open yet; trying again"
                );
            }
            opened => return opened,
        }
        sleep(pause).await;
        pause = (pause * 2).min(STATE_OPENING_LAST_PAUSE);
    }
}
