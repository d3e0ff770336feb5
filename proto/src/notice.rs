//! Notices: what the appliance signs when it tells a webhook that a job has ended, and how the other end checks it.
//!
//! A notice is a COSE_Sign1 (RFC 9052), untagged, with EdDSA over Ed25519 (`alg` -8) in the protected header and nothing
//! else in any header, like a receipt; its payload is the deterministic CBOR map of `SPEC.md`, whose domain is its own. It
//! travels as standard base64 in the header [`NOTICE_HEADER`], and holds the SHA-256 of the request's body.

use coset::{AsCborValue as _, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use r3e_cbor::{MapReader, decode_canonical};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::limits::{MAX_NAME_BYTES, MAX_NOTICE_BYTES, MAX_RECEIPT_CODE_BYTES};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// The payload's domain, its field 1.
pub const NOTICE_DOMAIN: &str = "r3e/1/job-notice";
/// The header that a notice travels in, standard base64.
pub const NOTICE_HEADER: &str = "r3e-job-notice";

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The job's id.
    pub job: [u8; 16],
    /// The tenant's id.
    pub tenant: [u8; 16],
    /// The function that it invoked.
    pub function: String,
    /// `succeeded`, `dead` or `cancelled`.
    pub state: String,
    /// `ok`, the error's stable code, or `cancelled`.
    pub outcome: String,
    /// SHA-256 of the result's JSON text, or of the error's message, as in the receipt; of nothing for a cancelled job.
    pub output: [u8; 32],
    /// When the job ended, in Unix milliseconds, by the clock that the attestation device sets.
    pub time_ms: u64,
    /// SHA-256 of the request's body.
    pub body: [u8; 32],
}

/// Why a notice was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// Not a notice, or not encoded as one.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Not a COSE_Sign1, or one with other headers than a notice's.
    #[error("not a notice's COSE_Sign1: {0}")]
    Cose(String),
    /// The signature is not this key's over this notice.
    #[error("the notice was not signed by the attested report key, or was changed since")]
    Signature,
    /// The request's body is another one.
    #[error("the notice is about another body than the request's")]
    Body,
}

impl From<r3e_cbor::CborError> for NoticeError {
    fn from(error: r3e_cbor::CborError) -> Self {
        Self::Wire(error.into())
    }
}

