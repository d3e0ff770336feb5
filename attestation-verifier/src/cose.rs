//! The `COSE_Sign1` (RFC 9052 section 4.2) around an attestation document, in the one form that Nitro uses. Knows
//! nothing of the payload.

use r3e_cbor::{CborError, MapReader, Value, decode, encode, from_value};

use crate::{
    AppraisalError, Malformed,
    limits::{COSE_LIMITS, HEADER_LIMITS},
    signature::{FIXED_BYTES, PublicKey, verifies_fixed},
};

/// The protected header `{1: -35}`: algorithm ES384, and nothing else.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// The tag of `COSE_Sign1`. Nitro writes none; RFC 9052 section 2 allows it.
const COSE_SIGN1_TAG: u64 = 18;

/// A `COSE_Sign1` whose signature has not been verified.
#[derive(Debug)]
pub(crate) struct CoseSign1 {
    pub(crate) tagged: bool,
    pub(crate) payload: Vec<u8>,
    signature: [u8; FIXED_BYTES],
}

impl CoseSign1 {
    pub(crate) fn parse(input: &[u8]) -> Result<Self, AppraisalError> {
        let value = decode(input, &COSE_LIMITS).map_err(refused)?;
        let (tagged, value) = match value {
            Value::Tag(COSE_SIGN1_TAG, inner) => (true, *inner),
            Value::Tag(..) => {
                return Err(Malformed::Rule { rule: "the only tag allowed is 18, COSE_Sign1" }.into());
            }
            value => (false, value),
        };
        let elements = from_value("COSE_Sign1", value).map_err(refused)?;
        let [protected, unprotected, payload, signature]: [Value; 4] = elements;
        check_protected(&from_value::<Vec<u8>>("the protected header", protected).map_err(refused)?)?;
        // What is not signed must not be there: somebody might believe it.
        let unprotected = MapReader::new("the unprotected header", unprotected).map_err(refused)?;
        unprotected.finish().map_err(refused)?;
        Ok(Self {
            tagged,
            payload: from_value("the payload", payload).map_err(refused)?,
            signature: from_value("the signature", signature).map_err(refused)?,
        })
    }

    /// Whether `key` signed this payload under this protected header (RFC 9052 section 4.4).
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signed = encode(&Value::Array(vec![
            Value::Text("Signature1".into()),
            Value::Bytes(PROTECTED.into()),
            Value::Bytes(Vec::new()),
            Value::Bytes(self.payload.clone()),
        ]));
        verifies_fixed(key, &signed, &self.signature)
    }
}

fn refused(reason: CborError) -> Malformed {
    Malformed::Cbor { part: "COSE_Sign1", reason }
}

/// The header must be [`PROTECTED`]; any other is read only to tell another algorithm from another form.
fn check_protected(header: &[u8]) -> Result<(), AppraisalError> {
    if header == PROTECTED {
        return Ok(());
    }
    let malformed = |reason| Malformed::Cbor { part: "protected header", reason };
    let value = decode(header, &HEADER_LIMITS).map_err(malformed)?;
    let mut map = MapReader::new("the protected header", value).map_err(malformed)?;
    let algorithm: Option<Value> = map.optional(1).map_err(malformed)?;
    map.finish().map_err(malformed)?;
    match algorithm {
        Some(Value::Integer(algorithm)) if i128::from(algorithm) != -35 => Err(AppraisalError::Algorithm {
            what: format!("the document (COSE algorithm {})", i128::from(algorithm)),
        }),
        _ => Err(Malformed::Rule { rule: "the protected header must be exactly {1: -35}" }.into()),
    }
}
