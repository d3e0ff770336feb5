//! What an image may cost to read, and how large its parts may be. Images come from anybody.

/// A whole image. One with every layer has some 100 MiB; it is held in memory.
pub const MAX_IMAGE_BYTES: usize = 1 << 30;

/// What a packed ramdisk may come to: as much as an image that is not packed.
pub const MAX_UNPACKED_BYTES: usize = MAX_IMAGE_BYTES;

/// Sections of an image: the header has room for so many.
pub const MAX_SECTIONS: usize = 32;

/// The kernel's command line. x86 and arm64 kernels cut it off there (`COMMAND_LINE_SIZE`), and what they do not
/// see must not be measured as if they did.
pub const MAX_COMMAND_LINE_BYTES: usize = 2048;

/// The description for tools. Real ones have some 300 bytes, or some KiB with a container's labels.
pub const MAX_METADATA_BYTES: usize = 256 * 1024;

/// A signing certificate in DER. Real ones have 500 to 1,000 bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 4 * 1024;

/// A signing certificate in PEM: four thirds of the DER, line ends, and the two boundaries.
pub const MAX_CERTIFICATE_PEM_BYTES: usize = 6 * 1024;

/// A private key's file: P-384 takes some 300 bytes, and parameters may stand before it.
pub const MAX_PRIVATE_KEY_PEM_BYTES: usize = 4 * 1024;

/// The `COSE_Sign1` in a signature section: 237 bytes at most, since the payload's integers have one or two.
pub(crate) const MAX_COSE_BYTES: usize = 256;

/// The signature section: certificate and `COSE_Sign1`, with at most two bytes for each byte of theirs.
pub const MAX_SIGNATURE_BYTES: usize = 2 * (MAX_CERTIFICATE_PEM_BYTES + MAX_COSE_BYTES) + 64;

/// Entries of one ramdisk. A Python installation has some 5,000 files; each costs its path in memory.
pub const MAX_ENTRIES: usize = 65_536;

/// A path within a ramdisk: below the kernel's `PATH_MAX` of 4,096, and printable in a few lines.
pub const MAX_PATH_BYTES: usize = 1024;

/// One part of a path (`NAME_MAX`).
pub const MAX_NAME_BYTES: usize = 255;

/// The target of a symbolic link, like a path.
pub const MAX_LINK_TARGET_BYTES: usize = MAX_PATH_BYTES;

/// Major and minor numbers of devices: Linux has 12 bits for the one and 20 for the other.
pub const MAX_DEVICE_MAJOR: u32 = (1 << 12) - 1;

/// See [`MAX_DEVICE_MAJOR`].
pub const MAX_DEVICE_MINOR: u32 = (1 << 20) - 1;
