//! How records and heads are sealed: AES-256-GCM, each under a key of its own.
//!
//! The key of a sealing is HKDF-SHA-256(salt: 32 fresh random bytes, secret: the epoch's key, info: what it is and
//! its name), so that the nonce can be constant. It is never derived from a record's identity and version: a parent
//! that rolls back makes the enclave write the same version of the same record twice, with different contents.
//!
//! A sealed record, all integers big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 4 | epoch |
//! | 8 | version |
//! | 8 | the first bytes of the blinded name: tells a swapped record from a changed one |
//! | 32 | salt |
//! | n | ciphertext of: label, tenant, key (each after a length of 2 bytes), value |
//! | 16 | tag |
//!
//! The additional data is the domain, all that stands before the ciphertext, and the whole blinded name. A sealed
//! head is the same without version and name.

use std::ops::RangeInclusive;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac, rand,
};
use hkdf::Hkdf;
use r3e_keys::{KeyPath, RootSecret};
use r3e_proto::host::blob::BlobName;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    error::{StoreError, Tampered},
    limits::MAX_EPOCHS,
    name::{self, Namespace},
    record::Opened,
};

const FORMAT: u8 = 1;
const SALT_BYTES: usize = 32;
const NAME_HINT_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
const RECORD_HEADER_BYTES: usize = 1 + 4 + 8 + NAME_HINT_BYTES + SALT_BYTES;
const HEAD_HEADER_BYTES: usize = 1 + 4 + SALT_BYTES;
const RECORD_DOMAIN: &[u8] = b"r3e/1/store/record";
const HEAD_DOMAIN: &[u8] = b"r3e/1/store/head";

/// The keys of the store: one to blind names, one for each epoch to seal.
pub struct StoreKeys {
    blind: hmac::Key,
    /// By rising epoch, without gaps; never empty. The last one seals, all open.
    epochs: Vec<(u32, Zeroizing<[u8; 32]>)>,
}

impl StoreKeys {
    /// The keys of `epochs`: all of them open records, the last one seals. A new epoch makes new keys; records of
    /// an older one move to it when they are next written.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] unless there are 1 to [`MAX_EPOCHS`] epochs; [`StoreError::Key`].
    pub fn derive(root: &RootSecret, epochs: RangeInclusive<u32>) -> Result<Self, StoreError> {
        let span = epochs.end().checked_sub(*epochs.start());
        if span.is_none_or(|span| span >= MAX_EPOCHS) {
            let limit = usize::try_from(MAX_EPOCHS).unwrap_or(usize::MAX);
            return Err(StoreError::TooLarge { what: "the count of epochs, which is at least 1,", limit });
        }
        let blind = root.derive(&KeyPath::blind())?;
        let epoch_key = |epoch| Ok((epoch, root.derive(&KeyPath::seal(u64::from(epoch)))?));
        Ok(Self {
            blind: hmac::Key::new(hmac::HMAC_SHA256, blind.as_slice()),
            epochs: epochs.map(epoch_key).collect::<Result<_, StoreError>>()?,
        })
    }

    /// The name that the parent sees.
    pub(crate) fn blinded(&self, namespace: &Namespace, key: &str) -> BlobName {
        name::blinded(&self.blind, namespace, key)
    }

    /// Seals a record.
    pub(crate) fn seal_record(
        &self,
        name: &BlobName,
        version: u64,
        namespace: &Namespace,
        key: &str,
        value: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let (epoch, epoch_key) = self.current()?;
        let salt = fresh_salt()?;
        let mut blob = Vec::with_capacity(sealed_len(namespace, key, value.len()));
        blob.push(FORMAT);
        blob.extend_from_slice(&epoch.to_be_bytes());
        blob.extend_from_slice(&version.to_be_bytes());
        blob.extend_from_slice(&name[..NAME_HINT_BYTES]);
        blob.extend_from_slice(&salt);
        // The capacity is exact: the plaintext is never moved, and is overwritten by the ciphertext.
        namespace.encode_address(key, &mut blob);
        blob.extend_from_slice(value);
        let key = one_key(epoch_key, &salt, &[RECORD_DOMAIN, name])?;
        encrypt_tail(&key, blob, RECORD_HEADER_BYTES, RECORD_DOMAIN, name)
    }

    /// Opens a record that the parent keeps under `name`; the version is the one it was sealed with.
    pub(crate) fn open_record(&self, name: &BlobName, blob: &[u8]) -> Result<(u64, Opened), Tampered> {
        self.try_open_record(name, blob).ok_or_else(|| {
            let hint = blob.get(13..13 + NAME_HINT_BYTES);
            let elsewhere = hint.is_some_and(|hint| hint != &name[..NAME_HINT_BYTES]);
            if elsewhere { Tampered::RecordSwapped } else { Tampered::RecordChanged }
        })
    }

