//! A wallet's private key, 32 bytes, and how one is derived.

use std::fmt;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Hash32, KeyType};
use zeroize::Zeroizing;

use super::WalletKey;
use crate::{KeyError, KeyPath, RootSecret, scalar};

/// Labels a candidate, before the key's type and the number of the attempt.
const CANDIDATE: &str = "r3e/1/wallet-key";

/// The private key of a wallet: a scalar from 1 to the group's order less 1, big-endian, or an Ed25519 seed. Boxed, so that
/// moving it leaves no copy behind; wiped when it is dropped; neither `Clone` nor printable.
pub struct WalletSecret {
    key_type: KeyType,
    bytes: Box<Zeroizing<[u8; 32]>>,
}

impl WalletSecret {
    /// The key of a tenant's wallet, of this type, with this id.
    ///
    /// For ECDSA it is drawn from the seed under [`KeyPath::wallet`], every scalar of the group as likely as every other.
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses what cannot fail, or every attempt failed, which happens to nobody.
    pub fn derive(
        root: &RootSecret,
        tenant: TenantId,
        key_type: KeyType,
        id: &Hash32,
    ) -> Result<Self, KeyError> {
        let seed = root.derive(&KeyPath::wallet(&tenant.to_string(), key_type.as_str(), &id.0)?)?;
        let label = format!("{CANDIDATE}/{}", key_type.as_str());
        scalar::drawn(&seed, &label, "derive a wallet's key", |bytes| Self::checked(key_type, bytes))
    }

    /// The key in a record that [`Self::stored_form`] gave.
    ///
    /// # Errors
    /// [`KeyError::Library`]: it is none.
    pub fn from_stored(key_type: KeyType, record: &[u8]) -> Result<Self, KeyError> {
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        let fits = record.len() == bytes.len();
        if fits {
            bytes.copy_from_slice(record);
        }
        Self::checked(key_type, bytes)
            .filter(|_| fits)
            .ok_or(KeyError::Library { operation: "read a wallet's key from its record" })
    }

    /// What is sealed of an imported key.
    pub fn stored_form(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.bytes.to_vec())
    }

    /// Takes a key over, if it is one of this type.
    pub(super) fn checked(key_type: KeyType, bytes: Box<Zeroizing<[u8; 32]>>) -> Option<Self> {
        let holds = match key_type {
            KeyType::Secp256k1 => k256::SecretKey::from_slice(bytes.as_slice()).is_ok(),
            KeyType::Secp256r1 => p256::SecretKey::from_slice(bytes.as_slice()).is_ok(),
            KeyType::Ed25519 => true,
        };
        holds.then_some(Self { key_type, bytes })
    }

    /// The key that signs.
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses what cannot fail.
    pub fn key(&self) -> Result<WalletKey, KeyError> {
        WalletKey::of(self.key_type, &self.bytes)
    }

    /// The key's type.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for WalletSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WalletSecret").field("key_type", &self.key_type).finish_non_exhaustive()
    }
}
