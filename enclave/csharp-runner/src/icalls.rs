//! What the runtime calls here: the one way out of a function, and random bytes.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::desk;
use crate::limits::MAX_TEXT_UNITS;
use crate::mono::{
    Text, mono_add_internal_call, mono_domain_get, mono_string_chars, mono_string_length,
    mono_string_new_utf16,
};

/// Tells the runtime of them. Its own source of randomness is a device, which a box does not have.
///
/// # Safety
/// Called by the thread that has started the runtime, before any of its code looks for them.
pub(crate) unsafe fn register() {
    let calls: [(&CStr, *const c_void); 5] = [
        (c"R3E.Host::Ask", ask as *const c_void),
        (c"System.Security.Cryptography.RNGCryptoServiceProvider::RngOpen", random_open as *const c_void),
        (
            c"System.Security.Cryptography.RNGCryptoServiceProvider::RngInitialize",
            random_start as *const c_void,
        ),
        (
            c"System.Security.Cryptography.RNGCryptoServiceProvider::RngGetBytes",
            random_bytes as *const c_void,
        ),
        (c"System.Security.Cryptography.RNGCryptoServiceProvider::RngClose", random_close as *const c_void),
    ];
    for (name, function) in calls {
        // SAFETY: the name is a text that ends, and is copied; the function has the signature that the class declares, and lives as long
        // as the program.
        unsafe { mono_add_internal_call(name.as_ptr(), function) };
    }
}

/// The text of an object of the runtime's; an empty one for none.
///
/// # Safety
/// `text` is null or a text that the caller keeps alive: on its stack, where the collector finds it.
pub(crate) unsafe fn read(text: *mut Text) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the runtime's own functions, on a text that lives; what they give is `length` units, which do not move as long as the text
    // is on a stack.
    let units = unsafe {
        let length = usize::try_from(mono_string_length(text)).unwrap_or_default();
        std::slice::from_raw_parts(mono_string_chars(text), length.min(MAX_TEXT_UNITS))
    };
    String::from_utf16_lossy(units)
}

/// A text of the runtime's.
///
/// # Safety
/// Called by a thread of the runtime's.
pub(crate) unsafe fn write(text: &str) -> *mut Text {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = i32::try_from(units.len()).unwrap_or_default();
    // SAFETY: the units live during the call, which copies them.
    unsafe { mono_string_new_utf16(mono_domain_get(), units.as_ptr(), length) }
}

/// `R3E.Host.Ask`.
unsafe extern "C" fn ask(kind: i32, text: *mut Text) -> *mut Text {
    // SAFETY: an argument of managed code, which keeps it on its stack during the call.
    let text = unsafe { read(text) };
    match desk::ask(kind, text) {
        // SAFETY: called by a thread of the runtime's, since managed code runs on no other.
        Some(answer) => unsafe { write(&answer) },
        None => std::ptr::null_mut(),
    }
}

/// There is a source of randomness, and it is the same for all.
extern "C" fn random_open() -> u8 {
    1
}

/// A handle that means nothing, but is not null, which would say that there is no randomness.
extern "C" fn random_start(_seed: *const u8, _length: isize) -> isize {
    1
}

unsafe extern "C" fn random_bytes(handle: isize, to: *mut u8, length: isize) -> isize {
    // SAFETY: the caller has that many bytes there.
    unsafe { fill(to, usize::try_from(length).unwrap_or_default()) };
    handle
}

extern "C" fn random_close(_handle: isize) {}

/// Random bytes of the kernel's.
///
/// # Safety
/// There are as many bytes to write to.
pub(crate) unsafe fn fill(mut to: *mut u8, mut length: usize) {
    while length > 0 {
        // SAFETY: as many bytes are left there.
        let got = unsafe { libc::getrandom(to.cast(), length, 0) };
        let Ok(got) = usize::try_from(got) else {
            if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted {
                continue;
            }
            // No event goes on with numbers that can be guessed.
            // SAFETY: ends the process.
            unsafe { libc::abort() }
        };
        // SAFETY: not beyond the bytes that there are.
        to = unsafe { to.add(got) };
        length -= got;
    }
}

/// What a C text says.
///
/// # Safety
/// Null, or a text that ends.
pub(crate) unsafe fn c_text<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

/// What calls that have nothing to say give.
pub(crate) const DONE: c_int = 0;
