//! The keys of a quorum's member, and the file that holds them: PEM with two private keys (RFC 8410), Ed25519 first, then
//! X25519, readable by its owner alone. `openssl pkey` reads each of them.

use std::fmt;
use std::path::Path;

use aws_lc_rs::agreement::{PrivateKey, X25519};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::unlock::SHARE_BYTES;
use r3e_proto::unlock::message::{seal_aad, seal_info, share_digest};
use r3e_proto::unlock::setup::Setup;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::signing_key::{KeyError, SigningKey, pem, read_private, write_private_new};

/// What stands before the 32 bytes of an X25519 private key in PKCS#8: version 0, the algorithm 1.3.101.110, and the
/// heads of the octet strings around the key (RFC 8410 section 7).
const X25519_PKCS8: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];

/// A member's two key pairs. Its `Debug` shows the public halves alone.
pub struct MemberKey {
    signing: SigningKey,
    encryption: Zeroizing<[u8; 32]>,
    encryption_public: [u8; 32],
}

impl MemberKey {
    /// New keys.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        let (public, private) =
            DH_KEM_X25519_HKDF_SHA256_AES_256.generate_key_pair().map_err(|_| KeyError::Random)?;
        let mut encryption = Zeroizing::new([0; 32]);
        let whole = private.secret_bytes().len() == encryption.len();
        let encryption_public = public.0.try_into().ok().filter(|_| whole).ok_or(KeyError::Random)?;
        encryption.copy_from_slice(private.secret_bytes());
        Ok(Self { signing: SigningKey::generate()?, encryption, encryption_public })
    }

    /// The keys in a file.
    ///
    /// # Errors
    /// [`KeyError`]: unreadable, readable by others, or not a member's two keys.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_private(path)?;
        Self::parse(&text).ok_or_else(|| KeyError::MemberFormat { path: path.to_owned() })
    }

    /// Writes the keys to a new file with mode 0600.
    ///
    /// # Errors
    /// [`KeyError`]: the file exists, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let mut der = Zeroizing::new([0; X25519_PKCS8.len() + 32]);
        let (head, key) = der.split_at_mut(X25519_PKCS8.len());
        head.copy_from_slice(X25519_PKCS8);
        key.copy_from_slice(self.encryption.as_slice());
        let (signing, encryption) = (self.signing.to_pem()?, pem(der.as_slice()));
        let mut text = Zeroizing::new(String::with_capacity(signing.len() + encryption.len()));
        text.push_str(&signing);
        text.push_str(&encryption);
        write_private_new(path, text.as_bytes())
    }

    /// What its signatures are verified with.
    pub fn signing_key(&self) -> PublicKey {
        self.signing.public_key()
    }

    /// What its shares are sealed to: X25519.
    pub fn encryption_key(&self) -> [u8; 32] {
        self.encryption_public
    }

    /// Signs a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signing.sign(message)
    }

    /// This member's place in a quorum: its index and its name; none where it has none.
    pub(crate) fn place(&self, setup: &Setup) -> Option<(u8, String)> {
        let keys = (self.signing_key().0, self.encryption_public);
        let mut members = setup.policy.indexed();
        let found = members.find(|(_, member)| (member.signing_key, member.encryption_key) == keys);
        found.map(|(index, member)| (index, member.name.clone()))
    }

    /// Opens this member's share of a setup; none where it does not open, or is not the one that the setup names.
    pub(crate) fn open(&self, setup: &Setup) -> Option<Zeroizing<[u8; SHARE_BYTES]>> {
        let (index, name) = self.place(setup)?;
        let sealed = setup.share(index)?;
        let opened = DH_KEM_X25519_HKDF_SHA256_AES_256.open(
            &EncapsulatedSecret(sealed.encapsulated.to_vec()),
            &seal_info(&setup.id, &name, index),
            seal_aad(&setup.commitment),
            &sealed.ciphertext,
            &HpkePrivateKey::from(self.encryption.to_vec()),
        );
        let opened = Zeroizing::new(opened.ok()?);
        let mut share = Zeroizing::new([0; SHARE_BYTES]);
        if opened.len() != share.len() {
            return None;
        }
        share.copy_from_slice(&opened);
        (share_digest(&setup.id, index, &share) == sealed.digest).then_some(share)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let keys: Vec<PrivatePkcs8KeyDer<'_>> =
            PrivatePkcs8KeyDer::pem_slice_iter(text).collect::<Result<_, _>>().ok()?;
        let [signing, encryption] = keys.as_slice() else { return None };
        let signing = SigningKey::from_pkcs8(signing.secret_pkcs8_der())?;
        let bytes: &[u8; 32] = encryption.secret_pkcs8_der().strip_prefix(X25519_PKCS8)?.try_into().ok()?;
        let public = PrivateKey::from_private_key(&X25519, bytes).ok()?.compute_public_key().ok()?;
        let encryption_public = public.as_ref().try_into().ok()?;
        Some(Self { signing, encryption: Zeroizing::new(*bytes), encryption_public })
    }
}

