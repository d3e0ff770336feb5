//! The enclave's answer to a nonce: Evidence, or why there is none now.

use ciborium::Value;
use r3e_cbor::{MapReader, decode_canonical, from_value};
use thiserror::Error;

use super::binding::Digest;
use super::merkle::{MerkleError, root_from_path};
use super::statement::Statement;
use crate::limits::{
    MAX_DOCUMENT_BYTES, MAX_EVIDENCE_BYTES, MAX_FAILURE_TEXT_BYTES, MAX_PATH_NODES, MAX_PUBLIC_KEY_BYTES,
};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// An attestation document and what ties one binding to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The attestation document, a COSE_Sign1 as the device made it.
    pub document: Vec<u8>,
    /// Which leaf of the batch is this binding.
    pub index: u64,
    /// The batch's number of leaves.
    pub size: u64,
    /// The inclusion path, from the leaf up.
    pub path: Vec<Digest>,
    /// SHA-384 of the measured configuration; what it is worth is that PCR16 agrees.
    pub configuration: Digest,
    /// The HPKE public key, empty where the appliance offers none; the document's `public_key` must agree.
    pub hpke_public_key: Vec<u8>,
}

/// What the enclave sends in answer to a nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvidenceReply {
    /// Evidence.
    Evidence(Evidence),
    /// None now: the attestation device is busy or fails. Try again later.
    Unavailable(String),
}

/// Why evidence does not hold for a binding, although its document may be genuine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BindingError {
    /// The document's `user_data` is not a statement of ours.
    #[error("the document makes no statement of R3E's: {0}")]
    Statement(#[from] WireError),
    /// It is a statement of another kind.
    #[error("the document attests no batch of sessions")]
    OtherStatement,
    /// The path or its numbers are impossible.
    #[error(transparent)]
    Path(#[from] MerkleError),
    /// The batch does not hold this binding: the evidence was made for another session.
    #[error("the evidence was made for another session: somebody may be relaying it")]
    OtherSession,
}

impl Evidence {
    /// Whether the statement in `user_data`, which the caller took from an *appraised* document, commits to `binding`.
    ///
    /// # Errors
    /// [`BindingError`]: the evidence is not for this binding.
    pub fn verify_binding(&self, binding: &Digest, user_data: &[u8]) -> Result<(), BindingError> {
        let Statement::Sessions { root, size } = Statement::decode(user_data)? else {
            return Err(BindingError::OtherStatement);
        };
        let computed = root_from_path(binding, self.index, self.size, &self.path)?;
        if size == self.size && computed == root { Ok(()) } else { Err(BindingError::OtherSession) }
    }

    fn encode_fields(&self) -> Vec<u8> {
        let path = self.path.iter().map(|node| Value::Bytes(node.to_vec())).collect();
        map([
            (1, bytes(self.document.as_slice())),
            (2, some(self.index)),
            (3, some(self.size)),
            (4, Some(Value::Array(path))),
            (5, bytes(self.configuration)),
            (6, bytes(self.hpke_public_key.as_slice())),
        ])
    }
}

impl EvidenceReply {
    /// The reply as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Evidence(evidence) => evidence.encode_fields(),
            Self::Unavailable(why) => {
                let end = why.floor_char_boundary(MAX_FAILURE_TEXT_BYTES);
                map([(0, some(&why[..end]))])
            }
        }
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or over a limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let items = MAX_PATH_NODES + 32;
        let mut fields =
            MapReader::new("evidence", decode_canonical(body, &limits(MAX_EVIDENCE_BYTES, items))?)?;
        if let Some(why) = fields.optional::<String>(0)? {
            fields.finish()?;
            within("failure text", why.len(), MAX_FAILURE_TEXT_BYTES)?;
            return Ok(Self::Unavailable(why));
        }
        let evidence = Evidence {
            document: fields.required(1)?,
            index: fields.required(2)?,
            size: fields.required(3)?,
            path: path(fields.required(4)?)?,
            configuration: fields.required(5)?,
            hpke_public_key: fields.required(6)?,
        };
        fields.finish()?;
        within("document", evidence.document.len(), MAX_DOCUMENT_BYTES)?;
        within("hpke public key", evidence.hpke_public_key.len(), MAX_PUBLIC_KEY_BYTES)?;
        Ok(Self::Evidence(evidence))
    }
}

fn path(values: Vec<Value>) -> Result<Vec<Digest>, WireError> {
    within("path", values.len(), MAX_PATH_NODES)?;
    values.into_iter().map(|value| Ok(from_value("path node", value)?)).collect()
}
