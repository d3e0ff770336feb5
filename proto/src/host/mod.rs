//! What the enclave and its parent say to each other over vsock. The parent is not trusted: every answer of its
//! is checked by the enclave, and nothing here carries plaintext of a client or of a record.
//!
//! | vsock port | listens | what flows |
//! |---|---|---|
//! | [`CHANNEL_PORT`] | enclave | client TLS, byte for byte |
//! | [`HEARTBEAT_PORT`] | parent | one byte, echoed (fixed by Nitro) |
//! | [`CONFIGURATION_PORT`] | parent | one frame: the configuration |
//! | [`BLOB_PORT`] | parent | frames: [`blob::Request`], [`blob::Response`] |
//! | [`EGRESS_PORT`] | parent | one frame [`egress::Connect`], one [`egress::Reply`], then raw bytes |
//! | [`CREDENTIALS_PORT`] | parent | one frame [`credentials::Request`], one [`credentials::Reply`] |
//! | [`LIFECYCLE_PORT`] | parent | one frame [`lifecycle::Request`], one [`lifecycle::Reply`], then a predecessor's raw bytes |

pub mod blob;
pub mod credentials;
pub mod egress;
pub mod lifecycle;

/// A frame is a 32-bit big-endian length and that many bytes: one message in deterministic CBOR.
pub const FRAME_HEADER_BYTES: usize = 4;
/// The enclave's listener for clients' TLS.
pub const CHANNEL_PORT: u32 = 5000;
/// The parent hands out the configuration here: one frame, then it closes.
pub const CONFIGURATION_PORT: u32 = 5001;
/// The parent's blob store.
pub const BLOB_PORT: u32 = 5002;
/// The parent's egress proxy.
pub const EGRESS_PORT: u32 = 5003;
/// The parent's AWS credentials.
pub const CREDENTIALS_PORT: u32 = 5004;
/// Whom the enclave succeeds, and that it serves.
pub const LIFECYCLE_PORT: u32 = 5005;
/// `nitro-cli` and QEMU expect the enclave's heartbeat here.
pub const HEARTBEAT_PORT: u32 = 9000;
/// The byte that the enclave sends on [`HEARTBEAT_PORT`] and the parent echoes.
pub const HEARTBEAT: u8 = 0xB7;
