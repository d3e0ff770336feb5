//! How the store notes what it holds, without the values: the plaintext of tail records and of checkpoint pages.
//!
//! Notes are replayed in order, each over what stood before. All integers are big-endian:
//!
//! | first byte | then | means |
//! |---|---|---|
//! | 0 | label, tenant | the notes that follow are of this namespace |
//! | 1 | key, version (8), epoch (4), value's bytes (4), digest of the sealed record (32) | the record stands so |
//! | 2 | key | there is no such record |
//!
//! Label, tenant and key stand after their length of two bytes. A record's blinded name is not noted: it follows from
//! the address. This module knows nothing of sealing or of the parent.

use zeroize::Zeroizing;

use crate::{
    index::Entry,
    name::{Namespace, encode_text},
    record::take_text,
    seal::StoreKeys,
};

const SPACE: u8 = 0;
const STANDS: u8 = 1;
const GONE: u8 = 2;

/// Notes that are being written. Keys are as confidential as values: wiped when dropped.
#[derive(Default)]
pub(crate) struct Notes {
    bytes: Zeroizing<Vec<u8>>,
    space: Option<Namespace>,
}

impl Notes {
    /// With room for `bytes`, so that what was written is not left behind by a move.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(bytes)), space: None }
    }

    /// The record stands so.
    pub(crate) fn stands(&mut self, namespace: &Namespace, key: &str, entry: &Entry) {
        self.enter(namespace);
        self.bytes.push(STANDS);
        encode_text(key, &mut self.bytes);
        self.bytes.extend_from_slice(&entry.version.to_be_bytes());
        self.bytes.extend_from_slice(&entry.epoch.to_be_bytes());
        self.bytes.extend_from_slice(&entry.bytes.to_be_bytes());
        self.bytes.extend_from_slice(&entry.digest);
    }

    /// There is no such record any more.
    pub(crate) fn gone(&mut self, namespace: &Namespace, key: &str) {
        self.enter(namespace);
        self.bytes.push(GONE);
        encode_text(key, &mut self.bytes);
    }

    /// What was written.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn enter(&mut self, namespace: &Namespace) {
        if self.space.as_ref() != Some(namespace) {
            self.bytes.push(SPACE);
            namespace.encode(&mut self.bytes);
            self.space = Some(namespace.clone());
        }
    }
}

/// The most bytes that one note of `key` takes, with its namespace.
pub(crate) fn note_len(namespace: &Namespace, key: &str) -> usize {
    2 + namespace.address_len(key) + 8 + 4 + 4 + 32
}

/// Reads notes, in order. None if they are not of the form, which cannot happen for what this store sealed.
pub(crate) fn replay(
    notes: &[u8],
    keys: &StoreKeys,
    mut apply: impl FnMut(&Namespace, &str, Option<Entry>),
) -> Option<()> {
    let mut rest = notes;
    let mut space = None;
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        match *kind {
            SPACE => {
                let label = take_text(&mut rest)?;
                space = Some(Namespace::recovered(label, take_text(&mut rest)?));
            }
            STANDS => {
                let (namespace, key) = (space.as_ref()?, take_text(&mut rest)?);
                let entry = Entry {
                    version: u64::from_be_bytes(take(&mut rest)?),
                    epoch: u32::from_be_bytes(take(&mut rest)?),
                    bytes: u32::from_be_bytes(take(&mut rest)?),
                    digest: take(&mut rest)?,
                    name: keys.blinded(namespace, key),
                };
                apply(namespace, key, Some(entry));
            }
            GONE => {
                let (namespace, key) = (space.as_ref()?, take_text(&mut rest)?);
                apply(namespace, key, None);
            }
            _ => return None,
        }
    }
    Some(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use r3e_keys::RootSecret;

    use super::*;

    fn keys() -> StoreKeys {
        StoreKeys::derive(&RootSecret::from_recovered(&Zeroizing::new([7; 32]))).unwrap()
    }

    #[test]
    fn notes_are_read_back_in_order_and_no_part_of_them_is_taken_for_the_whole() {
        let keys = keys();
        let (one, other) =
            (Namespace::of_appliance("tenants").unwrap(), Namespace::of_tenant("secrets", "acme").unwrap());
        let entry = |namespace: &Namespace, key: &str, version| Entry {
            name: keys.blinded(namespace, key),
            digest: [9; 32],
            version,
            epoch: 3,
            bytes: 17,
        };
        let mut notes = Notes::default();
        notes.stands(&one, "a", &entry(&one, "a", 1));
        notes.gone(&one, "b");
        notes.stands(&other, "c", &entry(&other, "c", u64::MAX));
        let whole = notes.as_bytes().to_vec();
        let read = |bytes: &[u8]| {
            let mut read = Vec::new();
            let complete = replay(bytes, &keys, |space, key, entry| {
                read.push((space.clone(), key.to_owned(), entry));
            });
            complete.map(|()| read)
        };
        let expected = vec![
            (one.clone(), "a".to_owned(), Some(entry(&one, "a", 1))),
            (one.clone(), "b".to_owned(), None),
            (other.clone(), "c".to_owned(), Some(entry(&other, "c", u64::MAX))),
        ];
        assert_eq!(read(&whole), Some(expected.clone()));
        assert!(whole.len() <= expected.iter().map(|(space, key, _)| note_len(space, key)).sum());
        for cut in 0..whole.len() {
            // Cut between two notes, fewer are read; anywhere else, none.
            assert!(read(&whole[..cut]).is_none_or(|read| read.len() < 3));
        }
        assert_eq!(read(&[9]), None);
        assert_eq!(read(&[1, 0, 1, b'k']), None, "a note outside a namespace");
    }
}
