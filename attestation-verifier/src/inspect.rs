//! What a document says, without asking whether it is true. For people who debug; an [`Inspection`] is a type
//! of its own, so that it cannot stand in for an [`crate::AttestationResult`].

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use x509_cert::{der::Decode, name::Name};

use crate::{
    AppraisalError, Pcr, TrustAnchor, UnixTime,
    certificate::{Certificate, CertificateError},
    cose::CoseSign1,
    document::Document,
};

/// Reads `document` without verifying anything in it.
///
/// # Errors
/// [`AppraisalError::Malformed`] or [`AppraisalError::Algorithm`], if it has not the form of a document. A
/// certificate that cannot be read is no error here.
pub fn inspect(document: &[u8]) -> Result<Inspection, AppraisalError> {
    let cose = CoseSign1::parse(document)?;
    let document = Document::parse(&cose.payload)?;
    Ok(Inspection { tagged: cose.tagged, document })
}

/// The content of a document, **unverified**: anybody could have made it.
#[derive(Clone, Debug)]
pub struct Inspection {
    tagged: bool,
    document: Document,
}

impl Inspection {
    /// Whether the document carries the CBOR tag of `COSE_Sign1`.
    pub const fn is_tagged(&self) -> bool {
        self.tagged
    }

    /// The claimed NSM.
    pub fn module_id(&self) -> &str {
        &self.document.module_id
    }

    /// The claimed time.
    pub const fn timestamp(&self) -> UnixTime {
        self.document.timestamp
    }

    /// Whether the claimed PCRs are those of a debug enclave.
    pub fn is_debug(&self) -> bool {
        self.document.is_debug()
    }

    /// The claimed PCRs.
    pub const fn pcrs(&self) -> &BTreeMap<u8, Pcr> {
        &self.document.pcrs
    }

    /// The claimed user data.
    pub fn user_data(&self) -> Option<&[u8]> {
        self.document.user_data.as_deref()
    }

    /// The claimed nonce.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.document.nonce.as_deref()
    }

    /// The claimed public key.
    pub fn public_key(&self) -> Option<&[u8]> {
        self.document.public_key.as_deref()
    }

    /// The certificates, from the claimed root to the leaf.
    pub fn certificates(&self) -> Vec<CertificateSummary> {
        let ders = self.document.cabundle.iter().chain([&self.document.certificate]);
        ders.map(|der| CertificateSummary::new(der)).collect()
    }
}

/// What one certificate says, **unverified**.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateSummary {
    /// SHA-256 of its DER, in hex.
    pub sha256: String,
    /// Whether its bytes are those of the AWS root.
    pub is_aws_root: bool,
    /// Its length in bytes.
    pub len: usize,
    /// Its content, or why it cannot be read.
    pub content: Result<CertificateContent, String>,
}

/// The fields of a certificate that could be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateContent {
    /// The subject's distinguished name, as RFC 4514 writes it, control characters escaped.
    pub subject: String,
    /// The issuer's distinguished name, likewise.
    pub issuer: String,
    /// The start of its validity.
    pub not_before: UnixTime,
    /// The end of its validity.
    pub not_after: UnixTime,
}

impl CertificateSummary {
    fn new(der: &[u8]) -> Self {
        let content = match Certificate::parse(der) {
            Ok(certificate) => Ok(CertificateContent {
                subject: shown(certificate.subject),
                issuer: shown(certificate.issuer),
                not_before: certificate.not_before,
                not_after: certificate.not_after,
            }),
            Err(CertificateError::Malformed(what)) => Err(what),
            Err(CertificateError::Algorithm(what)) => Err(format!("its {what} is not ES384 on P-384")),
        };
        let is_aws_root = der == TrustAnchor::AwsNitroG1.der();
        Self { sha256: sha256_hex(der), is_aws_root, len: der.len(), content }
    }
}

/// A name for people to read. It is the sender's, so nothing in it may reach a terminal raw.
fn shown(name: &[u8]) -> String {
    match Name::from_der(name) {
        Ok(name) => name.to_string().chars().flat_map(char::escape_debug).collect(),
        Err(_) => "(a name that cannot be read)".to_owned(),
    }
}

/// SHA-256 of `bytes` in lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
