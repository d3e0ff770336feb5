//! `r3e.store`: what a function keeps between its invocations. Every function of every tenant has its own keys.

use r3e_proto::api::identity::TenantId;
use r3e_runner_api::{HostError, HostErrorCode, json};
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::limits::{MAX_STORE_BYTES, MAX_STORE_KEY_BYTES, MAX_STORE_KEYS, MAX_STORE_VALUE_BYTES};
use crate::sources::ChangeError;

/// The values of one function.
#[derive(Debug, Clone)]
pub struct Values {
    store: Store,
    namespace: Namespace,
    /// The function's name and a slash, which no name holds: no function's keys are another's.
    prefix: String,
}

impl Values {
    /// Those of a tenant's function.
    ///
    /// # Errors
    /// [`StoreError`]: the tenant's name makes no namespace.
    pub fn of(store: &Store, tenant: TenantId, function: &str) -> Result<Self, StoreError> {
        let namespace = Namespace::of_tenant("function-values", &tenant.to_string())?;
        Ok(Self { store: store.clone(), namespace, prefix: format!("{function}/") })
    }

    /// The JSON text under `key`, if there is one.
    ///
    /// # Errors
    /// [`HostError`], as the function would get it.
    pub async fn read(&self, key: &str) -> Result<Option<String>, HostError> {
        let record = self.store.get(&self.namespace, &self.record_key(key)?).await.map_err(host_error)?;
        let text = record.map(|record| String::from_utf8(record.value.as_bytes().to_vec())).transpose();
        text.map_err(|_| refused(HostErrorCode::Internal, "the stored value is not text"))
    }

    /// Writes `value`, or deletes where there is none; durable when it returns.
    ///
    /// The limits hold for what stands when the call comes: calls that run at once may each find the last place, so a
    /// function can pass them by as many writes as it may have under way.
    ///
    /// # Errors
    /// [`HostError`], as the function would get it.
    pub async fn write(&self, key: &str, value: Option<String>) -> Result<(), HostError> {
        let key = self.record_key(key)?;
        let Some(value) = value else {
            return self.store.delete(&self.namespace, &key).await.map_err(write_error);
        };
        if value.len() > MAX_STORE_VALUE_BYTES {
            let message = format!("a value has at most {MAX_STORE_VALUE_BYTES} bytes as JSON");
            return Err(refused(HostErrorCode::TooLarge, message));
        }
        json::check(&value)
            .map_err(|error| refused(HostErrorCode::Invalid, format!("the value: {error}")))?;
        self.require_room(&key, value.len())?;
        self.store.put(&self.namespace, &key, value.into_bytes()).await.map_err(write_error)?;
        Ok(())
    }

    /// The deletions of some of the values, up to what one batch takes beside a few other writes. None are left when
    /// there are none.
    pub(crate) fn some_deletions(&self, max: usize) -> Result<Vec<Write>, StoreError> {
        let listed = self.store.scan(&self.namespace, &self.prefix, None, max)?;
        Ok(listed.iter().map(|entry| Write::delete(&self.namespace, &entry.key)).collect())
    }

    fn require_room(&self, key: &str, value_bytes: usize) -> Result<(), HostError> {
        let listed =
            self.store.scan(&self.namespace, &self.prefix, None, MAX_STORE_KEYS).map_err(host_error)?;
        let others = || listed.iter().filter(|entry| entry.key != key);
        if others().count() >= MAX_STORE_KEYS {
            let message = format!("a function has at most {MAX_STORE_KEYS} keys; delete one first");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        if others().map(|entry| entry.bytes).sum::<usize>() + value_bytes > MAX_STORE_BYTES {
            let message =
                format!("a function stores at most {MAX_STORE_BYTES} bytes; delete something first");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        Ok(())
    }

    fn record_key(&self, key: &str) -> Result<String, HostError> {
        match key.len() {
            0 => Err(refused(HostErrorCode::Invalid, "a key has at least one character")),
            1..=MAX_STORE_KEY_BYTES => Ok(format!("{}{key}", self.prefix)),
            _ => Err(refused(
                HostErrorCode::TooLarge,
                format!("a key has at most {MAX_STORE_KEY_BYTES} bytes"),
            )),
        }
    }
}

pub(crate) fn refused(code: HostErrorCode, message: impl Into<String>) -> HostError {
    HostError { code, message: message.into() }
}

/// What a function is told of a change that came to nothing.
pub(crate) fn not_changed(error: &ChangeError) -> HostError {
    let code = match error {
        ChangeError::Invalid(_) => HostErrorCode::Invalid,
        ChangeError::Denied(_) => HostErrorCode::Denied,
        ChangeError::Full(_) => HostErrorCode::LimitExceeded,
        ChangeError::Unconfirmed(_) => HostErrorCode::Unconfirmed,
        ChangeError::Unavailable(error) => {
            tracing::warn!(%error, "a function's change was not made");
            return refused(HostErrorCode::Unavailable, "the appliance cannot do this now; try again");
        }
    };
    refused(code, error.to_string())
}

/// What a function is told of a write that the store did not confirm. What is no clear refusal may still take effect.
fn write_error(error: StoreError) -> HostError {
    match error {
        StoreError::Busy
        | StoreError::Frozen
        | StoreError::Unwitnessed { .. }
        | StoreError::Stale { .. }
        | StoreError::TooLarge { .. }
        | StoreError::Name { .. }
        | StoreError::Full { .. }
        | StoreError::Conflict { .. } => host_error(error),
        unknown => {
            tracing::error!(error = %unknown, "a function's write was neither confirmed nor refused");
            let message = "the write was neither confirmed nor refused in time: it may stand or not; write the key again";
            refused(HostErrorCode::Unconfirmed, message)
        }
    }
}

/// What a function is told of a store that did not do it: what it can act on, and nothing of the parent's words.
fn host_error(error: StoreError) -> HostError {
    match error {
        StoreError::Busy | StoreError::Unavailable(_) => {
            refused(HostErrorCode::Unavailable, "the store does not answer now; nothing is lost, try again")
        }
        StoreError::Frozen => {
            let message = "the appliance is being handed over and takes no writes; nothing was written, try again in a second";
            refused(HostErrorCode::Unavailable, message)
        }
        StoreError::Unwitnessed { .. } => {
            let message = "the rollback witness does not confirm; nothing was written, try again";
            refused(HostErrorCode::Unavailable, message)
        }
        StoreError::Stale { .. } => {
            let message =
                "the rollback witness has not confirmed for long; nothing was read or written, try again";
            refused(HostErrorCode::Unavailable, message)
        }
        StoreError::Full { .. } => refused(HostErrorCode::LimitExceeded, "the appliance's store is full"),
        other => {
            tracing::error!(error = %other, "a function's store call failed");
            refused(HostErrorCode::Internal, "the store failed")
        }
    }
}

#[cfg(test)]
mod tests;
