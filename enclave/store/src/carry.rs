//! Changes that are carried through: a commit that was neither confirmed nor refused is made again until it is either. Its first write
//! is conditional, so that it takes effect once.

use tokio::time::sleep;

use crate::error::StoreError;
use crate::limits::{CHANGE_PAUSE, MAX_CHANGE_TRIES};
use crate::name::Namespace;
use crate::store::Store;
use crate::write::Write;

impl Store {
    /// Carries a change through. `namespace` and `key` are the first write's, which is conditional, and `wanted` is what it leaves there.
    /// Whether it stands; it does not where something else is found there.
    ///
    /// # Errors
    /// It is not known whether it stands.
    pub async fn carry_through(
        &self,
        writes: &[Write],
        (namespace, key): (&Namespace, &str),
        wanted: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let mut tries = 0;
        loop {
            let error = match self.batch(writes.to_vec()).await {
                Ok(_) => return Ok(true),
                // A try before may have come through.
                Err(StoreError::Conflict { .. }) => match self.get(namespace, key).await {
                    Ok(found) => return Ok(found.as_ref().map(|found| found.value.as_bytes()) == wanted),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            tries += 1;
            if !error.may_pass() || tries >= MAX_CHANGE_TRIES {
                return Err(error);
            }
            sleep(CHANGE_PAUSE).await;
        }
    }
}
