//! Receipts: what the appliance signs about an invocation, and how anyone checks it offline.
//!
//! A receipt is a COSE_Sign1 (RFC 9052), untagged, with EdDSA over Ed25519 (`alg` -8) in the protected header and
//! nothing else in any header. Its payload is the deterministic CBOR map of `SPEC.md`. The key is the appliance's
//! report key; that it is, an attestation document says (`Statement::ReportKey`). A [`Bundle`] holds both.

use ciborium::Value;
use coset::{AsCborValue as _, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use r3e_cbor::{MapReader, decode_canonical};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::api::functions::{LogLine, Usage};
use crate::channel::binding::Digest;
use crate::limits::{
    MAX_DOCUMENT_BYTES, MAX_NAME_BYTES, MAX_RECEIPT_BUNDLE_BYTES, MAX_RECEIPT_BYTES, MAX_RECEIPT_CODE_BYTES,
};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// The payload's domain, its field 1.
pub const RECEIPT_DOMAIN: &str = "r3e/1/receipt";
/// The outcome of an invocation that gave a result.
pub const OUTCOME_OK: &str = "ok";

/// What a receipt says. Hashes are SHA-256 over the exact bytes that went in or came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The invocation's id.
    pub invocation: [u8; 16],
    /// The tenant's id.
    pub tenant: [u8; 16],
    /// The function's name when it was invoked.
    pub function: String,
    /// The function's version: what ran.
    pub version: [u8; 32],
    /// SHA-256 of the event's JSON text.
    pub input: [u8; 32],
    /// `ok`, or the error's stable code.
    pub outcome: String,
    /// SHA-256 of the result's JSON text, or of the error's message where there is no result.
    pub output: [u8; 32],
    /// The log lines that were kept: [`log_hash`].
    pub log: [u8; 32],
    /// What the invocation used.
    pub usage: Usage,
    /// The store's sequence number when the receipt was made: a store that is ever seen with a lower one was rolled back.
    pub sequence: u64,
    /// When, in Unix milliseconds, by the clock that the attestation device sets.
    pub time_ms: u64,
    /// SHA-384 of the measured configuration.
    pub configuration: Digest,
}

/// Why a receipt was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a receipt, or not encoded as one.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Not a COSE_Sign1, or one with other headers than a receipt's.
    #[error("not a receipt's COSE_Sign1: {0}")]
    Cose(String),
    /// The signature is not this key's over this receipt.
    #[error("the receipt was not signed by the attested report key, or was changed since")]
    Signature,
}

impl From<r3e_cbor::CborError> for ReceiptError {
    fn from(error: r3e_cbor::CborError) -> Self {
        Self::Wire(error.into())
    }
}

