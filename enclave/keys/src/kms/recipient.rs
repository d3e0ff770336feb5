//! The key that KMS encrypts its answers to: RSA-2048, made in the enclave, one a boot, named by the attestation
//! document of each request.

use aws_lc_rs::{
    cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey},
    encoding::{AsDer as _, PublicKeyX509Der},
    iv::FixedLength,
    rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use zeroize::Zeroizing;

use super::{
    cms::{CmsError, EnvelopedData},
    error::KmsError,
};

/// AES-256.
const KEY_BYTES: usize = 32;
/// AES.
const BLOCK_BYTES: usize = 16;

/// A data key that KMS gave.
pub(super) type DataKey = Zeroizing<[u8; KEY_BYTES]>;

/// The key pair of this boot.
pub(super) struct RecipientKey {
    private: OaepPrivateDecryptingKey,
    spki: Vec<u8>,
}

impl RecipientKey {
    /// A new one, from the library's own generator, which the device has seeded. Takes some 100 ms of the processor.
    pub(super) fn generate() -> Result<Self, KmsError> {
        let refused = |_| KmsError::Library("make an RSA key");
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(refused)?;
        let spki: PublicKeyX509Der<'static> = private.public_key().as_der().map_err(refused)?;
        let spki = spki.as_ref().to_vec();
        Ok(Self { private: OaepPrivateDecryptingKey::new(private).map_err(refused)?, spki })
    }

    /// Its SubjectPublicKeyInfo, DER: what the attestation document carries.
    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Opens an answer that holds a data key.
    ///
    /// # Errors
    /// [`CmsError`]. Of all that can be wrong with what was encrypted, there is one reason, [`CmsError::Sealed`].
    pub(super) fn open(&self, answer: &EnvelopedData) -> Result<DataKey, CmsError> {
        let mut room = Zeroizing::new(vec![0; self.private.min_output_size()]);
        let content_key = self
            .private
            .decrypt(&OAEP_SHA256_MGF1SHA256, &answer.encrypted_key, &mut room, None)
            .map_err(|_| CmsError::Sealed)?;
        let mut content = Zeroizing::new(answer.content.clone());
        // Also refuses a content key of another length.
        let key = UnboundCipherKey::new(&AES_256, content_key).map_err(|_| CmsError::Sealed)?;
        let iv = DecryptionContext::Iv128(FixedLength::from(answer.iv));
        let padded = DecryptingKey::cbc(key)
            .and_then(|key| key.decrypt(&mut content, iv))
            .map_err(|_| CmsError::Sealed)?;
        without_padding(padded)
            .and_then(|key| key.try_into().ok())
            .map(Zeroizing::new)
            .ok_or(CmsError::Sealed)
    }
}

/// RFC 5652 section 6.3: as many bytes as are missing to a block, one to 16, each with that number.
fn without_padding(padded: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*padded.last()?);
    if count == 0 || count > BLOCK_BYTES || !padded.len().is_multiple_of(BLOCK_BYTES) {
        return None;
    }
    let (content, padding) = padded.split_at_checked(padded.len().checked_sub(count)?)?;
    padding.iter().all(|byte| usize::from(*byte) == count).then_some(content)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        cipher::{EncryptingKey, EncryptionContext},
        rsa::{OaepPublicEncryptingKey, PublicEncryptingKey},
    };

    use super::*;

    const CONTENT_KEY: [u8; 32] = [7; 32];

    fn encrypted_to(key: &RecipientKey, content_key: &[u8], padded: &[u8]) -> EnvelopedData {
        let public =
            OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(key.spki()).unwrap()).unwrap();
        let mut encrypted_key = vec![0; public.ciphertext_size()];
        public.encrypt(&OAEP_SHA256_MGF1SHA256, content_key, &mut encrypted_key, None).unwrap();
        let mut content = padded.to_vec();
        let cbc = EncryptingKey::cbc(UnboundCipherKey::new(&AES_256, &CONTENT_KEY).unwrap()).unwrap();
        let iv = EncryptionContext::Iv128(FixedLength::from([9; 16]));
        cbc.less_safe_encrypt(&mut content, iv).unwrap();
        EnvelopedData { encrypted_key, iv: [9; 16], content }
    }

    fn data_key() -> Vec<u8> {
        [&[5; 32][..], &[16; 16]].concat()
    }

    #[test]
    fn a_data_key_comes_out_as_it_went_in() {
        let key = RecipientKey::generate().unwrap();
        let opened = key.open(&encrypted_to(&key, &CONTENT_KEY, &data_key())).unwrap();
        assert_eq!(*opened, [5; 32]);
    }

    #[test]
    fn whatever_was_changed_has_one_reason() {
        let key = RecipientKey::generate().unwrap();
        let other = RecipientKey::generate().unwrap();
        let good = || encrypted_to(&key, &CONTENT_KEY, &data_key());
        let changed_key = {
            let mut changed = good();
            changed.encrypted_key[0] ^= 1;
            changed
        };
        let changed_content = {
            let mut changed = good();
            changed.content[31] ^= 1;
            changed
        };
        for wrong in [
            encrypted_to(&other, &CONTENT_KEY, &data_key()),
            encrypted_to(&key, &[7; 16], &data_key()),
            encrypted_to(&key, &CONTENT_KEY, &[5; 32]),
            encrypted_to(&key, &CONTENT_KEY, &[&[5; 31][..], &[1]].concat()),
            encrypted_to(&key, &CONTENT_KEY, &[&[5; 32][..], &[16; 15], &[15]].concat()),
            encrypted_to(&key, &CONTENT_KEY, &[&[5; 32][..], &[17; 16]].concat()),
            encrypted_to(&key, &CONTENT_KEY, &[&[5; 47][..], &[0]].concat()),
            encrypted_to(&key, &CONTENT_KEY, &[&[5; 48][..], &[16; 16]].concat()),
            EnvelopedData { content: vec![], ..good() },
            EnvelopedData { content: good().content[..47].to_vec(), ..good() },
            EnvelopedData { encrypted_key: vec![], ..good() },
            changed_key,
            changed_content,
        ] {
            assert_eq!(key.open(&wrong).unwrap_err(), CmsError::Sealed);
        }
    }

    #[test]
    fn the_public_key_fits_a_document() {
        let key = RecipientKey::generate().unwrap();
        assert_eq!(key.spki().len(), 294);
        assert!(key.spki().len() <= r3e_proto::limits::MAX_PUBLIC_KEY_BYTES);
    }
}
