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
/// A function's source: what the appliance takes.
pub(crate) const MAX_SOURCE_BYTES: u64 = 1024 * 1024;
/// An invocation's event: what the appliance takes.
pub(crate) const MAX_EVENT_BYTES: u64 = 1024 * 1024;
/// An imported key's file, and its password: what the appliance takes.
pub(crate) const MAX_IMPORT_BYTES: u64 = 32 * 1024;
pub(crate) const MAX_PASSWORD_BYTES: u64 = 1024;
/// A wallet's policy, payload or approval as JSON: the largest, a payload, as the appliance takes it.
pub(crate) const MAX_WALLET_JSON_BYTES: u64 = 384 * 1024;
/// A feed's definition: what the appliance takes.
pub(crate) const MAX_FEED_FILE_BYTES: u64 = 64 * 1024;
/// A call's data in hexadecimal digits: what the appliance takes of it.
pub(crate) const MAX_CALL_FILE_BYTES: u64 = 128 * 1024;
