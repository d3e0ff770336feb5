//! How the root secret comes into memory. Which provider runs, and under which policy, is measured (PCR17) before
//! the listener opens, so a client that appraised the evidence knows how the keys behind it were released.

use std::{future::Future, pin::Pin};

use crate::{
    RootSecret,
    error::{BoxError, KeyError},
};

/// A source of randomness that the caller trusts: on hardware, the NSM through the Attester.
pub trait Entropy: Send + Sync {
    /// Fills all of `out`.
    ///
    /// # Errors
    /// Any failure of the device. `out` is then not used.
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError>;
}

/// What a [`Slot`] answers.
pub type SlotFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// The one place outside the sealed records where the parent keeps something for an unlock provider: what it needs
/// before the state can be opened. Nothing in it is secret, and nothing that comes back is to be trusted unseen.
pub trait Slot: Send + Sync {
    /// What stands there, if anything does.
    ///
    /// # Errors
    /// The parent did not answer, or its store failed.
    fn read(&self) -> SlotFuture<'_, Option<Vec<u8>>>;

    /// Puts `value` there, if what stands has the SHA-256 `expected` (none: if nothing stands). Durable when answered.
    ///
    /// # Errors
    /// The parent did not answer, or its store failed: whether the value stands is then unknown.
    fn write<'a>(&'a self, expected: Option<[u8; 32]>, value: &'a [u8]) -> SlotFuture<'a, SlotWritten>;
}

/// What became of a [`Slot::write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotWritten {
    /// It stands.
    Written,
    /// Something else stood there; nothing was written.
    Conflict,
}

/// Attestation documents for a provider: on hardware, the NSM through the Attester.
pub trait Documents: Send + Sync {
    /// A document with these `user_data` and, where there is one, `public_key`.
    ///
    /// # Errors
    /// The device failed, or gave nothing in time.
    fn attest<'a>(
        &'a self,
        public_key: Option<&'a [u8]>,
        user_data: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>>;
}

/// The time that a provider writes down and signs requests for: the attestation device's, never the parent's.
pub trait Clock: Send + Sync {
    /// Unix milliseconds.
    fn unix_ms(&self) -> u64;
}

/// What [`UnlockProvider::unlock`] answers, boxed so that the trait can be a trait object.
pub type UnlockFuture<'a> = Pin<Box<dyn Future<Output = Result<RootSecret, KeyError>> + Send + 'a>>;

/// What [`UnlockProvider::adopt`] answers.
pub type AdoptFuture<'a> = Pin<Box<dyn Future<Output = Result<(), KeyError>> + Send + 'a>>;

/// One way to obtain the root secret at boot.
pub trait UnlockProvider: Send + Sync {
    /// A short stable name, as in the configuration: `ephemeral`, `aws-kms`, `quorum`.
    fn name(&self) -> &'static str;

    /// What is measured: the provider and every rule it keeps, so that another policy is another measurement. The
    /// first bytes name the provider.
    fn policy_bytes(&self) -> Vec<u8>;

    /// Releases the root secret, or makes a new one where the provider's rules say so. Called once, at boot.
    ///
    /// # Errors
    /// [`KeyError::Entropy`], [`KeyError::DeadEntropy`] or [`KeyError::Locked`]: the appliance does not start.
    fn unlock<'a>(&'a self, entropy: &'a dyn Entropy) -> UnlockFuture<'a>;

    /// Makes a root secret that came by handoff one that this provider releases at the next boot, under its own policy:
    /// whatever stood in the parent's slot, of another provider or for other members, is replaced. Draws at most
    /// [`crate::limits::MAX_ADOPT_ENTROPY_BYTES`]. May be called again, after a failure or a success; until it succeeds, the
    /// appliance would not come back from a restart.
    ///
    /// # Errors
    /// [`KeyError::NotAdopted`]: what stood in the slot stands, or nobody knows. [`KeyError::Entropy`].
    fn adopt<'a>(&'a self, root: &'a RootSecret, entropy: &'a dyn Entropy) -> AdoptFuture<'a>;
}

/// A new root secret at every boot, never written anywhere: state sealed before a restart is lost by design.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ephemeral;

impl UnlockProvider for Ephemeral {
    fn name(&self) -> &'static str {
        "ephemeral"
    }

    fn policy_bytes(&self) -> Vec<u8> {
        r3e_proto::unlock::EPHEMERAL_POLICY.to_vec()
    }

    fn unlock<'a>(&'a self, entropy: &'a dyn Entropy) -> UnlockFuture<'a> {
        Box::pin(async move {
            let root = RootSecret::fill_with(|bytes| entropy.fill(bytes)).map_err(KeyError::Entropy)?;
            // A working source gives 32 equal bytes once in 2^248 boots.
            if root.is_constant() { Err(KeyError::DeadEntropy) } else { Ok(root) }
        })
    }

    /// Keeps nothing: as with a root of its own, a restart ends the appliance.
    fn adopt<'a>(&'a self, _: &'a RootSecret, _: &'a dyn Entropy) -> AdoptFuture<'a> {
        Box::pin(async { Ok(()) })
    }
}
