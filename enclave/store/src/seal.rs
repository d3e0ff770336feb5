//! How records, heads and notes are sealed: AES-256-GCM, each under a key of its own.
//!
//! ```text
//! root secret --r3e/1/state--> the store's master --+--> the key that blinds names
//!                                                   +--> the key of heads and notes --salt--> one sealing
//!                                                   +--> epoch 1, 2, ...: a key each --salt--> one record's sealing
//! ```
//!
//! Heads and notes say what the state is, so their key belongs to no epoch: whoever came by an old epoch's key may open
//! records of that epoch, and can make none that counts.
//!
//! The key of a sealing is HKDF-SHA-256(salt: 32 fresh random bytes, secret: the key above it, info: what it is and
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
//! The additional data is the domain, all that stands before the ciphertext, and the whole blinded name. Sealed notes
//! are the same with format 2, and without epoch, version and hint; a sealed head has no name either.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::RangeInclusive,
    sync::{Arc, PoisonError, RwLock},
};

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
    name::{self, Kind, Namespace, Numbered},
    record::Opened,
};

const FORMAT: u8 = 1;
/// Of heads and notes.
const INDEX_FORMAT: u8 = 2;
const SALT_BYTES: usize = 32;
/// What makes the key of one sealing its own.
pub(crate) type Salt = [u8; SALT_BYTES];
const NAME_HINT_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
const RECORD_HEADER_BYTES: usize = 1 + 4 + 8 + NAME_HINT_BYTES + SALT_BYTES;
const PLAIN_HEADER_BYTES: usize = 1 + SALT_BYTES;
const RECORD_DOMAIN: &[u8] = b"r3e/1/store/record";
const HEAD_DOMAIN: &[u8] = b"r3e/1/store/head";
const TAIL_DOMAIN: &[u8] = b"r3e/1/store/tail";
const PAGE_DOMAIN: &[u8] = b"r3e/1/store/page";

/// The salt of the master's extract step.
const MASTER_SALT: &[u8] = b"r3e/1/state";
const BLIND_LABEL: &[u8] = b"blind";
const INDEX_LABEL: &[u8] = b"index";
const EPOCH_LABEL: &[u8] = b"seal/";

type EpochKey = Arc<Zeroizing<[u8; 32]>>;

/// The store's own tree of keys: one to blind names, one to seal heads and notes, and one for each epoch to seal records. It is all that the store ever
/// needs of the root secret.
pub struct StoreKeys {
    master: Zeroizing<[u8; 32]>,
    blind: hmac::Key,
    index: Zeroizing<[u8; 32]>,
    tail: Numbered,
    pages: Numbered,
    /// The keys of the epochs in use. Another epoch's is derived when it is asked for, and wiped again.
    held: RwLock<BTreeMap<u32, EpochKey>>,
}

impl StoreKeys {
    /// The store's tree under `root`.
    ///
    /// # Errors
    /// [`StoreError::Key`], [`StoreError::Library`]: the library refused a derivation.
    pub fn derive(root: &RootSecret) -> Result<Self, StoreError> {
        let master = root.derive(&KeyPath::state())?;
        let blind = hmac::Key::new(hmac::HMAC_SHA256, branch(&master, &[BLIND_LABEL])?.as_slice());
        let (tail, pages) = (Numbered::new(&blind, Kind::Tail), Numbered::new(&blind, Kind::Page));
        let index = branch(&master, &[INDEX_LABEL])?;
        Ok(Self { master, blind, index, tail, pages, held: RwLock::default() })
    }

