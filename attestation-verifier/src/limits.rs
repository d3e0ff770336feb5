//! Every limit of this crate, with its reason. "The specification" is AWS's "Nitro Enclaves Attestation Process".

use r3e_cbor::Limits;

/// A whole document. The NSM's response buffer holds 12 KiB; the real ones have 4 to 6 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024;

/// The `COSE_Sign1` around the payload: tag, array and unprotected header; four elements, and room for chunks.
pub(crate) const COSE_LIMITS: Limits = Limits { max_bytes: MAX_DOCUMENT_BYTES, max_depth: 4, max_items: 64 };

/// The payload: a map that holds a map and an array; 9 fields, 32 PCRs and 8 certificates are some 100 items.
pub(crate) const PAYLOAD_LIMITS: Limits =
    Limits { max_bytes: MAX_DOCUMENT_BYTES, max_depth: 3, max_items: 256 };

/// The protected header is 4 bytes long; more is read only to say what is wrong with it.
pub(crate) const HEADER_LIMITS: Limits = Limits { max_bytes: 256, max_depth: 2, max_items: 16 };

/// Certificates above the leaf, the root included. Real documents have 4; each costs one signature to verify.
pub(crate) const MAX_CA_CERTIFICATES: usize = 8;

/// One certificate, from the specification. Real ones have 500 to 800 bytes.
pub(crate) const MAX_CERTIFICATE_BYTES: usize = 1024;

/// Chains that a cache remembers: an appliance has one at a time, and a fleet some dozens. One costs half a kilobyte.
pub(crate) const MAX_CACHED_CHAINS: usize = 64;

/// Extensions of one certificate. Real ones have at most 5.
pub(crate) const MAX_EXTENSIONS: usize = 16;

/// `user_data`, from the specification.
pub(crate) const MAX_USER_DATA_BYTES: usize = 512;

/// `nonce`, from the specification.
pub(crate) const MAX_NONCE_BYTES: usize = 512;

/// `public_key`, from the specification.
pub(crate) const MAX_PUBLIC_KEY_BYTES: usize = 1024;

/// `module_id`. Real ones have 39 bytes.
pub(crate) const MAX_MODULE_ID_BYTES: usize = 128;

/// A file of reference values: 256 releases of 32 PCRs fit.
pub(crate) const MAX_REFERENCE_FILE_BYTES: usize = 1024 * 1024;

/// Releases that one policy accepts: each is compared with each document.
pub(crate) const MAX_RELEASES: usize = 256;

/// The name of a release, in bytes: it is shown in one line.
pub(crate) const MAX_RELEASE_NAME_BYTES: usize = 128;

/// A test root in PEM: a certificate of the allowed size, and comments around it.
pub(crate) const MAX_PEM_BYTES: usize = 64 * 1024;
