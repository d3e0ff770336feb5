//! The witness key: the Ed25519 key by which rollback witnesses know the appliance.

use std::fmt;

use crate::{KeyPath, ReportKey, RootSecret, error::KeyError};

/// Signs for witnesses how far the appliance is. It is another key than the report key, so that nothing which is signed for
/// one can be shown to the other. It lives as long as the root secret: a successor by handoff has the same.
pub struct WitnessKey(ReportKey);

impl WitnessKey {
    /// The witness key of the appliance with this root secret, under [`KeyPath::witness`].
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses the derivation or the seed.
    pub fn of(root: &RootSecret) -> Result<Self, KeyError> {
        ReportKey::under(root, &KeyPath::witness()).map(Self)
    }

    /// The Ed25519 signature (RFC 8032) of `message`: 64 bytes. What is signed must name its own domain.
    ///
    /// # Errors
    /// As [`ReportKey::sign`].
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        self.0.sign(message)
    }

    /// The public key: 32 bytes, as in RFC 8032.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.public_key()
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WitnessKey").field("public", &self.public_key()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn it_is_another_key_than_the_report_key() {
        let root = RootSecret::from_recovered(&Zeroizing::new([7; 32]));
        let key = WitnessKey::of(&root).unwrap();
        assert_ne!(key.public_key(), ReportKey::of(&root).unwrap().public_key());
        assert_eq!(key.public_key(), WitnessKey::of(&root).unwrap().public_key());
        assert!(!format!("{key:?}").contains("seed"));
    }
}
