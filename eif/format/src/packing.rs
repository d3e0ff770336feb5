//! How a ramdisk lies in an image: as it is, or packed for the kernel to unpack.
//!
//! The packing is LZ4's legacy frame (lz4's `lz4_Frame_format.md`, section "Legacy frame"), the only one that the kernel reads: a magic
//! number, then blocks, each behind its packed length. It is the fastest of the kernel's to unpack, which is what a start waits for, and
//! programs pack to half their size.
//!
//! The registers measure what lies in the image, so the packed bytes. One content can be packed in many ways; [`pack`] makes the same
//! bytes from the same content.

use std::borrow::Cow;

use thiserror::Error;

use crate::limits::MAX_UNPACKED_BYTES;

const MAGIC: [u8; 4] = 0x184C_2102_u32.to_le_bytes();

/// What a block holds when unpacked; the last one may hold less.
const BLOCK_BYTES: usize = 8 << 20;

/// The most that a block comes to when it does not shrink (`LZ4_compressBound`).
const MAX_PACKED_BLOCK_BYTES: usize = BLOCK_BYTES + BLOCK_BYTES / 255 + 16;

const LENGTH_BYTES: usize = 4;

/// Why a packed ramdisk is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PackingError {
    /// The bytes end within a block or its length.
    #[error("the packed ramdisk ends within the block at byte {offset}")]
    Truncated {
        /// Where the block begins, from the start of the packed bytes.
        offset: usize,
    },
    /// A block that says it is longer than any can be, or empty.
    #[error(
        "the block at byte {offset} of the packed ramdisk says that it has {len} bytes; a block has 1 to {max}"
    )]
    BlockLength {
        /// Where the block begins.
        offset: usize,
        /// What it says.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A block that does not unpack, or to more than a block holds.
    #[error("the block at byte {offset} of the packed ramdisk does not unpack")]
    Block {
        /// Where the block begins.
        offset: usize,
    },
    /// A block before the last that is not full.
    #[error("the block at byte {offset} of the packed ramdisk is not full, and another follows")]
    Short {
        /// Where the block begins.
        offset: usize,
    },
    /// More than any image holds.
    #[error("the packed ramdisk unpacks to more than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
}

/// `content`, packed.
pub fn pack(content: &[u8]) -> Vec<u8> {
    pack_by(content, packed_block)
}

/// A block, packed.
pub fn packed_block(block: &[u8]) -> Vec<u8> {
    lz4_flex::block::compress(block)
}

/// The same, by another packer of LZ4's blocks: what it makes comes to no more than such a block may.
pub fn pack_by(content: &[u8], compress: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut packed = MAGIC.to_vec();
    for block in content.chunks(BLOCK_BYTES) {
        let block = compress(block);
        // A block has at most `MAX_PACKED_BLOCK_BYTES`.
        let len = u32::try_from(block.len()).unwrap_or(u32::MAX);
        packed.extend(len.to_le_bytes());
        packed.extend(block);
    }
    packed
}

