//! Every limit of the enclave process, in one table, each with its reason. Those of a capability stand in its crate,
//! those of the wire in `r3e-proto`.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Connections at once, attested or not. Each costs some 40 KiB with its TLS buffers: 640 MiB when all are used.
pub(crate) const MAX_CONNECTIONS: usize = 16_384;
/// Descriptors for everything but clients: two for each of 2,048 loaded functions and for each runner, egress, the way to the parent, the
/// runtime's own.
pub(crate) const RESERVED_DESCRIPTORS: u64 = 8_192;
/// From the first byte to the end of the handshake, ALPN settled.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// From the handshake to the whole nonce.
pub(crate) const NONCE_TIMEOUT: Duration = Duration::from_secs(10);
/// From the nonce to the evidence's last byte taken by the client.
pub(crate) const EVIDENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// From a connection's last answer, or its start, to the last byte of a request's header: bounds idle connections as
/// well as half-sent headers.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_mins(1);
/// From a request's header to the last byte of its body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// For what is left of a request's body once it was answered: a client that is still sending reads its answer after.
pub(crate) const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);
/// The most of such a rest that is read: twice the largest body that is taken. Nothing of it is kept.
pub(crate) const MAX_DISCARDED_BYTES: u64 = 2 * MAX_DEPLOY_BODY_BYTES as u64;
/// The buffer of a request's header: as much as an API key and any path of ours need, many times over.
pub(crate) const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Headers of a request.
pub(crate) const MAX_HEADERS: usize = 64;
/// How long open requests may go on after the order to stop.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A key that signs in: a role, 64 and 128 hex digits, 242 bytes in all without blanks. Anyone may send one, so that it is no
/// more: of all connections at once they stay within [`MAX_BODIES_OF_ONE_BYTES`], and leave the operator room.
pub(crate) const MAX_SIGN_IN_BODY_BYTES: usize = 1024;
/// How long attempts of jobs may go on before the state is handed over: with [`HANDOFF_TURN_WAIT`], less than a successor waits.
/// What is not done by then is made again by the successor.
pub(crate) const JOBS_DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Jobs' attempts at once, in percent of the runners: the rest is for those who wait for their answer.
pub(crate) const JOBS_SHARE_PERCENT: u32 = 50;

