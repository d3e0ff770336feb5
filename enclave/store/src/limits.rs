//! Every limit of the store, in one table, each with its reason.

use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_HOST_FRAME_BYTES};

/// A namespace's label: a word of our own.
pub const MAX_LABEL_BYTES: usize = 32;
/// A tenant's identifier: twice a SHA-256 in hexadecimal, to be sure.
pub const MAX_TENANT_BYTES: usize = 128;
/// A record's key: the longest name a function may give.
pub const MAX_KEY_BYTES: usize = 512;
/// A record's value: what fits the parent's limit for a blob after the seal, the namespace and the key.
pub const MAX_VALUE_BYTES: usize = MAX_BLOB_BYTES - 1024;

/// Records in the whole store: the index and the trie of so many take about half a gigabyte.
pub const MAX_RECORDS: usize = 1_000_000;
/// Epochs whose records can still be read: each costs one key in memory.
pub const MAX_EPOCHS: u32 = 16;

/// Sealed bytes in one commit: one frame to the parent, less a quarter of a mebibyte for the framing of the most
/// records.
pub const MAX_COMMIT_BYTES: usize = MAX_HOST_FRAME_BYTES - 256 * 1024;
/// Batches that wait for the committer: what arrives in a second of a slow disk.
pub const MAX_QUEUED_BATCHES: usize = 4096;
/// Bytes of values that wait for the committer.
pub const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// How long a writer waits for its commit before it is told that the parent is unavailable.
pub const COMMIT_DEADLINE_MS: u64 = 15_000;
/// Names that one `scan` returns.
pub const MAX_SCAN: usize = 1000;

/// Plaintext kept in memory for reads.
pub const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// What a cached record costs besides its bytes: the entry and its place in the order of use.
pub const CACHE_ENTRY_BYTES: usize = 256;
/// A read meets a commit of the same record this often before it gives up: each time is one more write to it.
pub const MAX_READ_RETRIES: usize = 16;

/// Boot reads everything again when the head moved meanwhile: a commit of the boot before may still be on its way.
pub const MAX_BOOT_ATTEMPTS: usize = 5;
/// Tries of one commit at boot, before the caller is told that the parent is unavailable.
pub const MAX_BOOT_COMMIT_TRIES: usize = 5;

/// Requests on the connection to the parent that have no answer yet.
pub const MAX_IN_FLIGHT: usize = 32;
/// Requests that wait for a place on that connection.
pub const MAX_WAITING_REQUESTS: usize = 1024;
/// One request to the parent, from the moment it is asked for to its answer: a slow disk's fsync, many times over.
pub const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// Before the first try to reconnect to the parent.
pub const BACKOFF_FIRST_MS: u64 = 20;
/// The longest pause between two tries to reconnect: a restarted parent is found within this time.
pub const BACKOFF_MOST_MS: u64 = 1_000;
