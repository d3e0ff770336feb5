//! Every limit of triggers, in one table, each with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Triggers of all tenants: each takes three records of the store's million, and is looked at whenever one of them is due.
pub const MAX_TRIGGERS: usize = 5_000;
/// Triggers of one tenant: they are reviewed by people, and an event goes to all of a topic's.
pub const MAX_TRIGGERS_OF_ONE: usize = 64;
/// Of them, those that one function made: what else makes triggers shall find room.
pub const MAX_MADE_BY_ONE: usize = 16;
/// The last times that a trigger fired which are kept: its record is written with each.
pub const MAX_HISTORY: usize = 20;
/// Why it did not, as it is kept.
pub const MAX_REASON_CHARS: usize = 200;

/// A schedule's text: six fields, some of them lists.
pub const MAX_SCHEDULE_BYTES: usize = 128;
/// A time zone's name; the longest has 32.
pub const MAX_ZONE_BYTES: usize = 64;
/// Between two ticks: each is a commit and a job.
pub const MIN_PERIOD_MS: u64 = 5_000;
/// Ticks that are looked at for the shortest time between two: more than a minute has of the shortest there are.
pub const PERIODS_LOOKED_AT: usize = 64;
/// The most that a tick may be put off; also at most half of the shortest time between two.
pub const MAX_JITTER_MS: u64 = 3_600_000;
/// How late a tick may fire that is not to be made up for: longer than an appliance's restart, or its parent's.
pub const LATE_MS: u64 = 60_000;
/// Triggers that fire at once: each waits for a commit, which they share.
pub const FIRING_AT_ONCE: usize = 64;
/// The longest between two looks at the clock: it is set anew meanwhile.
pub const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// After a tick that could not be queued, before it is tried again.
pub const RETRY_MS: u64 = 1_000;
/// Times that the pause is doubled which comes before a chain is tried again: to a minute or so.
pub const MAX_DOUBLINGS: u32 = 6;
/// Triggers by chains of one tenant: each asks the operator's nodes, again and again.
pub const MAX_CHAINS_OF_ONE: usize = 16;
/// Triggers by chains of all tenants.
pub const MAX_CHAINS: usize = 1_000;
/// Stretches of chains that one tenant's triggers may read in a minute where they lag behind: each is some dozens of questions to each node.
pub const STRETCHES_PER_MINUTE_OF_ONE: u32 = 120;
/// Chains that are looked at at once: each look may hold a stretch, some 512 KiB, until all of it is queued.
pub const LOOKS_AT_ONCE: usize = 128;
/// Of them, those of one tenant's triggers.
pub const LOOKS_OF_ONE: usize = 2;
/// For how long is it only remembered in memory that nothing fired on a chain: so much is read again after a crash, at the most.
pub const KEEP_CURSOR_AFTER: Duration = Duration::from_mins(1);

/// A bound of a price, as text: a sign, a point, and more digits than it may have.
pub const MAX_PRICE_BYTES: usize = 64;
/// Its places behind the point: twice those of a feed's answers. What is compared stays within 320 bits by it.
pub const MAX_PLACES: u32 = 36;
/// A change of a price: from a hundredth of a percent to a hundred times the price, which is more than any that a person asks for.
pub const CHANGE_BPS: RangeInclusive<u32> = 1..=1_000_000;
/// Triggers whose feeds' reports are judged at once: each may hold a page of reports, and wait for a commit.
pub const JUDGING_AT_ONCE: usize = 64;
/// Reports for which it is only remembered in memory that none fired: so many are judged again after a crash, at the most, and one page more.
/// Far fewer than a feed keeps.
pub const KEEP_JUDGED_AFTER: u64 = 128;

/// Records that are read at once when the appliance boots.
pub const READ_AT_ONCE: usize = 16;

/// A request's body, and an event's data.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// A public route's header fields that the event has.
pub const MAX_HEADERS: usize = 16;
/// The name of one.
pub const MAX_HEADER_NAME_BYTES: usize = 64;
/// The value of one that is passed on, or that has a signature.
pub const MAX_HEADER_VALUE_BYTES: usize = 4 * 1024;
/// A request's query.
pub const MAX_QUERY_BYTES: usize = 4 * 1024;
/// Requests that a public route may take in a minute.
pub const PER_MINUTE: RangeInclusive<u32> = 1..=6_000;
/// Times that one tenant's triggers of all kinds but schedules are evaluated in a minute: an event counts once for each trigger
/// of its topic. A filter may take milliseconds that nobody pays for.
pub const PER_MINUTE_OF_ONE: u32 = 6_000;
/// Requests that are looked at for each that may be taken: whoever guesses keys or signatures is slowed down by it.
pub const TRIES_FOR_EACH: u32 = 10;
/// How long a request waits for its job's result: about as long as services wait for an answer to a webhook.
pub const RESULT_PATIENCE: Duration = Duration::from_secs(10);
/// Before the first look whether the job has ended; doubled for each further one.
pub const FIRST_RESULT_PAUSE: Duration = Duration::from_millis(4);
/// The most that it is doubled to.
pub const LAST_RESULT_PAUSE: Duration = Duration::from_millis(100);
/// How far a signature's time may be from the appliance's: far below the day for which a message is known again.
pub const TOLERANCE_S: RangeInclusive<u32> = 1..=3_600;
/// Signatures of one message: those of keys that are being replaced.
pub const MAX_SIGNATURES: usize = 8;
/// A message's id.
pub const MAX_MESSAGE_ID_BYTES: usize = 256;

/// An expression's source.
pub const MAX_SOURCE_BYTES: usize = 2 * 1024;
/// How deep its nodes may stand in each other: reading and evaluating it recurse so far.
pub const MAX_DEPTH: usize = 48;
/// Steps of one evaluation: some milliseconds.
pub const MAX_STEPS: usize = 20_000;
/// Bytes of text that one evaluation makes.
pub const MAX_MADE_BYTES: usize = 1024 * 1024;
/// Bytes that are compared or searched for one step.
pub const BYTES_OF_A_STEP: usize = 64;

/// Times that a trigger meets a change of its record before it gives up.
pub const MAX_RACES: usize = 4;
