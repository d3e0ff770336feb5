//! Randomness, by the one system call that the box lets through.
//!
//! Not by a library: those look the call up in the C library by name, and where that is linked into the program and has no
//! names, they read a device file, for which the box ends the process.

use std::io;

/// Fills `target` from the kernel's generator.
pub(super) fn fill(target: &mut [u8]) -> io::Result<()> {
    let mut rest = target;
    while !rest.is_empty() {
        // SAFETY: the call writes at most as many bytes as it is told, which is the length of the buffer it is given.
        let drawn = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(drawn) {
            Ok(drawn) => rest = rest.get_mut(drawn..).unwrap_or_default(),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_buffer_is_filled() {
        for length in [0, 1, 16, 256, 257, 65_536] {
            let mut bytes = vec![0; length];
            fill(&mut bytes).unwrap();
            // A part that was left out would be zeros; eight of them in a row come by chance once in 2^64 times.
            assert!(bytes.chunks_exact(8).all(|chunk| chunk != [0; 8]), "{length}");
        }
    }
}
