//! A wallet's key, encrypted to its tenant by HPKE (RFC 9180): base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! AES-256-GCM. The info names the wallet, so that one wallet's key is never taken for another's.

use r3e_proto::api::identity::TenantId;
use r3e_proto::wallet::export_info;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{Hpke as _, HpkePublicKey};

use super::WalletSecret;
use super::gate::ExportAllowed;
use crate::KeyError;

/// What HPKE gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// The encapsulated key.
    pub encapsulated_key: [u8; 32],
    /// The 32 bytes of the private key, encrypted, and their tag.
    pub ciphertext: Vec<u8>,
}

impl WalletSecret {
    /// Encrypts the key to the X25519 public key that the gate allowed.
    ///
    /// # Errors
    /// [`KeyError::Library`]: the recipient is no usable key (a point of small order, say).
    pub fn seal(&self, allowed: &ExportAllowed, tenant: TenantId, name: &str) -> Result<SealedKey, KeyError> {
        let refused = || KeyError::Library { operation: "encrypt to this X25519 key" };
        let recipient = HpkePublicKey(allowed.recipient().to_vec());
        let info = export_info(tenant, name, self.key()?.public_key());
        let sealed = DH_KEM_X25519_HKDF_SHA256_AES_256.seal(&info, b"", self.expose(), &recipient);
        let (encapsulated, ciphertext) = sealed.map_err(|_| refused())?;
        let encapsulated_key = encapsulated.0.try_into().map_err(|_| refused())?;
        Ok(SealedKey { encapsulated_key, ciphertext })
    }
}
