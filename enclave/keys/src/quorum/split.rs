//! Shamir's secret sharing over GF(2^8), byte by byte, with the field and the polynomials of `vsss-rs`: its arithmetic
//! has no tables and no branches that depend on a secret.

use std::collections::BTreeMap;
use std::convert::Infallible;

use r3e_proto::unlock::SHARE_BYTES;
use rand_core::{TryCryptoRng, TryRng};
use vsss_rs::{DefaultShare, Gf256, IdentifierGf256, Polynomial};
use zeroize::Zeroizing;

use crate::RootSecret;
use crate::error::{BoxError, KeyError};
use crate::limits::ROOT_SECRET_BYTES;
use crate::unlock::Entropy;

/// A share without its index. Wiped when dropped.
pub(super) type Share = Zeroizing<[u8; SHARE_BYTES]>;

type Coefficient = DefaultShare<IdentifierGf256, IdentifierGf256>;

/// One share for each of `members`, at the indices 1 and up; any `threshold` of them give the root back, and fewer tell
/// nothing of it. Every coefficient comes from `entropy`.
pub(super) fn split(
    root: &RootSecret,
    threshold: u8,
    members: u8,
    entropy: &dyn Entropy,
) -> Result<Vec<Share>, KeyError> {
    let refused = |_| KeyError::Library { operation: "split a secret" };
    let degree = usize::from(threshold);
    let mut source = Source { entropy, failed: None };
    let mut shares: Vec<Share> = (0..members).map(|_| Share::default()).collect();
    // Holds the secret's byte and the coefficients: wiped when dropped, and never made larger, which would leave a copy.
    let mut polynomial = Zeroizing::new(<Vec<Coefficient> as Polynomial<Coefficient>>::create(degree));
    for (position, byte) in root.expose().iter().enumerate() {
        polynomial.fill(&IdentifierGf256(Gf256(*byte)), &mut source, degree).map_err(refused)?;
        for (index, share) in (1..=members).zip(&mut shares) {
            let mut value = IdentifierGf256::ZERO;
            polynomial.evaluate_in_place(&IdentifierGf256(Gf256(index)), degree, &mut value);
            if let Some(place) = share.get_mut(position) {
                *place = value.0.0;
            }
        }
    }
    match source.failed {
        // Zeros stood in for what the source did not give: no share of it may leave.
        Some(reason) => Err(KeyError::Entropy(reason)),
        None => Ok(shares),
    }
}

/// The root secret that these shares give, by their indices. Whether it is the right one, its commitment says.
pub(super) fn combine(shares: &BTreeMap<u8, Share>) -> Result<RootSecret, KeyError> {
    let refused = || KeyError::Library { operation: "combine shares" };
    let indexed = |(index, share): (&u8, &Share)| {
        let mut one = Vec::with_capacity(1 + SHARE_BYTES);
        one.push(*index);
        one.extend_from_slice(share.as_slice());
        one
    };
    let indexed: Zeroizing<Vec<Vec<u8>>> = Zeroizing::new(shares.iter().map(indexed).collect());
    let secret = Zeroizing::new(Gf256::combine_bytes(indexed.as_slice()).map_err(|_| refused())?);
    RootSecret::fill_with(|bytes: &mut [u8; ROOT_SECRET_BYTES]| {
        if secret.len() == bytes.len() {
            bytes.copy_from_slice(&secret);
            Ok(())
        } else {
            Err(refused())
        }
    })
}

/// The caller's entropy as the library takes it: a generator that cannot fail. Its failure is kept for afterwards.
struct Source<'a> {
    entropy: &'a dyn Entropy,
    failed: Option<BoxError>,
}

