//! The outcome of an appraisal that succeeded.

use std::collections::BTreeMap;

use crate::{Pcr, RootKind, UnixTime};

/// Proof that a document was appraised and accepted: only [`crate::appraise`] makes one, so a function that
/// takes one cannot be reached without it.
#[derive(Clone, Debug)]
#[must_use]
pub struct AttestationResult {
    pub(crate) root: RootKind,
    pub(crate) release: Option<String>,
    pub(crate) debug: bool,
    pub(crate) module_id: String,
    pub(crate) timestamp: UnixTime,
    pub(crate) valid_until: UnixTime,
    pub(crate) pcrs: BTreeMap<u8, Pcr>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
}

impl AttestationResult {
    /// Under which kind of root the document was accepted.
    pub const fn root(&self) -> RootKind {
        self.root
    }

    /// The name of the first accepted release whose PCRs the document has; `None`, if the policy accepts any
    /// release and pins the image by required PCRs alone.
    pub fn matched_release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// Whether the enclave runs in debug mode. Never true, unless the policy allowed it.
    pub const fn is_debug(&self) -> bool {
        self.debug
    }

    /// The NSM that made the document: instance and enclave, as AWS names them.
    pub fn module_id(&self) -> &str {
        &self.module_id
    }

    /// When the document was made, by the hypervisor's clock.
    pub const fn timestamp(&self) -> UnixTime {
        self.timestamp
    }

    /// When the document was made, in milliseconds since the UNIX epoch.
    pub const fn timestamp_ms(&self) -> u64 {
        self.timestamp.as_millis()
    }

    /// When the first certificate of the chain expires: the document cannot be accepted after that.
    pub const fn valid_until(&self) -> UnixTime {
        self.valid_until
    }

    /// All PCRs of the document by index, compared with the policy or not.
    pub const fn pcrs(&self) -> &BTreeMap<u8, Pcr> {
        &self.pcrs
    }

    /// The PCR `index`, if the document has it.
    pub fn pcr(&self, index: u8) -> Option<&Pcr> {
        self.pcrs.get(&index)
    }

    /// The document's user data, 512 bytes at most.
    pub fn user_data(&self) -> Option<&[u8]> {
        self.user_data.as_deref()
    }

    /// The document's nonce, 512 bytes at most.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// The document's public key, 1024 bytes at most, in whatever form the enclave gave it.
    pub fn public_key(&self) -> Option<&[u8]> {
        self.public_key.as_deref()
    }
}
