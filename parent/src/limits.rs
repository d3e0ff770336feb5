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
/// How long a data folder that another process holds is waited for: longer than a child takes between `fork` and `exec`,
/// short beside a person's patience.
pub const CLAIM_PATIENCE_MS: u64 = 500;
/// The pause between two tries at it.
pub const CLAIM_RETRY_PAUSE_MS: u64 = 10;

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
/// After so many bytes, the embedded store's journal goes on in its other file: some 6,000 records of 1 KiB, which the
/// engine has to make durable first, and reads again after a crash.
pub const JOURNAL_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// How much of a file of the journal is written with zeros ahead.
pub const JOURNAL_STEP_BYTES: u64 = 1024 * 1024;
/// Between two looks at how much of the disk the store takes.
pub const DISK_LOOK_MS: u64 = 1_000;
/// Memory for unchanged records. The enclave holds its state itself, and reads at boot.
pub const STORE_CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// For a connection with the database to be made, TLS and password included.
pub const STORE_CONNECT_TIMEOUT_MS: u64 = 5_000;
/// For the database to answer: longer than it waits for a lock, so that its reason arrives. An enclave gives an answer
/// more time than both.
pub const STORE_OPERATION_TIMEOUT_MS: u64 = 8_000;
/// For the lock of the store's row: longer than a transaction that hangs is let stand.
pub const STORE_LOCK_TIMEOUT_MS: u64 = 6_000;
/// After which the database ends a transaction whose parent says nothing, and frees its lock.
pub const IDLE_TRANSACTION_TIMEOUT_MS: u64 = 4_000;
/// Before the database is connected to again; each further failure waits twice as long.
pub const STORE_RETRY_FIRST_MS: u64 = 50;
/// The longest wait before the database is connected to again.
pub const STORE_RETRY_MOST_MS: u64 = 2_000;
/// How long the lease lasts without being renewed. A shorter one costs less time when a machine dies, and more
/// takeovers when a network stutters.
pub const DEFAULT_LEASE_MS: u32 = 10_000;
/// Below this a loaded machine would lose its lease to its own delays.
pub const MIN_LEASE_MS: u32 = 1_000;

/// For a name to be resolved.
pub const RESOLVE_TIMEOUT_MS: u64 = 5_000;
/// For one address to accept.
pub const CONNECT_TIMEOUT_MS: u64 = 5_000;
/// For the name and all its addresses.
pub const EGRESS_SETUP_TIMEOUT_MS: u64 = 15_000;
/// Addresses of one name that are tried.
pub const MAX_ADDRESSES_TRIED: usize = 8;

/// For the metadata service to give a token, a role and its credentials: it is on this machine's host.
pub const IMDS_TIMEOUT_MS: u64 = 4_000;
/// How long a token of the metadata service holds: for the two requests that follow it.
pub const IMDS_TOKEN_SECONDS: u32 = 60;
/// An answer of the metadata service: credentials have some 1.5 KB.
pub const MAX_IMDS_ANSWER_BYTES: usize = 16 * 1024;
/// The head of such an answer; the least that the HTTP library can be told.
pub const MAX_IMDS_HEAD_BYTES: usize = 8 * 1024;
/// IAM's own limit on a role's name.
pub const MAX_ROLE_NAME_BYTES: usize = 64;
/// Credentials whose end is nearer are fetched anew; AWS has new ones at least five minutes before.
pub const CREDENTIALS_MARGIN_MS: u64 = 240_000;

/// An admin request: a request line and what `curl` adds.
pub const MAX_ADMIN_REQUEST_BYTES: usize = 4096;
/// For an admin request to arrive, and for its answer to be taken.
pub const ADMIN_TIMEOUT_MS: u64 = 5_000;
/// For a takeover: the database may wait for a lock first. A parent that is asked for its records begins within it.
pub const TAKEOVER_TIMEOUT_MS: u64 = 30_000;
/// A status answer, for the reader of one.
pub const MAX_STATUS_BYTES: u64 = 1024 * 1024;
/// A settings file: written by people.
pub const MAX_SETTINGS_BYTES: u64 = 256 * 1024;

