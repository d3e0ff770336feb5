//! Records that were parsed, so that an event need not do it again.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use r3e_proto::api::identity::TenantId;
use r3e_store::Record as Stored;

use super::record::Record;
use crate::limits::{MAX_PARSED_RECORD_BYTES, MAX_PARSED_RECORDS};

/// Parsed records, each with the store's version of it: no two writes of the whole store have the same one.
pub(super) struct Parsed(Mutex<Records>);

/// By tenant and name.
type Records = LruCache<(TenantId, String), (u64, Arc<Record>)>;

impl Parsed {
    /// None yet.
    pub(super) fn new() -> Self {
        let most = NonZeroUsize::new(MAX_PARSED_RECORDS).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(most)))
    }

    /// What the store's record says.
    ///
    /// # Errors
    /// It is not of this release's form.
    pub(super) fn of(
        &self,
        tenant: TenantId,
        name: &str,
        stored: &Stored,
    ) -> serde_json::Result<Arc<Record>> {
        let key = (tenant, name.to_owned());
        if let Some((version, record)) = self.lock().get(&key)
            && *version == stored.version
        {
            return Ok(Arc::clone(record));
        }
        let record: Arc<Record> = Arc::new(serde_json::from_slice(stored.value.as_bytes())?);
        if stored.value.len() <= MAX_PARSED_RECORD_BYTES {
            self.lock().put(key, (stored.version, Arc::clone(&record)));
        }
        Ok(record)
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
