//! How the enclave starts a runner: the one descriptor and the whole environment it gets.

/// The descriptor that is the runner's end of the socket pair: standard input.
pub const SOCKET_FD: i32 = 0;

/// The whole environment of a runner; it refuses to start with any other.
///
/// The engine below the runtime reads variables with these prefixes to switch debugging, tracing and
/// caching on, so nothing may be inherited.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    // Local time without reading a time zone file, which the sandbox does not have.
    ("TZ", "UTC"),
    // The engine must not install WebAssembly: its memory escapes the heap limit.
    ("QJS_NO_WASM", "1"),
    // The engine must not keep compiled code in files.
    ("V82JSC_NO_BC_CACHE", "1"),
];

/// Exit status of a runner that was not started as it must be: another environment, or no socket.
pub const EXIT_INHERITED: u8 = 10;

/// Exit status of a runner that could not get memory outside the engine's heap. It says no more than any other
/// status does: a function that has broken out of the engine can choose its own.
pub const EXIT_OUT_OF_MEMORY: i32 = 50;
