//! Every limit of the tool, in one table, each with its reason.

use std::time::Duration;

/// Before a job that was not found to have ended is asked for again; doubled each time.
pub(crate) const FIRST_JOB_POLL: Duration = Duration::from_millis(100);
/// The most that it is doubled to.
pub(crate) const LAST_JOB_POLL: Duration = Duration::from_secs(5);
/// Jobs that one command lists.
pub(crate) const MAX_LISTED_JOBS: usize = 10_000;

/// A profile file: an owner's notes, read by people.
pub(crate) const MAX_PROFILE_FILE_BYTES: u64 = 256 * 1024;
/// Reference values and root certificates: the verifier's own limit on the former.
pub(crate) const MAX_POLICY_FILE_BYTES: u64 = 1024 * 1024;
/// The file of known configurations, and the appliances it names: more than anybody looks after by hand.
pub(crate) const MAX_KNOWN_FILE_BYTES: u64 = 1024 * 1024;
pub(crate) const MAX_KNOWN_CONFIGURATIONS: usize = 2_000;
/// What `r3e enclave attest --json` prints: 32 registers and a dozen fields.
pub(crate) const MAX_ATTESTED_FILE_BYTES: u64 = 64 * 1024;
/// A secret's value: what the appliance takes.
pub(crate) const MAX_SECRET_BYTES: u64 = 64 * 1024;
/// An invocation's event: what the appliance takes.
pub(crate) const MAX_EVENT_BYTES: u64 = 1024 * 1024;
/// An imported key's file, and its password: what the appliance takes.
pub(crate) const MAX_IMPORT_BYTES: u64 = 32 * 1024;
pub(crate) const MAX_PASSWORD_BYTES: u64 = 1024;
/// A wallet's policy, payload or approval as JSON: the largest, a payload, as the appliance takes it.
pub(crate) const MAX_WALLET_JSON_BYTES: u64 = 384 * 1024;
/// A signed answer: a body of 256 KiB, of which JSON makes six times as much at the worst, and a document.
pub(crate) const MAX_ANSWER_FILE_BYTES: u64 = 2 * 1024 * 1024;
/// A verification key, the longest of what verifying takes: `r3e_groth16::MAX_KEY_BYTES`.
pub(crate) const MAX_GROTH16_FILE_BYTES: u64 = 2 * 1024 * 1024;
/// A proving key: that of the largest circuit with the most coefficients has 3.9 GB.
pub(crate) const MAX_ZKEY_FILE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// A circuit: a few terms in each of the most constraints.
pub(crate) const MAX_R1CS_FILE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// A witness: 32 bytes for each of the most wires, and a header.
pub(crate) const MAX_WTNS_FILE_BYTES: u64 = 129 * 1024 * 1024;
/// A range proof of 16 numbers as JSON: 5 KiB, a context of whose bytes JSON makes six each, and blanks.
pub(crate) const MAX_PROOF_FILE_BYTES: u64 = 32 * 1024;
/// A feed's definition: what the appliance takes.
pub(crate) const MAX_FEED_FILE_BYTES: u64 = 64 * 1024;
/// A call's data in hexadecimal digits: what the appliance takes of it.
pub(crate) const MAX_CALL_FILE_BYTES: u64 = 128 * 1024;

/// Scrapers of `r3e metrics --listen` that are connected at once: a Prometheus or two, and whoever looks by hand.
pub(crate) const MAX_SCRAPERS: usize = 16;
/// The head of a scrape: Prometheus sends some hundred bytes; hyper takes no smaller bound.
pub(crate) const MAX_SCRAPE_HEAD_BYTES: usize = 8 * 1024;
/// From a connection's last answer, or its start, to the end of the next head: longer than the usual minute between two scrapes, so
/// that a scraper keeps its connection.
pub(crate) const SCRAPE_HEAD_TIMEOUT: Duration = Duration::from_mins(2);
/// How long one scraper keeps a connection: one that takes no answer holds its place no longer, and others open another.
pub(crate) const SCRAPER_LIFETIME: Duration = Duration::from_mins(15);
/// For the metrics of one scrape, a new channel included: longer than Prometheus waits by default.
pub(crate) const SCRAPE_TIMEOUT: Duration = Duration::from_secs(30);
/// After a connection that could not be taken.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
