//! One record of a `newc` archive: a header of 110 ASCII characters, the name with a NUL behind it, the content; name
//! and content each padded to a multiple of four bytes.

/// What every record begins with.
pub(super) const MAGIC: [u8; 6] = *b"070701";

/// The length of a record's header: the magic and thirteen fields of eight hexadecimal digits.
pub(super) const HEADER_BYTES: usize = 6 + FIELDS * 8;

const FIELDS: usize = 13;

pub(super) const TYPE_MASK: u32 = 0o170_000;
pub(super) const DIRECTORY: u32 = 0o040_000;
pub(super) const FILE: u32 = 0o100_000;
pub(super) const SYMLINK: u32 = 0o120_000;
pub(super) const CHARACTER_DEVICE: u32 = 0o020_000;

/// The fields of a header that say something. The others are always 0: owner, group, time, the device that the
/// archive was made on, and the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) inode: u32,
    pub(super) mode: u32,
    pub(super) links: u32,
    pub(super) size: u32,
    pub(super) device: (u32, u32),
    /// With the NUL.
    pub(super) name_size: u32,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let (major, minor) = self.device;
        let fields: [u32; FIELDS] = [
            self.inode,
            self.mode,
            0, // owner
            0, // group
            self.links,
            0, // time of modification
            self.size,
            0, // device, major
            0, // device, minor
            major,
            minor,
            self.name_size,
            0, // checksum
        ];
        let mut out = [0; HEADER_BYTES];
        let (magic, digits) = out.split_at_mut(MAGIC.len());
        magic.copy_from_slice(&MAGIC);
        for (place, field) in digits.chunks_exact_mut(8).zip(fields) {
            for (position, digit) in place.iter_mut().enumerate() {
                let nibble = (field >> (28 - 4 * position)) & 0xf;
                *digit = b"0123456789ABCDEF"[nibble as usize];
            }
        }
        out
    }

    /// The fields of a header, and nothing of whether they make sense; `None`, if one is not hexadecimal.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let mut fields = [0_u32; FIELDS];
        for (field, digits) in fields.iter_mut().zip(bytes[MAGIC.len()..].chunks_exact(8)) {
            for digit in digits {
                let value = char::from(*digit).to_digit(16)?;
                *field = (*field << 4) | value;
            }
        }
        let [inode, mode, _, _, links, _, size, _, _, major, minor, name_size, _] = fields;
        Some(Self { inode, mode, links, size, device: (major, minor), name_size })
    }
}

/// How many bytes come behind `len`, so that the next part begins at a multiple of four.
pub(super) const fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}