    /// Seals the encoding of a head.
    pub(crate) fn seal_head(&self, encoded: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (epoch, epoch_key) = self.current()?;
        let salt = fresh_salt()?;
        let mut blob = Vec::with_capacity(HEAD_HEADER_BYTES + encoded.len() + TAG_BYTES);
        blob.push(FORMAT);
        blob.extend_from_slice(&epoch.to_be_bytes());
        blob.extend_from_slice(&salt);
        blob.extend_from_slice(encoded);
        let key = one_key(epoch_key, &salt, &[HEAD_DOMAIN])?;
        encrypt_tail(&key, blob, HEAD_HEADER_BYTES, HEAD_DOMAIN, &[])
    }

    /// Opens a head: its encoding, or none if it is not ours.
    pub(crate) fn open_head(&self, blob: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (header, body) = blob.split_at_checked(HEAD_HEADER_BYTES)?;
        let (epoch, salt) = header.strip_prefix(&[FORMAT])?.split_first_chunk::<4>()?;
        let key = one_key(self.epoch(u32::from_be_bytes(*epoch))?, salt, &[HEAD_DOMAIN]).ok()?;
        decrypt(&key, header, body, HEAD_DOMAIN, &[])
    }

    fn try_open_record(&self, name: &BlobName, blob: &[u8]) -> Option<(u64, Opened)> {
        let (header, body) = blob.split_at_checked(RECORD_HEADER_BYTES)?;
        let (epoch, rest) = header.strip_prefix(&[FORMAT])?.split_first_chunk::<4>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (_, salt) = rest.split_at_checked(NAME_HINT_BYTES)?;
        let key = one_key(self.epoch(u32::from_be_bytes(*epoch))?, salt, &[RECORD_DOMAIN, name]).ok()?;
        let plaintext = decrypt(&key, header, body, RECORD_DOMAIN, name)?;
        let opened = Opened::parse(&plaintext)?;
        // Follows from the seal; checked, since all of the index rests on it.
        (self.blinded(&opened.namespace, &opened.key) == *name)
            .then(|| (u64::from_be_bytes(*version), opened))
    }

    fn current(&self) -> Result<(u32, &[u8; 32]), StoreError> {
        let (epoch, key) =
            self.epochs.last().ok_or(StoreError::Library { operation: "seal without a key" })?;
        Ok((*epoch, key))
    }

    fn epoch(&self, wanted: u32) -> Option<&[u8; 32]> {
        self.epochs.iter().find(|(epoch, _)| *epoch == wanted).map(|(_, key)| &**key)
    }
}

/// The size of a sealed record.
pub(crate) fn sealed_len(namespace: &Namespace, key: &str, value_bytes: usize) -> usize {
    RECORD_HEADER_BYTES + namespace.address_len(key) + value_bytes + TAG_BYTES
}

fn fresh_salt() -> Result<[u8; SALT_BYTES], StoreError> {
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt).map_err(|_| StoreError::Library { operation: "make random bytes" })?;
    Ok(salt)
}

/// The AES key of one sealing: used once to seal, so that its nonce can be zero.
fn one_key(epoch_key: &[u8; 32], salt: &[u8], info: &[&[u8]]) -> Result<LessSafeKey, StoreError> {
    let refused = StoreError::Library { operation: "derive the key of one sealing" };
    let mut key = Zeroizing::new([0; 32]);
    if Hkdf::<Sha256>::new(Some(salt), epoch_key).expand_multi_info(info, key.as_mut_slice()).is_err() {
        return Err(refused);
    }
    UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| refused)
}

/// Encrypts what follows the first `header_len` bytes, in place, and appends the tag.
fn encrypt_tail(
    key: &LessSafeKey,
    mut blob: Vec<u8>,
    header_len: usize,
    domain: &[u8],
    name: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let refused = |_| StoreError::Library { operation: "seal" };
    let (header, body) = blob.split_at_mut(header_len);
    let aad = [domain, header, name].concat();
    let tag = key.seal_in_place_separate_tag(zero_nonce(), Aad::from(aad), body).map_err(refused)?;
    blob.extend_from_slice(tag.as_ref());
    Ok(blob)
}

fn decrypt(
    key: &LessSafeKey,
    header: &[u8],
    body: &[u8],
    domain: &[u8],
    name: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let aad = [domain, header, name].concat();
    let mut buffer = Zeroizing::new(body.to_vec());
    let len = key.open_in_place(zero_nonce(), Aad::from(aad), &mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
