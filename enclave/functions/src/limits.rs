//! Every limit of deploying and running functions, in one table, each with its reason. Those of a single runner
//! process stand in `r3e-runner-api`.

use std::ops::RangeInclusive;

/// A function's source: a bundle beyond it parses for tens of milliseconds.
pub const MAX_SOURCE_BYTES: usize = 1024 * 1024;
/// The same of a module of WebAssembly, or a component, in base64: 6 MiB of it, which compile in ten seconds.
pub const MAX_WASM_SOURCE_BYTES: usize = (6 * 1024 * 1024_usize).div_ceil(3) * 4;
/// What is kept of one version's code in WebAssembly: what was deployed, and what it compiles to. In other languages, what one record
/// holds.
pub const MAX_CODE_BYTES: usize = 18 * 1024 * 1024;
/// Codes in parts that were joined for the latest events.
pub const MAX_JOINED_BYTES: usize = 48 * 1024 * 1024;
/// Codes that are being joined: each of them is held twice meanwhile.
pub const MAX_JOINED_AT_ONCE: usize = 2;
/// Modules of one function, which share [`MAX_SOURCE_BYTES`]: beyond it they are better bundled by their author.
pub const MAX_MODULES: usize = 256;
/// Deployments whose modules are compiled at once: each takes a core and some hundred MiB for a moment.
pub const MAX_BUNDLES_AT_ONCE: usize = 2;
/// Of them, those of WebAssembly of more than 1 MiB in base64, which take longer.
pub const MAX_LONG_BUNDLES_AT_ONCE: usize = 1;
/// Deployments that wait for that: each holds its modules.
pub const MAX_BUNDLES_WAITING: usize = 64;
/// Of them, those of one tenant, of which one is compiled at a time.
pub const MAX_BUNDLES_WAITING_OF_ONE: usize = 8;
/// How long a deployment waits for its turn.
pub const MAX_BUNDLE_WAIT_MS: u64 = 15_000;
/// How long compiling one function may take, unless the appliance is configured otherwise; the largest honest ones take two seconds of
/// a processor, but for WebAssembly.
pub const BUNDLE_TIMEOUT_MS: u64 = 10_000;
/// For each MiB of WebAssembly in base64 beyond the first, begun or whole, so much longer, in percent: it takes a processor some 1.2 seconds.
pub const BUNDLE_TIMEOUT_PERCENT_PER_MIB: u64 = 50;
/// But no longer than this, unless the appliance is configured so: a client waits for it.
pub const MAX_BUNDLE_TIMEOUT_MS: u64 = 60_000;
/// Functions of one tenant.
pub const MAX_FUNCTIONS: usize = 100;
/// Versions of one function that are kept: enough to go back by, and few enough to look through.
pub const MAX_VERSIONS: usize = 16;
/// Bytes of code of one function's versions, as it was deployed: four of the largest.
pub const MAX_VERSIONS_BYTES: u64 = 32 * 1024 * 1024;
/// Versions of all functions of one tenant: on average four of each.
pub const MAX_VERSIONS_OF_TENANT: usize = 400;
/// Bytes of code of all versions of one tenant.
pub const MAX_VERSIONS_OF_TENANT_BYTES: u64 = 64 * 1024 * 1024;
/// Aliases of one function: stages of a pipeline.
pub const MAX_ALIASES: usize = 16;
/// Moves of one alias that are remembered: what a rollback can go back through, and an auditor reads.
pub const MAX_ALIAS_MOVES: usize = 32;
/// Functions whose records are kept parsed, those invoked last.
pub const MAX_PARSED_RECORDS: usize = 1_024;
/// A record that is kept parsed: usual ones have a few KiB, so that all of them stay under some MiB; a longer one is parsed for
/// each event.
pub const MAX_PARSED_RECORD_BYTES: usize = 32 * 1024;
/// Secrets that one function may read: it is reviewed by people.
pub const MAX_SECRET_GRANTS: usize = 64;
/// Secrets that one invocation asks for without naming them in its manifest, and that are logged: an honest mistake makes few,
/// and more would only push older entries out of the log. All are refused.
pub const MAX_UNDECLARED_LOGGED: usize = 8;
/// Secrets that one invocation sets: each is a version for good, and an entry of the log.
pub const MAX_SECRETS_SET: u32 = 4;
/// Triggers that one invocation makes or deletes: each is a commit.
pub const MAX_TRIGGERS_CHANGED: u32 = 8;
/// What a function says of a trigger, as JSON text: an expression or two at the most.
pub const MAX_TRIGGER_BYTES: usize = 8 * 1024;
/// Topics that one function may publish events of: they are reviewed by people.
pub const MAX_TOPIC_GRANTS: usize = 32;
/// Events that one invocation publishes: each is a commit for each trigger of its topic.
pub const MAX_PUBLISHED: u32 = 16;
/// Events that may cause one another, each by a function that ran because of the one before.
pub const MAX_HOPS: u32 = 8;
/// Networks that one function may read: as many as an appliance has nodes of.
pub const MAX_NETWORK_GRANTS: usize = 16;
/// Calls of contracts that one invocation reads: each is a question to all of a network's nodes.
pub const MAX_CHAIN_READS: u32 = 64;
/// Transactions that one invocation asks for: each is a commit, and takes its place among the wallet's.
pub const MAX_CHAIN_SENDS: u32 = 8;
/// A key that a function gives a transaction.
pub const MAX_CHAIN_KEY_BYTES: usize = 256;
/// Wallets that one function may use.
pub const MAX_WALLET_GRANTS: usize = 16;
/// The arguments of one, as JSON text: twice what a call's data may have, and some.
pub const MAX_CHAIN_ARGUMENTS_BYTES: usize = 64 * 1024;
/// Hosts that one function may fetch from: what one allow-list takes.
pub const MAX_NET_GRANTS: usize = r3e_egress::limits::MAX_ALLOWED_HOSTS;

