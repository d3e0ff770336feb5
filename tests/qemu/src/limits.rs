//! Limits of the harness, each with its reason.

use std::time::Duration;

/// For the vsock process to make its socket; it does so in milliseconds, but not on a machine that builds something
/// at the same time.
pub const VSOCK_READY_TIMEOUT: Duration = Duration::from_secs(30);

/// How often something is looked at that tells nobody when it changes: a socket's file, a log, a process.
pub const POLL: Duration = Duration::from_millis(10);

/// Memory of a machine by default: enough for the image with several runners in it, and for compiling a function.
pub const DEFAULT_MEMORY_MIB: u32 = 1024;

/// Processors by default: more than one, so that what races on hardware can race here.
pub const DEFAULT_PROCESSORS: u32 = 2;

/// The machine's CID by default. Each machine has a vsock process of its own, so that no two of them meet.
pub const DEFAULT_GUEST_CID: u32 = 16;

/// Longest path of a unix socket (`unix(7)`), without the ending zero.
pub const MAX_SOCKET_PATH_BYTES: usize = 107;

/// Room in a socket's path for the ending that names a port of the parent: an underscore and a number of 32 bits.
pub const PORT_ENDING_BYTES: usize = 11;
