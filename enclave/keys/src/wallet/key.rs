//! The key that signs, and its public face.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use k256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use r3e_proto::api::wallets::{Hash32, KeyType, Payload};
use r3e_proto::wallet::{
    neo_account, neo_transaction_hash, signed_neo_transaction, signed_transaction,
    transaction_hash as evm_hash,
};

use super::address;
use super::gate::Allowed;
use crate::{KeyError, scalar};

/// A wallet's key pair. The libraries beneath wipe it when it is dropped.
pub struct WalletKey {
    pair: Pair,
    public_key: Vec<u8>,
    address: String,
}

enum Pair {
    Secp256k1(k256::ecdsa::SigningKey),
    Secp256r1(p256::ecdsa::SigningKey),
    Ed25519(Ed25519KeyPair),
}

/// A signature that the gate allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The digest that was signed; for Ed25519 the SHA-256 of the bytes that were.
    pub digest: [u8; 32],
    /// secp256k1: r, s and v, 65 bytes; the others: 64.
    pub bytes: Vec<u8>,
    /// The signed transaction, where the payload was one.
    pub transaction: Option<Vec<u8>>,
    /// Its name, as nodes show it.
    pub transaction_hash: Option<Hash32>,
}

impl WalletKey {
    pub(super) fn of(key_type: KeyType, secret: &[u8; 32]) -> Result<Self, KeyError> {
        let refused = || KeyError::Library { operation: "make a wallet's key" };
        Ok(match key_type {
            KeyType::Secp256k1 => {
                let pair = k256::ecdsa::SigningKey::from_slice(secret).map_err(|_| refused())?;
                let public = pair.verifying_key();
                let address = address::ethereum(public.to_sec1_point(false).as_bytes()).to_string();
                Self {
                    public_key: public.to_sec1_point(true).as_bytes().to_vec(),
                    address,
                    pair: Pair::Secp256k1(pair),
                }
            }
            KeyType::Secp256r1 => {
                let pair = p256::ecdsa::SigningKey::from_slice(secret).map_err(|_| refused())?;
                let point = pair.verifying_key().to_sec1_point(true);
                let public_key = point.as_bytes().try_into().map_err(|_| refused())?;
                Self {
                    address: address::neo(public_key),
                    public_key: public_key.to_vec(),
                    pair: Pair::Secp256r1(pair),
                }
            }
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(secret).map_err(|_| refused())?;
                let public_key = pair.public_key().as_ref().to_vec();
                Self { address: hex::encode(&public_key), public_key, pair: Pair::Ed25519(pair) }
            }
        })
    }

    /// The public key: 33 bytes (SEC 1, compressed), 32 for Ed25519.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The address, in the text form of its chain.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Signs what the gate allowed. ECDSA nonces are RFC 6979's, so that no generator's fault gives the key away, and the same
    /// payload always has the same signature; secp256k1's s is the lower one (EIP-2). Each signature is verified before it
    /// is given out: one that a fault made wrong could give a deterministic scheme's key away.
    ///
    /// # Errors
    /// [`KeyError::Library`]: the library refused, or its signature does not hold.
    pub fn sign(&self, allowed: &Allowed<'_>) -> Result<Signature, KeyError> {
        const OPERATION: &str = "sign with a wallet's key";
        let refused = || KeyError::Library { operation: OPERATION };
        let digest = *allowed.digest();
        let (mut transaction, mut transaction_hash) = (None, None);
        let bytes = match (&self.pair, allowed.payload()) {
            (Pair::Secp256k1(pair), payload) => {
                let bytes = scalar::recoverable(pair, &digest, OPERATION)?;
                let [rs @ .., v] = &bytes;
                if let Payload::EvmTransaction(fields) = payload {
                    let (r, s) = halves(rs);
                    let whole = signed_transaction(fields, &r, &s, *v != scalar::V_EVEN);
                    transaction_hash = Some(Hash32(evm_hash(&whole)));
                    transaction = Some(whole);
                }
                bytes.to_vec()
            }
            (Pair::Secp256r1(pair), payload) => {
                let signature: p256::ecdsa::Signature = pair.sign_prehash(&digest).map_err(|_| refused())?;
                pair.verifying_key().verify_prehash(&digest, &signature).map_err(|_| refused())?;
                let bytes: [u8; 64] = signature.to_bytes().into();
                if let Payload::NeoTransaction(fields) = payload {
                    let public: &[u8; 33] = self.public_key.as_slice().try_into().map_err(|_| refused())?;
                    // Nodes would refuse it.
                    if neo_account(public) != fields.sender.0 {
                        return Err(refused());
                    }
                    transaction_hash = Some(neo_transaction_hash(fields).map_err(|_| refused())?);
                    transaction =
                        Some(signed_neo_transaction(fields, public, &bytes).map_err(|_| refused())?);
                }
                bytes.to_vec()
            }
            (Pair::Ed25519(pair), Payload::Bytes { bytes }) => {
                let signature = pair.try_sign(&bytes.0).map_err(|_| refused())?;
                let public = UnparsedPublicKey::new(&ED25519, &self.public_key);
                public.verify(&bytes.0, signature.as_ref()).map_err(|_| refused())?;
                signature.as_ref().to_vec()
            }
            // The gate has decided for another key type than this key's.
            (Pair::Ed25519(_), _) => return Err(refused()),
        };
        Ok(Signature { digest, bytes, transaction, transaction_hash })
    }
}

/// r and s.
fn halves(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&bytes[..32]);
    s.copy_from_slice(&bytes[32..]);
    (r, s)
}

impl fmt::Debug for WalletKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WalletKey").field("address", &self.address).finish_non_exhaustive()
    }
}
