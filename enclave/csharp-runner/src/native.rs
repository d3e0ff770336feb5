//! The few functions of the library `System.Native` that the class library needs where there is next to no system: for whatever else is
//! looked for, in any library, there is none. A function's own `DllImport` finds nothing.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::icalls::{DONE, c_text, fill};
use crate::mono::mono_dl_fallback_register;

/// The one library that there is, by name and by handle.
const LIBRARY: &str = "System.Native";
static HANDLE: u8 = 0;

/// Has the runtime look for libraries here.
///
/// # Safety
/// Called by the thread that starts the runtime, before it does.
pub(crate) unsafe fn register() {
    // SAFETY: three functions of the signatures that are wanted, which live as long as the program.
    unsafe { mono_dl_fallback_register(load, find, close, std::ptr::null_mut()) };
}

unsafe extern "C" fn load(
    name: *const c_char,
    _flags: c_int,
    _error: *mut *mut c_char,
    _user: *mut c_void,
) -> *mut c_void {
    // SAFETY: the runtime gives a text that ends, or none.
    let name = unsafe { c_text(name) };
    if name == LIBRARY { (&raw const HANDLE).cast_mut().cast() } else { std::ptr::null_mut() }
}

unsafe extern "C" fn find(
    handle: *mut c_void,
    name: *const c_char,
    _error: *mut *mut c_char,
    _user: *mut c_void,
) -> *mut c_void {
    if handle.cast_const() != (&raw const HANDLE).cast() {
        return std::ptr::null_mut();
    }
    // SAFETY: the runtime gives a text that ends, or none.
    let function: *const c_void = match unsafe { c_text(name) } {
        "SystemNative_LChflagsCanSetHiddenFlag" => no as *const c_void,
        "SystemNative_GetNonCryptographicallySecureRandomBytes" => random as *const c_void,
        "SystemNative_ConvertErrorPlatformToPal" => to_portable as *const c_void,
        "SystemNative_ConvertErrorPalToPlatform" => from_portable as *const c_void,
        "SystemNative_StrErrorR" => describe as *const c_void,
        "SystemNative_Stat2" => stat as *const c_void,
        "SystemNative_LStat2" => stat_link as *const c_void,
        "SystemNative_Unlink" => unlink as *const c_void,
        _ => std::ptr::null(),
    };
    function.cast_mut()
}

unsafe extern "C" fn close(_handle: *mut c_void, _user: *mut c_void) -> *mut c_void {
    std::ptr::null_mut()
}

extern "C" fn no() -> c_int {
    DONE
}

unsafe extern "C" fn random(to: *mut u8, length: i32) {
    // SAFETY: the caller has that many bytes there.
    unsafe { fill(to, usize::try_from(length).unwrap_or_default()) }
}

/// Errors that have a name in the class library, by its numbers, and whatever else there is.
const ERRORS: [(c_int, i32); 6] = [
    (libc::EACCES, 0x1_0002),
    (libc::EEXIST, 0x1_0014),
    (libc::EINVAL, 0x1_001c),
    (libc::ENOENT, 0x1_002d),
    (libc::ENOSPC, 0x1_0034),
    (libc::ENOTDIR, 0x1_0039),
];
const OTHER: i32 = 0x1_ffff;

extern "C" fn to_portable(errno: c_int) -> i32 {
    if errno == 0 {
        return 0;
    }
    ERRORS.iter().find(|(known, _)| *known == errno).map_or(OTHER, |(_, portable)| *portable)
}

extern "C" fn from_portable(portable: i32) -> c_int {
    ERRORS.iter().find(|(_, known)| *known == portable).map_or(-1, |(errno, _)| *errno)
}

/// An error in words, which the caller has room for.
unsafe extern "C" fn describe(_errno: c_int, to: *mut u8, room: i32) -> *const u8 {
    const WORDS: &CStr = c"the process has no such thing";
    let words = WORDS.to_bytes_with_nul();
    if usize::try_from(room).is_ok_and(|room| room >= words.len()) {
        // SAFETY: the caller has `room` bytes there, and the words are no longer.
        unsafe { std::ptr::copy_nonoverlapping(words.as_ptr(), to, words.len()) };
        return to;
    }
    std::ptr::null()
}

/// What the linker has the runtime call in place of `access(2)`: the runtime does not start on a machine where it does not see
/// `/proc/self/maps`, of which it then reads nothing.
///
/// # Safety
/// The path ends.
#[expect(unreachable_pub, reason = "the linker's to reach")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __wrap_access(path: *const c_char, mode: c_int) -> c_int {
    // SAFETY: as the caller says.
    if unsafe { c_text(path) } == "/proc/self/maps" {
        return DONE;
    }
    // SAFETY: as the caller says.
    unsafe { libc::faccessat(libc::AT_FDCWD, path, mode, 0) }
}

/// What the class library wants to know of a file, in its own form (`Interop.Sys.FileStatus`).
#[repr(C)]
struct FileStatus {
    flags: i32,
    mode: i32,
    uid: u32,
    gid: u32,
    size: i64,
    /// Accessed, modified, changed and made: seconds and nanoseconds of each.
    times: [i64; 8],
    device: i64,
    inode: i64,
    user_flags: u32,
}

unsafe extern "C" fn stat(path: *const c_char, to: *mut FileStatus) -> c_int {
    // SAFETY: as the caller says.
    unsafe { stat_by(path, to, 0) }
}

unsafe extern "C" fn stat_link(path: *const c_char, to: *mut FileStatus) -> c_int {
    // SAFETY: as the caller says.
    unsafe { stat_by(path, to, libc::AT_SYMLINK_NOFOLLOW) }
}

unsafe fn stat_by(path: *const c_char, to: *mut FileStatus, flags: c_int) -> c_int {
    // SAFETY: all zeros are a value of this type, which is numbers alone.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends, and the kernel writes to the value, which lives.
    if unsafe { libc::fstatat(libc::AT_FDCWD, path, &raw mut found, flags) } != 0 {
        return -1;
    }
    let status = FileStatus {
        flags: 0,
        mode: found.st_mode.cast_signed(),
        uid: found.st_uid,
        gid: found.st_gid,
        size: found.st_size,
        times: [
            found.st_atime,
            found.st_atime_nsec,
            found.st_mtime,
            found.st_mtime_nsec,
            found.st_ctime,
            found.st_ctime_nsec,
            0,
            0,
        ],
        device: found.st_dev.cast_signed(),
        inode: found.st_ino.cast_signed(),
        user_flags: 0,
    };
    // SAFETY: the caller has room for one.
    unsafe { to.write(status) };
    DONE
}

unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the path ends.
    unsafe { libc::unlink(path) }
}
