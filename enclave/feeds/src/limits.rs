//! Every limit of feeds, in one table, each with its reason. Those of definitions, answers and rounds stand in `r3e_oracle::limits`.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Feeds of all tenants: each takes some 36 records of the store's million, and a commit a second at the most.
pub const MAX_FEEDS: usize = 1_024;
/// Feeds of one tenant.
pub const MAX_FEEDS_OF_ONE: usize = 256;
/// Names that one tenant's feeds ever published under: what is remembered of a deleted one is its last sequence, for ever.
pub const MAX_NAMES_OF_ONE: usize = 512;
/// Contracts that one feed's reports are signed for: each is a signature for each report.
pub const MAX_TARGETS: usize = 8;
/// Between two rounds: venues limit how often they are asked, and each round may be a commit.
pub const INTERVAL_MS: RangeInclusive<u64> = 1_000..=3_600_000;
/// How long a round waits for its slowest source: a TLS connection around the world, and some times that.
pub const TIMEOUT_MS: RangeInclusive<u64> = 500..=10_000;

/// Fetches at once: half of the connections that a way out has, and with the largest answers 128 MiB.
pub const FETCHES_AT_ONCE: usize = 128;
/// Of them, those that one tenant's feeds began: under a third, so that venues of its which say nothing leave room for others'.
pub const FETCHES_OF_ONE: usize = 40;
/// An answer that is read where others wait: a longer one, some milliseconds' work, is read aside.
pub const READ_HERE_BYTES: usize = 64 * 1024;

/// How long reports that are brought to contracts are valid: there must be time for a block, and the contract takes no more than a week.
pub const PUBLISHED_VALIDITY_MS: RangeInclusive<u64> = 60_000..=7 * 24 * 3_600_000;
/// The gas of a transaction that brings one: what any takes, and what one may (EIP-7825).
pub const PUBLISHED_GAS: RangeInclusive<u64> = 21_000..=1 << 24;

/// Reports of one page of a feed's history: a page is written whole with each report, 4 KiB when it is full.
pub const PAGE_REPORTS: u64 = 32;
/// Pages of its ring. All but one are full, so at least 1,024 reports are kept.
pub const PAGES: u64 = 33;
/// Reports that one answer gives of it.
pub const MAX_HISTORY_PAGE: usize = 128;
/// How long one request may wait for the next report: less than what stands between closes a silent connection after.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// Requests that wait so, of one tenant's: each holds a connection.
pub const WAITING_OF_ONE: usize = 64;

/// The longest between two looks at the clock: it is set anew meanwhile.
pub const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// Records that are read at once when the appliance boots.
pub const READ_AT_ONCE: usize = 16;
