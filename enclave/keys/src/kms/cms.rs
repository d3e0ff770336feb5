//! `CiphertextForRecipient`: CMS `EnvelopedData` (RFC 5652 section 6) in the one form that AWS KMS makes, which is
//! one recipient by subject key identifier, RSAES-OAEP with SHA-256 (RFC 4055), AES-256-CBC (RFC 3565).
//!
//! The service writes BER: the outer elements have indefinite lengths, and the content is in segments of 1,000 bytes.
//! Whatever is of another form is refused, not interpreted.

use super::ber::{
    CONTEXT_0, CONTEXT_0_PRIMITIVE, CONTEXT_1, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader,
    SEQUENCE, SET,
};
use crate::limits::{MAX_CMS_BYTES, MAX_KEY_IDENTIFIER_BYTES};

/// 1.2.840.113549.1.7.3
const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// 1.2.840.113549.1.7.1
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// 1.2.840.113549.1.1.7
const RSAES_OAEP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07];
/// 1.2.840.113549.1.1.8
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
/// 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 2.16.840.1.101.3.4.1.42
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
/// With a recipient that is named by its key, both structures have this version (RFC 5652 sections 6.1 and 6.2.1).
const VERSION: &[u8] = &[2];

/// Why an answer is not what KMS sends.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CmsError {
    /// Larger than any answer for a data key.
    #[error("it has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It ends within an element.
    #[error("it ends within an element")]
    Truncated,
    /// Not of the form.
    #[error("it is not of the form that KMS sends: {0}")]
    Form(&'static str),
    /// An algorithm that was not asked for.
    #[error("{what} is by another algorithm than {expected}")]
    Algorithm {
        /// What the algorithm is for.
        what: &'static str,
        /// What was asked for.
        expected: &'static str,
    },
    /// Neither key nor content could be opened: it was made for another key, or it was changed.
    #[error("it was not made for the key of this boot, or it was changed")]
    Sealed,
}

/// The parts of the structure, not yet decrypted.
#[derive(Debug, PartialEq, Eq)]
pub struct EnvelopedData {
    /// The content's key, encrypted to the recipient.
    pub encrypted_key: Vec<u8>,
    /// The initialisation vector of the content.
    pub iv: [u8; 16],
    /// The content: AES-256-CBC with the padding of RFC 5652 section 6.3.
    pub content: Vec<u8>,
}

impl EnvelopedData {
    /// Reads the structure.
    ///
    /// # Errors
    /// [`CmsError`]; never [`CmsError::Sealed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CmsError> {
        if bytes.len() > MAX_CMS_BYTES {
            return Err(CmsError::TooLarge { bytes: bytes.len(), limit: MAX_CMS_BYTES });
        }
        let mut reader = Reader::new(bytes);
        let read = reader.constructed(SEQUENCE, |content_info| {
            is(content_info, OBJECT_IDENTIFIER, ENVELOPED_DATA, "it is no EnvelopedData")?;
            content_info.constructed(CONTEXT_0, |explicit| explicit.constructed(SEQUENCE, enveloped_data))
        })?;
        reader.finish()?;
        Ok(read)
    }
}

fn enveloped_data(reader: &mut Reader<'_>) -> Result<EnvelopedData, CmsError> {
    is(reader, INTEGER, VERSION, "the version of EnvelopedData is not 2")?;
    let encrypted_key = reader.constructed(SET, |infos| infos.constructed(SEQUENCE, recipient))?;
    let (iv, content) = reader.constructed(SEQUENCE, encrypted_content)?;
    Ok(EnvelopedData { encrypted_key, iv, content })
}

/// `KeyTransRecipientInfo`. Whom it names is not asked: only the right key opens it.
fn recipient(reader: &mut Reader<'_>) -> Result<Vec<u8>, CmsError> {
    is(reader, INTEGER, VERSION, "the recipient is not named by its key")?;
    if reader.octets(CONTEXT_0_PRIMITIVE)?.len() > MAX_KEY_IDENTIFIER_BYTES {
        return Err(CmsError::Form("the recipient's key identifier is too long"));
    }
    reader.constructed(SEQUENCE, |algorithm| {
        let what = "the content's key";
        algorithm_is(algorithm, RSAES_OAEP, what, "RSAES-OAEP")?;
        // RFC 4055 section 4.1; without the third parameter the label is empty.
        algorithm.constructed(SEQUENCE, |parameters| {
            parameters
                .constructed(CONTEXT_0, |hash| hash.constructed(SEQUENCE, |hash| sha256(hash, what)))?;
            parameters.constructed(CONTEXT_1, |mask| {
                mask.constructed(SEQUENCE, |mask| {
                    algorithm_is(mask, MGF1, what, "MGF1")?;
                    mask.constructed(SEQUENCE, |hash| sha256(hash, what))
                })
            })
        })
    })?;
    reader.octets(OCTET_STRING)
}

fn encrypted_content(reader: &mut Reader<'_>) -> Result<([u8; 16], Vec<u8>), CmsError> {
    is(reader, OBJECT_IDENTIFIER, DATA, "the content is not data")?;
    let iv = reader.constructed(SEQUENCE, |algorithm| {
        algorithm_is(algorithm, AES_256_CBC, "the content", "AES-256-CBC")?;
        algorithm.octets(OCTET_STRING)
    })?;
    let iv = iv.try_into().map_err(|_| CmsError::Form("the initialisation vector has not 16 bytes"))?;
    Ok((iv, reader.octets(CONTEXT_0_PRIMITIVE)?))
}

/// SHA-256, whose parameters are NULL or absent (RFC 4055 section 2.1).
fn sha256(reader: &mut Reader<'_>, what: &'static str) -> Result<(), CmsError> {
    algorithm_is(reader, SHA256, what, "SHA-256")?;
    if reader.peek() == Some(NULL) {
        is(reader, NULL, &[], "NULL holds something")?;
    }
    Ok(())
}

fn algorithm_is(
    reader: &mut Reader<'_>,
    oid: &[u8],
    what: &'static str,
    expected: &'static str,
) -> Result<(), CmsError> {
    let found = reader.primitive(OBJECT_IDENTIFIER)?;
    if found == oid { Ok(()) } else { Err(CmsError::Algorithm { what, expected }) }
}

fn is(reader: &mut Reader<'_>, tag: u8, content: &[u8], otherwise: &'static str) -> Result<(), CmsError> {
    if reader.primitive(tag)? == content { Ok(()) } else { Err(CmsError::Form(otherwise)) }
}
