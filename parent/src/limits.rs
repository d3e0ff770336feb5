//! Every limit of the parent, in one table, each with its reason. Those named `DEFAULT_` can be set; the rest are
//! fixed. The limits of the wire are `r3e_proto::limits`.

/// Clients' connections at once: 10,000 idle ones, with as much again for those that work.
pub const DEFAULT_MAX_CONNECTIONS: usize = 20_000;
/// Connections at once from one address (IPv6: one /64): an office behind one address, not a botnet's share.
pub const DEFAULT_MAX_CONNECTIONS_PER_ADDRESS: u32 = 512;
/// New connections a second from one address, in the long run.
pub const DEFAULT_CONNECTIONS_PER_SECOND: u32 = 100;
/// New connections from one address in a burst.
pub const DEFAULT_CONNECTION_BURST: u32 = 400;
/// For a client to say anything at all. Until it does, it costs the enclave nothing.
pub const DEFAULT_FIRST_BYTE_TIMEOUT_MS: u64 = 15_000;
/// Without a byte either way: longer than the longest invocation, shorter than a forgotten laptop.
pub const DEFAULT_IDLE_TIMEOUT_MS: u64 = 300_000;
/// How long a client waits for an enclave that is starting or restarting.
pub const DEFAULT_DIAL_PATIENCE_MS: u64 = 5_000;
/// How long connections may go on after the parent was asked to stop.
pub const DEFAULT_DRAIN_TIMEOUT_MS: u64 = 10_000;
/// Egress connections at once.
pub const DEFAULT_MAX_EGRESS_CONNECTIONS: usize = 1024;
/// Egress without a byte either way.
pub const DEFAULT_EGRESS_IDLE_TIMEOUT_MS: u64 = 60_000;

/// Between two tries to reach an enclave that is not up.
pub const DIAL_RETRY_PAUSE_MS: u64 = 50;
/// Addresses whose rate is remembered. The oldest is forgotten first, and then starts with a full burst; 64 bytes each.
pub const MAX_TRACKED_ADDRESSES: usize = 65_536;
/// Read at once from one side of a connection. One buffer a thread, not a connection.
pub const RELAY_BUFFER_BYTES: usize = 32 * 1024;
/// Descriptors kept for all but connections: the store's files, the listeners, the enclave's own connections.
pub const RESERVED_DESCRIPTORS: u64 = 512;
/// Descriptors of one connection of a client's or of egress: its socket and the enclave's.
pub const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// Files of the store that are kept open: it has few, and opens them again as needed.
pub const MAX_OPEN_STORE_FILES: usize = 128;
/// The kernel's queue of the public listener; the system may hold it lower.
pub const LISTEN_BACKLOG: u32 = 4096;

/// Connections of the enclave's at once to a port that only ever needs one.
pub const MAX_CONNECTIONS_PER_SERVICE: usize = 16;
/// For the enclave to take a short answer, or to send a short request.
pub const SHORT_EXCHANGE_TIMEOUT_MS: u64 = 5_000;
/// Before a listener that failed is opened again.
pub const LISTEN_RETRY_MS: u64 = 1_000;

/// Requests of one blob connection whose answers are not yet sent.
pub const MAX_PIPELINED_REQUESTS: usize = 64;
/// The enclave's connections to the blob store at once: it needs one, and a new one while an old one ends.
pub const MAX_BLOB_CONNECTIONS: usize = 4;
/// Bytes of requests and answers that one blob connection holds at once: four of the largest frames.
pub const MAX_BLOB_BYTES_IN_FLIGHT: usize = 32 * 1024 * 1024;
/// Requests that share one fsync: as many as one connection can have waiting.
pub const MAX_GROUP_REQUESTS: usize = 64;
/// For the enclave to take a blob answer of the largest size.
pub const BLOB_ANSWER_TIMEOUT_MS: u64 = 30_000;
/// Memory for unchanged records. The enclave holds its state itself, and reads at boot.
pub const STORE_CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// For a name to be resolved.
pub const RESOLVE_TIMEOUT_MS: u64 = 5_000;
/// For one address to accept.
pub const CONNECT_TIMEOUT_MS: u64 = 5_000;
/// For the name and all its addresses.
pub const EGRESS_SETUP_TIMEOUT_MS: u64 = 15_000;
/// Addresses of one name that are tried.
pub const MAX_ADDRESSES_TRIED: usize = 8;

/// An admin request: a request line and what `curl` adds.
pub const MAX_ADMIN_REQUEST_BYTES: usize = 4096;
/// For an admin request to arrive, and for its answer to be taken.
pub const ADMIN_TIMEOUT_MS: u64 = 5_000;
/// A status answer, for the reader of one.
pub const MAX_STATUS_BYTES: u64 = 1024 * 1024;
/// A settings file: written by people.
pub const MAX_SETTINGS_BYTES: u64 = 256 * 1024;
