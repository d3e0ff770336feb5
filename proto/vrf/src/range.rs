//! A number in a range, each as likely as any other.

use sha2::{Digest as _, Sha256};

use super::Output;

/// What each draw begins with.
const DOMAIN: &[u8] = b"r3e/1/vrf-range";

impl Output {
    /// A number from `min` to `max`, both included; none where `min` is the greater one. Whoever has the output computes the same.
    ///
    /// A draw is the first 16 bytes, big-endian, of SHA-256 over a domain, the output, and the draw's number from 0 in 4 bytes. The first
    /// that is below the greatest multiple of the range's size counts, modulo that size: the remainder alone would make small numbers
    /// more likely. The first draw is passed over once in 2^64 times at the most.
    pub fn in_range(&self, min: u64, max: u64) -> Option<u64> {
        let draw = |number: u32| {
            let hash =
                Sha256::new().chain_update(DOMAIN).chain_update(self.0).chain_update(number.to_be_bytes());
            let hash: [u8; 32] = hash.finalize().into();
            hash.first_chunk().copied().map_or(0, u128::from_be_bytes)
        };
        let size = u128::from(max.checked_sub(min)?) + 1;
        let drawn = (0..=u32::MAX).map(draw).find_map(|draw| even(draw, size))?;
        min.checked_add(u64::try_from(drawn).ok()?)
    }
}

/// The draw modulo `size`, unless it is among those that are too many.
fn even(draw: u128, size: u128) -> Option<u128> {
    // 2^128 mod size, without the number that does not fit.
    let rest = (u128::MAX % size + 1) % size;
    (draw <= u128::MAX - rest).then_some(draw % size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_more_likely() {
        // Of 2^128 draws, a range of 3 leaves one over, one of 2^127 + 1 nearly half.
        assert_eq!(even(u128::MAX, 3), None);
        assert_eq!(even(u128::MAX - 1, 3), Some(2));
        assert_eq!(even(u128::MAX, 1), Some(0));
        assert_eq!(even(u128::MAX, 1 << 64), Some((1 << 64) - 1));
        let size = (1 << 127) + 1;
        assert_eq!(even(1 << 127, size), Some(1 << 127));
        assert_eq!(even((1 << 127) + 1, size), None);
        assert_eq!(even(u128::MAX, size), None);
    }

    #[test]
    fn ranges() {
        let output = Output([9; 32]);
        assert_eq!(output.in_range(7, 7), Some(7));
        assert_eq!(output.in_range(8, 7), None);
        assert!(output.in_range(0, u64::MAX).is_some());
        assert_eq!(output.in_range(0, u64::MAX), output.in_range(0, u64::MAX));
        let mut counts = [0_u32; 6];
        for seed in 0..6_000_u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&seed.to_be_bytes());
            let die = Output(bytes).in_range(1, 6).unwrap();
            counts[usize::try_from(die).unwrap() - 1] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
