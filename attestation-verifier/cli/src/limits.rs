//! Every limit of this tool, with its reason.

/// Evidence as a file: a document of 16 KiB in hex, with room for white space.
pub(crate) const MAX_EVIDENCE_FILE_BYTES: u64 = 64 * 1024;

/// A signed observation: a body of 256 KiB, of which JSON makes six times as much at the worst, and a document.
pub(crate) const MAX_DATA_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// Files of the verifier's own: reference values, a test root. The library's limits are tighter.
pub(crate) const MAX_POLICY_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// Difference between the clocks that is tolerated unless told otherwise: a machine that keeps time by NTP is
/// far closer.
pub(crate) const DEFAULT_CLOCK_SKEW_SECS: u64 = 60;
/// Signatures of a report or a batch: as many as a feed has targets. Each costs the recovery of a key.
pub(crate) const MAX_SIGNATURES: usize = 8;
/// A batch of reports with their proofs, and a document.
pub(crate) const MAX_BATCH_FILE_BYTES: u64 = 4 * 1024 * 1024;