/// A JSON body other than that and a function's deployment: names, keys and scopes.
pub(crate) const MAX_JSON_BODY_BYTES: usize = 16 * 1024;
/// A function's deployment: its source as JSON text, where a line feed costs two bytes; or WebAssembly in base64.
pub(crate) const MAX_DEPLOY_BODY_BYTES: usize = 9 * 1024 * 1024;
/// Bytes of request bodies in memory at once, of all clients together: a body takes its place before it is read.
pub(crate) const MAX_BODIES_BYTES: usize = 256 * 1024 * 1024;
/// Of them, those of one tenant: under a third, so that one leaves room for the others, and more than it may have waiting for
/// runners at once (64 events).
pub(crate) const MAX_BODIES_OF_ONE_BYTES: usize = 80 * 1024 * 1024;
/// Of them, those sent to one tenant's public routes by whoever knows their addresses: eight of the largest at once.
pub(crate) const MAX_HOOK_BODIES_OF_ONE_BYTES: usize = 8 * r3e_triggers::limits::MAX_BODY_BYTES;
/// What `Retry-After` says at most of an overload: it is an estimate, and the load may be gone by then.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);
/// A function's event.
pub(crate) const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// A secret's value: a key, a certificate chain, a credential file.
pub(crate) const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Sessions that wait for evidence. At 5 ms a document and 4096 a batch none waits long; beyond this, the device is
/// stuck and waiting helps nobody.
pub(crate) const MAX_WAITING_FOR_EVIDENCE: usize = 8_192;
/// How old the attestation of the report key, or of a key that a tenant has of its own, may be when it is handed out.
pub(crate) const REPORT_KEY_DOCUMENT_AGE: Duration = Duration::from_mins(10);
/// Random numbers that are drawn at once, three milliseconds of one core each, proof and verification: the others wait in the order that they came.
pub(crate) const RANDOM_AT_ONCE: usize = 2;
/// Of one tenant, so many are drawn or wait: a second and a half of one core, whatever the others ask for.
pub(crate) const MAX_WAITING_FOR_RANDOM: usize = 512;
/// How long the parent may take to hand out the configuration, from the enclave's start.
pub(crate) const CONFIGURATION_TIMEOUT: Duration = Duration::from_mins(1);
/// Between two tries for the configuration.
pub(crate) const CONFIGURATION_RETRY: Duration = Duration::from_millis(100);
/// How long the parent may fail to answer while the sealed state is opened with a root secret that was released: a quorum's
/// members would have to come again. Long enough for a parent that restarts, or changes its database.
pub(crate) const STATE_OPENING_TIMEOUT: Duration = Duration::from_mins(5);
/// Before the second try to open it; doubled for each further one.
pub(crate) const STATE_OPENING_FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The most that it is doubled to.
pub(crate) const STATE_OPENING_LAST_PAUSE: Duration = Duration::from_secs(5);
/// For the parent to answer with credentials: longer than it gives the metadata service.
pub(crate) const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(8);
/// For each phase of a request to KMS, which answers in tens of milliseconds.
pub(crate) const KMS_PHASE_TIMEOUT: Duration = Duration::from_secs(8);
/// Networks that can be followed.
pub(crate) const MAX_CHAINS: usize = 16;
/// The URL of a node: providers' have some hundred bytes.
pub(crate) const MAX_NODE_URL_BYTES: usize = 512;
/// Between two looks at a chain's height: a new block is a quarter of a second away on the fastest of them.
pub(crate) const CHAIN_POLL_MS: RangeInclusive<u32> = 250..=600_000;
/// For each phase of a question to a node but the last.
pub(crate) const CHAIN_PHASE_TIMEOUT: Duration = Duration::from_secs(5);
/// For all of them, and the answer's body, some megabytes at the most.
pub(crate) const CHAIN_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// For how long a node that took longer is not asked.
pub(crate) const NODE_REST: Duration = Duration::from_secs(15);
/// Between two looks at the transaction that brings a report.
pub(crate) const PUBLISH_LOOK: Duration = Duration::from_secs(1);
/// After a report that could not be brought for now.
pub(crate) const PUBLISH_AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// A report that is valid for less is not worth a transaction: it would be replaced by nothing before its block.
pub(crate) const PUBLISH_LEAST_LIFE: Duration = Duration::from_secs(20);
/// The longest that one is tried: an old answer must not come to a chain when gas is cheap again, before newer ones.
pub(crate) const PUBLISH_MOST_LIFE: Duration = Duration::from_mins(5);
/// How long a report that nothing was signed for waits before it makes way for a newer one: where each made way at once, a feed that moves often would bring none.
pub(crate) const PUBLISH_PATIENCE: Duration = Duration::from_secs(15);
/// How long what was begun for a publication that is none any more is looked for: a commit that nobody was told of is settled by then.
pub(crate) const PUBLISH_WITHDRAWING: Duration = Duration::from_mins(1);
/// Blocks of Neo N3 that may have a report's transaction, from the one after the last: a minute to five. Nothing newer is brought meanwhile.
pub(crate) const NEO_BLOCKS_TO_LIVE: u64 = 20;
/// Looks at the contract between two times that nodes are given the transaction: one that was just started has forgotten it.
pub(crate) const NEO_LOOKS_BETWEEN_SENDS: u32 = 5;
/// Tries of one report: with the pauses between them, some hours.
pub(crate) const MAX_PUBLISH_TRIES: u32 = 98;
/// The longest between two tries of a report that cannot be brought.
pub(crate) const PUBLISH_LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// A transaction that waits for its block longer than this offers more: a block of Ethereum, and what comes before it.
pub(crate) const BUMP_AFTER_MS: u64 = 15_000;
/// Transactions of one page: each is read from the store, with all that was signed for it.
pub(crate) const MAX_TRANSACTIONS_PAGE: usize = 32;
/// Calls of contracts of one network that one tenant's functions read at once, and no more than a quarter of all.
pub(crate) const CONTRACT_READS_AT_ONCE: usize = 8;
/// How long each of them has its place at the least: 20 a second in the long run, since those who run nodes count questions.
pub(crate) const CONTRACT_READ_PACE: Duration = Duration::from_millis(400);
/// Calls of one network that are read at once, of all tenants.
pub(crate) const MAX_CONTRACT_READS: usize = 64;
/// Those of one tenant that are under way or wait: what the functions of one tenant can ask at once, and some.
pub(crate) const MAX_CONTRACT_READS_WAITING: usize = 256;
/// For one, its turn and all answers: longer than a node may take.
pub(crate) const CONTRACT_READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long it waits for a network's height where one that is not too old is known.
pub(crate) const HEIGHT_PATIENCE: Duration = Duration::from_secs(1);
/// How old that one may be: a silent node is found out by then.
pub(crate) const MAX_HEIGHT_AGE: Duration = Duration::from_secs(30);
/// Questions about transactions that the nodes of one network of Neo N3 are asked at a time, of all tenants.
pub(crate) const MAX_NEO_QUESTIONS: usize = 32;
/// Triggers that read one network at once; they share what its nodes say.
pub(crate) const CHAIN_READS_AT_ONCE: usize = 4;
/// Blocks that one trigger reads before others come.
pub(crate) const STRETCH_BLOCKS: u32 = 8;
/// Events that it is given of them at the most: each comes with a cursor of some 2 KiB.
pub(crate) const STRETCH_EVENTS: u32 = 128;
/// Their text; one more may stand above it.
pub(crate) const STRETCH_TEXT_BYTES: usize = 128 * 1024;
/// The longest that a node's answer stands: shorter than the default confirmations of the fastest chains (12 of a quarter of a second each),
/// so that a block that counts is not one from before its confirmations.
pub(crate) const MAX_RECENT_MOMENT: Duration = Duration::from_secs(2);
/// Answers of one network's nodes that stand: four of the largest.
pub(crate) const MAX_RECENT_ANSWERS_BYTES: usize = 32 * 1024 * 1024;
/// Between two signs of life of a stream that has nothing to say: less than what stands between waits for one.
pub(crate) const STREAM_HEARTBEAT: Duration = Duration::from_secs(15);
/// The names of a batch's feeds: 256 of 32 bytes, every one of them escaped, and what is between them.
pub(crate) const MAX_BATCH_BODY_BYTES: usize = 72 * 1024;
/// A feed's definition: 32 venues of one's own, described at length.
pub(crate) const MAX_FEED_BODY_BYTES: usize = 64 * 1024;
/// What asks for a random number: a seed whose every byte is escaped, and two numbers.
pub(crate) const MAX_RANDOM_BODY_BYTES: usize = 2 * 1024;
/// Numbers that are to be proved, or a range proof: 16 of them take 5 KiB, and a context whose every byte is escaped takes six times its length.
pub(crate) const MAX_RANGE_PROOF_BODY_BYTES: usize = 16 * 1024;
/// A verification key of 256 KiB, a proof, and as many signals as such a key is of.
pub(crate) const MAX_VERIFY_PROOF_BODY_BYTES: usize = 448 * 1024;
/// Entropy drawn from the device for the unlock provider: eight keys.
pub(crate) const UNLOCK_ENTROPY_BYTES: usize = 256;