impl Source<'_> {
    fn draw(&mut self, out: &mut [u8]) {
        if self.failed.is_none() {
            self.failed = self.entropy.fill(out).err();
        }
        if self.failed.is_some() {
            out.fill(0);
        }
    }
}

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.draw(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.draw(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.draw(out);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Randomness of the library under TLS.
    struct Random;

    impl Entropy for Random {
        fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
            aws_lc_rs::rand::fill(out).map_err(|_| "no randomness".into())
        }
    }

    /// Gives so many bytes, and then no more.
    struct Ends(std::sync::atomic::AtomicUsize);

    impl Entropy for Ends {
        fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
            use std::sync::atomic::Ordering::Relaxed;
            let enough = |left: usize| left.checked_sub(out.len());
            self.0.fetch_update(Relaxed, Relaxed, enough).map_err(|_| "it ended")?;
            out.fill(7);
            Ok(())
        }
    }

    fn root() -> RootSecret {
        RootSecret::fill_with(|bytes| Random.fill(bytes)).unwrap()
    }

    fn chosen(shares: &[Share], which: impl IntoIterator<Item = usize>) -> BTreeMap<u8, Share> {
        which.into_iter().map(|at| (u8::try_from(at + 1).unwrap(), shares[at].clone())).collect()
    }

    #[test]
    fn any_threshold_of_the_shares_gives_the_root_back() {
        for (threshold, members) in [(2, 2), (2, 3), (3, 5), (16, 16), (2, 16)] {
            let root = root();
            let shares = split(&root, threshold, members, &Random).unwrap();
            let (threshold, members) = (usize::from(threshold), usize::from(members));
            for first in 0..members {
                let which = (0..threshold).map(|step| (first + step) % members);
                let combined = combine(&chosen(&shares, which)).unwrap();
                assert_eq!(combined.expose(), root.expose(), "{threshold} of {members}, from {first}");
            }
            let all = combine(&chosen(&shares, 0..members)).unwrap();
            assert_eq!(all.expose(), root.expose(), "more than needed do no harm");
        }
    }

    /// Of every byte: whatever the missing share's byte is, another value of the secret's byte comes out, and all 256
    /// do. So the shares that are there leave every secret as possible as it was.
    #[test]
    fn fewer_than_the_threshold_leave_every_root_possible() {
        for threshold in [2u8, 3, 5] {
            let shares = split(&root(), threshold, 5, &Random).unwrap();
            let mut known = chosen(&shares, 0..usize::from(threshold) - 1);
            let mut seen: [HashSet<u8>; SHARE_BYTES] = std::array::from_fn(|_| HashSet::new());
            for guess in 0..=255 {
                known.insert(threshold, Zeroizing::new([guess; SHARE_BYTES]));
                let possible = combine(&known).unwrap();
                for (values, byte) in seen.iter_mut().zip(possible.expose()) {
                    values.insert(*byte);
                }
            }
            assert!(seen.iter().all(|values| values.len() == 256), "{threshold}");
        }
    }

    /// Coefficients are drawn over the whole field, zero among them: a generator that leaves zero out would make some
    /// values of a share impossible, and so tell of the secret (RUSTSEC-2024-0398).
    #[test]
    fn a_share_takes_every_value_for_the_same_root() {
        let root = RootSecret::from_recovered(&Zeroizing::new([0x41; 32]));
        let mut seen: HashSet<u8> = HashSet::new();
        // 1,000 splits of 32 equal bytes: each value of 256 is missed with a chance of e^-125.
        for _ in 0..1_000 {
            seen.extend(split(&root, 2, 2, &Random).unwrap()[0].iter());
        }
        assert_eq!(seen.len(), 256);
    }

    #[test]
    fn two_splits_of_one_root_have_nothing_in_common() {
        let root = root();
        let (one, other) = (split(&root, 2, 3, &Random).unwrap(), split(&root, 2, 3, &Random).unwrap());
        assert!(one.iter().zip(&other).all(|(one, other)| one != other));
        let mixed = BTreeMap::from([(1, one[0].clone()), (2, other[1].clone())]);
        assert_ne!(combine(&mixed).unwrap().expose(), root.expose());
    }

    #[test]
    fn without_entropy_to_the_end_there_are_no_shares() {
        // 3 of 5 take two coefficients for each of 32 bytes.
        for given in [0, 4, 100, 32 * 2 * 4 - 1] {
            let refused = split(&root(), 3, 5, &Ends(given.into())).unwrap_err();
            assert!(matches!(refused, KeyError::Entropy(_)), "{given}");
        }
        assert!(split(&root(), 3, 5, &Ends((32 * 2 * 4).into())).is_ok());
    }

    #[test]
    fn one_share_and_none_are_no_secret() {
        let shares = split(&root(), 2, 3, &Random).unwrap();
        assert!(combine(&chosen(&shares, [])).is_err());
        assert!(combine(&chosen(&shares, [0])).is_err());
    }
}
