//! Every limit of jobs, in one table, each with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Jobs of all tenants, those that have ended and are kept among them. Each takes four records of the store's million, and two
/// more with an idempotency key: over half of the store stays for everything else.
pub const MAX_JOBS: usize = 75_000;
/// Jobs of one tenant, of all states: a third of all, so that no two tenants fill the queue for the others.
pub const MAX_JOBS_OF_ONE: usize = 25_000;
/// Of them, those that wait or are under way: at 100 a second, a hundred seconds' worth.
pub const MAX_QUEUED_OF_ONE: usize = 10_000;
/// Tenants whose ended jobs are counted since the boot: more than an appliance has.
pub const MAX_COUNTED_TENANTS: usize = 4_096;
/// Bytes of events and outcomes of one tenant's jobs. They lie at the parent, sealed; memory holds none of them.
pub const MAX_BYTES_OF_ONE: u64 = 512 * 1024 * 1024;
/// What is charged for a job besides its event and outcome: its record and its places in the index.
pub const JOB_BYTES: u64 = 2 * 1024;

/// A function's event: what an invocation takes.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// An idempotency key: a few identifiers joined.
pub const MAX_KEY_BYTES: usize = 128;
/// How long an idempotency key is kept: a day is longer than any client retries.
pub const KEY_KEPT_MS: u64 = 24 * 3_600 * 1_000;
/// A trigger's name, as its origin.
pub const MAX_TRIGGER_NAME_BYTES: usize = 128;

/// Attempts of one job: with the longest delay between them, nine hours.
pub const ATTEMPTS: RangeInclusive<u32> = 1..=10;
/// The most that is waited before the second attempt.
pub const FIRST_DELAY_MS: RangeInclusive<u64> = 10..=3_600_000;
/// The most that is waited before any attempt. After a restart no job waits longer, whatever the clock says.
pub const MAX_DELAY_MS: u64 = 3_600_000;
/// How long a job is kept once it has ended, with its event and outcome.
pub const KEEP_MS: RangeInclusive<u64> = 60_000..=7 * 24 * 3_600 * 1_000;
/// The same, where nobody says.
pub const DEFAULT_KEEP_MS: u64 = 24 * 3_600 * 1_000;
/// How long a job waits that found no room for its attempt, which is not counted. The pool has made it wait for seconds already.
pub const NO_ROOM_PAUSE_MS: u64 = 500;

/// Attempts under way at once, where the configuration does not say how many runners there are.
pub const DEFAULT_AT_ONCE: usize = 16;

/// A webhook's URL: one that people typed.
pub const MAX_URL_BYTES: usize = 2 * 1024;
/// Tries of one webhook: with the delays between them, about a quarter of an hour at the most.
pub const WEBHOOK_ATTEMPTS: u32 = 6;
/// The most that is waited before its second try; doubled for each further one, and drawn evenly from nothing to that.
pub const WEBHOOK_FIRST_DELAY_MS: u64 = 15_000;
/// The most that it is doubled to.
pub const WEBHOOK_MAX_DELAY_MS: u64 = 5 * 60_000;
/// Webhooks under way at once, of all tenants: each is a connection.
pub const WEBHOOKS_AT_ONCE: usize = 32;
/// The same of one tenant: a slow server keeps its own tenant waiting, and no other.
pub const WEBHOOKS_OF_ONE: usize = 4;
/// For each phase of a webhook's request.
pub const WEBHOOK_PHASE_TIMEOUT_MS: u64 = 10_000;
/// A webhook's answer: nothing of it is used but the status.
pub const WEBHOOK_ANSWER_BYTES: usize = 16 * 1024;

/// Jobs of one page: each is a read.
pub const MAX_PAGE: usize = 100;
/// Between two looks for jobs whose time is over.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// Jobs that one look removes, and keys: each is a commit, and what is left is found by the next look, which follows at once.
pub const SWEPT_AT_ONCE: usize = 200;
/// Before a commit that was neither confirmed nor refused is made again; doubled for each further try.
pub const FIRST_CHANGE_PAUSE: Duration = Duration::from_millis(50);
/// The most that it is doubled to.
pub const LAST_CHANGE_PAUSE: Duration = Duration::from_secs(2);
/// Interrupted attempts that are settled at once after a boot.
pub const RECOVERED_AT_ONCE: usize = 16;

/// After how long one is told to come again whose queue is full: some jobs have ended by then.
pub const FULL_RETRY_AFTER_S: u32 = 5;
/// The same, where what is kept must be removed first, which takes minutes at the least.
pub const KEPT_RETRY_AFTER_S: u32 = 60;
