//! The anchor key: the secp256k1 key by which a chain knows the appliance.

use std::fmt;

use k256::ecdsa::SigningKey;
use r3e_proto::anchor::anchor_digest;
use r3e_proto::api::wallets::EvmAddress;
use r3e_proto::report::EvmTarget;
use r3e_proto::witness::Commit;

use crate::wallet::ethereum;
use crate::{KeyError, KeyPath, RootSecret, scalar};

/// Labels a candidate, before the number of the attempt.
const CANDIDATE: &str = "r3e/1/anchor-key";

/// Signs for a contract how far the appliance is, and nothing else: no wallet has it, and it has no funds. It lives as long as the root
/// secret. The library beneath wipes it when it is dropped.
pub struct AnchorKey {
    key: SigningKey,
    address: EvmAddress,
}

impl AnchorKey {
    /// The anchor key of the appliance with this root secret, under [`KeyPath::anchor`].
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses what cannot fail.
    pub fn of(root: &RootSecret) -> Result<Self, KeyError> {
        let seed = root.derive(&KeyPath::anchor())?;
        let key = scalar::drawn(&seed, CANDIDATE, "derive the anchor key", |bytes| {
            SigningKey::from_slice(bytes.as_slice()).ok()
        })?;
        let address = ethereum(key.verifying_key().to_sec1_point(false).as_bytes());
        Ok(Self { key, address })
    }

    /// As whom the contract knows the appliance.
    pub fn address(&self) -> EvmAddress {
        self.address
    }

    /// Signs a commit for the contract: r, s and v. Nonces are RFC 6979's, and each signature is verified before it is given out.
    ///
    /// # Errors
    /// [`KeyError::Library`]: chain 0 is none; or the library refused, or its signature does not hold.
    pub fn sign(&self, contract: &EvmTarget, commit: &Commit) -> Result<[u8; 65], KeyError> {
        let operation = "sign an anchor";
        let digest = anchor_digest(contract, commit).map_err(|_| KeyError::Library { operation })?;
        scalar::recoverable(&self.key, &digest, operation)
    }
}

impl fmt::Debug for AnchorKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AnchorKey").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn the_address_is_recovered_from_what_it_signs() {
        let key = AnchorKey::of(&RootSecret::from_recovered(&Zeroizing::new([7; 32]))).unwrap();
        let contract = EvmTarget { chain_id: 138, contract: EvmAddress([3; 20]) };
        let commit = Commit { sequence: 9, head: [4; 32] };
        let bytes = key.sign(&contract, &commit).unwrap();
        let signature = Signature::from_slice(&bytes[..64]).unwrap();
        let recovery = RecoveryId::from_byte(bytes[64] - 27).unwrap();
        let digest = anchor_digest(&contract, &commit).unwrap();
        let found = VerifyingKey::recover_from_prehash(&digest, &signature, recovery).unwrap();
        assert_eq!(ethereum(found.to_sec1_point(false).as_bytes()), key.address());
        assert_eq!(key.sign(&contract, &commit).unwrap(), bytes);
        assert!(key.sign(&EvmTarget { chain_id: 0, ..contract }, &commit).is_err());
        assert!(!format!("{key:?}").contains("key:"));
    }

    #[test]
    fn another_appliance_has_another() {
        let address =
            |byte| AnchorKey::of(&RootSecret::from_recovered(&Zeroizing::new([byte; 32]))).unwrap().address();
        assert_eq!(address(1), address(1));
        assert_ne!(address(1), address(2));
    }
}