impl Receipt {
    /// Signs the receipt: `sign` is Ed25519 with the report key.
    pub fn sign(&self, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
        let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).build();
        let cose = CoseSign1Builder::new()
            .protected(protected)
            .payload(self.encode_payload())
            .create_signature(b"", |message| sign(message).to_vec())
            .build();
        // The structure holds three byte strings and an empty map: there is nothing in it that cannot be encoded.
        cose.to_cbor_value().map(|value| r3e_cbor::encode(&value)).unwrap_or_default()
    }

    /// Verifies a signed receipt: `verify` says whether a signature over a message is the report key's.
    ///
    /// # Errors
    /// [`ReceiptError`]: not a receipt, or not signed by the key.
    pub fn verify(signed: &[u8], verify: impl FnOnce(&[u8], &[u8]) -> bool) -> Result<Self, ReceiptError> {
        let cose = parse(signed)?;
        let signed_by_key =
            |signature: &[u8], message: &[u8]| if verify(message, signature) { Ok(()) } else { Err(()) };
        if cose.verify_signature(b"", signed_by_key).is_err() {
            return Err(ReceiptError::Signature);
        }
        Self::decode_payload(cose.payload.as_deref().unwrap_or_default())
    }

    /// Reads a signed receipt without verifying it: to show what it claims, never to rely on it.
    ///
    /// # Errors
    /// [`ReceiptError`]: not a receipt.
    pub fn read_unverified(signed: &[u8]) -> Result<Self, ReceiptError> {
        Self::decode_payload(parse(signed)?.payload.as_deref().unwrap_or_default())
    }

    fn encode_payload(&self) -> Vec<u8> {
        let usage = Value::Map(vec![
            (1.into(), self.usage.cpu_us.into()),
            (2.into(), self.usage.wall_us.into()),
            (3.into(), self.usage.peak_memory_bytes.into()),
            (4.into(), self.usage.host_calls.into()),
            (5.into(), self.usage.bytes_out.into()),
        ]);
        map([
            (1, some(RECEIPT_DOMAIN)),
            (2, bytes(self.invocation)),
            (3, bytes(self.tenant)),
            (4, some(self.function.as_str())),
            (5, bytes(self.version)),
            (6, bytes(self.input)),
            (7, some(self.outcome.as_str())),
            (8, bytes(self.output)),
            (9, bytes(self.log)),
            (10, Some(usage)),
            (11, some(self.sequence)),
            (12, some(self.time_ms)),
            (13, bytes(self.configuration)),
        ])
    }

    fn decode_payload(payload: &[u8]) -> Result<Self, ReceiptError> {
        let value = decode_canonical(payload, &limits(MAX_RECEIPT_BYTES, 64))?;
        let mut fields = MapReader::new("receipt", value)?;
        if fields.required::<String>(1)? != RECEIPT_DOMAIN {
            return Err(WireError::Domain { what: "receipt", expected: RECEIPT_DOMAIN }.into());
        }
        let receipt = Self {
            invocation: fields.required(2)?,
            tenant: fields.required(3)?,
            function: fields.required(4)?,
            version: fields.required(5)?,
            input: fields.required(6)?,
            outcome: fields.required(7)?,
            output: fields.required(8)?,
            log: fields.required(9)?,
            usage: usage(fields.required(10)?)?,
            sequence: fields.required(11)?,
            time_ms: fields.required(12)?,
            configuration: fields.required(13)?,
        };
        fields.finish()?;
        within("function", receipt.function.len(), MAX_NAME_BYTES)?;
        within("outcome", receipt.outcome.len(), MAX_RECEIPT_CODE_BYTES)?;
        Ok(receipt)
    }
}

