//! Reads evidence from a file or the standard input, in binary, hex or base64.
//!
//! A document begins with the byte 84 (an array of four) or d2 (the tag of `COSE_Sign1`), neither of which is
//! ASCII. So the first characters tell the formats apart, without a guess and without a second try:
//!
//! | begins with | format |
//! |---|---|
//! | byte 84 or d2 | binary |
//! | `84`, `d2`, `D2` | hex |
//! | `hA` to `hP`, `0g` to `0v` | base64 (of 84 and d2) |
//! | anything else | binary, and refused as malformed |

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use clap::{Args, ValueEnum};
use r3e_proto::api::identity::TenantId;

use crate::{error::VerifyError, limits::MAX_EVIDENCE_FILE_BYTES};

/// Where the evidence is.
#[derive(Args, Debug)]
pub(crate) struct EvidenceArgs {
    /// The attestation document; - for the standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// How the file is encoded; auto tells by the first characters
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub(crate) format: Format,
}

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// By the first characters
    Auto,
    /// The bytes as they are
    Bin,
    /// Hexadecimal digits, white space ignored
    Hex,
    /// Base64 or base64url, padded or not, white space ignored
    Base64,
}

impl EvidenceArgs {
    /// The bytes of the document.
    pub(crate) fn read(&self) -> Result<Vec<u8>, VerifyError> {
        read_document(&self.file, self.format)
    }
}

/// The bytes of the document in `file`.
pub(crate) fn read_document(file: &Path, format: Format) -> Result<Vec<u8>, VerifyError> {
    decode(read_limited(file, MAX_EVIDENCE_FILE_BYTES)?, format)
}

/// The document that attests who made a file's content: in a file of its own, or in that one, in base64.
pub(crate) fn attesting_document(
    file: Option<&Path>,
    format: Format,
    inside: Option<&str>,
) -> Result<Option<Vec<u8>>, VerifyError> {
    match (file, inside) {
        (Some(file), _) => read_document(file, format).map(Some),
        (None, Some(text)) => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map(Some)
            .map_err(|_| VerifyError::Encoding { what: "it is not base64" }),
        (None, None) => Ok(None),
    }
}

/// A tenant's id, as an option gives it.
pub(crate) fn parse_tenant(text: &str) -> Result<TenantId, String> {
    text.parse().map_err(|_| "a tenant's id has 32 hexadecimal digits".to_owned())
}

/// Reads a file, or the standard input for `-`. Reads one byte more than `max_bytes` at most; the excess makes
/// the content too long for whatever decodes it, which then says so.
pub(crate) fn read_limited(path: &Path, max_bytes: u64) -> Result<Vec<u8>, VerifyError> {
    let read = |source: &mut dyn Read| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        source.take(max_bytes + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let result = if path == Path::new("-") {
        read(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    };
    result.map_err(|source| VerifyError::Unreadable { path: path.to_owned(), source })
}

fn decode(bytes: Vec<u8>, format: Format) -> Result<Vec<u8>, VerifyError> {
    match format {
        Format::Bin => Ok(bytes),
        Format::Hex => hex::decode(without_white_space(&bytes))
            .map_err(|_| VerifyError::Encoding { what: "it is not hexadecimal" }),
        Format::Base64 => from_base64(&without_white_space(&bytes)),
        Format::Auto => {
            let detected = detect(&bytes);
            decode(bytes, detected)
        }
    }
}

/// Never [`Format::Auto`].
fn detect(bytes: &[u8]) -> Format {
    match bytes.trim_ascii_start() {
        [b'8', b'4', ..] | [b'd' | b'D', b'2', ..] => Format::Hex,
        [b'h', b'A'..=b'P', ..] | [b'0', b'g'..=b'v', ..] => Format::Base64,
        _ => Format::Bin,
    }
}

fn from_base64(text: &[u8]) -> Result<Vec<u8>, VerifyError> {
    let alphabet = if text.iter().any(|byte| matches!(byte, b'-' | b'_')) { URL_SAFE } else { STANDARD };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet, config)
        .decode(text)
        .map_err(|_| VerifyError::Encoding { what: "it is not base64" })
}

fn without_white_space(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn the_formats_are_told_apart_for_every_second_byte() {
        for first in [0x84, 0xd2] {
            for second in 0..=255 {
                let document = [first, second, 0xfb, 0xff, 0xfe, 0x00];
                let wrapped = BASE64_STANDARD.encode(document).replace('/', "/\r\n ");
                for text in [
                    document.to_vec(),
                    hex::encode(document).into_bytes(),
                    format!("\n {}\n", hex::encode_upper(document)).into_bytes(),
                    wrapped.into_bytes(),
                    BASE64_URL_SAFE_NO_PAD.encode(document).into_bytes(),
                ] {
                    assert_eq!(decode(text, Format::Auto).unwrap(), document);
                }
            }
        }
    }

    #[test]
    fn anything_else_is_binary() {
        for bytes in [&b""[..], b"8", b"h", b"hello", b"83ff", b"{}", b"\xff\xfe8", b"-----BEGIN", b"00"] {
            assert_eq!(decode(bytes.to_vec(), Format::Auto).unwrap(), bytes);
        }
    }

    #[test]
    fn a_format_that_is_named_is_not_second_guessed() {
        assert!(decode(b"84a1".to_vec(), Format::Hex).is_ok());
        assert!(decode(b"84a".to_vec(), Format::Hex).is_err());
        assert!(decode(b"hEQ=".to_vec(), Format::Hex).is_err());
        assert!(decode(b"hEQ*".to_vec(), Format::Base64).is_err());
        assert!(decode(b"hE-_".to_vec(), Format::Base64).is_ok());
        assert!(decode(b"hE-/".to_vec(), Format::Base64).is_err());
        assert_eq!(decode(b"84".to_vec(), Format::Bin).unwrap(), b"84");
    }
}
