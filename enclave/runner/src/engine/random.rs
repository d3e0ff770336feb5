//! Randomness, by the one system call that the box lets through.
//!
//! Not by a library: those look the call up in the C library by name, and where that is linked into the program and has no
//! names, they read a device file, for which the box ends the process.

use std::cell::RefCell;
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

/// Bytes drawn at once for `Math.random`, which a script may call millions of times.
const POOL_BYTES: usize = 1024;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], left: 0 }) };
}

/// Randomness that was drawn ahead.
struct Pool {
    bytes: [u8; POOL_BYTES],
    /// Those at the end that nobody was given.
    left: usize,
}

/// Fills `target` from what was drawn ahead. For what need not be secret.
pub(super) fn fill_cheaply(target: &mut [u8]) -> bool {
    POOL.with_borrow_mut(|pool| {
        if target.len() > POOL_BYTES {
            return fill(target).is_ok();
        }
        if pool.left < target.len() {
            if fill(&mut pool.bytes).is_err() {
                return false;
            }
            pool.left = POOL_BYTES;
        }
        let rest = pool.left - target.len();
        let given = pool.bytes.get_mut(rest..pool.left).unwrap_or_default();
        target.copy_from_slice(given);
        given.fill(0);
        pool.left = rest;
        true
    })
}

/// Forgets what was drawn ahead: this process is a copy of another, which has the same.
pub(super) fn reseed() {
    POOL.with_borrow_mut(|pool| {
        pool.bytes.fill(0);
        pool.left = 0;
    });
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

    #[test]
    fn what_was_drawn_ahead_is_given_once_and_forgotten() {
        let mut seen = std::collections::BTreeSet::new();
        for round in 0..1_000 {
            let mut bytes = [0; 8];
            assert!(fill_cheaply(&mut bytes));
            assert!(seen.insert(bytes), "round {round}");
            if round % 100 == 50 {
                reseed();
                POOL.with_borrow(|pool| assert!(pool.left == 0 && pool.bytes == [0; POOL_BYTES]));
            }
        }
        let mut long = [0; POOL_BYTES + 1];
        assert!(fill_cheaply(&mut long));
        assert!(long.chunks_exact(8).all(|chunk| chunk != [0; 8]));
    }
}
