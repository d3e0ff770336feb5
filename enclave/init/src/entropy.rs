//! Entropy: the kernel's generator is seeded from the NSM before any program runs.
//!
//! The kernel does this by itself as well: a thread of it feeds what the driver `nsm-hwrng` gives into the generator. Yet it
//! starts in its own time, and the command line, which the parent can add to, can make it count for nothing
//! (`rng_core.default_quality=0`) while the processor's own generator is counted instead (`random.trust_cpu`). What is
//! done here is done before the first key and does not depend on either.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::InitError;
use crate::limits::{
    ENTROPY_SOURCE_PAUSE, ENTROPY_SOURCE_TIMEOUT, MAX_KERNEL_LINE_BYTES, SEED_BYTES, SEED_CREDIT_BITS,
};
use crate::system;

/// The NSM's driver, by the name that the kernel gives its source of entropy.
pub(crate) const SOURCE: &str = "nsm-hwrng";
/// Where the kernel names that source.
const SOURCE_PATH: &str = "/sys/class/misc/hw_random/rng_current";
/// The source itself.
const SOURCE_DEVICE: &str = "/dev/hwrng";

/// Seeds the kernel's generator.
pub(crate) fn seed() -> Result<(), InitError> {
    require_source(Path::new(SOURCE_PATH), ENTROPY_SOURCE_TIMEOUT)?;
    let failed = |step| move |source| InitError::Seed { step, source };
    let mut pool = system::EntropyPool::new(SEED_CREDIT_BITS);
    File::open(SOURCE_DEVICE)
        .and_then(|mut device| device.read_exact(&mut pool.bytes))
        .map_err(failed("reading the NSM's entropy"))?;
    if is_broken(&pool.bytes) {
        return Err(InitError::EntropyBroken);
    }
    let added = system::add_entropy(&pool);
    pool.bytes.fill(0);
    // Or the compiler could leave out what nobody reads.
    std::hint::black_box(&pool.bytes);
    added.map_err(failed("adding it to the generator"))?;
    system::require_seeded_generator().map_err(failed("asking the generator whether it is ready"))
}

/// Waits until the kernel names the NSM.
fn require_source(path: &Path, patience: Duration) -> Result<(), InitError> {
    let deadline = Instant::now() + patience;
    loop {
        let found = read_line(path);
        if found.as_deref().is_ok_and(|found| found == SOURCE) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let found = found.unwrap_or_else(|error| format!("unreadable: {error}"));
            return Err(InitError::EntropySource { found });
        }
        sleep(ENTROPY_SOURCE_PAUSE);
    }
}

fn read_line(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_KERNEL_LINE_BYTES).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(text.strip_suffix(b"\n").unwrap_or(&text)).into_owned())
}

/// No test finds bad entropy; this one finds a device that gives none.
fn is_broken(bytes: &[u8; SEED_BYTES]) -> bool {
    bytes.iter().all(|byte| Some(byte) == bytes.first())
}

#[cfg(test)]
mod tests {
    use std::fs::{remove_file, write};
    use std::path::PathBuf;

    use super::*;

    /// A file of this process's own, gone with the value.
    struct Named(PathBuf);

    impl Named {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("r3e-init-{}-{name}", std::process::id())))
        }
    }

    impl Drop for Named {
        fn drop(&mut self) {
            drop(remove_file(&self.0));
        }
    }

    #[test]
    fn the_nsm_and_nothing_else_is_a_source() {
        let file = Named::new("names");
        write(&file.0, "nsm-hwrng\n").unwrap();
        require_source(&file.0, Duration::ZERO).unwrap();
        for other in
            ["", "none\n", "tpm-rng-0\n", "nsm-hwrng-2\n", "nsm-hwrng\n\n", "virtio_rng.0\nnsm-hwrng\n"]
        {
            write(&file.0, other).unwrap();
            let error = require_source(&file.0, Duration::ZERO).unwrap_err();
            assert!(matches!(error, InitError::EntropySource { .. }), "{other:?}: {error}");
        }
        write(&file.0, vec![b'x'; 1 << 20]).unwrap();
        let error = require_source(&file.0, Duration::ZERO).unwrap_err();
        assert!(error.to_string().len() < 1000, "what is said of it is bounded");
    }

    #[test]
    fn a_source_that_comes_later_is_waited_for() {
        let file = Named::new("later");
        let path = file.0.clone();
        let kernel = std::thread::spawn(move || {
            sleep(3 * ENTROPY_SOURCE_PAUSE);
            write(path, "nsm-hwrng\n").unwrap();
        });
        require_source(&file.0, Duration::from_mins(1)).unwrap();
        kernel.join().unwrap();
    }

    #[test]
    fn a_constant_is_no_entropy() {
        for byte in [0, 0xff] {
            assert!(is_broken(&[byte; SEED_BYTES]));
        }
        let mut bytes = [7; SEED_BYTES];
        bytes[SEED_BYTES - 1] = 8;
        assert!(!is_broken(&bytes));
    }
}
