//! Every limit of this crate, each with its reason.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Longest `user_data` of an attestation request. The NSM's own limit.
pub const MAX_USER_DATA_BYTES: usize = 512;

/// Longest `nonce` of an attestation request. The NSM's own limit.
pub const MAX_NONCE_BYTES: usize = 512;

/// Longest `public_key` of an attestation request. The NSM's own limit.
pub const MAX_PUBLIC_KEY_BYTES: usize = 1024;

/// Most data in one PCR extension. Callers extend with a digest of at most 64 bytes; the NSM takes
/// any request of up to 4 KiB, so this leaves room for its framing whatever the encoding.
pub const MAX_PCR_EXTEND_BYTES: usize = 512;

/// Size of a PCR: the Nitro bank is SHA-384.
pub const PCR_BYTES: usize = 48;

/// Most random bytes in one call: enough for any key or seed, and 16 turns of the device at most.
pub const MAX_RANDOM_BYTES: usize = 4096;

/// Shortest answer to a request for entropy that is taken for working hardware; the NSM gives 256.
pub const MIN_RANDOM_ANSWER_BYTES: usize = 32;

/// Largest attestation document: the driver's response buffer is 0x3000 bytes.
pub const MAX_DOCUMENT_BYTES: usize = 0x3000;

/// Deepest CBOR nesting read in a document. The real form needs 4: COSE array, payload, map, map.
pub const MAX_CBOR_DEPTH: usize = 8;

/// Requests that wait for the device before callers are told it is busy. At 5 ms a call, the last
/// of 64 waits a third of a second, well inside [`DEFAULT_CALL_TIMEOUT`].
pub const DEFAULT_QUEUE_CAPACITY: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// How long a caller waits for its answer, queueing included.
pub const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest wait that a caller can ask for; a longer one is cut to it.
pub const MAX_CALL_TIMEOUT: Duration = Duration::from_hours(1);

/// Bytes read of the file that names the kernel's entropy source; driver names are far shorter.
pub const MAX_ENTROPY_SOURCE_NAME_BYTES: u64 = 128;
