//! Every limit of the keys, in one table, each with its reason.

/// The root secret: 256 bits, so that AES-256 and Ed25519 keys derived from it are no weaker than they look.
pub const ROOT_SECRET_BYTES: usize = 32;
/// A derived key: the input of AES-256-GCM, HMAC-SHA-256, and an Ed25519 or secp256k1 seed.
pub const DERIVED_KEY_BYTES: usize = 32;
/// The commitment to a root secret: nobody finds another root with the same one.
pub const COMMITMENT_BYTES: usize = DERIVED_KEY_BYTES;
/// A name inside a path (a tenant, a chain), before it is escaped: longer than any identifier of ours.
pub const MAX_NAME_BYTES: usize = 128;
/// A report to be signed: far over any receipt; a caller with more hashes it first.
pub const MAX_SIGNED_MESSAGE_BYTES: usize = 1024 * 1024;
