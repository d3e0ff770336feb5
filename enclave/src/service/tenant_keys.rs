//! Keys that each tenant has of its own, derived when they are first needed, and the documents that attest them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use r3e_attester::{Attester, AttesterError};
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::api::identity::TenantId;
use r3e_proto::channel::statement::Statement;
use thiserror::Error;

use crate::limits::REPORT_KEY_DOCUMENT_AGE;

/// The keys of one kind, of all tenants: as many as were admitted, at the most.
pub(crate) struct TenantKeys<K> {
    root: Arc<RootSecret>,
    attester: Attester,
    derive: fn(&RootSecret, TenantId) -> Result<K, KeyError>,
    keys: Mutex<HashMap<TenantId, Arc<K>>>,
    documents: tokio::sync::Mutex<HashMap<TenantId, (Instant, Vec<u8>)>>,
}

/// Why there is no attested key.
#[derive(Debug, Error)]
pub(crate) enum AttestedKeyError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The device.
    #[error(transparent)]
    Device(#[from] AttesterError),
}

impl<K> TenantKeys<K> {
    pub(super) fn new(
        root: Arc<RootSecret>,
        attester: Attester,
        derive: fn(&RootSecret, TenantId) -> Result<K, KeyError>,
    ) -> Self {
        Self { root, attester, derive, keys: Mutex::default(), documents: tokio::sync::Mutex::default() }
    }

    /// A tenant's key.
    pub(super) fn of(&self, tenant: TenantId) -> Result<Arc<K>, KeyError> {
        let known = |keys: &HashMap<TenantId, Arc<_>>| keys.get(&tenant).cloned();
        let lock = || self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known(&lock());
        if let Some(found) = found {
            return Ok(found);
        }
        // Outside the lock: whoever comes at the same time derives the same.
        let made = Arc::new((self.derive)(&self.root, tenant)?);
        lock().insert(tenant, Arc::clone(&made));
        Ok(made)
    }

    /// A document that says `statement` of the tenant's key, not older than `REPORT_KEY_DOCUMENT_AGE`.
    pub(super) async fn document(
        &self,
        tenant: TenantId,
        statement: &Statement,
    ) -> Result<Vec<u8>, AttesterError> {
        // Held across the call, so that many who ask cost one document.
        let mut documents = self.documents.lock().await;
        if let Some((made_at, document)) = documents.get(&tenant)
            && made_at.elapsed() < REPORT_KEY_DOCUMENT_AGE
        {
            return Ok(document.clone());
        }
        let made_at = Instant::now();
        let document = self.attester.attest(Some(&statement.encode()), None, None).await?.into_bytes();
        documents.insert(tenant, (made_at, document.clone()));
        Ok(document)
    }
}
