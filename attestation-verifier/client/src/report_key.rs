//! The key that signs an appliance's receipts, attested.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_attestation::AttestationResult;
use r3e_proto::api::status;
use r3e_proto::channel::statement::Statement;
use r3e_proto::channel::{CONFIGURATION_PCR, UNLOCK_PCR};

use crate::error::{ClientError, ReportKeyProblem};
use crate::http::answer;
use crate::policy::Policy;

/// Whether `signature` over `message` is that key's, by Ed25519.
pub(crate) fn signed_by(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}

/// A report key whose document was appraised and says: receipts of this enclave are signed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportKey {
    public_key: [u8; 32],
    document: Vec<u8>,
}

impl ReportKey {
    /// The Ed25519 public key. It stands for the appliance: it comes from the same root secret as its store.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The document, for a receipt's bundle.
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// Appraises the answer of an appliance whose session was accepted as `session`.
    ///
    /// The key itself came over the attested channel; what is checked is that its document proves the same to those
    /// who were not there.
    pub(crate) fn appraise(
        key: &status::ReportKey,
        policy: &Policy,
        now_ms: u64,
        session: &AttestationResult,
    ) -> Result<Self, ClientError> {
        let name = "the report key";
        let mut public_key = [0; 32];
        hex::decode_to_slice(&key.public_key, &mut public_key).map_err(|error| answer(name, &error))?;
        let document = STANDARD.decode(&key.document).map_err(|error| answer(name, &error))?;
        let result = policy
            .appraise_report_key(&document, now_ms)
            .map_err(|source| ClientError::ReportKey(ReportKeyProblem::Appraisal(source)))?;
        let says = Statement::decode(result.user_data().unwrap_or_default());
        if says != Ok(Statement::ReportKey { public_key }) {
            return Err(ClientError::ReportKey(ReportKeyProblem::OtherStatement));
        }
        let same_pcr = |index| result.pcr(index) == session.pcr(index);
        let same_enclave = result.module_id() == session.module_id();
        if !(same_enclave && same_pcr(CONFIGURATION_PCR) && same_pcr(UNLOCK_PCR)) {
            return Err(ClientError::ReportKey(ReportKeyProblem::OtherAppliance));
        }
        Ok(Self { public_key, document })
    }

    /// Whether `signature` over `message` is this key's.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        signed_by(&self.public_key, message, signature)
    }

    /// A key as if it had been appraised: for tests of what comes after.
    #[cfg(test)]
    pub(crate) fn appraised_for_test(public_key: [u8; 32]) -> Self {
        Self { public_key, document: b"document".to_vec() }
    }
}
