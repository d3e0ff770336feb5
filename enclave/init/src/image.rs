//! Whether the kernel unpacked the whole image.
//!
//! Where memory does not suffice, the kernel says so on the console and goes on with what it has, programs full of zeros
//! among it. So the last file of the last ramdisk is one that says it was reached: the kernel unpacks them in order and stops
//! at the first failure.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::InitError;
use crate::limits::MAX_KERNEL_LINE_BYTES;

/// The last file.
const PATH: &str = "/usr/whole";
/// All that is in it.
const CONTENT: &[u8] = b"whole\n";

/// An error unless the last file was unpacked.
pub(crate) fn require_whole() -> Result<(), InitError> {
    if is_whole(Path::new(PATH)) { Ok(()) } else { Err(InitError::ImageCutShort) }
}

fn is_whole(path: &Path) -> bool {
    let mut found = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_KERNEL_LINE_BYTES).read_to_end(&mut found));
    read.is_ok() && found == CONTENT
}

#[cfg(test)]
mod tests {
    use std::fs::{remove_file, write};

    use super::*;

    #[test]
    fn nothing_but_the_whole_file_will_do() {
        let path = std::env::temp_dir().join(format!("r3e-init-{}-whole", std::process::id()));
        drop(remove_file(&path));
        assert!(!is_whole(&path), "no such file");
        // The kernel makes a file as long as it shall be before it fills it.
        for cut_short in [&b""[..], b"who", &[0; 6], b"whole\0", b"whole\nand more"] {
            write(&path, cut_short).unwrap();
            assert!(!is_whole(&path), "{cut_short:?}");
        }
        write(&path, CONTENT).unwrap();
        assert!(is_whole(&path));
        remove_file(&path).unwrap();
    }
}