/// Entropy drawn from the device for a quorum's setup: the root secret, an id, and four bytes for each coefficient, of
/// which 16 members with a threshold of 16 take 480.
pub(crate) const SETUP_ENTROPY_BYTES: usize = 2_048;

/// For one answer of the parent's on the lifecycle port: it looks something up.
pub(crate) const LIFECYCLE_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the parent may fail to answer there before the boot ends.
pub(crate) const LIFECYCLE_TIMEOUT: Duration = Duration::from_mins(1);
/// Between two tries.
pub(crate) const LIFECYCLE_RETRY: Duration = Duration::from_millis(100);
/// What is passed on of a predecessor's words: as many characters as a person reads.
pub(crate) const MAX_REFUSAL_CHARS: usize = 400;
/// How long an appliance waits, after it handed its root secret over and stopped writing, for its successor to say that it
/// serves: some times what opening a large state takes. Then it finds out whose the state is.
pub const HANDOFF_PATIENCE: Duration = Duration::from_secs(30);
/// How long the commit that then settles whose the state is may take before the operator is told. Nothing is answered
/// until it stands, or another one does.
pub(crate) const SETTLING_TIME: Duration = Duration::from_secs(30);
/// How long a request for a handoff waits for those that came before it: less than a successor waits. Each takes some
/// milliseconds.
pub(crate) const HANDOFF_TURN_WAIT: Duration = Duration::from_secs(20);
/// Refusals of handoffs that are logged in [`HANDOFF_REFUSALS_SPAN`]: as many as tell what is wrong.
pub(crate) const MAX_LOGGED_HANDOFF_REFUSALS: u32 = 16;
pub(crate) const HANDOFF_REFUSALS_SPAN: Duration = Duration::from_mins(1);
/// Between two tries to have the unlock provider adopt a root secret that came by handoff: a few requests to a service.
pub(crate) const ADOPTION_RETRY: Duration = Duration::from_mins(1);

