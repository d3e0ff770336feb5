//! The oracle keys of each tenant, derived when they are first needed, and the documents that attest them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_attester::{Attester, AttesterError};
use r3e_feeds::Kept;
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::api::feeds::{OracleKey, Signature, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::channel::statement::Statement;
use thiserror::Error;

use crate::limits::REPORT_KEY_DOCUMENT_AGE;

/// The oracle keys of all tenants: as many as were admitted, at the most.
pub(crate) struct OracleKeys {
    root: Arc<RootSecret>,
    attester: Attester,
    keys: Mutex<HashMap<TenantId, Arc<r3e_keys::OracleKeys>>>,
    documents: tokio::sync::Mutex<HashMap<TenantId, (Instant, Vec<u8>)>>,
}

/// Why there is no attested key.
#[derive(Debug, Error)]
pub(crate) enum OracleKeyError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The device.
    #[error(transparent)]
    Device(#[from] AttesterError),
}

impl OracleKeys {
    pub(crate) fn new(root: Arc<RootSecret>, attester: Attester) -> Self {
        Self { root, attester, keys: Mutex::default(), documents: tokio::sync::Mutex::default() }
    }

    /// A tenant's keys, with a document that names them, not older than `REPORT_KEY_DOCUMENT_AGE`.
    ///
    /// # Errors
    /// [`OracleKeyError`].
    pub(crate) async fn attested(&self, tenant: TenantId) -> Result<OracleKey, OracleKeyError> {
        let keys = self.of(tenant)?;
        Ok(OracleKey {
            tenant,
            evm_address: keys.address(),
            neo_public_key: HexBytes(keys.neo_public_key().to_vec()),
            document: STANDARD.encode(self.document(tenant, &keys).await?),
        })
    }

    pub(super) fn sign(&self, tenant: TenantId, target: &Target, kept: &Kept) -> Result<Signature, KeyError> {
        let keys = self.of(tenant)?;
        let made = keys.sign(target, kept.report())?;
        let signer = match target {
            Target::Evm(_) => keys.address().to_string(),
            Target::Neo(_) => HexBytes(keys.neo_public_key().to_vec()).to_string(),
        };
        let signature = HexBytes(made.bytes);
        Ok(Signature { target: *target, digest: Hash32(made.digest), signer, signature })
    }

    fn of(&self, tenant: TenantId) -> Result<Arc<r3e_keys::OracleKeys>, KeyError> {
        let known = |keys: &HashMap<TenantId, Arc<_>>| keys.get(&tenant).cloned();
        let lock = || self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known(&lock());
        if let Some(found) = found {
            return Ok(found);
        }
        // Outside the lock: whoever comes at the same time derives the same.
        let made = Arc::new(r3e_keys::OracleKeys::of(&self.root, tenant)?);
        lock().insert(tenant, Arc::clone(&made));
        Ok(made)
    }

    async fn document(
        &self,
        tenant: TenantId,
        keys: &r3e_keys::OracleKeys,
    ) -> Result<Vec<u8>, AttesterError> {
        // Held across the call, so that many who ask cost one document.
        let mut documents = self.documents.lock().await;
        if let Some((made_at, document)) = documents.get(&tenant)
            && made_at.elapsed() < REPORT_KEY_DOCUMENT_AGE
        {
            return Ok(document.clone());
        }
        let (evm, neo) = (keys.address().0, keys.neo_public_key());
        let statement = Statement::Oracle { tenant: tenant.0, evm, neo };
        let made_at = Instant::now();
        let document = self.attester.attest(Some(&statement.encode()), None, None).await?.into_bytes();
        documents.insert(tenant, (made_at, document.clone()));
        Ok(document)
    }
}