impl Notice {
    /// Signs the notice: `sign` is Ed25519 with the report key.
    pub fn sign(&self, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
        let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).build();
        let cose = CoseSign1Builder::new()
            .protected(protected)
            .payload(self.encode_payload())
            .create_signature(b"", |message| sign(message).to_vec())
            .build();
        // Three byte strings and an empty map: there is nothing in it that cannot be encoded.
        cose.to_cbor_value().map(|value| r3e_cbor::encode(&value)).unwrap_or_default()
    }

    /// Verifies a signed notice about `body`: `verify` says whether a signature over a message is the report key's.
    ///
    /// # Errors
    /// [`NoticeError`]: not a notice, not signed by the key, or about another body.
    pub fn verify(
        signed: &[u8],
        body: &[u8],
        verify: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<Self, NoticeError> {
        // Strict CBOR first, then COSE's structure, then headers exactly as we write them.
        let value = decode_canonical(signed, &limits(MAX_NOTICE_BYTES, 32))?;
        let cose = CoseSign1::from_cbor_value(value).map_err(|error| NoticeError::Cose(error.to_string()))?;
        if cose.protected.original_data.as_deref() != Some(PROTECTED) || !cose.unprotected.is_empty() {
            return Err(NoticeError::Cose("headers other than the algorithm EdDSA".to_owned()));
        }
        let signed_by_key =
            |signature: &[u8], message: &[u8]| if verify(message, signature) { Ok(()) } else { Err(()) };
        if cose.verify_signature(b"", signed_by_key).is_err() {
            return Err(NoticeError::Signature);
        }
        let notice = Self::decode_payload(cose.payload.as_deref().unwrap_or_default())?;
        if notice.body == <[u8; 32]>::from(Sha256::digest(body)) {
            Ok(notice)
        } else {
            Err(NoticeError::Body)
        }
    }

    fn encode_payload(&self) -> Vec<u8> {
        map([
            (1, some(NOTICE_DOMAIN)),
            (2, bytes(self.job)),
            (3, bytes(self.tenant)),
            (4, some(self.function.as_str())),
            (5, some(self.state.as_str())),
            (6, some(self.outcome.as_str())),
            (7, bytes(self.output)),
            (8, some(self.time_ms)),
            (9, bytes(self.body)),
        ])
    }

    fn decode_payload(payload: &[u8]) -> Result<Self, NoticeError> {
        let mut fields =
            MapReader::new("job notice", decode_canonical(payload, &limits(MAX_NOTICE_BYTES, 32))?)?;
        if fields.required::<String>(1)? != NOTICE_DOMAIN {
            return Err(WireError::Domain { what: "job notice", expected: NOTICE_DOMAIN }.into());
        }
        let notice = Self {
            job: fields.required(2)?,
            tenant: fields.required(3)?,
            function: fields.required(4)?,
            state: fields.required(5)?,
            outcome: fields.required(6)?,
            output: fields.required(7)?,
            time_ms: fields.required(8)?,
            body: fields.required(9)?,
        };
        fields.finish()?;
        within("function", notice.function.len(), MAX_NAME_BYTES)?;
        within("state", notice.state.len(), MAX_RECEIPT_CODE_BYTES)?;
        within("outcome", notice.outcome.len(), MAX_RECEIPT_CODE_BYTES)?;
        Ok(notice)
    }
}

/// `{1: -8}`: the one protected header a notice has.
const PROTECTED: &[u8] = &[0xa1, 0x01, 0x27];

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"00"}"#;

    fn notice() -> Notice {
        Notice {
            job: [1; 16],
            tenant: [2; 16],
            function: "price".into(),
            state: "succeeded".into(),
            outcome: "ok".into(),
            output: [3; 32],
            time_ms: 1_763_000_000_000,
            body: Sha256::digest(BODY).into(),
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
    fn a_notice_comes_back_as_it_was_signed_and_holds_for_its_body_alone() {
        let signed = notice().sign(mark);
        assert!(signed.len() < MAX_NOTICE_BYTES);
        assert_eq!(Notice::verify(&signed, BODY, is_marked), Ok(notice()));
        assert_eq!(Notice::verify(&signed, b"{}", is_marked), Err(NoticeError::Body));
        assert_eq!(Notice::verify(&signed, BODY, |_, _| false), Err(NoticeError::Signature));
    }

    #[test]
    fn no_changed_byte_is_accepted() {
        let signed = notice().sign(mark);
        for at in 0..signed.len() {
            for bit in 0..8 {
                let mut changed = signed.clone();
                changed[at] ^= 1 << bit;
                assert!(Notice::verify(&changed, BODY, is_marked).is_err(), "byte {at} bit {bit}");
            }
            assert!(Notice::verify(&signed[..at], BODY, is_marked).is_err());
        }
    }

    #[test]
    fn a_receipt_is_no_notice() {
        let receipt = crate::receipt::Receipt {
            invocation: [1; 16],
            tenant: [2; 16],
            function: "price".into(),
            version: [3; 32],
            input: [4; 32],
            outcome: "ok".into(),
            output: [5; 32],
            log: [6; 32],
            usage: crate::api::functions::Usage::default(),
            sequence: 7,
            time_ms: 8,
            configuration: [8; 48],
        };
        assert!(Notice::verify(&receipt.sign(mark), BODY, is_marked).is_err());
        assert!(crate::receipt::Receipt::verify(&notice().sign(mark), is_marked).is_err());
    }
}
