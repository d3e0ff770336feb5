//! Sealing a share to a member: HPKE (RFC 9180) in base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, by
//! the implementation that rustls has over aws-lc-rs. The ephemeral key comes from that library's own generator.

use r3e_proto::unlock::message::{seal_aad, seal_info, share_digest};
use r3e_proto::unlock::policy::Member;
use r3e_proto::unlock::setup::SealedShare;
use r3e_proto::unlock::{COMMITMENT_BYTES, SETUP_ID_BYTES};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{Hpke as _, HpkePublicKey};

use super::split::Share;
use crate::error::KeyError;

/// Seals `share`, the one at `index` of the setup with this id and commitment, to its member.
pub(super) fn seal(
    setup: &[u8; SETUP_ID_BYTES],
    commitment: &[u8; COMMITMENT_BYTES],
    index: u8,
    member: &Member,
    share: &Share,
) -> Result<SealedShare, KeyError> {
    let refused = || KeyError::Library { operation: "seal a share to a member's encryption key" };
    let key = HpkePublicKey(member.encryption_key.to_vec());
    let (info, aad) = (seal_info(setup, &member.name, index), seal_aad(commitment));
    let (encapsulated, ciphertext) =
        DH_KEM_X25519_HKDF_SHA256_AES_256.seal(&info, aad, share.as_slice(), &key).map_err(|_| refused())?;
    Ok(SealedShare {
        digest: share_digest(setup, index, share),
        encapsulated: encapsulated.0.try_into().map_err(|_| refused())?,
        ciphertext: ciphertext.try_into().map_err(|_| refused())?,
    })
}

#[cfg(test)]
mod tests {
    use rustls::crypto::hpke::{EncapsulatedSecret, HpkePrivateKey};
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_share_opens_for_its_member_in_its_place_and_nowhere_else() {
        let suite = DH_KEM_X25519_HKDF_SHA256_AES_256;
        let (public, private) = suite.generate_key_pair().unwrap();
        let (_, another) = suite.generate_key_pair().unwrap();
        let member = Member {
            name: "alice".into(),
            signing_key: [1; 32],
            encryption_key: public.0.clone().try_into().unwrap(),
        };
        let share = Zeroizing::new([5; 32]);
        let sealed = seal(&[7; 16], &[9; 32], 2, &member, &share).unwrap();
        assert_eq!(sealed.digest, share_digest(&[7; 16], 2, &share));
        let open = |info: &[u8], aad: &[u8], key: &HpkePrivateKey| {
            let enc = EncapsulatedSecret(sealed.encapsulated.to_vec());
            suite.open(&enc, info, aad, &sealed.ciphertext, key)
        };
        assert_eq!(open(&seal_info(&[7; 16], "alice", 2), &[9; 32], &private).unwrap(), share.as_slice());
        for (info, aad) in [
            (seal_info(&[8; 16], "alice", 2), [9; 32]),
            (seal_info(&[7; 16], "bob", 2), [9; 32]),
            (seal_info(&[7; 16], "alice", 1), [9; 32]),
            (seal_info(&[7; 16], "alice", 2), [8; 32]),
        ] {
            assert!(open(&info, &aad, &private).is_err());
        }
        assert!(open(&seal_info(&[7; 16], "alice", 2), &[9; 32], &another).is_err());
        let again = seal(&[7; 16], &[9; 32], 2, &member, &share).unwrap();
        assert_ne!(sealed.encapsulated, again.encapsulated, "every sealing has a key of its own");
    }

    /// RFC 7748 section 6.1: a point of low order would make the shared secret a constant.
    #[test]
    fn a_key_of_low_order_is_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        for encryption_key in [[0; 32], one] {
            let member = Member { name: "mallory".into(), signing_key: [1; 32], encryption_key };
            assert!(seal(&[7; 16], &[9; 32], 1, &member, &Zeroizing::new([5; 32])).is_err());
        }
    }
}
