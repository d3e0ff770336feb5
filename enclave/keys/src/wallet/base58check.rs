//! `Base58Check`: base 58 with four bytes of a double SHA-256 behind.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const CHECKSUM_BYTES: usize = 4;
/// Room for the longest text of ours, a NEP-2 key, and its checksum.
const ROOM_BYTES: usize = 64;

/// The `N` bytes in `text`, if it holds exactly so many and their checksum is right.
pub(super) fn decode<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut room = Zeroizing::new([0; ROOM_BYTES]);
    let length = bs58::decode(text).onto(room.as_mut_slice()).ok()?;
    let (payload, sum) = room.get(..length)?.split_last_chunk::<CHECKSUM_BYTES>()?;
    if checksum(payload) != *sum {
        return None;
    }
    let mut out = Zeroizing::new([0; N]);
    (payload.len() == N).then(|| out.copy_from_slice(payload))?;
    Some(out)
}

/// The first four bytes of SHA-256 of SHA-256.
pub(super) fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Sha256::digest(Sha256::digest(bytes));
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&hash[..CHECKSUM_BYTES]);
    sum
}
