//! The limits of the hardware that the fake keeps too.

/// Longest `user_data` of an attestation request.
pub(crate) const MAX_USER_DATA_BYTES: usize = 512;

/// Longest `nonce` of an attestation request.
pub(crate) const MAX_NONCE_BYTES: usize = 512;

/// Longest `public_key` of an attestation request.
pub(crate) const MAX_PUBLIC_KEY_BYTES: usize = 1024;

/// Most data in one extension: what a request of 4 KiB, the driver's limit, has room for beside its
/// names and lengths.
pub(crate) const MAX_EXTEND_BYTES: usize = 4096 - 32;

/// What each request for entropy is answered with.
pub(crate) const RANDOM_BYTES: usize = 256;
