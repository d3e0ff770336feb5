//! An image as its parts, and how it is written. Knows nothing of what is in a ramdisk or in the metadata.

use std::borrow::Cow;

use crate::{
    Architecture, ImageError, ImageSignature, Section, SectionKind, SignatureError, SigningKey,
    header::{CHECKSUM_AT, HEADER_BYTES, Header, MAGIC, SECTION_HEADER_BYTES, SectionHeader, VERSION},
    limits::{
        MAX_COMMAND_LINE_BYTES, MAX_IMAGE_BYTES, MAX_METADATA_BYTES, MAX_SECTIONS, MAX_SIGNATURE_BYTES,
    },
};

/// An enclave image, version 4 of the format.
///
/// Measured are kernel, command line and ramdisks. The other fields are what the file says, and whoever holds the
/// file can change them without changing a PCR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// The processor that it is for.
    pub architecture: Architecture,
    /// The memory that an enclave gets where nobody says how much, in bytes.
    pub default_memory_bytes: u64,
    /// The processors that an enclave gets where nobody says how many.
    pub default_cpus: u64,
    /// The kernel, a `bzImage` on x86.
    pub kernel: &'a [u8],
    /// The kernel's command line, without a NUL.
    pub command_line: &'a [u8],
    /// The description for tools: JSON, see [`crate::Metadata`]. Of an image that was read, any bytes.
    pub metadata: &'a [u8],
    /// The ramdisks, at least one. The boot loader joins them, so each is [`crate::cpio::Archive::encode`]'s output,
    /// whose length keeps the next one aligned.
    pub ramdisks: Vec<&'a [u8]>,
    /// The content of the signature section, which [`Image::sign`] makes and [`Image::signature`] reads.
    pub signature_section: Option<Cow<'a, [u8]>>,
}

impl<'a> Image<'a> {
    /// An unsigned image for x86, whose default is 1 GiB of memory and 2 processors, as AWS's tools write it.
    pub fn new(kernel: &'a [u8], command_line: &'a str, metadata: &'a [u8], ramdisks: &[&'a [u8]]) -> Self {
        Self {
            architecture: Architecture::X86_64,
            default_memory_bytes: 1 << 30,
            default_cpus: 2,
            kernel,
            command_line: command_line.as_bytes(),
            metadata,
            ramdisks: ramdisks.to_vec(),
            signature_section: None,
        }
    }

    /// The sections in the order of the file.
    pub fn sections(&self) -> Vec<Section<'_>> {
        let first = [
            (SectionKind::Kernel, self.kernel),
            (SectionKind::CommandLine, self.command_line),
            (SectionKind::Metadata, self.metadata),
        ];
        let ramdisks = self.ramdisks.iter().map(|ramdisk| (SectionKind::Ramdisk, *ramdisk));
        let signature = self.signature_section.as_deref().map(|section| (SectionKind::Signature, section));
        let mut offset = HEADER_BYTES;
        let parts = first.into_iter().chain(ramdisks).chain(signature);
        let mut sections = Vec::new();
        for (kind, content) in parts {
            sections.push(Section { kind, offset, content });
            offset = sections.last().map_or(offset, Section::end);
        }
        sections
    }

    /// The image's bytes.
    ///
    /// # Errors
    /// If a part is empty that must not be, or longer than [`crate::limits`] allows.
    pub fn encode(&self) -> Result<Vec<u8>, ImageError> {
        self.check()?;
        let sections = self.sections();
        let end = sections.last().map_or(HEADER_BYTES, Section::end);
        if end > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLong);
        }
        let count_refused = ImageError::SectionCount { count: sections.len() };
        let section_count = u16::try_from(sections.len()).map_err(|_| count_refused)?;
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            flags: self.architecture.flags(),
            default_memory_bytes: self.default_memory_bytes,
            default_cpus: self.default_cpus,
            reserved: 0,
            section_count,
            offsets: [0; MAX_SECTIONS],
            sizes: [0; MAX_SECTIONS],
            unused: 0,
            checksum: 0,
        };
        let table = header.offsets.iter_mut().zip(&mut header.sizes);
        for (section, (offset, size)) in sections.iter().zip(table) {
            (*offset, *size) = (section.offset as u64, section.content.len() as u64);
        }
        let mut out = header.encode();
        out.reserve_exact(end - out.len());
        for Section { kind, content, .. } in sections {
            let header = SectionHeader { kind: kind.number(), flags: 0, size: content.len() as u64 };
            out.extend(header.encode());
            out.extend(content);
        }
        let checksum = checksum(&out);
        out[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_be_bytes());
        Ok(out)
    }

    /// Signs the image, in place of any signature that it has. The key signs PCR0 by ES384.
    ///
    /// # Errors
    /// [`SignatureError::Signing`], if the key does not sign.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), SignatureError> {
        let signature = key.sign(&self.measure_unsigned().pcr0)?;
        self.signature_section = Some(Cow::Owned(signature.encode()));
        Ok(())
    }

    /// The signature, read but not verified; `None`, if the image has none.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`], [`SignatureError::Certificate`] or [`SignatureError::Algorithm`], if it is not
    /// in the one form that is ever written.
    pub fn signature(&self) -> Result<Option<ImageSignature>, SignatureError> {
        self.signature_section.as_deref().map(ImageSignature::decode).transpose()
    }

    /// What holds for the parts, however they came together.
    pub(crate) fn check(&self) -> Result<(), ImageError> {
        let sections = self.sections();
        if !(4..=MAX_SECTIONS).contains(&sections.len()) || self.ramdisks.is_empty() {
            return Err(ImageError::SectionCount { count: sections.len() });
        }
        for Section { kind, content, .. } in sections {
            let (min, max) = match kind {
                SectionKind::Kernel | SectionKind::Ramdisk => (1, MAX_IMAGE_BYTES),
                SectionKind::CommandLine => (0, MAX_COMMAND_LINE_BYTES),
                SectionKind::Metadata => (1, MAX_METADATA_BYTES),
                SectionKind::Signature => (1, MAX_SIGNATURE_BYTES),
            };
            if content.len() < min {
                return Err(ImageError::Empty { kind });
            }
            if content.len() > max {
                return Err(ImageError::SectionTooLong { kind, len: content.len(), max });
            }
        }
        if self.command_line.contains(&0) { Err(ImageError::CommandLine) } else { Ok(()) }
    }
}

impl Section<'_> {
    /// The first byte behind the section, from the start of the file.
    pub fn end(&self) -> usize {
        self.offset.saturating_add(SECTION_HEADER_BYTES).saturating_add(self.content.len())
    }
}

/// CRC-32 (IEEE 802.3) of all bytes but the field that holds it.
pub(crate) fn checksum(image: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(image.get(..CHECKSUM_AT).unwrap_or_default());
    hasher.update(image.get(HEADER_BYTES..).unwrap_or_default());
    hasher.finalize()
}
