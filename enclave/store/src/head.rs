//! The head: the one small record that says what the whole state is.

use r3e_cbor::{Limits, MapReader, Value, decode_canonical, encode};

use crate::{
    error::StoreError,
    seal::StoreKeys,
    trie::{Digest, EMPTY_ROOT, digest_of},
};

/// A head, before it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Commits since the store was new; a boot is one too.
    pub(crate) sequence: u64,
    /// SHA-256 of the sealed head before this one, zeros before the first.
    pub(crate) previous: Digest,
    /// The root over all records.
    pub(crate) root: Digest,
    /// Records in the map.
    pub(crate) records: u64,
    /// Writes since the store was new: the version of the last one.
    pub(crate) writes: u64,
}

/// A head as the parent keeps it.
#[derive(Debug, Clone)]
pub(crate) struct SealedHead {
    pub(crate) head: Head,
    pub(crate) blob: Vec<u8>,
    /// SHA-256 of `blob`.
    pub(crate) digest: Digest,
}

/// Five integers and digests: far below this. Only our own sealing is ever decoded.
const LIMITS: Limits = Limits { max_bytes: 512, max_depth: 1, max_items: 16 };

impl Head {
    /// What stands before the first commit.
    pub(crate) const NONE: Self =
        Self { sequence: 0, previous: [0; 32], root: EMPTY_ROOT, records: 0, writes: 0 };

    pub(crate) fn seal(self, keys: &StoreKeys) -> Result<SealedHead, StoreError> {
        let blob = keys.seal_head(&self.encode())?;
        Ok(SealedHead { head: self, digest: digest_of(&blob), blob })
    }

    /// None if `blob` is no head of ours.
    pub(crate) fn open(keys: &StoreKeys, blob: &[u8]) -> Option<Self> {
        Self::decode(&keys.open_head(blob)?)
    }

    /// Deterministic CBOR (RFC 8949 section 4.2.1): `{1: sequence, 2: previous, 3: root, 4: records, 5: writes}`.
    fn encode(&self) -> Vec<u8> {
        let number = |value: u64| Value::from(value);
        let digest = |value: &Digest| Value::Bytes(value.to_vec());
        let fields = [
            (1, number(self.sequence)),
            (2, digest(&self.previous)),
            (3, digest(&self.root)),
            (4, number(self.records)),
            (5, number(self.writes)),
        ];
        encode(&Value::Map(fields.into_iter().map(|(key, value)| (Value::from(key), value)).collect()))
    }

    fn decode(encoded: &[u8]) -> Option<Self> {
        let mut fields = MapReader::new("head", decode_canonical(encoded, &LIMITS).ok()?).ok()?;
        let head = Self {
            sequence: fields.required(1).ok()?,
            previous: fields.required(2).ok()?,
            root: fields.required(3).ok()?,
            records: fields.required(4).ok()?,
            writes: fields.required(5).ok()?,
        };
        fields.finish().ok()?;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_round_trips_and_has_one_encoding() {
        let head = Head { sequence: 7, previous: [1; 32], root: [2; 32], records: 3, writes: u64::MAX };
        let encoded = head.encode();
        assert_eq!(Head::decode(&encoded), Some(head));
        for cut in 0..encoded.len() {
            assert_eq!(Head::decode(&encoded[..cut]), None);
        }
        assert_eq!(Head::decode(&[encoded.as_slice(), &[0]].concat()), None);
    }
}
