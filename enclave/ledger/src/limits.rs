//! Every limit of metering and billing, in one table, each with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Between two writes of what was used. A crash loses at most so much, and what came while that write was under way.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Invocations after which it is written at once: with the interval, the most that a crash loses of a busy appliance.
pub const FLUSH_INVOCATIONS: u64 = 20_000;
/// Invocations that may be unwritten while the store does not answer. Beyond it none is admitted: what a crash can lose stays
/// bounded.
pub const MAX_UNWRITTEN_INVOCATIONS: u64 = 100_000;
/// How old the oldest of them may be: longer than a handoff takes, in which nothing can be written.
pub const MAX_UNWRITTEN_AGE: Duration = Duration::from_mins(2);
/// Tenants whose usage is written in one commit: with 256 functions each, in two months, these are some 3 MiB of the 6 that a
/// commit takes.
pub const TENANTS_AT_ONCE: usize = 16;
/// Jobs that wait for the writer: more than requests can be under way.
pub const MAX_QUEUED_JOBS: usize = 16_384;
/// Jobs of one commit, each of which may be of another tenant.
pub const JOBS_AT_ONCE: usize = 64;
/// How long a job's caller waits for its commit: as long as the store itself lets a writer wait.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// Before a commit that the store did not take, or did not confirm, is tried again.
pub const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// What was used is posted as an entry when it is this old: 24 entries a day of a tenant that never rests.
pub const POST_INTERVAL_MS: u64 = 3_600_000;
/// Set aside for invocations at once, in multiples of what is needed now, so that few of them wait for a commit;
pub const BLOCK_TIMES: u128 = 64;
/// and this part of what is available, if that is more.
pub const BLOCK_PART: u128 = 8;
/// Plans and months of one tenant's that are not closed, since something that was admitted under them still runs. Invocations
/// end within minutes, so that only an operator who changes plans in a loop meets this.
pub const MAX_OPEN_PERIODS: usize = 8;

/// Functions of one tenant that are told apart in a month; what others use is counted under `*`. Whoever deploys under ever new
/// names does not fill the store.
pub const MAX_METERED_NAMES: usize = 256;
/// Months of usage that are kept.
pub const USAGE_MONTHS: u16 = 24;
/// Entries of one record: it is written whole for each one that is added, 10 KiB when it is full.
pub const PAGE_ENTRIES: u64 = 32;

/// Between two looks at what is kept in storage.
pub const STORAGE_INTERVAL: Duration = Duration::from_mins(5);

/// A currency's name.
pub const MAX_CURRENCY_BYTES: usize = 16;
/// Decimals of a currency: more have no use, and 30 are all digits of the largest amount.
pub const MAX_DECIMALS: u8 = 18;
/// Plans of one configuration: people choose among them.
pub const MAX_PLANS: usize = 32;
/// The price of a million of anything: a whole unit of a currency with 18 decimals, and as much as TOML's integers hold.
pub const MAX_PRICE: u64 = 1_000_000_000_000_000_000;
/// Months that a reserved plan is paid for at once.
pub const TERM_MONTHS: RangeInclusive<u16> = 1..=36;