/// The hash of a log: SHA-256 over the level and the text of each line, in order, each behind its length as a 32-bit
/// big-endian number, and then one byte: 1 if lines or text were left out for their size, else 0. Lines hold whatever a
/// function logged, so no separator would keep them apart.
pub fn log_hash(lines: &[LogLine], truncated: bool) -> [u8; 32] {
    let mut hash = Sha256::new();
    for field in lines.iter().flat_map(|line| [&line.level, &line.text]) {
        // Logs are bounded far below 4 GiB.
        hash.update(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hash.update([u8::from(truncated)]);
    hash.finalize().into()
}

/// A receipt with the document that attests its key: the file that a client keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The signed receipt.
    pub receipt: Vec<u8>,
    /// The attestation document whose `user_data` is a `Statement::ReportKey`.
    pub document: Vec<u8>,
}

impl Bundle {
    /// The bundle as a file: a deterministic CBOR map.
    pub fn encode(&self) -> Vec<u8> {
        map([
            (1, some(BUNDLE_DOMAIN)),
            (2, bytes(self.receipt.as_slice())),
            (3, bytes(self.document.as_slice())),
        ])
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`WireError`]: not a bundle, or over a limit.
    pub fn decode(file: &[u8]) -> Result<Self, WireError> {
        let mut fields =
            MapReader::new("receipt bundle", decode_canonical(file, &limits(MAX_RECEIPT_BUNDLE_BYTES, 16))?)?;
        if fields.required::<String>(1)? != BUNDLE_DOMAIN {
            return Err(WireError::Domain { what: "receipt bundle", expected: BUNDLE_DOMAIN });
        }
        let bundle = Self { receipt: fields.required(2)?, document: fields.required(3)? };
        fields.finish()?;
        within("receipt", bundle.receipt.len(), MAX_RECEIPT_BYTES)?;
        within("document", bundle.document.len(), MAX_DOCUMENT_BYTES)?;
        Ok(bundle)
    }
}

fn usage(value: Value) -> Result<Usage, WireError> {
    let mut fields = MapReader::new("usage", value)?;
    let usage = Usage {
        cpu_us: fields.required(1)?,
        wall_us: fields.required(2)?,
        peak_memory_bytes: fields.required(3)?,
        host_calls: fields.required(4)?,
        bytes_out: fields.required(5)?,
    };
    fields.finish()?;
    Ok(usage)
}

/// The COSE_Sign1 of a receipt: strict CBOR first, then COSE's structure, then headers exactly as we write them.
fn parse(signed: &[u8]) -> Result<CoseSign1, ReceiptError> {
    let value = decode_canonical(signed, &limits(MAX_RECEIPT_BYTES, 64))?;
    let cose = CoseSign1::from_cbor_value(value).map_err(|error| ReceiptError::Cose(error.to_string()))?;
    if cose.protected.original_data.as_deref() != Some(PROTECTED) || !cose.unprotected.is_empty() {
        return Err(ReceiptError::Cose("headers other than the algorithm EdDSA".to_owned()));
    }
    Ok(cose)
}

/// `{1: -8}`: the one protected header a receipt has.
const PROTECTED: &[u8] = &[0xa1, 0x01, 0x27];
const BUNDLE_DOMAIN: &str = "r3e/1/receipt-bundle";

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            invocation: [1; 16],
            tenant: [2; 16],
            function: "price".into(),
            version: [3; 32],
            input: [4; 32],
            outcome: OUTCOME_OK.into(),
            output: [5; 32],
            log: [6; 32],
            usage: Usage { cpu_us: 1, wall_us: 2, peak_memory_bytes: 3, host_calls: 4, bytes_out: 5 },
            sequence: 7,
            time_ms: 1_763_000_000_000,
            configuration: [8; 48],
        }
    }

    /// Stands for a signature: the form is what is tested here, the cryptography where the keys are.
    fn mark(message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature[..48].copy_from_slice(&crate::channel::binding::digest_fields(&[message]));
        signature
    }

    fn is_marked(message: &[u8], signature: &[u8]) -> bool {
        mark(message) == *signature
    }

    #[test]
    fn a_receipt_comes_back_as_it_was_signed() {
        let signed = receipt().sign(mark);
        assert!(signed.len() < MAX_RECEIPT_BYTES);
        assert_eq!(Receipt::verify(&signed, is_marked), Ok(receipt()));
        assert_eq!(Receipt::verify(&signed, |_, _| false), Err(ReceiptError::Signature));
    }

    #[test]
    fn no_changed_byte_is_accepted() {
        let signed = receipt().sign(mark);
        for at in 0..signed.len() {
            for bit in 0..8 {
                let mut changed = signed.clone();
                changed[at] ^= 1 << bit;
                assert!(Receipt::verify(&changed, is_marked).is_err(), "byte {at} bit {bit}");
            }
            assert!(Receipt::verify(&signed[..at], is_marked).is_err());
        }
    }

    #[test]
    fn bundles_come_back_and_damaged_ones_do_not() {
        let bundle = Bundle { receipt: receipt().sign(mark), document: vec![9; 4_500] };
        let file = bundle.encode();
        assert_eq!(Bundle::decode(&file), Ok(bundle));
        for cut in [0, 1, 10, file.len() - 1] {
            assert!(Bundle::decode(&file[..cut]).is_err());
        }
    }
}
