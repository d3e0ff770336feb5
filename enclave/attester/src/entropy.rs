//! The check that the kernel draws its entropy from the NSM.
//!
//! An enclave has no other source worth the name: without the NSM behind the kernel's pool, keys
//! made at boot could be guessed by whoever can start the same image.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::AttesterError;
use crate::limits::MAX_ENTROPY_SOURCE_NAME_BYTES;

/// Where Linux names the hardware generator it draws from.
const ENTROPY_SOURCE_PATH: &str = "/sys/class/misc/hw_random/rng_current";

/// The name of the NSM's driver there.
const ENTROPY_SOURCE: &str = "nsm-hwrng";

/// Checks that this kernel's hardware generator is the NSM.
///
/// # Errors
///
/// As [`check_entropy_source`]. The enclave must not make keys after an error.
pub fn hwrng_is_nsm() -> Result<(), AttesterError> {
    check_entropy_source(Path::new(ENTROPY_SOURCE_PATH))
}

/// Checks that the file at `path`, of the form of `rng_current` in sysfs, names the NSM's driver.
///
/// # Errors
///
/// [`AttesterError::EntropySourceUnknown`] when the file cannot be read,
/// [`AttesterError::EntropySource`] when it names something else.
pub fn check_entropy_source(path: &Path) -> Result<(), AttesterError> {
    let mut name = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_ENTROPY_SOURCE_NAME_BYTES).read_to_end(&mut name))
        .map_err(|source| AttesterError::EntropySourceUnknown { path: path.to_owned(), source })?;
    let found = name.strip_suffix(b"\n").unwrap_or(&name);
    if found == ENTROPY_SOURCE.as_bytes() {
        return Ok(());
    }
    Err(AttesterError::EntropySource {
        found: String::from_utf8_lossy(found).into_owned(),
        expected: ENTROPY_SOURCE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8]) -> Result<(), AttesterError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rng_current");
        std::fs::write(&path, content).unwrap();
        check_entropy_source(&path)
    }

    #[test]
    fn the_nsm_is_accepted() {
        check(b"nsm-hwrng\n").unwrap();
        check(b"nsm-hwrng").unwrap();
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for other in [
            &b"virtio_rng.0\n"[..],
            b"none\n",
            b"\n",
            b"",
            b"nsm-hwrng2\n",
            b" nsm-hwrng\n",
            b"nsm-hwrng\n\n",
        ] {
            let error = check(other).unwrap_err();
            assert!(matches!(error, AttesterError::EntropySource { .. }), "{other:?}: {error:?}");
        }
        assert!(check(&[b'x'; 10_000]).unwrap_err().to_string().len() < 400);
    }

    #[test]
    fn a_missing_file_is_not_a_pass() {
        let folder = tempfile::tempdir().unwrap();
        let error = check_entropy_source(&folder.path().join("absent")).unwrap_err();
        assert!(matches!(error, AttesterError::EntropySourceUnknown { .. }), "{error:?}");
    }
}