/// Wall time of an invocation: less than a start takes is a mistake, and a client waits for no minute.
pub const TIMEOUT_MS: RangeInclusive<u32> = 10..=60_000;
/// CPU time of an invocation. Below a millisecond the kernel's count is noise.
pub const CPU_MS: RangeInclusive<u32> = 10..=30_000;
/// The engine's heap: below it, the engine has no room for its own objects; above it, a few functions fill the
/// enclave.
pub const MEMORY_MIB: RangeInclusive<u32> = 8..=256;
/// The same in Python, whose interpreter takes some 20 MiB of it before there is a function.
pub const PYTHON_MEMORY_MIB: RangeInclusive<u32> = 32..=256;
/// The same in C#, whose runtime collects no smaller heap.
pub const CSHARP_MEMORY_MIB: RangeInclusive<u32> = 32..=256;
/// CPU time of an invocation in C#: its runtime starts for each event that has a process of its own.
pub const CSHARP_CPU_MS: RangeInclusive<u32> = 250..=30_000;
/// An invocation's output. It is kept whole, hashed and sent in one answer.
pub const OUTPUT_BYTES: RangeInclusive<u32> = 1..=1024 * 1024;
/// Host calls of an invocation: each may be a commit or a connection.
pub const HOST_CALLS: RangeInclusive<u32> = 0..=1_000;
/// Invocations of one function at once: what one may declare. A tenant's share of the appliance's slots is usually less.
pub const CONCURRENCY: RangeInclusive<u32> = 1..=32;
/// Events that wait for one function's concurrency: each holds its event's bytes.
pub const MAX_WAITING_FOR_ONE: usize = 64;
/// Events that wait for their functions' concurrency, of all tenants: as many as the largest bodies that are taken in, and more
/// of the small ones.
pub const MAX_WAITING_FOR_ALL: usize = 4_096;
/// How long an event waits for its function's concurrency.
pub const MAX_WAIT_MS: u64 = 5_000;
/// An event. It is held by the enclave and by the runner.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// A key that a function stores under: the store's limit for a key, less the function's name.
pub const MAX_STORE_KEY_BYTES: usize = 256;
/// A value that a function stores, as JSON text: state between invocations, not a file.
pub const MAX_STORE_VALUE_BYTES: usize = 64 * 1024;
/// Keys of one function: what one look at the store's index lists.
pub const MAX_STORE_KEYS: usize = r3e_store::limits::MAX_SCAN;
/// Bytes that one function's values take in the store.
pub const MAX_STORE_BYTES: usize = 16 * 1024 * 1024;

