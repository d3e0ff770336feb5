//! The private key that signs images, with its certificate. Knows nothing of images beyond PCR0.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use x509_cert::der::pem;
use zeroize::Zeroizing;

use super::{ES384_BYTES, ImageSignature, SigningCertificate, to_be_signed};
use crate::{Pcr, SignatureError, limits::MAX_PRIVATE_KEY_PEM_BYTES};

/// PKCS#8 (RFC 5958) and SEC 1 (RFC 5915): what tools write private keys as.
const LABELS: [&str; 2] = ["PRIVATE KEY", "EC PRIVATE KEY"];

/// A P-384 key and the certificate of it.
pub struct SigningKey {
    key: EcdsaKeyPair,
    certificate: SigningCertificate,
}

impl SigningKey {
    /// Reads a private key, PKCS#8 or SEC 1 in PEM, and its certificate in PEM. Parameters before the key, as
    /// `openssl ecparam` writes them, are passed over.
    ///
    /// # Errors
    /// [`SignatureError::PrivateKey`], [`SignatureError::Certificate`] or [`SignatureError::Algorithm`], if one of them
    /// cannot be used; [`SignatureError::KeyMismatch`], if they do not belong together.
    pub fn from_pem(private_key: &[u8], certificate: &[u8]) -> Result<Self, SignatureError> {
        let certificate = SigningCertificate::from_pem(certificate)?;
        let der = private_key_der(private_key)?;
        let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, &der)
            .map_err(|_| unusable("it is not a key on P-384"))?;
        if key.public_key().as_ref() == certificate.public_key() {
            Ok(Self { key, certificate })
        } else {
            Err(SignatureError::KeyMismatch)
        }
    }

    /// The certificate.
    pub const fn certificate(&self) -> &SigningCertificate {
        &self.certificate
    }

    pub(crate) fn sign(&self, pcr0: &Pcr) -> Result<ImageSignature, SignatureError> {
        let signature = self.key.sign(&SystemRandom::new(), &to_be_signed(pcr0));
        let signature = signature.map_err(|_| SignatureError::Signing)?;
        let signature =
            <[u8; ES384_BYTES]>::try_from(signature.as_ref()).map_err(|_| SignatureError::Signing)?;
        Ok(ImageSignature::new(self.certificate.clone(), *pcr0, signature))
    }
}

/// Shows the certificate, never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

fn private_key_der(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, SignatureError> {
    if text.len() > MAX_PRIVATE_KEY_PEM_BYTES {
        return Err(unusable("the file is too long"));
    }
    let text = str::from_utf8(text).map_err(|_| unusable("the file is not PEM"))?;
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(unusable("it is encrypted; decrypt it first, for example by `openssl pkcs8`"));
    }
    let block = LABELS.iter().find_map(|label| text.find(&format!("-----BEGIN {label}-----")));
    let block =
        block.and_then(|at| text.get(at..)).ok_or_else(|| unusable("the file holds no private key"))?;
    let (_, der) = pem::decode_vec(block.as_bytes()).map_err(|_| unusable("its PEM is not well-formed"))?;
    Ok(Zeroizing::new(der))
}

const fn unusable(what: &'static str) -> SignatureError {
    SignatureError::PrivateKey { what }
}