/// The enclave's context id where none is asked for: the first that `nitro-cli` would take itself.
pub const DEFAULT_ENCLAVE_CID: u32 = 16;
/// Context ids below this belong to the hypervisor, this machine and the parent.
pub const MIN_ENCLAVE_CID: u32 = 4;
/// The enclave's processors: one core with two threads, the smallest that a Nitro machine with threads can give.
pub const DEFAULT_ENCLAVE_CPUS: u32 = 2;
/// The enclave's memory: the image, its unpacked files, and room for functions to run.
pub const DEFAULT_ENCLAVE_MEMORY_MIB: u64 = 2048;
/// `nitro-cli` gives an enclave at least so many times the size of its image.
pub const NITRO_MEMORY_FACTOR: u64 = 4;
/// QEMU's memory holds the image and, beside it, what is unpacked from it.
pub const QEMU_MEMORY_FACTOR: u64 = 2;
/// For the enclave to be up, from its start to its heartbeat; several times what a slow machine needs.
pub const DEFAULT_BOOT_TIMEOUT_MS: u64 = 120_000;
/// Between two looks at whether the enclave still runs.
pub const DEFAULT_WATCH_INTERVAL_MS: u64 = 5_000;
/// Before the first restart; each further one waits twice as long.
pub const DEFAULT_RESTART_FIRST_MS: u64 = 1_000;
/// The longest wait before a restart.
pub const DEFAULT_RESTART_MAX_MS: u64 = 60_000;
/// An enclave that ran for so long counts as well: the next restart waits the shortest time again.
pub const STEADY_AFTER_MS: u64 = 600_000;
/// For a start that is under way when the parent is asked to stop: an enclave that boots at all has by then.
pub const STOP_DURING_START_MS: u64 = 20_000;
/// Between two looks for the heartbeat of an enclave that boots.
pub const HEARTBEAT_LOOK_MS: u64 = 50;

/// For a successor to take the state over, from its start: to boot, to be handed over to, and to read it; and again, from then on, to
/// serve.
pub const DEFAULT_UPGRADE_TIMEOUT_MS: u64 = 300_000;
/// Commits of a successor's of which none is known to stand; it makes one before it serves, and tries it anew when it fails.
pub const MAX_UNSETTLED_COMMITS: usize = 64;
/// For the store to tell its head, where it could not tell of a commit whether it stands: as long as a database's server takes to
/// change.
pub const HEAD_LOOK_TIMEOUT_MS: u64 = 15_000;
/// Between two tries of that.
pub const HEAD_LOOK_MS: u64 = 250;
/// For the last words of a successor that has ended to arrive.
pub const LAST_WORDS_MS: u64 = 1_000;
/// Lines on an upgrade that wait for whoever ordered it: more than there are steps.
pub const MAX_WAITING_STEPS: usize = 16;
/// An order to upgrade: some paths.
pub const MAX_ORDER_BYTES: usize = 32 * 1024;
/// One line on an upgrade; the longest has what a preflight found.
pub const MAX_LINE_BYTES: u64 = 256 * 1024;
/// The record of an upgrade: PCRs and paths.
pub const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// For `nitro-cli` to describe or to terminate; it talks to a process of this machine.
pub const NITRO_CLI_TIMEOUT_MS: u64 = 30_000;
/// Kept of what a tool says on one stream: a description has some KiB for each enclave.
pub const MAX_TOOL_OUTPUT_BYTES: usize = 256 * 1024;
/// For what a tool said to arrive once it has ended: another process may hold its streams open.
pub const TOOL_GRACE_MS: u64 = 1_000;
/// Shown of what a tool said.
pub const MAX_SHOWN_CHARS: usize = 800;
/// Failed looks in a row after which the enclave's state counts as unknown.
pub const MAX_FAILED_LOOKS: u32 = 3;
/// For the process that serves QEMU's vsock to open its socket.
pub const VSOCK_DEVICE_TIMEOUT_MS: u64 = 10_000;
/// For QEMU to end after SIGTERM, before SIGKILL.
pub const CHILD_STOP_TIMEOUT_MS: u64 = 5_000;
/// Lines of a console that are kept.
pub const MAX_CONSOLE_LINES: usize = 64;
/// Of one line of a console; the rest is cut off.
pub const MAX_CONSOLE_LINE_BYTES: usize = 400;

/// A file of reference values: some hundred bytes a release.
pub const MAX_REFERENCE_VALUES_BYTES: u64 = 1024 * 1024;
/// `allocator.yaml` and the files of `/sys`: written by people or by the kernel.
pub const MAX_MACHINE_FILE_BYTES: u64 = 64 * 1024;
/// The path of a unix socket (`unix(7)`: 108 bytes with the NUL), less the `_5003` behind it.
pub const MAX_SOCKET_PATH_BYTES: usize = 107 - 5;
/// Room on the blob store's disk below which no more is promised: the engine's journal needs 64 MiB.
pub const MIN_DISK_FREE_MIB: u64 = 128;
/// Room on the blob store's disk below which it is time to act.
pub const LOW_DISK_FREE_MIB: u64 = 1024;
/// For the enclave to take a connection that a status tries.
pub const STATUS_DIAL_TIMEOUT_MS: u64 = 2_000;
