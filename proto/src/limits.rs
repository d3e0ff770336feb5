//! Every limit of the wire, in one table, each with its reason.

/// A nonce as long as the TLS exporter's output: neither end is the weaker one.
pub const NONCE_BYTES: usize = 32;
/// SHA-384, the hash of the NSM's own PCRs.
pub const DIGEST_BYTES: usize = 48;
/// A real attestation document is 4 to 6 KiB; the NSM cannot make one over 16 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024;
/// Sessions that share one document: 12 levels of inclusion path, far more than arrive in one NSM call.
pub const MAX_BATCH_LEAVES: usize = 4096;
/// Levels of the inclusion path of `MAX_BATCH_LEAVES` leaves.
pub const MAX_PATH_NODES: usize = 12;
/// Evidence: the document, the path and the configuration, with room to spare.
pub const MAX_EVIDENCE_BYTES: usize = 128 * 1024;
/// The measured configuration: an operator's file, read by people.
pub const MAX_CONFIGURATION_BYTES: usize = 64 * 1024;
/// A SubjectPublicKeyInfo of any key we would accept in a certificate.
pub const MAX_SPKI_BYTES: usize = 1024;
/// RFC 7301: an ALPN name's length is one byte.
pub const MAX_ALPN_BYTES: usize = 255;
/// The NSM's own limit on `public_key`.
pub const MAX_PUBLIC_KEY_BYTES: usize = 1024;

/// A signed receipt: fixed fields and two names.
pub const MAX_RECEIPT_BYTES: usize = 4 * 1024;
/// A receipt with the Evidence for its key.
pub const MAX_RECEIPT_BUNDLE_BYTES: usize = 128 * 1024;

/// A signed notice of a job that ended: fixed fields and a name.
pub const MAX_NOTICE_BYTES: usize = 1024;

/// A blinded record name.
pub const BLOB_NAME_BYTES: usize = 32;
/// One sealed record: twice the source of the largest function but for WebAssembly, sealed; what is longer is in several.
pub const MAX_BLOB_BYTES: usize = 2 * 1024 * 1024;
/// A store head: a few digests and a number, sealed.
pub const MAX_HEAD_BYTES: usize = 1024;
/// The parent's slot: an encrypted root secret, or its shares for some tens of operators.
pub const MAX_SLOT_BYTES: usize = 64 * 1024;
/// Records in one commit: enough to group what waits while one fsync runs.
pub const MAX_COMMIT_RECORDS: usize = 1024;
/// One frame between enclave and parent, either way: four of the largest records.
pub const MAX_HOST_FRAME_BYTES: usize = 8 * 1024 * 1024;
/// Records in one answer to `List`.
pub const MAX_LIST_RECORDS: usize = 1024;
/// Bytes of records in one answer to `List`: under the frame limit with its framing.
pub const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;
/// Depth of any CBOR we define.
pub const MAX_CBOR_DEPTH: usize = 8;
/// RFC 1035 section 2.3.4: a DNS name's text form.
pub const MAX_HOST_NAME_BYTES: usize = 253;
/// A function's or a secret's name.
pub const MAX_NAME_BYTES: usize = 64;
/// What an operator calls a tenant, or a tenant a key.
pub const MAX_LABEL_BYTES: usize = 128;
/// AWS: an access key's identifier has at most 128 characters.
pub const MAX_ACCESS_KEY_ID_BYTES: usize = 128;
/// AWS's have 40 characters and no stated limit.
pub const MAX_SECRET_ACCESS_KEY_BYTES: usize = 128;
/// AWS sets no limit on a session token; those of roles have some 1,000 characters, and a frame must hold one.
pub const MAX_SESSION_TOKEN_BYTES: usize = 8 * 1024;
/// A signed release manifest: some thirty sets of PCRs and sixteen signatures are 7 KiB.
pub const MAX_MANIFEST_BYTES: usize = 16 * 1024;
/// A signed order to restore: 100 bytes, and 16 signatures with their keys.
pub const MAX_RESTORE_ORDER_BYTES: usize = 2 * 1024;
/// What the parent says of a failure, for the log.
pub const MAX_FAILURE_TEXT_BYTES: usize = 512;
/// An outcome's code in a receipt.
pub const MAX_RECEIPT_CODE_BYTES: usize = 32;

/// The data of a transaction that a wallet signs: what nodes take into their pools (128 KiB for the whole transaction).
pub const MAX_CALL_DATA_BYTES: usize = 128 * 1024;
/// Accounts and slots of a transaction's access list, together: each costs some 2,000 gas, so that more than this would
/// cost more than it saves.
pub const MAX_ACCESS_LIST: usize = 512;
/// The name of a method of a contract of Neo N3: a manifest's are shorter.
pub const MAX_NEO_METHOD_BYTES: usize = 64;
/// Arguments of a call of a contract of Neo N3.
pub const MAX_NEO_ARGUMENTS: usize = 32;
/// A message that a wallet signs: people read these.
pub const MAX_WALLET_MESSAGE_BYTES: usize = 64 * 1024;
/// A name or a version in an EIP-712 domain.
pub const MAX_DOMAIN_TEXT_BYTES: usize = 256;

/// Places behind the point of a report's answer: those of Ether.
pub const MAX_REPORT_DECIMALS: u8 = 18;
/// Reports under one signature: 10 hashes in each proof.
pub const MAX_BATCH_REPORTS: u32 = 1_024;

/// The URL of an observation: people read it, and contracts are given it.
pub const MAX_OBSERVED_URL_BYTES: usize = 2 * 1024;
/// Where in an answer its value stands: as long as a venue's path.
pub const MAX_OBSERVED_PATH_BYTES: usize = 128;
/// An observation's value: a number, a date, a name, a hash.
pub const MAX_OBSERVED_VALUE_BYTES: usize = 256;
/// The body of an observed answer: a file of one is still read whole, and fits an event.
pub const MAX_OBSERVED_BODY_BYTES: usize = 256 * 1024;
/// Contracts that one observation is signed for: each costs a signature.
pub const MAX_OBSERVED_TARGETS: usize = 4;

/// An amount of money in the smallest unit of a currency: a million million units of one with 18 decimals. The amounts of all
/// tenants together, and twice that, fit a 128-bit number.
pub const MAX_AMOUNT: u128 = 1_000_000_000_000_000_000_000_000_000_000;
/// What a deposit or a withdrawal is called outside: two hashes in hexadecimal.
pub const MAX_REFERENCE_BYTES: usize = 128;
/// Entries of one answer to `GET /v1/ledger`: some 64 KiB.
pub const MAX_LEDGER_PAGE: usize = 256;
