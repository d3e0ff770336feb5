//! Whose signatures approve a release, and how many it takes.

use super::MAX_RELEASE_KEYS;
use crate::api::identity::PublicKey;
use crate::wire::{WireError, within};

/// A threshold and keys that keep every rule: 1 to 16 keys, a threshold of 1 to all of them, no key twice, and none that
/// anybody could sign for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoffPolicy {
    threshold: u8,
    keys: Vec<PublicKey>,
}

impl HandoffPolicy {
    /// Checks a policy.
    ///
    /// # Errors
    /// [`WireError::Invalid`], [`WireError::TooLarge`]: which rule it breaks.
    pub fn new(threshold: u8, keys: Vec<PublicKey>) -> Result<Self, WireError> {
        let invalid = |what, why| Err(WireError::Invalid { what, why });
        within("keys", keys.len(), MAX_RELEASE_KEYS)?;
        if threshold == 0 {
            return invalid("threshold", "it takes at least 1: with 0, anybody's image is released");
        }
        if usize::from(threshold) > keys.len() {
            return invalid("threshold", "there are fewer keys than it takes");
        }
        for (place, key) in keys.iter().enumerate() {
            if !is_usable(key) {
                return invalid("keys", "one is no Ed25519 public key, or one for which anybody can sign");
            }
            if keys.iter().take(place).any(|before| before == key) {
                return invalid("keys", "one stands there twice, and would count once");
            }
        }
        Ok(Self { threshold, keys })
    }

    /// How many keys must have signed.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The keys, in their order.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }
}

/// Whether a key is in the one encoding that RFC 8032 section 5.1.2 gives its point, and the point is not of small order:
/// to such a key, signatures are known that hold without its private half. That the point lies on the curve shows when a
/// signature is verified.
fn is_usable(key: &PublicKey) -> bool {
    let mut y = key.0;
    y[31] &= 0x7f; // The highest bit is the sign of x.
    // Little-endian: compared from the last byte on. y is below p = 2^255 - 19.
    let canonical = y.iter().rev().lt(PRIME.iter().rev());
    canonical && !SMALL_ORDER_Y.contains(&y)
}

/// p = 2^255 - 19, little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// y of the points whose order divides 8, little-endian: of order 1; 2; 4 (two points); 8 (two points each).
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = PRIME;
        minus_one[0] -= 1;
        minus_one
    },
    [0; 32],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];
