//! The one seam to cryptography: does this P-384 key verify this signature? Knows nothing of documents or
//! certificates.
//!
//! ES384 is ECDSA on P-384 with SHA-384 (RFC 9053 section 2.1). Both halves of a signature are accepted in
//! their whole range: high values of `s` and leading zeros occur in real documents. A signature therefore has
//! a twin, and is never an identifier.

#[cfg(not(target_arch = "wasm32"))]
use native as backend;
#[cfg(target_arch = "wasm32")]
use portable as backend;

/// A point on P-384 in uncompressed form (SEC 1 section 2.3.3): 4, x, y. Checked to lie on the curve when it
/// verifies, not before.
pub(crate) type PublicKey = [u8; 97];

/// The length of a signature in the form of COSE: r, then s, in 48 bytes each.
pub(crate) const FIXED_BYTES: usize = 96;

/// Whether `key` made `signature`, in the DER form of certificates, over `message`.
pub(crate) fn verifies_der(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    backend::verifies_der(key, message, signature)
}

/// Whether `key` made `signature`, in the form of COSE, over `message`.
pub(crate) fn verifies_fixed(key: &PublicKey, message: &[u8], signature: &[u8; FIXED_BYTES]) -> bool {
    backend::verifies_fixed(key, message, signature)
}

/// AWS-LC: three times as fast as the portable one.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};

    use super::{FIXED_BYTES, PublicKey};

    pub(super) fn verifies_der(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, key).verify(message, signature).is_ok()
    }

    pub(super) fn verifies_fixed(key: &PublicKey, message: &[u8], signature: &[u8; FIXED_BYTES]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key).verify(message, signature).is_ok()
    }
}

/// Pure Rust, for targets without a C compiler.
#[cfg(any(target_arch = "wasm32", test))]
mod portable {
    use p384::ecdsa::{Signature, VerifyingKey, signature::Verifier};

    use super::{FIXED_BYTES, PublicKey};

    pub(super) fn verifies_der(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_der(signature).is_ok_and(|signature| verifies(key, message, &signature))
    }

    pub(super) fn verifies_fixed(key: &PublicKey, message: &[u8], signature: &[u8; FIXED_BYTES]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| verifies(key, message, &signature))
    }

    fn verifies(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        VerifyingKey::from_sec1_bytes(key).is_ok_and(|key| key.verify(message, signature).is_ok())
    }
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };

    use super::*;

    /// n - s for a signature (r, s): the twin that verifies as well.
    fn twin(signature: &[u8; FIXED_BYTES]) -> [u8; FIXED_BYTES] {
        let order = hex::decode(
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        )
        .unwrap();
        let mut twin = *signature;
        let mut borrow = 0_i16;
        for index in (0..48).rev() {
            let difference = i16::from(order[index]) - i16::from(signature[48 + index]) - borrow;
            borrow = i16::from(difference < 0);
            twin[48 + index] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        twin
    }

    #[test]
    fn both_backends_agree() {
        let random = SystemRandom::new();
        for round in 0..64_u8 {
            let message = [round; 100];
            let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
            let key: PublicKey = pair.public_key().as_ref().try_into().unwrap();
            let fixed: [u8; FIXED_BYTES] = pair.sign(&random, &message).unwrap().as_ref().try_into().unwrap();
            for signature in [fixed, twin(&fixed)] {
                assert!(native::verifies_fixed(&key, &message, &signature));
                assert!(portable::verifies_fixed(&key, &message, &signature));
            }
            let pkcs8 = pair.to_pkcs8v1().unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
            let der = pair.sign(&random, &message).unwrap();
            assert!(native::verifies_der(&key, &message, der.as_ref()));
            assert!(portable::verifies_der(&key, &message, der.as_ref()));

            // One flipped bit anywhere fails in both.
            let bit = usize::from(round) * 3;
            let mut bad = fixed;
            bad[bit % FIXED_BYTES] ^= 1 << (round % 8);
            let mut other = message;
            other[bit % 100] ^= 1;
            let mut off_curve = key;
            off_curve[1 + bit % 96] ^= 1;
            for (key, message, signature) in
                [(&key, &message, &bad), (&key, &other, &fixed), (&off_curve, &message, &fixed)]
            {
                assert!(!native::verifies_fixed(key, message, signature));
                assert!(!portable::verifies_fixed(key, message, signature));
            }
        }
    }

    #[test]
    fn degenerate_signatures_and_keys_fail_in_both() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let key: PublicKey = pair.public_key().as_ref().try_into().unwrap();
        let mut one = [0; FIXED_BYTES];
        (one[47], one[95]) = (1, 1);
        let mut compressed = key;
        compressed[0] = 2;
        for (key, signature) in [
            (key, [0; FIXED_BYTES]),
            (key, [0xff; FIXED_BYTES]),
            (key, one),
            ([0; 97], one),
            ([4; 97], one),
            (compressed, one),
        ] {
            assert!(!native::verifies_fixed(&key, b"", &signature));
            assert!(!portable::verifies_fixed(&key, b"", &signature));
        }
        for der in [
            &b""[..],
            b"\x30\x00",
            b"\x30\x06\x02\x01\x00\x02\x01\x00",
            b"\x30\x06\x02\x01\x01\x02\x01\x01\x00",
        ] {
            assert!(!native::verifies_der(&key, b"", der));
            assert!(!portable::verifies_der(&key, b"", der));
        }
    }
}
