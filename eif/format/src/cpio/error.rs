//! Why a ramdisk cannot be written, or is refused.

use thiserror::Error;

/// Why files make no ramdisk, or bytes are none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CpioError {
    /// A path that cannot be used.
    #[error("the path \"{path}\" cannot be in a ramdisk: {what}")]
    Path {
        /// The path, escaped.
        path: String,
        /// Which rule it breaks.
        what: &'static str,
    },
    /// Permissions with bits beyond `rwx` and the sticky bit.
    #[error("{path} cannot have the permissions {permissions:o}: nothing in a ramdisk is setuid or setgid")]
    Permissions {
        /// The entry.
        path: String,
        /// Its permissions.
        permissions: u16,
    },
    /// The target of a symbolic link cannot be used.
    #[error("the target of the symbolic link {path} must have 1 to {max} bytes of printable ASCII")]
    LinkTarget {
        /// The link.
        path: String,
        /// The limit in bytes.
        max: usize,
    },
    /// A device number that Linux does not have.
    #[error("the device {path} has the number {major}:{minor}, which Linux does not have")]
    Device {
        /// The entry.
        path: String,
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A file longer than the format can say.
    #[error("the file {path} has {len} bytes, and an archive can hold files below 4 GiB")]
    FileTooLong {
        /// The file.
        path: String,
        /// Its length in bytes.
        len: usize,
    },
    /// Two entries with one path.
    #[error("{path} is there twice")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// An entry whose directory is not in the archive, or is no directory.
    #[error("{path} lies in {parent}, which is not a directory of this archive; add it")]
    MissingParent {
        /// The entry.
        path: String,
        /// What should be a directory.
        parent: String,
    },
    /// More entries than allowed.
    #[error("more than {max} entries")]
    TooManyEntries {
        /// The limit.
        max: usize,
    },
    /// The archive is too long for an image.
    #[error("the archive is longer than an image may be")]
    TooLong,
    /// The bytes do not begin as an archive does.
    #[error(
        "this is no plain `newc` archive: at byte {offset} there is no record; it may be compressed or in another format"
    )]
    NoRecord {
        /// Where.
        offset: usize,
    },
    /// The bytes end too early.
    #[error("the archive ends within the record at byte {offset}")]
    Truncated {
        /// Where the record begins.
        offset: usize,
    },
    /// The archive holds something that the canonical form has not.
    #[error("the record at byte {offset} is not in the canonical form: {what}")]
    NotCanonical {
        /// Where the record begins.
        offset: usize,
        /// What is different.
        what: &'static str,
    },
}
