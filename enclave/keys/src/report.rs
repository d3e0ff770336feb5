//! The report key: the Ed25519 key that signs receipts and reports of the appliance.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use crate::{KeyPath, RootSecret, error::KeyError, limits::MAX_SIGNED_MESSAGE_BYTES};

/// Signs as the appliance. Its seed is derived from the root secret, so it lives as long as the sealed state does.
pub struct ReportKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl ReportKey {
    /// The report key of the appliance with this root secret, under [`KeyPath::report`].
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses the derivation or the seed.
    pub fn of(root: &RootSecret) -> Result<Self, KeyError> {
        Self::under(root, &KeyPath::report())
    }

    /// The key under another path.
    pub(crate) fn under(root: &RootSecret, path: &KeyPath) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Library { operation: "make an Ed25519 key of a seed" };
        let seed = root.derive(path)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(refused)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError::Library { operation: "give a public key of 32 bytes" })?;
        Ok(Self { pair, public })
    }

    /// The Ed25519 signature (RFC 8032) of `message`: 64 bytes. What is signed must name its own domain.
    ///
    /// # Errors
    /// [`KeyError::Message`] over [`MAX_SIGNED_MESSAGE_BYTES`]; [`KeyError::Library`] if the library refuses to sign.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        if message.len() > MAX_SIGNED_MESSAGE_BYTES {
            return Err(KeyError::Message { bytes: message.len(), limit: MAX_SIGNED_MESSAGE_BYTES });
        }
        let refused = || KeyError::Library { operation: "sign with Ed25519" };
        let signature = self.pair.try_sign(message).map_err(|_| refused())?;
        signature.as_ref().try_into().map_err(|_| refused())
    }

    /// The public key: 32 bytes, as in RFC 8032.
    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }
}

impl fmt::Debug for ReportKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReportKey").field("public", &self.public).finish_non_exhaustive()
    }
}
