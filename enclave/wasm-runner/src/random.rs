//! Randomness, by the one system call that the box lets through.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// Fills a buffer by the kernel's generator.
///
/// # Errors
/// The kernel's own.
pub(crate) fn fill(mut rest: &mut [u8]) -> Result<(), Errno> {
    while !rest.is_empty() {
        let drawn = match getrandom(&mut *rest, GetRandomFlags::empty()) {
            Err(Errno::INTR) => 0,
            drawn => drawn?,
        };
        rest = rest.get_mut(drawn..).unwrap_or_default();
    }
    Ok(())
}
