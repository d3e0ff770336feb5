//! The attested channel: what ties one TLS session to one attestation document.
//!
//! After the handshake the client sends a nonce; both ends derive a [`binding`] from the session's own exporter value,
//! the enclave commits to it in a document's `user_data` through a [`merkle`] tree shared by concurrent sessions, and
//! answers with [`evidence`]. What each kind of document says is a [`statement`].

pub mod binding;
pub mod evidence;
pub mod merkle;
pub mod statement;

/// The ALPN name of the attested channel.
pub const ALPN: &[u8] = b"r3e/1";
/// The TLS exporter label (RFC 8446 section 7.5); the nonce is its context.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-r3e-attestation-v1";
/// Bytes taken from the exporter.
pub const EXPORTER_BYTES: usize = 32;
/// The PCR that the configuration's SHA-384 extends, locked before the enclave listens.
pub const CONFIGURATION_PCR: u8 = 16;
/// The PCR that the unlock policy's SHA-384 extends, locked before the enclave listens.
pub const UNLOCK_PCR: u8 = 17;