/// A TLS handshake with another appliance: two flights and one signature.
pub(crate) const PEER_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// From a nonce for a peer to the last byte of its evidence: a full queue at its device drains in less.
pub(crate) const PEER_EVIDENCE_TIMEOUT: Duration = Duration::from_secs(15);
/// One request to a peer.
pub(crate) const PEER_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A peer's answer: what one appliance asks of another is short.
pub(crate) const MAX_PEER_ANSWER_BYTES: usize = 16 * 1024;
/// Between two hypervisors' clocks, in either direction: what well-kept machines stay far below.
pub(crate) const PEER_CLOCK_SKEW_MS: u64 = 60_000;
/// A peer's document is made after the nonce, so it is as old as the answer took.
pub(crate) const PEER_MAX_AGE_MS: u64 = 5 * 60_000;

/// Runner processes that a configuration may ask for. Under four, one tenant's event is half of all; over it, their
/// descriptors and the processor would be the limit.
pub(crate) const RUNNERS: RangeInclusive<u32> = 4..=256;
/// MiB that a configuration may set aside for runners: room for two of the largest functions, up to the largest enclaves.
pub(crate) const RUNNERS_MEMORY_MIB: RangeInclusive<u32> = 1_024..=1_048_576;
/// A tenant's share of both, in percent. Where it is 50 or more, one tenant can keep the others waiting; an appliance of one
/// tenant may say 100.
pub(crate) const TENANT_SHARE_PERCENT: RangeInclusive<u32> = 1..=100;
/// Changes of secrets, and of triggers, by one tenant's functions that wait for one another: one is made at a time.
pub(crate) const MAX_WAITING_CHANGES_OF_FUNCTIONS: usize = 16;
/// How long compiling one function may take: below a second honest ones fail, and above a minute a few hold up everybody's.
pub(crate) const COMPILE_MS: RangeInclusive<u32> = 1_000..=60_000;
/// What of the machine's memory all runners together may come to hold, in percent; the rest is the kernel's, the image's
/// files', which lie in memory, and this process's.
pub(crate) const RUNNERS_MEMORY_PERCENT: u64 = 75;

/// Peers that may witness for one appliance: each is asked for each group of commits.
pub(crate) const MAX_WITNESS_PEERS: usize = 9;
/// Releases, and configurations, that one peer may be of.
pub(crate) const MAX_WITNESS_PEER_VALUES: usize = 16;
/// One round among the peers: less than a writer waits, so that it learns why.
pub(crate) const WITNESS_ROUND_TIMEOUT: Duration = Duration::from_secs(12);
/// At a boot, for the answers beyond those that suffice: each that is heard is one that cannot be kept from speaking.
pub(crate) const WITNESS_GRACE: Duration = Duration::from_secs(2);
/// Between two questions to a peer that nothing is recorded with, so that its connection stays open (idle ones are closed
/// after a minute) and the status says who would confirm.
pub(crate) const WITNESS_PING: Duration = Duration::from_secs(25);
/// After a peer did not answer, before it is dialled again: commits come faster than a peer comes back.
pub(crate) const WITNESS_PEER_PAUSE: Duration = Duration::from_secs(1);
/// Seconds that a configuration may let an appliance be read after its peers confirmed last. The least is what a handoff takes
/// in which nobody asks them, and two looks at slow ones; the most is as long as an operator may need to bring peers back.
pub(crate) const WITNESS_STALE_S: RangeInclusive<u32> = 60..=3_600;
/// Appliances that this one remembers commits of: each costs it a commit for each of theirs.
pub(crate) const MAX_WITNESSED: usize = 64;
/// The same, with those that were removed: what was remembered of them is never forgotten.
pub(crate) const MAX_WITNESSED_EVER: usize = 256;
/// Between two requests of one witnessed appliance, at an even pace: 500 a second, each a commit at most. Its writers share
/// commits, and it makes one after the other, so that one which is held back loses nothing but a few milliseconds.
pub(crate) const WITNESS_INTERVAL: Duration = Duration::from_millis(2);
/// Requests that it may make at once after a rest: what it has to say in a second.
pub(crate) const WITNESS_BURST: u32 = 500;
/// How long a request that comes faster is held back before it is refused instead. Who sends the next one when the one before
/// was answered is never that far ahead.
pub(crate) const WITNESS_LONGEST_DELAY: Duration = Duration::from_millis(500);
/// How long a witness's answer waits for the one before of the same appliance's.
pub(crate) const WITNESS_TURN_WAIT: Duration = Duration::from_secs(5);