impl fmt::Debug for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberKey")
            .field("signing", &self.signing)
            .field("encryption", &STANDARD.encode(self.encryption_public))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn written_keys_are_the_same_keys_and_their_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.pem");
        let key = MemberKey::generate().unwrap();
        key.write_new(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let read = MemberKey::read(&path).unwrap();
        assert_eq!(read.signing_key(), key.signing_key());
        assert_eq!(read.encryption_key(), key.encryption_key());
        assert_eq!(*read.encryption, *key.encryption);
        assert!(matches!(key.write_new(&path), Err(KeyError::Exists { .. })));
        let shown = format!("{key:?}");
        assert!(!shown.contains(&STANDARD.encode(key.encryption.as_slice())), "{shown}");
    }

    /// Against an independent X25519, itself held against the iterated vector of RFC 7748 section 5.2.
    #[test]
    fn the_public_half_is_that_of_the_private_one() {
        let private: Vec<u8> = (0..32).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let signing = SigningKey::generate().unwrap();
        let text = format!("{}{}", *signing.to_pem().unwrap(), *pem(&[X25519_PKCS8, &private].concat()));
        write_private_new(&path, text.as_bytes()).unwrap();
        let key = MemberKey::read(&path).unwrap();
        assert_eq!(
            hex::encode(key.encryption_key()),
            "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
        );
    }

    /// A setup that a second implementation made opens for each of its members, and for nobody else.
    #[test]
    fn the_shares_of_the_vectors_open_for_their_members() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/vectors/unlock.json");
        let case: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let bytes = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
        let setup = Setup::decode(&bytes(&case["setup"])).unwrap();
        for which in 0..3 {
            let member = &setup.policy.members()[which];
            let keys = &case["members"][which];
            let seed = bytes(&keys["signing_seed"]);
            let key = MemberKey {
                signing: SigningKey::from_pkcs8(&[ED25519_PKCS8, &seed].concat()).unwrap(),
                encryption: Zeroizing::new(bytes(&keys["encryption_private"]).try_into().unwrap()),
                encryption_public: member.encryption_key,
            };
            assert_eq!(key.signing_key().0, member.signing_key);
            assert_eq!(key.open(&setup).unwrap().as_slice(), bytes(&case["shares"][which]["share"]));
            let mut moved = setup.clone();
            moved.shares.rotate_left(1);
            assert!(key.open(&moved).is_none(), "another's share in this place");
            let mut wrong = setup.clone();
            wrong.shares[which].digest[0] ^= 1;
            assert!(key.open(&wrong).is_none(), "not the share that the setup names");
        }
        assert!(MemberKey::generate().unwrap().open(&setup).is_none());
    }

    /// RFC 8410 section 7, for Ed25519.
    const ED25519_PKCS8: &[u8] =
        &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    #[test]
    fn what_is_not_two_keys_in_their_order_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let signing = || SigningKey::generate().unwrap().to_pem().unwrap().to_string();
        let x25519 = pem(&[X25519_PKCS8, &[9; 32]].concat()).to_string();
        for (name, text) in [
            ("one", signing()),
            ("two of a kind", format!("{}{}", signing(), signing())),
            ("turned", format!("{x25519}{}", signing())),
            ("three", format!("{}{x25519}{x25519}", signing())),
            ("short", format!("{}{}", signing(), *pem(&[X25519_PKCS8, &[9; 31]].concat()))),
            ("empty", String::new()),
        ] {
            let path = folder.path().join(name);
            write_private_new(&path, text.as_bytes()).unwrap();
            assert!(matches!(MemberKey::read(&path), Err(KeyError::MemberFormat { .. })), "{name}");
        }
    }
}
