//! Reads an image from bytes that nobody vouches for. Every count, offset and size is checked before it is used, and
//! what is accepted is what [`Image::encode`] writes: no byte of the file is left out of account.

use std::borrow::Cow;

use crate::{
    Architecture, Image, ImageError, SectionKind,
    header::{HEADER_BYTES, Header, MAGIC, SECTION_HEADER_BYTES, SectionHeader, VERSION},
    image::checksum,
    limits::{MAX_IMAGE_BYTES, MAX_SECTIONS},
};

impl<'a> Image<'a> {
    /// Reads an image. The signature is not looked at; [`Image::measure`] verifies it.
    ///
    /// # Errors
    /// The first rule of the format that the bytes break; the checksum comes last.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ImageError> {
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLong);
        }
        let truncated = |what| ImageError::Truncated { what, len: bytes.len() };
        if bytes.len() >= MAGIC.len() && !bytes.starts_with(&MAGIC) {
            return Err(ImageError::Magic);
        }
        let mut rest = bytes;
        let header = Header::take(&mut rest).ok_or_else(|| truncated("the header"))?;
        let architecture = check(&header)?;

        let mut image = Self {
            architecture,
            default_memory_bytes: header.default_memory_bytes,
            default_cpus: header.default_cpus,
            kernel: &[],
            command_line: &[],
            metadata: &[],
            ramdisks: Vec::new(),
            signature_section: None,
        };
        let count = usize::from(header.section_count);
        let mut end = HEADER_BYTES;
        for (index, (&offset, &size)) in header.offsets.iter().zip(&header.sizes).enumerate() {
            if index >= count {
                unused("section offsets", offset)?;
                unused("section sizes", size)?;
                continue;
            }
            if offset != end as u64 {
                return Err(ImageError::SectionOffset { index, found: offset, expected: end as u64 });
            }
            let own = SectionHeader::take(&mut rest).ok_or_else(|| truncated("a section's header"))?;
            let kind = SectionKind::from_number(own.kind)
                .ok_or(ImageError::SectionType { index, kind: own.kind })?;
            unused("section flags", own.flags.into())?;
            if own.size != size {
                return Err(ImageError::SectionSize { index, found: size, expected: own.size });
            }
            let content = usize::try_from(size).ok().and_then(|size| rest.split_at_checked(size));
            let (content, behind) = content.ok_or_else(|| truncated("a section"))?;
            rest = behind;
            end += SECTION_HEADER_BYTES + content.len();
            image.place(index, count, kind, content)?;
        }
        if !rest.is_empty() {
            return Err(ImageError::Trailing { end, len: bytes.len() });
        }
        image.check()?;
        let computed = checksum(bytes);
        if computed == header.checksum {
            Ok(image)
        } else {
            Err(ImageError::Checksum { stated: header.checksum, computed })
        }
    }

    /// Puts a section where it belongs, if it stands at its place in the one order.
    fn place(
        &mut self,
        index: usize,
        count: usize,
        kind: SectionKind,
        content: &'a [u8],
    ) -> Result<(), ImageError> {
        match (index, kind) {
            (0, SectionKind::Kernel) => self.kernel = content,
            (1, SectionKind::CommandLine) => self.command_line = content,
            (2, SectionKind::Metadata) => self.metadata = content,
            (3.., SectionKind::Ramdisk) => self.ramdisks.push(content),
            (4.., SectionKind::Signature) if index + 1 == count => {
                self.signature_section = Some(Cow::Borrowed(content));
            }
            (_, found) => return Err(ImageError::SectionOrder { index, found }),
        }
        Ok(())
    }
}

fn check(header: &Header) -> Result<Architecture, ImageError> {
    if header.version != VERSION {
        return Err(ImageError::Version { version: header.version });
    }
    let architecture = Architecture::from_flags(header.flags)
        .ok_or(ImageError::Field { field: "flags", value: header.flags.into() })?;
    unused("reserved", header.reserved.into())?;
    unused("unused", header.unused.into())?;
    let count = usize::from(header.section_count);
    if (4..=MAX_SECTIONS).contains(&count) {
        Ok(architecture)
    } else {
        Err(ImageError::SectionCount { count })
    }
}

fn unused(field: &'static str, value: u64) -> Result<(), ImageError> {
    if value == 0 { Ok(()) } else { Err(ImageError::Field { field, value }) }
}
