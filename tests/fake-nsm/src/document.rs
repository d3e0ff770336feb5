//! The attestation document: an untagged `COSE_Sign1` whose payload is a map of claims.
//!
//! The encoder writes whatever it is told, so that a Verifier can be given what no NSM would sign.

use ciborium::Value;

use crate::chain::SigningChain;
use crate::error::FakeNsmError;

/// The hardware's protected header, `{1: -35}`: the algorithm is ES384.
pub const PROTECTED_ES384: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// The CBOR tag of `COSE_Sign1` (RFC 9052 section 4.2).
const TAG_COSE_SIGN1: u64 = 18;

/// How the map of claims is encoded. Documents of the hardware were definite until April 2025 and
/// indefinite in December 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapForm {
    /// The number of entries comes first.
    Definite,
    /// A break code comes last.
    Indefinite,
}

/// The parts of a document, in the order in which they are encoded.
#[derive(Debug, Clone)]
pub struct DocumentSpec {
    /// The identifier of the NSM.
    pub module_id: String,
    /// The name of the hash of the PCR bank.
    pub digest: String,
    /// The hypervisor's time in milliseconds since the Unix epoch.
    pub timestamp_ms: u64,
    /// The locked PCRs. A list, so that one can be given twice or out of order.
    pub pcrs: Vec<(u64, Vec<u8>)>,
    /// The leaf certificate, DER.
    pub certificate: Vec<u8>,
    /// The authorities' certificates, DER, root first.
    pub cabundle: Vec<Vec<u8>>,
    /// The caller's public key; null when absent, like the next two.
    pub public_key: Option<Vec<u8>>,
    /// The caller's data.
    pub user_data: Option<Vec<u8>>,
    /// The caller's nonce.
    pub nonce: Option<Vec<u8>>,
    /// Claims that no NSM makes, after the others.
    pub further_claims: Vec<(Value, Value)>,
    /// How the map of claims is encoded.
    pub map_form: MapForm,
    /// The protected header, encoded.
    pub protected: Vec<u8>,
    /// The unprotected header.
    pub unprotected: Vec<(Value, Value)>,
    /// Whether the CBOR tag of `COSE_Sign1` is put in front.
    pub tagged: bool,
}

impl DocumentSpec {
    /// The map of claims, encoded.
    pub fn payload(&self) -> Vec<u8> {
        let pcrs = self.pcrs.iter().map(|(index, value)| (Value::from(*index), bytes(value))).collect();
        let optional = |field: &Option<Vec<u8>>| field.as_deref().map_or(Value::Null, bytes);
        let claims = [
            ("module_id", Value::from(self.module_id.as_str())),
            ("digest", Value::from(self.digest.as_str())),
            ("timestamp", Value::from(self.timestamp_ms)),
            ("pcrs", Value::Map(pcrs)),
            ("certificate", bytes(&self.certificate)),
            ("cabundle", Value::Array(self.cabundle.iter().map(|certificate| bytes(certificate)).collect())),
            ("public_key", optional(&self.public_key)),
            ("user_data", optional(&self.user_data)),
            ("nonce", optional(&self.nonce)),
        ];
        let claims = claims.into_iter().map(|(name, value)| (Value::from(name), value));
        let claims: Vec<_> = claims.chain(self.further_claims.iter().cloned()).collect();
        match self.map_form {
            MapForm::Definite => encode(&Value::Map(claims)),
            MapForm::Indefinite => {
                let entries = claims.iter().flat_map(|(name, value)| [encode(name), encode(value)]);
                [vec![0xbf], entries.collect::<Vec<_>>().concat(), vec![0xff]].concat()
            }
        }
    }

    /// Signs these parts by the leaf key of `chain`, whatever certificates they name.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Key`].
    pub fn sign(&self, chain: &SigningChain) -> Result<Vec<u8>, FakeNsmError> {
        let payload = self.payload();
        let signature = chain.sign(&sig_structure(&self.protected, &payload))?;
        let sign1 = sign1(&self.protected, self.unprotected.clone(), &payload, &signature);
        Ok(encode(&if self.tagged { Value::Tag(TAG_COSE_SIGN1, Box::new(sign1)) } else { sign1 }))
    }
}

/// What a `COSE_Sign1` signature is over: RFC 9052 section 4.4, with no external data.
pub fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    encode(&Value::Array(vec![Value::from("Signature1"), bytes(protected), bytes(&[]), bytes(payload)]))
}

/// An untagged `COSE_Sign1` with an empty unprotected header, of parts made elsewhere.
pub fn cose_sign1(protected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    encode(&sign1(protected, Vec::new(), payload, signature))
}

fn sign1(protected: &[u8], unprotected: Vec<(Value, Value)>, payload: &[u8], signature: &[u8]) -> Value {
    Value::Array(vec![bytes(protected), Value::Map(unprotected), bytes(payload), bytes(signature)])
}

fn bytes(content: &[u8]) -> Value {
    Value::Bytes(content.to_vec())
}

fn encode(value: &Value) -> Vec<u8> {
    let mut encoded = Vec::new();
    #[expect(clippy::expect_used, reason = "a vector takes every write, and every Value has an encoding")]
    ciborium::into_writer(value, &mut encoded).expect("CBOR into memory");
    encoded
}
