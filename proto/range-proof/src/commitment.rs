//! Pedersen commitments: a number times the base point, and a blinding times another point of which nobody knows the logarithm.

use std::fmt;

use bulletproofs::PedersenGens;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use rand_core_06::OsRng;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{BLINDING_BYTES, COMMITMENT_BYTES, RangeProofError};

/// What hides a number and holds whoever made it to that number. Any 32 bytes, until a statement is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment(pub [u8; COMMITMENT_BYTES]);

/// What hides the number in a commitment: whoever knows it can try out numbers. Wiped when it is dropped.
pub struct Blinding(Scalar);

/// A number and what hides it, which together open a commitment. Wiped when it is dropped.
pub struct Opening {
    number: Zeroizing<u64>,
    blinding: Blinding,
}

impl Blinding {
    /// A new one, by the system's random numbers.
    pub fn random() -> Self {
        Self(Scalar::random(&mut OsRng))
    }

    /// The one of these bytes.
    ///
    /// # Errors
    /// [`RangeProofError::Blinding`].
    pub fn from_bytes(bytes: &[u8; BLINDING_BYTES]) -> Result<Self, RangeProofError> {
        Option::from(Scalar::from_canonical_bytes(*bytes)).map(Self).ok_or(RangeProofError::Blinding)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; BLINDING_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }

    pub(crate) fn scalar(&self) -> &Scalar {
        &self.0
    }
}

impl Opening {
    /// Of a number and what hides it. One blinding for two commitments tells the difference of their numbers.
    pub fn new(number: u64, blinding: Blinding) -> Self {
        Self { number: Zeroizing::new(number), blinding }
    }

    /// The number.
    pub fn number(&self) -> u64 {
        *self.number
    }

    /// What hides it.
    pub fn blinding(&self) -> &Blinding {
        &self.blinding
    }

    /// The commitment that it opens.
    pub fn commitment(&self) -> Commitment {
        Commitment(
            PedersenGens::default().commit(Scalar::from(*self.number), self.blinding.0).compress().to_bytes(),
        )
    }
}

impl Commitment {
    /// The point; none where the bytes are not the one form of one.
    pub(crate) fn point(&self) -> Option<RistrettoPoint> {
        CompressedRistretto(self.0).decompress()
    }
}

impl Drop for Blinding {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(..)")
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(..)")
    }
}
