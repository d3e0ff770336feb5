//! The certificate that PCR8 measures: X.509 in strict DER with a P-384 key. Knows nothing of who issued it, and has no
//! clock to ask whether it is valid: the hypervisor's register is over its bytes, whatever they say.

use std::fmt::Display;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use sha2::{Digest, Sha384};
use x509_cert::{
    Certificate,
    der::{Decode, Encode, pem, pem::LineEnding},
};

use super::ES384_BYTES;
use crate::{
    Pcr, SignatureError,
    limits::{MAX_CERTIFICATE_BYTES, MAX_CERTIFICATE_PEM_BYTES},
    measure::extended,
};

const LABEL: &str = "CERTIFICATE";

/// What stands before the point in the DER of a P-384 public key (RFC 5480 section 2): id-ecPublicKey, secp384r1,
/// a bit string of 97 bytes.
const P384_KEY_PREFIX: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
    0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];

/// A certificate for signing images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningCertificate {
    der: Vec<u8>,
    /// The point in uncompressed form (SEC 1 section 2.3.3): 4, x, y.
    public_key: [u8; 97],
}

/// What a certificate says, as text to show. Written by whoever made it: escape it before printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSummary {
    /// The subject, in the form of RFC 4514.
    pub subject: String,
    /// The start of its validity.
    pub not_before: String,
    /// The end of its validity.
    pub not_after: String,
}

impl SigningCertificate {
    /// Reads a file with one certificate in PEM (RFC 7468).
    ///
    /// # Errors
    /// [`SignatureError::Certificate`], if it is not that, or not strict DER; [`SignatureError::Algorithm`], if the key
    /// is not on P-384.
    pub fn from_pem(text: &[u8]) -> Result<Self, SignatureError> {
        if text.len() > MAX_CERTIFICATE_PEM_BYTES {
            return Err(unusable(&"it is too long"));
        }
        let (label, der) = pem::decode_vec(text).map_err(|error| unusable(&error))?;
        if label == LABEL { Self::from_der(der) } else { Err(unusable(&"its PEM is not a CERTIFICATE")) }
    }

    /// Reads PEM that is what [`SigningCertificate::to_pem`] writes, to the byte. Other readers skip what they do not
    /// understand around a block, and might find another certificate in a text that is looser.
    pub(super) fn from_canonical_pem(text: &[u8]) -> Result<Self, SignatureError> {
        let certificate = Self::from_pem(text)?;
        if certificate.to_pem().as_bytes() == text {
            Ok(certificate)
        } else {
            Err(unusable(&"its PEM is not one block in lines of 64 characters, with nothing around it"))
        }
    }

    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// As [`SigningCertificate::from_pem`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, SignatureError> {
        if der.len() > MAX_CERTIFICATE_BYTES {
            return Err(unusable(&"it is too long"));
        }
        let certificate = Certificate::from_der(&der).map_err(|error| unusable(&error))?;
        // A reader that writes it anew before it hashes must come to the same bytes.
        if certificate.to_der().map_err(|error| unusable(&error))? != der {
            return Err(unusable(&"it is not in DER"));
        }
        let key = certificate
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .map_err(|error| unusable(&error))?;
        let point = key.strip_prefix(&P384_KEY_PREFIX).and_then(|point| <[u8; 97]>::try_from(point).ok());
        let public_key = point.filter(|point| point.first() == Some(&4)).ok_or(SignatureError::Algorithm)?;
        Ok(Self { der, public_key })
    }

    /// The certificate in PEM, in lines of 64 characters, with a line feed behind each.
    pub fn to_pem(&self) -> String {
        // Fails for input of the size of the address space alone.
        pem::encode_string(LABEL, LineEnding::LF, &self.der).unwrap_or_default()
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What PCR8 of an image is that this certificate's key signed.
    pub fn pcr8(&self) -> Pcr {
        extended(Sha384::new().chain_update(&self.der))
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// [`SignatureError::Certificate`], which cannot occur for a certificate that was read.
    pub fn summary(&self) -> Result<CertificateSummary, SignatureError> {
        let certificate = Certificate::from_der(&self.der).map_err(|error| unusable(&error))?;
        let content = certificate.tbs_certificate();
        Ok(CertificateSummary {
            subject: content.subject().to_string(),
            not_before: content.validity().not_before.to_string(),
            not_after: content.validity().not_after.to_string(),
        })
    }

    pub(super) const fn public_key(&self) -> &[u8; 97] {
        &self.public_key
    }

    /// Whether its key made this ES384 signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8; ES384_BYTES]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &self.public_key).verify(message, signature).is_ok()
    }
}

fn unusable(what: &dyn Display) -> SignatureError {
    SignatureError::Certificate { what: what.to_string() }
}
