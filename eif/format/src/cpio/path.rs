//! Which paths and link targets may be in a ramdisk. Knows nothing of the format around them.

use super::CpioError;
use crate::limits::{MAX_LINK_TARGET_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES};

/// The name of the record that ends an archive, which no entry can have.
pub(super) const TRAILER: &str = "TRAILER!!!";

/// `path`, if there is one way alone to write it, and every program reads it alike.
pub(super) fn checked(path: &str) -> Result<&str, CpioError> {
    let refused = |what| CpioError::Path { path: path.escape_debug().to_string(), what };
    if path.is_empty() || path.len() > MAX_PATH_BYTES {
        return Err(refused("it must have 1 to 1024 bytes"));
    }
    if path == TRAILER {
        return Err(refused("it is the mark of the archive's end"));
    }
    // A name of a file is shown to people who decide by it.
    if !path.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        return Err(refused("it must be printable ASCII without spaces"));
    }
    if path.split('/').any(|name| matches!(name, "" | "." | "..") || name.len() > MAX_NAME_BYTES) {
        return Err(refused("it must be relative, and each part a name of at most 255 bytes"));
    }
    Ok(path)
}

/// Whether a symbolic link may point there.
pub(super) fn is_target(target: &str) -> bool {
    (1..=MAX_LINK_TARGET_BYTES).contains(&target.len())
        && target.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
}
