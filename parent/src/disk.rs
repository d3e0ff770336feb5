//! Room on a disk. Knows nothing of what it is for.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;

/// MiB that this user may still write where `path` is.
pub(crate) fn free_mib(path: &Path) -> io::Result<u64> {
    let disk = statvfs(path)?;
    let bytes = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
    Ok(u64::try_from(bytes >> 20).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_room_and_a_path_that_is_not_there_has_none() {
        assert!(free_mib(Path::new("/")).is_ok());
        assert_eq!(free_mib(Path::new("/proc")).unwrap(), 0);
        assert!(free_mib(Path::new("/no/such/folder")).is_err());
    }
}
