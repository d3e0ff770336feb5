//! A header's Bloom filter over the addresses and topics of its block's logs (Yellow Paper, section 4.4.3). It is part of what
//! the header's hash is over: a log that it does not have never was.

use r3e_proto::api::wallets::keccak256;

const BYTES: usize = 256;

/// 2,048 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Bloom(pub [u8; BYTES]);

impl Bloom {
    /// Whether `item`, an address or a topic, may be among them. Without a false no.
    pub fn may_have(&self, item: &[u8]) -> bool {
        let hash = keccak256(&[item]);
        // Three times the low eleven bits of two bytes.
        [0, 2, 4].into_iter().all(|at| {
            let bit = usize::from(u16::from_be_bytes([hash[at], hash[at + 1]])) % (8 * BYTES);
            self.0[BYTES - 1 - bit / 8] & 1 << (bit % 8) != 0
        })
    }
}

impl std::fmt::Debug for Bloom {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ones: u32 = self.0.iter().map(|byte| byte.count_ones()).sum();
        write!(formatter, "Bloom({ones} bits)")
    }
}