/// Between two anchors that are signed: each costs a commit, and tenants ask for them.
pub(crate) const ANCHOR_PACE: Duration = Duration::from_secs(10);
/// How long who wants one waits for those who came before, who share what is signed unless it fails: less than clients wait for an answer.
pub(crate) const ANCHOR_PATIENCE: Duration = Duration::from_secs(12);
/// Anchors that are remembered of which none has come to the chain: a day of the quickest. Beyond, the last one is given again.
pub(crate) const MAX_ANCHORS: usize = 8_640;
/// How old the block may be in which the anchor is read: nodes that lag further do not say what the chain holds now.
pub(crate) const ANCHOR_MAX_BEHIND: Duration = Duration::from_mins(15);
/// Between two looks at the anchor on the chain: some questions to each node.
pub(crate) const ANCHOR_LOOK_S: RangeInclusive<u32> = 5..=3_600;
/// The most between two, where nodes did not agree at the first.
pub(crate) const ANCHOR_LOOK_AGAIN: Duration = Duration::from_secs(30);

/// For the last write of what was used, before a handoff or the end: some commits.
pub(crate) const USAGE_WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// Tenants of one appliance: as many as one scan of the store names.
pub(crate) const MAX_TENANTS: usize = 1_000;
/// API keys of one tenant.
pub(crate) const MAX_API_KEYS: usize = 256;
/// Secrets of one tenant.
pub(crate) const MAX_SECRETS: usize = 1_000;
/// Versions of one secret whose values are kept, the current one among them: a rollback goes back a few releases, not years,
/// and each is one more copy of something secret.
pub(crate) const MAX_SECRET_VERSIONS: usize = 8;
/// Grants of one secret: they are reviewed by people.
pub(crate) const MAX_SECRET_GRANTS: usize = 64;
/// The longest time after which a secret may expire: ten years. What shall live longer has no end.
pub(crate) const MAX_SECRET_LIFETIME_MS: u64 = 10 * 366 * 24 * 3_600 * 1_000;
/// Between two looks for values whose time is over. They are given to nobody in between.
pub(crate) const SECRET_SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// Such values that one look takes: each is a commit.
pub(crate) const SECRETS_SWEPT_AT_ONCE: usize = 100;
/// Entries of one page of a tenant's audit log: a page is written whole for each commit to it, 4 KiB when it is full.
pub(crate) const AUDIT_PAGE_ENTRIES: usize = 16;
/// Pages of the ring of reads of one tenant's audit log. All but one are full, so at least 4,096 entries are kept.
pub(crate) const AUDIT_PAGES: u64 = 257;
/// Pages of its ring of everything else: at least 1,024 entries.
pub(crate) const AUDIT_CHANGE_PAGES: u64 = 65;
/// Batches of entries that wait for the log's writer: more than events can be under way.
pub(crate) const MAX_AUDIT_QUEUE: usize = 4_096;
/// Entries of one commit of the log: at the worst each is of another tenant and writes three records of the 1,024 that a
/// commit takes.
pub(crate) const MAX_AUDIT_GROUP_ENTRIES: usize = 256;
/// Wallets of one tenant: each has up to 27 records.
pub(crate) const MAX_WALLETS: usize = 64;
/// Names of one tenant's wallets, those of deleted ones among them, whose audit stays.
pub(crate) const MAX_WALLET_NAMES: usize = 256;
/// A wallet that is made or imported, or a policy: 64 recipients on each of a few chains, and a wallet file.
pub(crate) const MAX_WALLET_BODY_BYTES: usize = 128 * 1024;
/// A request to sign: 128 KiB of a transaction's data take twice that in hexadecimal.
pub(crate) const MAX_SIGN_BODY_BYTES: usize = 384 * 1024;
/// Requests that use one wallet, or make one of a tenant's, or change a tenant's secrets, one of them under way: each is a
/// commit, so that the last of them waits some hundred milliseconds. More are told to come again.
pub(crate) const MAX_WAITING_USES: usize = 64;
/// Imports of one tenant's with a password, one of them under way, which takes a second.
pub(crate) const MAX_WAITING_IMPORTS: usize = 4;
/// Refusals of one wallet's that are written down in a minute: each is a commit, and whoever may ask may be refused without end.
pub(crate) const MAX_LOGGED_REFUSALS: u32 = 60;
pub(crate) const REFUSAL_SPAN_MS: u64 = 60_000;
/// How long an import waits for others' before it is told to come again.
pub(crate) const IMPORT_WAIT: Duration = Duration::from_secs(10);
/// Entries of one page of a wallet's audit: a page is written whole with each signature, 10 KiB when it is full.
pub(crate) const WALLET_AUDIT_PAGE_ENTRIES: u64 = 32;
/// Pages of each of its three rings. All but one are full, so at least 224 signatures, 224 refusals, and 224 entries of
/// everything else are kept.
pub(crate) const WALLET_AUDIT_PAGES: u64 = 8;
/// Wrong API keys and signatures on one session before it is closed to more: guesses must cost a handshake.
pub(crate) const MAX_FAILED_SIGN_INS: u32 = 8;
