//! Addresses, from public keys.

use r3e_proto::api::wallets::{EvmAddress, keccak256};
use ripemd::Ripemd160;
use sha2::{Digest as _, Sha256};

use super::base58check;

/// Neo N3's address version: addresses begin with N.
const NEO_VERSION: u8 = 0x35;
/// PUSHDATA1 and its length, before a public key in a verification script.
const PUSH_KEY: [u8; 2] = [0x0c, 33];
/// SYSCALL System.Crypto.CheckSig, after it.
const CHECK_SIGNATURE: [u8; 5] = [0x41, 0x56, 0xe7, 0xb3, 0x27];

/// Ethereum's: the last 20 bytes of the hash of the uncompressed point (SEC 1) without its first byte.
pub(crate) fn ethereum(point: &[u8]) -> EvmAddress {
    let hash = keccak256(&[point.get(1..).unwrap_or_default()]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    EvmAddress(address)
}

/// Neo N3's: the hash of the script that verifies one signature by the compressed key.
pub(super) fn neo(compressed: &[u8]) -> String {
    let script = [&PUSH_KEY, compressed, &CHECK_SIGNATURE].concat();
    let hash = Ripemd160::digest(Sha256::digest(script));
    base58check::encode(&[&[NEO_VERSION], hash.as_slice()].concat())
}
