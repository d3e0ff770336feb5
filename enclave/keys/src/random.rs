//! The key that a tenant's random numbers are drawn with (RFC 9381). It signs nothing.

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::random::Random;
use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::random::{Occasion, check_range};
use r3e_vrf::SecretKey;

use crate::{KeyError, KeyPath, RootSecret, scalar};

/// Labels a candidate, before the number of the attempt.
const CANDIDATE: &str = "r3e/1/random-key";

/// A tenant's key for random numbers. It is wiped when it is dropped.
#[derive(Debug)]
pub struct RandomKey(SecretKey);

impl RandomKey {
    /// The key of this tenant, under [`KeyPath::random`].
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses what cannot fail.
    pub fn of(root: &RootSecret, tenant: TenantId) -> Result<Self, KeyError> {
        let seed = root.derive(&KeyPath::random(&tenant.to_string())?)?;
        scalar::drawn(&seed, CANDIDATE, "derive a key for random numbers", |bytes| {
            SecretKey::from_bytes(&bytes).ok()
        })
        .map(Self)
    }

    /// Who draws: a compressed point of P-256.
    pub fn public_key(&self) -> [u8; 33] {
        *self.0.public_key().as_bytes()
    }

    /// The number from `min` to `max` for this occasion, always the same, with its proof, which is verified before it is given out.
    ///
    /// # Errors
    /// [`KeyError::Range`], [`KeyError::Occasion`]; [`KeyError::Library`] if the library refuses what cannot fail.
    pub fn draw(&self, occasion: &Occasion, min: u64, max: u64) -> Result<Random, KeyError> {
        check_range(min, max).map_err(KeyError::Range)?;
        occasion.check().map_err(KeyError::Occasion)?;
        let refused = || KeyError::Library { operation: "draw a random number" };
        let message = occasion.encode();
        let (proof, output) = self.0.prove(&message).map_err(|_| refused())?;
        if self.0.public_key().verify(&message, &proof) != Ok(output) {
            return Err(refused());
        }
        Ok(Random {
            value: output.in_range(min, max).ok_or_else(refused)?,
            min,
            max,
            message: HexBytes(message),
            output: Hash32(output.0),
            proof: HexBytes(proof.0.to_vec()),
            key: HexBytes(self.public_key().to_vec()),
            document: None,
        })
    }
}
