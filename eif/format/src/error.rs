//! Why an image, or its signature, is refused.

use thiserror::Error;

use crate::{SectionKind, limits::MAX_IMAGE_BYTES};

/// Why bytes are no image, or parts make none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// More than any image has.
    #[error("an image has at most {MAX_IMAGE_BYTES} bytes, and this has more")]
    TooLong,
    /// The bytes end too early.
    #[error("the file ends at byte {len}, within {what}; it was not saved whole")]
    Truncated {
        /// Within what.
        what: &'static str,
        /// The length of the file.
        len: usize,
    },
    /// The bytes do not begin as an image does.
    #[error("this is no enclave image: it does not begin with `.eif`")]
    Magic,
    /// A version of the format other than 4.
    #[error("the image has version {version} of the format, and only version 4 is read; build it anew")]
    Version {
        /// The version.
        version: u16,
    },
    /// A field of a header has a value that no image of this version has.
    #[error("the field {field} of the header has the value {value:#x}, which version 4 does not define")]
    Field {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// Fewer sections than kernel, command line, metadata and one ramdisk, or more than the header has room for.
    #[error("the image has {count} sections; it must have 4 to 32")]
    SectionCount {
        /// How many.
        count: usize,
    },
    /// A section does not begin where the one before it ends: they overlap, or bytes lie between them.
    #[error("section {index} is said to begin at byte {found}, and the one before it ends at {expected}")]
    SectionOffset {
        /// Which section, from 0.
        index: usize,
        /// Where the header puts it.
        found: u64,
        /// Where it must be.
        expected: u64,
    },
    /// The two places that state a section's size differ.
    #[error("section {index} has {found} bytes by the file's header and {expected} by its own")]
    SectionSize {
        /// Which section, from 0.
        index: usize,
        /// By the file's header.
        found: u64,
        /// By the section's own header.
        expected: u64,
    },
    /// A section of a type that there is not.
    #[error("section {index} has the unknown type {kind}")]
    SectionType {
        /// Which section, from 0.
        index: usize,
        /// The type's number.
        kind: u16,
    },
    /// A section stands where another must.
    #[error("section {index} is a {found}; the order is kernel, command line, metadata, ramdisks, signature")]
    SectionOrder {
        /// Which section, from 0.
        index: usize,
        /// What it is.
        found: SectionKind,
    },
    /// A section that must not be empty is.
    #[error("the {kind} is empty")]
    Empty {
        /// Which.
        kind: SectionKind,
    },
    /// A section is longer than it may be.
    #[error("the {kind} has {len} bytes, more than the {max} allowed")]
    SectionTooLong {
        /// Which.
        kind: SectionKind,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A NUL in the command line: the kernel would not read on.
    #[error("the command line holds a NUL byte")]
    CommandLine,
    /// Bytes behind the last section.
    #[error("the last section ends at byte {end}, and the file goes on to byte {len}")]
    Trailing {
        /// Where it should end.
        end: usize,
        /// Where it ends.
        len: usize,
    },
    /// The checksum does not fit the content.
    #[error(
        "the checksum is {computed:08x} and the header says {stated:08x}: the file was damaged or changed"
    )]
    Checksum {
        /// What the header says.
        stated: u32,
        /// What it should be.
        computed: u32,
    },
}

/// Why an image cannot be signed, or its signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The section is not in the one form that is ever written.
    #[error("the signature section cannot be read: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The certificate cannot be read.
    #[error("the signing certificate cannot be used: {what}")]
    Certificate {
        /// What is wrong.
        what: String,
    },
    /// The key in the certificate is not on P-384.
    #[error("the signing certificate's key is not on the curve P-384, so it cannot sign by ES384")]
    Algorithm,
    /// The private key cannot be read.
    #[error("the private key cannot be used: {what}")]
    PrivateKey {
        /// What is wrong. Holds nothing of the key.
        what: &'static str,
    },
    /// The certificate is of another key.
    #[error("the certificate is not of this private key; give the pair that belongs together")]
    KeyMismatch,
    /// The signature is over another image's PCR0.
    #[error("the signature was made for another image: the PCR0 that it signs is not this image's")]
    OtherImage,
    /// The certificate's key did not make the signature.
    #[error("the signature was not made by the key of the certificate beside it")]
    Invalid,
    /// The key would not sign.
    #[error("signing failed")]
    Signing,
}
