//! Every limit of the transport, in one table, each with its reason.

/// A dial, all of it: connecting and the `CONNECT` exchange. A vsock port without a listener may never answer.
pub const DIAL_TIMEOUT_MS: u64 = 5_000;
/// Between two tries of a dial that met a full backlog: a burst of dials drains in a few of these.
pub const DIAL_RETRY_MS: u64 = 5;
/// `CONNECT 4294967295\n` is 19 bytes, `OK 4294967295\n` 14.
pub const MAX_LINE_BYTES: usize = 20;
/// For the whole `CONNECT` line to arrive, and for a listener to take the connection.
pub const LINE_TIMEOUT_MS: u64 = 5_000;
/// Connections whose `CONNECT` line is still awaited, over all ports of one socket.
pub const MAX_PENDING_LINES: usize = 1024;
/// Connections accepted for a port that its listener has not yet taken.
pub const MAX_PENDING_ACCEPTS: usize = 256;
/// The kernel's queue of a unix listener; the system may hold it lower.
pub const LISTEN_BACKLOG: u32 = 4096;
/// The most of one write to a vsock, which becomes one packet. Linux since 2025 lays a packet over 32 KiB out in
/// several pieces of memory, and there are devices that take a packet's data from the first alone and drop what has more.
pub const MAX_VSOCK_WRITE_BYTES: usize = 28 * 1024;
/// Before the next `accept` when descriptors or memory have run out: time for some connection to end.
pub const ACCEPT_PAUSE_MS: u64 = 50;
/// The most of a frame's body that is reserved before any of it has arrived.
pub const FRAME_STEP_BYTES: usize = 64 * 1024;
