//! ECDSA over P-256 and P-384 for `crypto.subtle`. A private key is a scalar, a public one an uncompressed point.
//!
//! Ops that may refuse give an empty buffer. Signatures are r and s side by side, and drawn by RFC 6979: a
//! generator that repeats itself, as one in a forked process could, does not give the key away.

use deno_core::op2;

use super::crypto_ops::Hash;
use super::random;

/// The same five things for a curve, whose types share no trait that would say as much in fewer words.
macro_rules! curve {
    ($name:ident, $field_bytes:literal) => {
        mod $name {
            use ::$name::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
            use ::$name::ecdsa::{Signature, SigningKey, VerifyingKey};
            use ::$name::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
            use ::$name::{PublicKey, SecretKey};

            pub(super) const FIELD_BYTES: usize = $field_bytes;

            pub(super) fn secret(scalar: &[u8]) -> Option<SecretKey> {
                (scalar.len() == FIELD_BYTES).then(|| SecretKey::from_slice(scalar).ok()).flatten()
            }

            fn written(key: PublicKey) -> Vec<u8> {
                VerifyingKey::from(key).to_sec1_point(false).as_bytes().to_vec()
            }

            pub(super) fn public(scalar: &[u8]) -> Option<Vec<u8>> {
                secret(scalar).map(|key| written(key.public_key()))
            }

            pub(super) fn point(bytes: &[u8]) -> Option<Vec<u8>> {
                PublicKey::from_sec1_bytes(bytes).ok().map(written)
            }

            pub(super) fn from_pkcs8(der: &[u8]) -> Option<Vec<u8>> {
                SecretKey::from_pkcs8_der(der).ok().map(|key| key.to_bytes().to_vec())
            }

            pub(super) fn to_pkcs8(scalar: &[u8]) -> Option<Vec<u8>> {
                secret(scalar)?.to_pkcs8_der().ok().map(|der| der.as_bytes().to_vec())
            }

            pub(super) fn from_spki(der: &[u8]) -> Option<Vec<u8>> {
                PublicKey::from_public_key_der(der).ok().map(written)
            }

            pub(super) fn to_spki(point: &[u8]) -> Option<Vec<u8>> {
                let key = PublicKey::from_sec1_bytes(point).ok()?;
                key.to_public_key_der().ok().map(|der| der.as_bytes().to_vec())
            }

            pub(super) fn sign(scalar: &[u8], hash: &[u8]) -> Option<Vec<u8>> {
                let key = SigningKey::from(secret(scalar)?);
                let signature: Signature = key.sign_prehash(hash).ok()?;
                Some(signature.to_bytes().to_vec())
            }

            pub(super) fn verify(point: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool> {
                let key = VerifyingKey::from_sec1_bytes(point).ok()?;
                let signature = Signature::from_slice(signature).ok()?;
                Some(key.verify_prehash(hash, &signature).is_ok())
            }
        }
    };
}

curve!(p256, 32);
curve!(p384, 48);

macro_rules! on {
    ($curve:expr, $function:ident($($argument:expr),*)) => {
        match $curve {
            "P-256" => p256::$function($($argument),*),
            "P-384" => p384::$function($($argument),*),
            _ => None,
        }
    };
}

fn field_bytes(curve: &str) -> usize {
    if curve == "P-384" { p384::FIELD_BYTES } else { p256::FIELD_BYTES }
}

/// A scalar. By rejection: of P-256's candidates one in 2^32 is drawn anew, of P-384's one in 2^190.
#[op2]
#[buffer]
pub(super) fn op_r3e_ec_generate(#[string] curve: &str) -> Vec<u8> {
    const ATTEMPTS: usize = 8;
    let mut scalar = vec![0; field_bytes(curve)];
    for _ in 0..ATTEMPTS {
        if random::fill(&mut scalar).is_err() {
            break;
        }
        if on!(curve, public(&scalar)).is_some() {
            return scalar;
        }
    }
    Vec::new()
}

#[op2]
#[buffer]
pub(super) fn op_r3e_ec_public(#[string] curve: &str, #[buffer] scalar: &[u8]) -> Vec<u8> {
    on!(curve, public(scalar)).unwrap_or_default()
}

/// A point of the curve, compressed or not, as it is kept.
#[op2]
#[buffer]
pub(super) fn op_r3e_ec_point(#[string] curve: &str, #[buffer] bytes: &[u8]) -> Vec<u8> {
    on!(curve, point(bytes)).unwrap_or_default()
}

#[op2]
#[buffer]
pub(super) fn op_r3e_ec_from_pkcs8(#[string] curve: &str, #[buffer] der: &[u8]) -> Vec<u8> {
    on!(curve, from_pkcs8(der)).unwrap_or_default()
}

#[op2]
#[buffer]
pub(super) fn op_r3e_ec_to_pkcs8(#[string] curve: &str, #[buffer] scalar: &[u8]) -> Vec<u8> {
    on!(curve, to_pkcs8(scalar)).unwrap_or_default()
}

#[op2]
#[buffer]
pub(super) fn op_r3e_ec_from_spki(#[string] curve: &str, #[buffer] der: &[u8]) -> Vec<u8> {
    on!(curve, from_spki(der)).unwrap_or_default()
}

#[op2]
#[buffer]
pub(super) fn op_r3e_ec_to_spki(#[string] curve: &str, #[buffer] point: &[u8]) -> Vec<u8> {
    on!(curve, to_spki(point)).unwrap_or_default()
}

#[op2]
#[buffer]
pub(super) fn op_r3e_ecdsa_sign(
    #[string] curve: &str,
    #[buffer] scalar: &[u8],
    #[string] hash: &str,
    #[buffer] data: &[u8],
) -> Vec<u8> {
    hashed(curve, hash, data).and_then(|hash| on!(curve, sign(scalar, &hash))).unwrap_or_default()
}

#[op2(fast)]
pub(super) fn op_r3e_ecdsa_verify(
    #[string] curve: &str,
    #[buffer] point: &[u8],
    #[string] hash: &str,
    #[buffer] signature: &[u8],
    #[buffer] data: &[u8],
) -> bool {
    hashed(curve, hash, data).and_then(|hash| on!(curve, verify(point, &hash, signature))).unwrap_or(false)
}

/// The data's hash as ECDSA's integer (FIPS 186-5, section 6.4.1): one shorter than the field has zeros before it,
/// since the library takes none under half a field.
fn hashed(curve: &str, hash: &str, data: &[u8]) -> Option<Vec<u8>> {
    let hash = Hash::named(hash)?.of(data);
    let mut padded = vec![0; field_bytes(curve).saturating_sub(hash.len())];
    padded.extend_from_slice(&hash);
    Some(padded)
}
