//! A private key of a group, drawn from a seed; and what one of secp256k1 signs for contracts.

use hkdf::Hkdf;
use k256::ecdsa::SigningKey;
use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::KeyError;
use crate::limits::{DERIVED_KEY_BYTES, MAX_SCALAR_ATTEMPTS};

/// What `v` is of an even point, in the signatures that Ethereum's contracts recover keys from.
pub(crate) const V_EVEN: u8 = 27;

/// The first of the seed's candidates that `key` takes. Candidates of 32 bytes come by HKDF-Expand under `label`, a slash and the number of the
/// attempt: rejection, as in FIPS 186-5, A.2.2. So every scalar is as likely as every other, which reducing 256 bits would not give. An attempt
/// fails once in 2^32 (secp256r1) or 2^127 (secp256k1), and how many there were says nothing of the one that was taken.
///
/// # Errors
/// [`KeyError::Library`] of this operation: the library refused what cannot fail, or every attempt failed, which happens to nobody.
pub(crate) fn drawn<K>(
    seed: &[u8; DERIVED_KEY_BYTES],
    label: &str,
    operation: &'static str,
    key: impl Fn(Box<Zeroizing<[u8; 32]>>) -> Option<K>,
) -> Result<K, KeyError> {
    let refused = || KeyError::Library { operation };
    let expand = Hkdf::<Sha256>::from_prk(seed).map_err(|_| refused())?;
    for attempt in 0..MAX_SCALAR_ATTEMPTS {
        // Boxed, so that moving it leaves no copy behind.
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        let info = [label.as_bytes(), &[b'/', attempt]].concat();
        expand.expand(&info, bytes.as_mut_slice()).map_err(|_| refused())?;
        if let Some(key) = key(bytes) {
            return Ok(key);
        }
    }
    Err(refused())
}

/// A signature that a contract recovers the key from: r, s and v. Nonces are RFC 6979's; it is verified before it is given out.
///
/// # Errors
/// [`KeyError::Library`] of this operation: the library refused, or its signature does not hold.
pub(crate) fn recoverable(
    key: &SigningKey,
    digest: &[u8; 32],
    operation: &'static str,
) -> Result<[u8; 65], KeyError> {
    let refused = || KeyError::Library { operation };
    let (signature, recovery) = key.sign_prehash_recoverable(digest);
    key.verifying_key().verify_prehash(digest, &signature).map_err(|_| refused())?;
    // EIP-2; and an r over the group's order has no place in `v`.
    if recovery.is_x_reduced() || signature.normalize_s() != signature {
        return Err(refused());
    }
    let mut bytes = [V_EVEN + u8::from(recovery.is_y_odd()); 65];
    bytes[..64].copy_from_slice(&signature.to_bytes());
    Ok(bytes)
}
