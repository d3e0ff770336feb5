//! Every limit of the client, in one table, each with its reason. The wire's own limits are `r3e_proto::limits`.

/// A TCP connection: longer than three SYN retransmissions (RFC 6298: 1 + 2 + 4 s).
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// The TLS handshake: two flights and one signature.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;
/// From the nonce to the last byte of Evidence: a full queue at the attestation device drains in less.
pub const EVIDENCE_TIMEOUT_MS: u64 = 15_000;
/// One request that neither runs a tenant's code nor compiles it.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;
/// One invocation: the minute that a function may run, and its wait for a runner. Or a deployment, whose code is compiled and loaded.
pub const INVOCATION_TIMEOUT_MS: u64 = 120_000;

/// How long a request is made again while the appliance cannot be reached or hands over: longer than a handover takes.
pub const RECONNECT_PATIENCE_MS: u64 = 30_000;
/// Between two tries.
pub const RECONNECT_PAUSE_MS: u64 = 100;

/// One answer's body: logs are the largest, and the appliance keeps less of them than this.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
/// An answer's head: a status line and a handful of fields.
pub const MAX_RESPONSE_HEAD_BYTES: usize = 16 * 1024;
/// What is kept of an error's message.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024;

/// Clocks of well-kept machines differ by less; the hypervisor's own is good to milliseconds.
pub const CLOCK_SKEW_MS: u64 = 60_000;
/// A session's document is made after its nonce was sent, so it is as old as the answer took.
pub const MAX_AGE_MS: u64 = 5 * 60_000;
/// The document of the report key may be older: the appliance makes one every few minutes and hands it to all.
pub const REPORT_KEY_MAX_AGE_MS: u64 = 60 * 60_000;

/// A PEM key file: one Ed25519 key is under 200 bytes, comments of other tools included.
pub const MAX_KEY_FILE_BYTES: u64 = 16 * 1024;
/// A sequence file: one decimal number.
pub const MAX_SEQUENCE_FILE_BYTES: u64 = 64;

/// A function's manifest: an author's notes, read by people.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
/// Modules of one function, and their bytes: what the appliance takes.
pub const MAX_PROJECT_MODULES: usize = 256;
/// See [`MAX_PROJECT_MODULES`].
pub const MAX_PROJECT_BYTES: usize = 1024 * 1024;
/// A module of WebAssembly, or a component, which is all of a function: what the appliance takes.
pub const MAX_WASM_BYTES: usize = 6 * 1024 * 1024;
/// Files and folders that are looked through, those that are passed over not counted further.
pub const MAX_PROJECT_ENTRIES: usize = 10_000;
/// Folders in each other: what a module's path can name.
pub const MAX_PROJECT_DEPTH: usize = 16;
/// A zip of a function: its modules, and as much again of other files.
pub const MAX_ZIP_BYTES: u64 = 12 * 1024 * 1024;
