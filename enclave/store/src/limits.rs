//! Every limit of the store, in one table, each with its reason.

use std::time::Duration;

use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_COMMIT_RECORDS, MAX_HOST_FRAME_BYTES};

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

/// Writes in one commit: what the parent takes in one, less what the store adds of its own (a tail record, a page of a
/// checkpoint, some sweeping).
pub const MAX_BATCH_WRITES: usize = MAX_COMMIT_RECORDS - 16;
/// Sealed bytes of records in one commit: one frame to the parent, less 256 KiB for the framing of the most records,
/// 1 MiB for the tail record of the most records with the longest keys, and 256 KiB for a page and the head.
pub const MAX_COMMIT_BYTES: usize = MAX_HOST_FRAME_BYTES - (256 + 1024 + 256) * 1024;

/// How far beyond the chain's anchor, and the state itself, an order may give numbers up: for anchors that were signed and not brought yet.
pub const MAX_GIVEN_UP: u64 = 1 << 32;

/// One page of a checkpoint, before the seal: some 600 records, sealed in less time than an fsync takes, so that a
/// writer whose commit carries a page does not notice.
pub const PAGE_BYTES: usize = 64 * 1024;
/// The tail's commits and changes before a checkpoint is worth while: a boot reads so many in some 50 ms.
pub const MIN_TAIL: u64 = 4096;
/// Beyond that, a checkpoint is written when the tail has this part of the records' count: then a boot reads at most
/// half as much again as the records' index, and a checkpoint costs at most twice the bytes of the tail it replaces.
pub const TAIL_PART: u64 = 2;
/// Names that are swept in one commit at most: 16 KiB of names.
pub const MAX_SWEPT: usize = 512;

/// Sealings under one epoch before a new one begins by itself: what NIST SP 800-38D section 8.3 allows one key with
/// random nonces. Each sealing has a key of its own here, so nothing breaks beyond; it bounds what one epoch's key
/// opens, and re-sealing the largest store for it is one sealing in four thousand.
pub const MAX_SEALINGS: u64 = 1 << 32;
/// Records that are re-sealed in one commit.
pub const MAX_RESEALED: usize = 64;
/// Bytes of values that are re-sealed in one commit, unless one value alone is larger.
pub const MAX_RESEALED_BYTES: usize = 1024 * 1024;
/// Records that are looked at for re-sealing under one lock: some 100 us.
pub const MAX_LOOKED_AT: usize = 4096;

/// Reads of an audit that are on their way at once: half of what the connection carries, so that others get through.
pub const MAX_AUDIT_READS: usize = 16;

/// Siblings in a proof: one for each bit of a name.
pub const MAX_PROOF_SIBLINGS: usize = 256;
/// A proof's encoding: the most siblings, a name and a digest, with their heads.
pub const MAX_PROOF_BYTES: usize = (MAX_PROOF_SIBLINGS + 2) * 34 + 16;
/// Batches that wait for the committer: what arrives in a second of a slow disk.
pub const MAX_QUEUED_BATCHES: usize = 4096;
/// Bytes of values that wait for the committer.
pub const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// How long a writer waits for its commit before it is told that the parent is unavailable.
pub const COMMIT_DEADLINE_MS: u64 = 15_000;
/// Batches that must wait, at least, before the next commit is built while one is under way: fewer are better off with
/// what comes until that one stands.
pub const MIN_AHEAD: usize = 4;
/// The next commit is built ahead once this part of the batches of the one under way waits again: two commits that take
/// turns then stay of a size.
pub const AHEAD_PART: usize = 4;
/// How long the witness is left alone where nothing is committed, before it is asked to confirm the head that stands: three
/// times within [`MAX_STALE_MS`], a round among slow peers included.
pub const WITNESS_WATCH_MS: u64 = 15_000;
/// How long after the witness confirmed last what stands is still read, unless the options say otherwise. Whoever keeps the
/// witness away can have another enclave go on from the same state, and this one answer from what is past: for so long.
/// Longer than a handoff, in which the witness is left to the successor.
pub const MAX_STALE_MS: u64 = 60_000;
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
/// Writes of one change that is carried through, before it is left to the next boot.
pub const MAX_CHANGE_TRIES: usize = 20;
/// Before such a change is written again.
pub const CHANGE_PAUSE: Duration = Duration::from_millis(500);
