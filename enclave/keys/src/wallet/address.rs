//! Addresses, from public keys.

use r3e_proto::api::wallets::{EvmAddress, keccak256};
use r3e_proto::wallet::neo_account;

/// Ethereum's: the last 20 bytes of the hash of the uncompressed point (SEC 1) without its first byte.
pub(crate) fn ethereum(point: &[u8]) -> EvmAddress {
    let hash = keccak256(&[point.get(1..).unwrap_or_default()]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    EvmAddress(address)
}

/// Neo N3's: the hash of the script that verifies one signature by the compressed key.
pub(super) fn neo(compressed: &[u8; 33]) -> String {
    r3e_neo::address(neo_account(compressed))
}
