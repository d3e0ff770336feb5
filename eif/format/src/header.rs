//! The two headers of an image: where each field lies, and nothing of what the fields mean together. All numbers are
//! big-endian.

use std::fmt;

use crate::limits::MAX_SECTIONS;

/// What a file begins with.
pub(crate) const MAGIC: [u8; 4] = *b".eif";

/// The version of the format: the one that has a metadata section.
pub(crate) const VERSION: u16 = 4;

/// The length of the file's header.
pub(crate) const HEADER_BYTES: usize = 548;

/// The length of a section's header: type (2 bytes), flags (2), size (8).
pub(crate) const SECTION_HEADER_BYTES: usize = 12;

/// The checksum is the last field of the header, and is over all but itself.
pub(crate) const CHECKSUM_AT: usize = HEADER_BYTES - 4;

/// The processor that an image is for: bit 0 of the header's flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86.
    #[default]
    X86_64,
    /// 64-bit Arm.
    Arm64,
}

impl Architecture {
    pub(crate) const fn flags(self) -> u16 {
        match self {
            Self::X86_64 => 0,
            Self::Arm64 => 1,
        }
    }

    pub(crate) const fn from_flags(flags: u16) -> Option<Self> {
        match flags {
            0 => Some(Self::X86_64),
            1 => Some(Self::Arm64),
            _ => None,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        })
    }
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// The kernel.
    Kernel,
    /// The kernel's command line.
    CommandLine,
    /// A ramdisk.
    Ramdisk,
    /// The signature, with its certificate.
    Signature,
    /// The description for tools.
    Metadata,
}

impl SectionKind {
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Kernel => 1,
            Self::CommandLine => 2,
            Self::Ramdisk => 3,
            Self::Signature => 4,
            Self::Metadata => 5,
        }
    }

    pub(crate) const fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Kernel),
            2 => Some(Self::CommandLine),
            3 => Some(Self::Ramdisk),
            4 => Some(Self::Signature),
            5 => Some(Self::Metadata),
            _ => None,
        }
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "kernel",
            Self::CommandLine => "command line",
            Self::Ramdisk => "ramdisk",
            Self::Signature => "signature",
            Self::Metadata => "metadata",
        })
    }
}

/// One section and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// What it holds.
    pub kind: SectionKind,
    /// Where its own header begins, in bytes from the start of the file.
    pub offset: usize,
    /// Its content.
    pub content: &'a [u8],
}

/// The file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u16,
    pub(crate) flags: u16,
    pub(crate) default_memory_bytes: u64,
    pub(crate) default_cpus: u64,
    pub(crate) reserved: u16,
    pub(crate) section_count: u16,
    pub(crate) offsets: [u64; MAX_SECTIONS],
    pub(crate) sizes: [u64; MAX_SECTIONS],
    pub(crate) unused: u32,
    pub(crate) checksum: u32,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(self.magic);
        out.extend(self.version.to_be_bytes());
        out.extend(self.flags.to_be_bytes());
        out.extend(self.default_memory_bytes.to_be_bytes());
        out.extend(self.default_cpus.to_be_bytes());
        out.extend(self.reserved.to_be_bytes());
        out.extend(self.section_count.to_be_bytes());
        for number in self.offsets.iter().chain(&self.sizes) {
            out.extend(number.to_be_bytes());
        }
        out.extend(self.unused.to_be_bytes());
        out.extend(self.checksum.to_be_bytes());
        out
    }

    /// Takes the header off the front of `bytes`; `None`, if they are too few.
    pub(crate) fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            magic: take(bytes)?,
            version: u16::from_be_bytes(take(bytes)?),
            flags: u16::from_be_bytes(take(bytes)?),
            default_memory_bytes: u64::from_be_bytes(take(bytes)?),
            default_cpus: u64::from_be_bytes(take(bytes)?),
            reserved: u16::from_be_bytes(take(bytes)?),
            section_count: u16::from_be_bytes(take(bytes)?),
            offsets: take_table(bytes)?,
            sizes: take_table(bytes)?,
            unused: u32::from_be_bytes(take(bytes)?),
            checksum: u32::from_be_bytes(take(bytes)?),
        })
    }
}

/// A section's own header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SectionHeader {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) size: u64,
}

impl SectionHeader {
    pub(crate) fn encode(self) -> [u8; SECTION_HEADER_BYTES] {
        let mut out = [0; SECTION_HEADER_BYTES];
        out[..2].copy_from_slice(&self.kind.to_be_bytes());
        out[2..4].copy_from_slice(&self.flags.to_be_bytes());
        out[4..].copy_from_slice(&self.size.to_be_bytes());
        out
    }

    /// Takes the header off the front of `bytes`; `None`, if they are too few.
    pub(crate) fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            kind: u16::from_be_bytes(take(bytes)?),
            flags: u16::from_be_bytes(take(bytes)?),
            size: u64::from_be_bytes(take(bytes)?),
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*front)
}

fn take_table(bytes: &mut &[u8]) -> Option<[u64; MAX_SECTIONS]> {
    let mut table = [0; MAX_SECTIONS];
    for entry in &mut table {
        *entry = u64::from_be_bytes(take(bytes)?);
    }
    Some(table)
}
