//! Every limit of the keys, in one table, each with its reason.

/// The root secret: 256 bits, so that AES-256 and Ed25519 keys derived from it are no weaker than they look.
pub const ROOT_SECRET_BYTES: usize = 32;
/// A derived key: the input of AES-256-GCM, HMAC-SHA-256, and an Ed25519 or secp256k1 seed.
pub const DERIVED_KEY_BYTES: usize = 32;
/// The commitment to a root secret: nobody finds another root with the same one.
pub const COMMITMENT_BYTES: usize = DERIVED_KEY_BYTES;
/// A name inside a path (a tenant, a chain), before it is escaped: longer than any identifier of ours.
pub const MAX_NAME_BYTES: usize = 128;
/// Entropy that taking over a root secret draws at the most: a quorum's setup, with an id of 16 bytes, and four bytes for
/// each of the 480 coefficients that 16 members with a threshold of 16 take.
pub const MAX_ADOPT_ENTROPY_BYTES: usize = 16 + 4 * 15 * ROOT_SECRET_BYTES;
/// A KMS key's ARN: AWS's have some 80 bytes.
pub const MAX_KEY_ARN_BYTES: usize = 256;
/// What an operator calls an appliance towards KMS: a name that people read in a log.
pub const MAX_APPLIANCE_ID_BYTES: usize = 64;
/// A host, RFC 1035 section 2.3.4, a colon and a port.
pub const MAX_ENDPOINT_BYTES: usize = 253 + 6;
/// Roots that a policy may name in place of Amazon's, which are five.
pub const MAX_KMS_ROOTS: usize = 8;
/// A `CiphertextBlob`: the API's own limit. That of a data key has some 180 bytes.
pub const MAX_KMS_CIPHERTEXT_BYTES: usize = 6_144;
/// A slot: a ciphertext, an ARN and four short fields.
pub const MAX_KMS_SLOT_BYTES: usize = 8 * 1024;
/// A slot is one array.
pub const SLOT_CBOR_DEPTH: usize = 1;
/// The array, its seven fields, and as many too many as an error may speak of.
pub const SLOT_CBOR_ITEMS: usize = 16;
/// `CiphertextForRecipient` of a data key has 493 bytes; of the largest content that KMS encrypts, 4.6 KB.
pub const MAX_CMS_BYTES: usize = 8 * 1024;
/// Segments of an octet string: KMS makes them of 1,000 bytes.
pub const MAX_BER_SEGMENTS: usize = 16;
/// A subject key identifier: KMS's has 32 bytes.
pub const MAX_KEY_IDENTIFIER_BYTES: usize = 64;
/// A whole answer of KMS: two ciphertexts in base64, and names.
pub const MAX_KMS_ANSWER_BYTES: usize = 32 * 1024;
/// What is kept of KMS's words for the log.
pub const MAX_KMS_MESSAGE_BYTES: usize = 512;
/// Attempts at one request: with the pauses between them some 8 s, as long as a throttled account or a parent that is just
/// starting may need.
pub const MAX_KMS_ATTEMPTS: u32 = 6;
/// Before the second attempt; each further one waits twice as long.
pub const KMS_FIRST_PAUSE_MS: u64 = 250;
/// A report to be signed: far over any receipt; a caller with more hashes it first.
pub const MAX_SIGNED_MESSAGE_BYTES: usize = 1024 * 1024;

/// Draws for a wallet's scalar: each fails once in 2^32 at the most, so that all of them never do.
pub const MAX_SCALAR_ATTEMPTS: u8 = 16;
/// Chains of one wallet's policy: policies are read by people.
pub const MAX_POLICY_CHAINS: usize = 16;
/// Recipients of one chain.
pub const MAX_POLICY_RECIPIENTS: usize = 64;
/// Methods of one recipient.
pub const MAX_POLICY_METHODS: usize = 64;
/// Versions of functions that one policy names: those that are in service, and those before them.
pub const MAX_POLICY_FUNCTIONS: usize = 16;
/// EIP-712 domains of one wallet's policy.
pub const MAX_POLICY_DOMAINS: usize = 64;
/// The longest window: 31 days.
pub const MAX_WINDOW_SECONDS: u32 = 31 * 24 * 3_600;
/// Signatures of one window. So many are remembered, for as long as the longest window, and all of them are written with each
/// signature: 30 KiB at the most.
pub const MAX_WINDOW_SIGNATURES: u32 = 1_000;
/// Approvers of one wallet: people, and a signature of each is verified with a request.
pub const MAX_APPROVERS: usize = 16;
/// How long an approval may hold: a weekend, and a day on either side.
pub const MAX_APPROVAL_LIFETIME_MS: u64 = 4 * 24 * 3_600 * 1_000;
/// An imported key's file: a keystore has half a KiB, a NEP-6 wallet as much for each account.
pub const MAX_IMPORT_BYTES: usize = 32 * 1024;
/// A password: longer ones than any that is typed.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// The salt of a password: formats have 4 to 32 bytes.
pub const MAX_SALT_BYTES: usize = 64;
/// Accounts of a NEP-6 wallet that are looked through; one is decrypted.
pub const MAX_NEP6_ACCOUNTS: usize = 64;
/// scrypt's n·r·p, which its time is in proportion to: what go-ethereum writes by default, a second of one processor.
pub const MAX_SCRYPT_WORK: u64 = 1 << 21;
/// scrypt's memory: what go-ethereum's default takes (256 MiB), and a little for the blocks beside it.
pub const MAX_SCRYPT_MEMORY_BYTES: u64 = 257 * 1024 * 1024;
/// PBKDF2's iterations: several times what any writer of keystores has used; a second of one processor.
pub const MAX_PBKDF2_ITERATIONS: u32 = 2_000_000;
