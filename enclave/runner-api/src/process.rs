//! How the enclave starts a runner, the one descriptor and the whole environment it gets; who it then is, and how it ends.

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

/// Which wall keeps a runner apart from other processes of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A user id of its own: the enclave process is root, as in the image.
    OwnUser,
    /// A user namespace of its own, in the enclave process's user id: that is not root.
    OwnUserNamespace,
}

impl Identity {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::OwnUser => 0,
            Self::OwnUserNamespace => 1,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::OwnUser, Self::OwnUserNamespace].get(usize::from(byte)).copied()
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

impl Ending {
    pub(crate) fn to_bytes(self) -> [u8; 5] {
        let (kind, number) = match self {
            Self::Exited(status) => (0, status),
            Self::Signaled(signal) => (1, signal),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [kind, a, b, c, d]
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [kind, number @ ..] = bytes else { return None };
        let number = i32::from_be_bytes(number.try_into().ok()?);
        match kind {
            0 => Some(Self::Exited(number)),
            1 => Some(Self::Signaled(number)),
            _ => None,
        }
    }
}