/// Body of one `fetch` request, as a host call can carry it.
pub const MAX_FETCH_REQUEST_BYTES: usize = 1024 * 1024;
/// Body of one `fetch` response, as a host reply can carry it.
pub const MAX_FETCH_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// Fetches of one invocation that are under way at once: each may hold a whole response in memory.
pub const MAX_FETCHES_AT_ONCE: usize = 4;
/// Bytes that one invocation may send by `fetch`.
pub const MAX_BYTES_OUT: u64 = 16 * 1024 * 1024;

/// Attestation documents that one invocation may have: the device makes some 200 a second, for everyone.
pub const MAX_ATTESTATIONS: u32 = 4;
/// Documents for functions that wait at the device at once, so that sessions' evidence waits for few of them.
pub const MAX_ATTESTATIONS_AT_ONCE: usize = 2;

/// Random numbers that one invocation may draw: each takes three milliseconds of the appliance's own.
pub const MAX_RANDOM: u32 = 64;

/// Proofs that one invocation may have made or verified: each may take seconds of a processor, and takes less than half of one, that is not counted
/// as the function's; they take turns with those of other tenants.
pub const MAX_PROOFS: u32 = 16;

/// A proof with its blindings, as JSON: 16 claims, and a context whose every byte is escaped.
pub(crate) const MAX_PROOF_TEXT_BYTES: usize = 16 * 1024;

/// Answers that one invocation may have signed: each is up to four signatures, some milliseconds of the appliance's own.
pub const MAX_OBSERVATIONS: u32 = 64;
/// The name of a place whose weather is asked for.
pub const MAX_PLACE_BYTES: usize = 128;

/// Log text of one invocation: what one reads while writing a function.
pub const MAX_LOG_BYTES: u32 = 64 * 1024;

/// Host calls of one invocation whose times are recorded: as many as a person looks through.
pub const MAX_TRACED_CALLS: usize = 64;
/// Invocations whose logs and traces are kept, for one function.
pub const MAX_KEPT_LOGS: usize = 32;
/// Bytes of logs kept for one function.
pub const MAX_KEPT_LOG_BYTES: usize = 256 * 1024;
/// Functions whose logs are kept: 128 MiB of them at the very most.
pub const MAX_LOGGED_FUNCTIONS: usize = 512;
/// Functions whose metrics are kept: 4 MiB of them, with all versions below.
pub const MAX_MEASURED_FUNCTIONS: usize = 512;
/// Versions of one function whose metrics are kept: those invoked last.
pub const MAX_MEASURED_VERSIONS: usize = 8;
/// Codes of errors that are counted apart, of one version: there are a dozen.
pub const MAX_ERROR_CODES: usize = 32;
/// Functions that counters are kept of, those invoked last: some 6 MiB, for a hundred tenants with as many functions as one may have.
pub const MAX_COUNTED_FUNCTIONS: usize = 10_000;
/// Of them, those that are forgotten when there is one too many: so many that looking for them, which takes a millisecond, is rare.
pub const COUNTED_FUNCTIONS_GIVEN_UP: usize = MAX_COUNTED_FUNCTIONS / 8;
/// How long a question for more of a log may wait: less than open requests are given when the appliance stops.
pub const MAX_FOLLOW_MS: u64 = 8_000;
/// Questions for more of a log that wait, of one tenant.
pub const MAX_FOLLOWERS: usize = 32;