    /// Holds the keys of `epochs`, and wipes all others.
    pub(crate) fn hold(&self, epochs: RangeInclusive<u32>) -> Result<(), StoreError> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.retain(|epoch, _| epochs.contains(epoch));
        for epoch in epochs {
            if let Entry::Vacant(place) = held.entry(epoch) {
                place.insert(self.derived(epoch)?);
            }
        }
        Ok(())
    }

    /// The epochs whose keys are held.
    pub(crate) fn held(&self) -> Vec<u32> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// The name that the parent sees.
    pub(crate) fn blinded(&self, namespace: &Namespace, key: &str) -> BlobName {
        name::blinded(&self.blind, namespace, key)
    }

    /// The name of notes.
    pub(crate) fn numbered(&self, kind: Kind, number: u64) -> BlobName {
        match kind {
            Kind::Tail => self.tail.name(number),
            Kind::Page => self.pages.name(number),
        }
    }

    /// Seals a record, with a salt that nothing else is sealed with.
    pub(crate) fn seal_record(
        &self,
        (epoch, salt): (u32, &Salt),
        name: &BlobName,
        version: u64,
        (namespace, key): (&Namespace, &str),
        value: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let epoch_key = self.epoch(epoch)?;
        let mut blob = Vec::with_capacity(sealed_len(namespace, key, value.len()));
        blob.push(FORMAT);
        blob.extend_from_slice(&epoch.to_be_bytes());
        blob.extend_from_slice(&version.to_be_bytes());
        blob.extend_from_slice(&name[..NAME_HINT_BYTES]);
        blob.extend_from_slice(salt);
        // The capacity is exact: the plaintext is never moved, and is overwritten by the ciphertext.
        namespace.encode_address(key, &mut blob);
        blob.extend_from_slice(value);
        let key = one_key(&epoch_key, salt, &[RECORD_DOMAIN, name])?;
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
        self.seal_plain(HEAD_DOMAIN, &[], encoded)
    }

    /// Opens a head: its encoding, or none if it is not ours.
    pub(crate) fn open_head(&self, blob: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.open_plain(HEAD_DOMAIN, &[], blob)
    }

    /// Seals notes under their name.
    pub(crate) fn seal_notes(
        &self,
        kind: Kind,
        number: u64,
        notes: &[u8],
    ) -> Result<(BlobName, Vec<u8>), StoreError> {
        let name = self.numbered(kind, number);
        Ok((name, self.seal_plain(domain(kind), &name, notes)?))
    }

    /// Opens the notes that the parent keeps under the name of `number`; none if they are not ours, or another's.
    pub(crate) fn open_notes(&self, kind: Kind, number: u64, blob: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.open_plain(domain(kind), &self.numbered(kind, number), blob)
    }

    fn seal_plain(&self, domain: &[u8], name: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
        let salt = fresh_salt()?;
        let mut blob = Vec::with_capacity(PLAIN_HEADER_BYTES + plaintext.len() + TAG_BYTES);
        blob.push(INDEX_FORMAT);
        blob.extend_from_slice(&salt);
        blob.extend_from_slice(plaintext);
        let key = one_key(&self.index, &salt, &[domain, name])?;
        encrypt_tail(&key, blob, PLAIN_HEADER_BYTES, domain, name)
    }

    fn open_plain(&self, domain: &[u8], name: &[u8], blob: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (header, body) = blob.split_at_checked(PLAIN_HEADER_BYTES)?;
        let salt = header.strip_prefix(&[INDEX_FORMAT])?;
        let key = one_key(&self.index, salt, &[domain, name]).ok()?;
        decrypt(&key, header, body, domain, name)
    }

    fn try_open_record(&self, name: &BlobName, blob: &[u8]) -> Option<(u64, Opened)> {
        let (header, body) = blob.split_at_checked(RECORD_HEADER_BYTES)?;
        let (epoch, rest) = header.strip_prefix(&[FORMAT])?.split_first_chunk::<4>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (_, salt) = rest.split_at_checked(NAME_HINT_BYTES)?;
        let epoch_key = self.epoch(u32::from_be_bytes(*epoch)).ok()?;
        let key = one_key(&epoch_key, salt, &[RECORD_DOMAIN, name]).ok()?;
        let plaintext = decrypt(&key, header, body, RECORD_DOMAIN, name)?;
        let opened = Opened::parse(&plaintext)?;
        // Follows from the seal; checked, since all of the index rests on it.
        (self.blinded(&opened.namespace, &opened.key) == *name)
            .then(|| (u64::from_be_bytes(*version), opened))
    }

    fn epoch(&self, wanted: u32) -> Result<EpochKey, StoreError> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).get(&wanted).cloned();
        held.map_or_else(|| self.derived(wanted), Ok)
    }

    fn derived(&self, epoch: u32) -> Result<EpochKey, StoreError> {
        branch(&self.master, &[EPOCH_LABEL, &epoch.to_be_bytes()]).map(Arc::new)
    }
}

/// A key under the master.
fn branch(master: &[u8; 32], label: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(MASTER_SALT), master)
        .expand_multi_info(label, key.as_mut_slice())
        .map_err(|_| StoreError::Library { operation: "derive a key of the store" })?;
    Ok(key)
}

fn domain(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Tail => TAIL_DOMAIN,
        Kind::Page => PAGE_DOMAIN,
    }
}

/// The size of a sealed record.
pub(crate) fn sealed_len(namespace: &Namespace, key: &str, value_bytes: usize) -> usize {
    RECORD_HEADER_BYTES + namespace.address_len(key) + value_bytes + TAG_BYTES
}

fn fresh_salt() -> Result<Salt, StoreError> {
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt).map_err(|_| StoreError::Library { operation: "make random bytes" })?;
    Ok(salt)
}

/// So many salts, made at once: the generator's cost is by the call.
pub(crate) fn fresh_salts(count: usize) -> Result<impl Iterator<Item = Salt>, StoreError> {
    let mut bytes = vec![0; count * SALT_BYTES];
    rand::fill(&mut bytes).map_err(|_| StoreError::Library { operation: "make random bytes" })?;
    Ok((0..count).map_while(move |at| bytes.get(at * SALT_BYTES..)?.first_chunk().copied()))
}

/// The AES key of one sealing: used once to seal, so that its nonce can be zero.
fn one_key(above: &[u8; 32], salt: &[u8], info: &[&[u8]]) -> Result<LessSafeKey, StoreError> {
    let refused = StoreError::Library { operation: "derive the key of one sealing" };
    let mut key = Zeroizing::new([0; 32]);
    if Hkdf::<Sha256>::new(Some(salt), above).expand_multi_info(info, key.as_mut_slice()).is_err() {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What an epoch's key seals is no head and no notes, whoever has the key.
    #[test]
    fn a_leaked_epoch_key_makes_nothing_that_counts() {
        let root = RootSecret::from_recovered(&Zeroizing::new([7; 32]));
        let keys = StoreKeys::derive(&root).unwrap();
        let leaked = keys.epoch(1).unwrap();
        let name = keys.numbered(Kind::Tail, 1);
        let forge = |key: &[u8; 32], domain: &[u8], name: &[u8]| {
            let salt = fresh_salt().unwrap();
            let blob = [[INDEX_FORMAT].as_slice(), &salt, b"forged"].concat();
            let key = one_key(key, &salt, &[domain, name]).unwrap();
            encrypt_tail(&key, blob, PLAIN_HEADER_BYTES, domain, name).unwrap()
        };
        assert!(keys.open_head(&forge(&keys.index, HEAD_DOMAIN, &[])).is_some());
        assert!(keys.open_head(&forge(&leaked, HEAD_DOMAIN, &[])).is_none());
        assert!(keys.open_notes(Kind::Tail, 1, &forge(&keys.index, TAIL_DOMAIN, &name)).is_some());
        assert!(keys.open_notes(Kind::Tail, 1, &forge(&leaked, TAIL_DOMAIN, &name)).is_none());
    }
}