/// Whether these bytes are packed.
pub fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// What the kernel will find in `bytes`: themselves, unless they are packed.
///
/// # Errors
/// [`PackingError`]: they begin as packed bytes do, and are not what [`pack`] could have made.
pub fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, PackingError> {
    let Some(mut rest) = bytes.strip_prefix(&MAGIC) else { return Ok(Cow::Borrowed(bytes)) };
    let mut content = Vec::new();
    // One buffer for all blocks: the library would begin each with as many zeros.
    let mut room = vec![0; if rest.is_empty() { 0 } else { BLOCK_BYTES }];
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let (len, behind) =
            rest.split_first_chunk::<LENGTH_BYTES>().ok_or(PackingError::Truncated { offset })?;
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
        if !(1..=MAX_PACKED_BLOCK_BYTES).contains(&len) {
            return Err(PackingError::BlockLength { offset, len, max: MAX_PACKED_BLOCK_BYTES });
        }
        let (block, behind) = behind.split_at_checked(len).ok_or(PackingError::Truncated { offset })?;
        rest = behind;
        let unpacked = lz4_flex::block::decompress_into(block, &mut room)
            .ok()
            .filter(|len| *len > 0)
            .ok_or(PackingError::Block { offset })?;
        if unpacked < BLOCK_BYTES && !rest.is_empty() {
            return Err(PackingError::Short { offset });
        }
        if content.len() + unpacked > MAX_UNPACKED_BYTES {
            return Err(PackingError::TooLong { max: MAX_UNPACKED_BYTES });
        }
        content.extend_from_slice(&room[..unpacked]);
    }
    Ok(Cow::Owned(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that shrink, and bytes that do not.
    fn content(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        (0..len)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if at % 4096 < 2048 { state.to_le_bytes()[3] } else { (at / 64).to_le_bytes()[0] }
            })
            .collect()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        for len in [0, 1, 12, 13, 4096, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES + 5] {
            let content = content(len);
            let packed = pack(&content);
            assert!(is_packed(&packed));
            assert!(*unpack(&packed).unwrap() == *content, "{len}");
            assert!(packed == pack(&content), "{len}");
        }
    }

    #[test]
    fn what_is_not_packed_is_what_it_is() {
        assert!(matches!(unpack(b"070701"), Ok(Cow::Borrowed(b"070701"))));
        assert!(matches!(unpack(b""), Ok(Cow::Borrowed(b""))));
    }

    /// `lz4 -l` of lz4 1.9.4, over "enclave " 40 times.
    #[test]
    fn the_reference_program_is_understood() {
        let packed = hex::decode("02214c18130000008f656e636c617665200800ff21506c61766520").unwrap();
        assert_eq!(unpack(&packed).unwrap(), "enclave ".repeat(40).as_bytes());
        // Its frame is ours, whatever its blocks.
        assert_eq!(unpack(&pack("enclave ".repeat(40).as_bytes())).unwrap(), unpack(&packed).unwrap());
    }

    #[test]
    fn each_refusal_says_where() {
        let packed = pack(&content(BLOCK_BYTES + 100));
        let second = 8 + usize::try_from(u32::from_le_bytes(packed[4..8].try_into().unwrap())).unwrap();
        for cut in [5, 7, 8, 9, second - 1] {
            assert_eq!(unpack(&packed[..cut]), Err(PackingError::Truncated { offset: 4 }), "{cut}");
        }
        for cut in [second + 1, second + 4, packed.len() - 1] {
            assert_eq!(unpack(&packed[..cut]), Err(PackingError::Truncated { offset: second }), "{cut}");
        }
        let refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = packed.clone();
            change(&mut bytes);
            unpack(&bytes).unwrap_err()
        };
        // The magic number again, which the kernel would step over.
        let again = refused(&|bytes| drop(bytes.splice(second..second, MAGIC)));
        assert!(matches!(again, PackingError::BlockLength { offset, .. } if offset == second), "{again}");
        let trailing = refused(&|bytes| bytes.extend([0; 4]));
        assert_eq!(trailing, PackingError::Short { offset: second });
        let mut full = pack(&content(BLOCK_BYTES));
        full.extend([0; 4]);
        let empty = unpack(&full).unwrap_err();
        assert!(matches!(empty, PackingError::BlockLength { len: 0, .. }), "{empty}");
        let short =
            refused(&|bytes| drop(bytes.splice(4..4, pack(b"short block, and more follow")[4..].to_vec())));
        assert_eq!(short, PackingError::Short { offset: 4 });
        let long = [&MAGIC[..], &{
            let block = lz4_flex::block::compress(&content(BLOCK_BYTES + 1));
            [&u32::try_from(block.len()).unwrap().to_le_bytes()[..], &block].concat()
        }]
        .concat();
        assert_eq!(unpack(&long), Err(PackingError::Block { offset: 4 }));
    }
}
