//! The signature section: one certificate, and a `COSE_Sign1` (RFC 9052 section 4.2) by its key over PCR0. Knows
//! nothing of images beyond that register, and does not ask whether the certificate is still valid or who issued it.
//!
//! The section is CBOR of one shape, which AWS's tools write from plain structures, so that byte strings are arrays of
//! integers in it:
//!
//! ```text
//! [ { "signing_certificate": [ bytes of the PEM ], "signature": [ bytes of COSE_Sign1 ] } ]
//! COSE_Sign1 = [ << { 1: -35 } >>, {}, << { "register_index": 0, "register_value": [ bytes of PCR0 ] } >>, bstr ]
//! ```
//!
//! Only the deterministic encoding of exactly that is read. A general decoder would let one section mean one thing
//! here and another to the hypervisor.

mod cbor;
mod certificate;
mod key;

pub use certificate::{CertificateSummary, SigningCertificate};
pub use key::SigningKey;

use crate::{
    Pcr, SignatureError,
    limits::{MAX_CERTIFICATE_PEM_BYTES, MAX_COSE_BYTES, MAX_SIGNATURE_BYTES},
};
use cbor::{ARRAY, BYTES, MAP, Reader, UNSIGNED};

/// The length of an ES384 signature in the form of COSE: r, then s, in 48 bytes each.
pub(crate) const ES384_BYTES: usize = 96;

/// The protected header `{1: -35}`: algorithm ES384.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// A signature as an image carries it. What it signs is claimed, until [`ImageSignature::verify`] has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSignature {
    certificate: SigningCertificate,
    pcr0: Pcr,
    signature: [u8; ES384_BYTES],
}

impl ImageSignature {
    pub(crate) fn new(certificate: SigningCertificate, pcr0: Pcr, signature: [u8; ES384_BYTES]) -> Self {
        Self { certificate, pcr0, signature }
    }

    /// Reads the content of a signature section.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`], if it has not the one form; [`SignatureError::Certificate`] or
    /// [`SignatureError::Algorithm`], if the certificate in it cannot be used.
    pub fn decode(section: &[u8]) -> Result<Self, SignatureError> {
        if section.len() > MAX_SIGNATURE_BYTES {
            return Err(SignatureError::Malformed { what: "it is too long" });
        }
        let mut reader = Reader::new(section);
        reader.exactly(ARRAY, 1, "it is not an array of one signature")?;
        reader.exactly(MAP, 2, "the signature is not a map of two fields")?;
        reader.text("signing_certificate")?;
        let certificate = reader.integers(MAX_CERTIFICATE_PEM_BYTES, "the certificate is too long")?;
        reader.text("signature")?;
        let cose = reader.integers(MAX_COSE_BYTES, "the COSE_Sign1 is too long")?;
        reader.finish()?;
        let (pcr0, signature) = decode_cose(&cose)?;
        Ok(Self { certificate: SigningCertificate::from_canonical_pem(&certificate)?, pcr0, signature })
    }

    /// The content of a signature section: what [`ImageSignature::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut cose = Vec::new();
        cbor::head(&mut cose, ARRAY, 4);
        cbor::bytes(&mut cose, &PROTECTED);
        cbor::head(&mut cose, MAP, 0);
        cbor::bytes(&mut cose, &payload(&self.pcr0));
        cbor::bytes(&mut cose, &self.signature);
        let mut out = Vec::new();
        cbor::head(&mut out, ARRAY, 1);
        cbor::head(&mut out, MAP, 2);
        cbor::text(&mut out, "signing_certificate");
        cbor::integers(&mut out, self.certificate.to_pem().as_bytes());
        cbor::text(&mut out, "signature");
        cbor::integers(&mut out, &cose);
        out
    }

    /// The certificate beside the signature. Anybody could have put it there.
    pub const fn certificate(&self) -> &SigningCertificate {
        &self.certificate
    }

    /// The certificate, once its key is seen to have signed `pcr0`, the image's own.
    ///
    /// # Errors
    /// [`SignatureError::OtherImage`], if another value is signed; [`SignatureError::Invalid`], if the key did not
    /// sign.
    pub fn verify(&self, pcr0: &Pcr) -> Result<&SigningCertificate, SignatureError> {
        if self.pcr0 != *pcr0 {
            return Err(SignatureError::OtherImage);
        }
        if self.certificate.verifies(&to_be_signed(pcr0), &self.signature) {
            Ok(&self.certificate)
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

fn decode_cose(cose: &[u8]) -> Result<(Pcr, [u8; ES384_BYTES]), SignatureError> {
    let mut reader = Reader::new(cose);
    reader.exactly(ARRAY, 4, "the COSE_Sign1 is not an untagged array of four")?;
    if reader.bytes(MAX_COSE_BYTES)? != PROTECTED {
        return Err(SignatureError::Malformed { what: "the protected header is not {1: -35}, ES384 alone" });
    }
    reader.exactly(MAP, 0, "the unprotected header is not empty")?;
    let mut payload = Reader::new(reader.bytes(MAX_COSE_BYTES)?);
    let signature = reader.bytes(ES384_BYTES)?;
    let signature = <[u8; ES384_BYTES]>::try_from(signature)
        .map_err(|_| SignatureError::Malformed { what: "an ES384 signature has 96 bytes" })?;
    reader.finish()?;
    payload.exactly(MAP, 2, "the payload is not a map of two fields")?;
    payload.text("register_index")?;
    payload.exactly(UNSIGNED, 0, "another register than PCR0 is signed")?;
    payload.text("register_value")?;
    let what = "the register's value has not 48 bytes";
    let pcr0 = Pcr::try_from(payload.integers(size_of::<Pcr>(), what)?)
        .map_err(|_| SignatureError::Malformed { what })?;
    payload.finish()?;
    Ok((pcr0, signature))
}

fn payload(pcr0: &Pcr) -> Vec<u8> {
    let mut out = Vec::new();
    cbor::head(&mut out, MAP, 2);
    cbor::text(&mut out, "register_index");
    cbor::head(&mut out, UNSIGNED, 0);
    cbor::text(&mut out, "register_value");
    cbor::integers(&mut out, pcr0);
    out
}

/// The bytes that are signed (RFC 9052 section 4.4).
pub(crate) fn to_be_signed(pcr0: &Pcr) -> Vec<u8> {
    let mut out = Vec::new();
    cbor::head(&mut out, ARRAY, 4);
    cbor::text(&mut out, "Signature1");
    cbor::bytes(&mut out, &PROTECTED);
    cbor::head(&mut out, BYTES, 0);
    cbor::bytes(&mut out, &payload(pcr0));
    out
}
