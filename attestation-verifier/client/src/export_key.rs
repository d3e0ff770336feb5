//! The X25519 key that a wallet's key is exported to, and its file: 64 hex digits, readable by its owner alone.

use std::path::{Path, PathBuf};

use aws_lc_rs::agreement::{PrivateKey, X25519};
use r3e_proto::api::wallets::{Exported, Hash32};
use r3e_proto::wallet::export_info;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::signing_key::{KeyError, read_private, write_private_new};

/// An X25519 key pair. It has no `Debug`; its memory is wiped when it is dropped.
pub struct ExportKey {
    private: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

/// Why an exported key cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not a key of ours.
    #[error("{path:?} holds no X25519 key of 64 hex digits. Make one with `r3e wallets export-keygen`")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// It was encrypted to another key, for another wallet, or changed.
    #[error("it was not encrypted to this key, for this wallet, or it was changed")]
    Refused,
}

impl ExportKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, ExportError> {
        let mut private = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(private.as_mut_slice()).map_err(|_| KeyError::Random)?;
        Self::of(private).ok_or_else(|| KeyError::Random.into())
    }

    /// The key in a file.
    ///
    /// # Errors
    /// [`ExportError`]: unreadable, readable by others, or no such key.
    pub fn read(path: &Path) -> Result<Self, ExportError> {
        let text = read_private(path)?;
        let mut private = Zeroizing::new([0; 32]);
        let read = hex::decode_to_slice(text.trim_ascii(), private.as_mut_slice()).ok();
        read.and_then(|()| Self::of(private)).ok_or_else(|| ExportError::Format { path: path.to_owned() })
    }

    /// Writes the key to a new file with mode 0600.
    ///
    /// # Errors
    /// [`KeyError`]: the file exists, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let text = Zeroizing::new(hex::encode(self.private.as_slice()));
        write_private_new(path, text.as_bytes())
    }

    /// What an export is asked to be encrypted to.
    pub fn public_key(&self) -> Hash32 {
        Hash32(self.public)
    }

    /// The 32 bytes of an exported private key.
    ///
    /// # Errors
    /// [`ExportError::Refused`].
    pub fn open(&self, exported: &Exported) -> Result<Zeroizing<Vec<u8>>, ExportError> {
        let info = export_info(exported.tenant, &exported.name, &exported.public_key.0);
        let encapsulated = EncapsulatedSecret(exported.encapsulated_key.0.to_vec());
        let key = HpkePrivateKey::from(self.private.to_vec());
        DH_KEM_X25519_HKDF_SHA256_AES_256
            .open(&encapsulated, &info, b"", &exported.ciphertext.0, &key)
            .map(Zeroizing::new)
            .map_err(|_| ExportError::Refused)
    }

    fn of(private: Zeroizing<[u8; 32]>) -> Option<Self> {
        let key = PrivateKey::from_private_key(&X25519, private.as_slice()).ok()?;
        let public = key.compute_public_key().ok()?.as_ref().try_into().ok()?;
        Some(Self { private, public })
    }
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::identity::TenantId;
    use r3e_proto::api::wallets::{HexBytes, KeyType};
    use rustls::crypto::hpke::HpkePublicKey;

    use super::*;

    #[test]
    fn a_key_file_gives_the_key_back_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = ExportKey::generate().unwrap();
        key.write_new(&path).unwrap();
        assert_eq!(ExportKey::read(&path).unwrap().public_key(), key.public_key());
        assert!(matches!(key.write_new(&path), Err(KeyError::Exists { .. })));
        for text in ["", "00", &"g".repeat(64), &"0".repeat(66)] {
            let path = folder.path().join(format!("bad-{}", text.len()));
            write_private_new(&path, text.as_bytes()).unwrap();
            assert!(matches!(ExportKey::read(&path), Err(ExportError::Format { .. })), "{text}");
        }
    }

    #[test]
    fn what_was_encrypted_opens_with_its_own_key_and_info_alone() {
        let (key, another) = (ExportKey::generate().unwrap(), ExportKey::generate().unwrap());
        let exported = |name: &str| {
            let info = export_info(TenantId([1; 16]), "hot", &[2; 33]);
            let recipient = HpkePublicKey(key.public.to_vec());
            let (encapsulated, ciphertext) =
                DH_KEM_X25519_HKDF_SHA256_AES_256.seal(&info, b"", &[7; 32], &recipient).unwrap();
            Exported {
                tenant: TenantId([1; 16]),
                name: name.to_owned(),
                key_type: KeyType::Secp256k1,
                public_key: HexBytes(vec![2; 33]),
                encapsulated_key: Hash32(encapsulated.0.try_into().unwrap()),
                ciphertext: HexBytes(ciphertext),
            }
        };
        assert_eq!(key.open(&exported("hot")).unwrap().as_slice(), [7; 32]);
        assert!(matches!(key.open(&exported("cold")), Err(ExportError::Refused)));
        assert!(matches!(another.open(&exported("hot")), Err(ExportError::Refused)));
        let mut changed = exported("hot");
        changed.ciphertext.0[0] ^= 1;
        assert!(matches!(key.open(&changed), Err(ExportError::Refused)));
    }
}
