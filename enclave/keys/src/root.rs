//! The root secret: the one value that everything else of an appliance is derived from.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    KeyPath,
    error::KeyError,
    limits::{COMMITMENT_BYTES, DERIVED_KEY_BYTES, ROOT_SECRET_BYTES},
};

/// The salt of RFC 5869's extract step: separates this tree from any other use of the same 32 bytes.
const SALT: &[u8] = b"r3e/1/root-secret";

/// 32 bytes that never leave this type. Boxed, so that moving it leaves no copy on a stack; wiped when dropped;
/// neither `Clone` nor printable.
pub struct RootSecret(Box<Zeroizing<[u8; ROOT_SECRET_BYTES]>>);

impl RootSecret {
    /// Makes a root secret in place: `fill` writes all of its bytes.
    ///
    /// # Errors
    /// Whatever `fill` answers; the half-written secret is wiped.
    pub fn fill_with<E>(fill: impl FnOnce(&mut [u8; ROOT_SECRET_BYTES]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Box::new(Zeroizing::new([0; ROOT_SECRET_BYTES]));
        fill(&mut secret)?;
        Ok(Self(secret))
    }

    /// Takes over a root secret that an unlock provider recovered. The caller's copy is the caller's to wipe.
    pub fn from_recovered(bytes: &Zeroizing<[u8; ROOT_SECRET_BYTES]>) -> Self {
        let mut secret = Box::new(Zeroizing::new([0; ROOT_SECRET_BYTES]));
        secret.copy_from_slice(&**bytes);
        Self(secret)
    }

    /// The key under `path`: HKDF-SHA-256 (RFC 5869), with the path's text as `info`. The same root and path always
    /// give the same key; keys of different paths tell nothing of each other or of the root.
    ///
    /// # Errors
    /// [`KeyError::Library`] only if the library refuses 32 bytes of output, which RFC 5869 allows.
    pub fn derive(&self, path: &KeyPath) -> Result<Zeroizing<[u8; DERIVED_KEY_BYTES]>, KeyError> {
        let mut key = Zeroizing::new([0; DERIVED_KEY_BYTES]);
        Hkdf::<Sha256>::new(Some(SALT), self.0.as_slice())
            .expand(path.as_str().as_bytes(), key.as_mut_slice())
            .map_err(|_| KeyError::Library { operation: "derive a key" })?;
        Ok(key)
    }

    /// A value that this root secret has and no other: an output of the derivation under a path of its own, made to be
    /// public. It tells nothing of the root or of any key, and says whether a recovered root is the one: the
    /// appliance's identity.
    ///
    /// # Errors
    /// [`KeyError::Library`], as [`Self::derive`].
    pub fn commitment(&self) -> Result<[u8; COMMITMENT_BYTES], KeyError> {
        Ok(*self.derive(&KeyPath::identity())?)
    }

    /// A copy of the bytes, wiped when dropped, for whoever hands the root secret to a successor or keeps it elsewhere: where
    /// it goes from here is the caller's to answer for.
    pub fn reveal(&self) -> Box<Zeroizing<[u8; ROOT_SECRET_BYTES]>> {
        let mut copy = Box::new(Zeroizing::new([0; ROOT_SECRET_BYTES]));
        copy.copy_from_slice(self.0.as_slice());
        copy
    }

    /// The bytes, for a provider of this crate that seals or splits them.
    pub(crate) fn expose(&self) -> &[u8; ROOT_SECRET_BYTES] {
        &self.0
    }

    /// Whether every byte is the same: what a dead entropy source gives.
    pub(crate) fn is_constant(&self) -> bool {
        self.0.iter().all(|byte| *byte == self.0[0])
    }
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RootSecret(..)")
    }
}
