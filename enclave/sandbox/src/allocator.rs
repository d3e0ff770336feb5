//! What happens when the process may not have more memory: it ends, and says so by its exit status.

use std::alloc::{GlobalAlloc, Layout, System};

use r3e_runner_api::process::EXIT_OUT_OF_MEMORY;

/// The system's allocator; where Rust would abort, the process ends with a status of its own.
///
/// An engine's heap is not allocated here: it has its own limit, and its own way to tell.
#[derive(Debug, Clone, Copy)]
pub struct EndWhenExhausted;

// SAFETY: every method passes its arguments on to the system's allocator, whose contract is the same, and
// returns what that gave; a null pointer is never returned.
unsafe impl GlobalAlloc for EndWhenExhausted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this very method.
        checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.realloc(pointer, layout, new_size) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn checked(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() {
        // SAFETY: ends the process at once; nothing of it is used afterwards.
        unsafe { libc::_exit(EXIT_OUT_OF_MEMORY) }
    }
    pointer
}
