//! The report key and the document that attests it, made anew when it grows old.

use std::sync::Arc;
use std::time::Instant;

use r3e_attester::{Attester, AttesterError};
use r3e_keys::ReportKey;
use r3e_proto::channel::statement::Statement;
use tokio::sync::Mutex;

use crate::limits::REPORT_KEY_DOCUMENT_AGE;

/// Hands out the attestation of the report key.
pub(crate) struct AttestedReportKey {
    key: Arc<ReportKey>,
    attester: Attester,
    latest: Mutex<Option<(Instant, Vec<u8>)>>,
}

impl AttestedReportKey {
    pub(crate) fn new(key: Arc<ReportKey>, attester: Attester) -> Self {
        Self { key, attester, latest: Mutex::new(None) }
    }

    /// The public key.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.key.public_key()
    }

    /// The key's signature of `message`, which names its own domain.
    ///
    /// # Errors
    /// The cryptographic library's.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], r3e_keys::KeyError> {
        self.key.sign(message)
    }

    /// A document that names the key, not older than `REPORT_KEY_DOCUMENT_AGE`.
    ///
    /// # Errors
    /// The device's.
    pub(crate) async fn document(&self) -> Result<Vec<u8>, AttesterError> {
        // Held across the call, so that many who ask cost one document.
        let mut latest = self.latest.lock().await;
        if let Some((made_at, document)) = &*latest
            && made_at.elapsed() < REPORT_KEY_DOCUMENT_AGE
        {
            return Ok(document.clone());
        }
        let statement = Statement::ReportKey { public_key: self.key.public_key() };
        let made_at = Instant::now();
        let document = self.attester.attest(Some(&statement.encode()), None, None).await?.into_bytes();
        *latest = Some((made_at, document.clone()));
        Ok(document)
    }
}
