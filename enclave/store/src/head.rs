//! The head: the one small record that says what the whole state is, and where its index is.
//!
//! Beside the root over all records it names what a boot reads: the pages of the checkpoint that is in force, and the
//! tail, the notes of every commit since that checkpoint began. Both are numbered, and numbers are used in order, so
//! that a few integers say what stands, what is rubbish, and where to go on after a crash:
//!
//! ```text
//! tail    kept ..rubbish.. from ..in force.. number
//! pages   kept ..rubbish.. first ..in force.. end ..of a checkpoint that is being written..
//! ```

use r3e_cbor::{Limits, MapReader, Value, decode_canonical, encode};

use crate::{
    error::StoreError,
    seal::StoreKeys,
    trie::{Digest, EMPTY_ROOT, digest_of},
    witness::{Restored, Witnessed},
};

/// A head, before it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Commits since the store was new; a boot is one too. In a state that was restored, so many more.
    pub(crate) sequence: u64,
    /// SHA-256 of the sealed head before this one, zeros before the first.
    pub(crate) previous: Digest,
    /// The root over all records.
    pub(crate) root: Digest,
    /// Records in the map.
    pub(crate) records: u64,
    /// Writes since the store was new: the version of the last one.
    pub(crate) writes: u64,
    pub(crate) epochs: Epochs,
    pub(crate) tail: Tail,
    pub(crate) pages: Pages,
    /// The last time that an older state was restored, if there was one.
    pub(crate) restored: Option<Restored>,
}

/// Which epochs' keys the state needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epochs {
    /// Seals.
    pub(crate) current: u32,
    /// The first whose key is still needed: the current one, or the one before while records move.
    pub(crate) oldest: u32,
    /// The number of the first commit of the current one.
    pub(crate) since: u64,
    /// Sealings under the current one.
    pub(crate) sealings: u64,
}

/// The notes of commits, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The first that the parent may still have.
    pub(crate) kept: u64,
    /// The first that counts: from here every commit has one.
    pub(crate) from: u64,
}

/// The pages of checkpoints, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pages {
    /// The first that the parent may still have.
    pub(crate) kept: u64,
    /// The first of the checkpoint in force.
    pub(crate) first: u64,
    /// The one behind its last. From here the next checkpoint is written, over what a crash left of one.
    pub(crate) end: u64,
}

/// A head as the parent keeps it.
#[derive(Debug, Clone)]
pub(crate) struct SealedHead {
    pub(crate) head: Head,
    pub(crate) blob: Vec<u8>,
    /// SHA-256 of `blob`.
    pub(crate) digest: Digest,
}

/// Nineteen integers and digests: far below this. Only our own sealing is ever decoded.
const LIMITS: Limits = Limits { max_bytes: 512, max_depth: 1, max_items: 64 };

impl SealedHead {
    /// What a witness remembers of it.
    pub(crate) fn witnessed(&self) -> Witnessed {
        Witnessed { sequence: self.head.sequence, head: self.digest }
    }
}

impl Head {
    /// What stands before the first commit.
    pub(crate) const NONE: Self = Self {
        sequence: 0,
        previous: [0; 32],
        root: EMPTY_ROOT,
        records: 0,
        writes: 0,
        epochs: Epochs { current: 1, oldest: 1, since: 1, sealings: 0 },
        tail: Tail { kept: 1, from: 1 },
        pages: Pages { kept: 1, first: 1, end: 1 },
        restored: None,
    };

    /// Commits since the store was new, by which notes are numbered. The sequence is ahead of it in a state that was
    /// restored.
    pub(crate) fn number(&self) -> u64 {
        self.sequence - self.restored.map_or(0, |restored| restored.ahead)
    }

    pub(crate) fn seal(self, keys: &StoreKeys) -> Result<SealedHead, StoreError> {
        let blob = keys.seal_head(&self.encode())?;
        Ok(SealedHead { head: self, digest: digest_of(&blob), blob })
    }

    /// None if `blob` is no head of ours.
    pub(crate) fn open(keys: &StoreKeys, blob: &[u8]) -> Option<Self> {
        Self::decode(&keys.open_head(blob)?)
    }

    /// Whether there is something to sweep.
    pub(crate) fn has_rubbish(&self) -> bool {
        self.tail.kept < self.tail.from || self.pages.kept < self.pages.first
    }

    /// Whether records of an older epoch are still moving to the current one.
    pub(crate) fn is_rotating(&self) -> bool {
        self.epochs.oldest < self.epochs.current
    }

    /// Deterministic CBOR (RFC 8949 section 4.2.1): a map of the fields in the order of the type, from 1.
    fn encode(&self) -> Vec<u8> {
        let number = |value: u64| Value::from(value);
        let digest = |value: &Digest| Value::Bytes(value.to_vec());
        let fields = [
            number(self.sequence),
            digest(&self.previous),
            digest(&self.root),
            number(self.records),
            number(self.writes),
            number(self.epochs.current.into()),
            number(self.epochs.oldest.into()),
            number(self.epochs.since),
            number(self.epochs.sealings),
            number(self.tail.kept),
            number(self.tail.from),
            number(self.pages.kept),
            number(self.pages.first),
            number(self.pages.end),
        ];
        let restored = self.restored.map(|Restored { from, over, at_ms, ahead, over_head }| {
            [number(from), number(over), number(at_ms), number(ahead), digest(&over_head)]
        });
        let fields = fields.into_iter().chain(restored.into_iter().flatten());
        encode(&Value::Map((1..).zip(fields).map(|(key, value)| (Value::from(key), value)).collect()))
    }

    fn decode(encoded: &[u8]) -> Option<Self> {
        let mut fields = MapReader::new("head", decode_canonical(encoded, &LIMITS).ok()?).ok()?;
        let head = Self {
            sequence: fields.required(1).ok()?,
            previous: fields.required(2).ok()?,
            root: fields.required(3).ok()?,
            records: fields.required(4).ok()?,
            writes: fields.required(5).ok()?,
            epochs: Epochs {
                current: fields.required(6).ok()?,
                oldest: fields.required(7).ok()?,
                since: fields.required(8).ok()?,
                sealings: fields.required(9).ok()?,
            },
            tail: Tail { kept: fields.required(10).ok()?, from: fields.required(11).ok()? },
            pages: Pages {
                kept: fields.required(12).ok()?,
                first: fields.required(13).ok()?,
                end: fields.required(14).ok()?,
            },
            restored: match fields.optional(15).ok()? {
                None => None,
                Some(from) => Some(Restored {
                    from,
                    over: fields.required(16).ok()?,
                    at_ms: fields.required(17).ok()?,
                    ahead: fields.required(18).ok()?,
                    over_head: fields.required(19).ok()?,
                }),
            },
        };
        fields.finish().ok()?;
        head.is_sound().then_some(head)
    }

    /// Follows from the seal; checked, since all of a boot rests on it.
    fn is_sound(&self) -> bool {
        let Self { sequence, epochs, tail, pages, restored, .. } = self;
        let ahead = restored.map_or(0, |restored| restored.ahead);
        let Some(number) = sequence.checked_sub(ahead) else { return false };
        1 <= tail.kept
            && tail.kept <= tail.from
            && tail.from <= number
            && 1 <= pages.kept
            && pages.kept <= pages.first
            && pages.first <= pages.end
            && epochs.oldest <= epochs.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            sequence: 70,
            previous: [1; 32],
            root: [2; 32],
            records: 3,
            writes: u64::MAX,
            epochs: Epochs { current: u32::MAX, oldest: 4, since: 60, sealings: 5 },
            tail: Tail { kept: 6, from: 7 },
            pages: Pages { kept: 8, first: 9, end: 10 },
            restored: None,
        }
    }

    #[test]
    fn a_restored_head_round_trips_and_is_numbered_by_its_commits() {
        let restored = Some(Restored { from: 40, over: 59, at_ms: u64::MAX, ahead: 20, over_head: [3; 32] });
        let head = Head { restored, ..head() };
        assert_eq!((head.sequence, head.number()), (70, 50));
        assert_eq!(Head::decode(&head.encode()), Some(head));
        for ahead in [64, 71, u64::MAX] {
            let restored = head.restored.map(|restored| Restored { ahead, ..restored });
            assert_eq!(Head::decode(&Head { restored, ..head }.encode()), None, "{ahead}");
        }
    }

    #[test]
    fn a_head_round_trips_and_has_one_encoding() {
        let head = head();
        let encoded = head.encode();
        assert_eq!(Head::decode(&encoded), Some(head));
        for cut in 0..encoded.len() {
            assert_eq!(Head::decode(&encoded[..cut]), None);
        }
        assert_eq!(Head::decode(&[encoded.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn ranges_that_make_no_sense_are_no_head() {
        for change in [
            |head: &mut Head| head.tail.kept = 0,
            |head: &mut Head| head.tail.kept = 8,
            |head: &mut Head| head.tail.from = 71,
            |head: &mut Head| head.pages.kept = 0,
            |head: &mut Head| head.pages.kept = 10,
            |head: &mut Head| head.pages.first = 11,
            |head: &mut Head| head.epochs.current = 3,
        ] {
            let mut changed = head();
            change(&mut changed);
            assert_eq!(Head::decode(&changed.encode()), None, "{changed:?}");
        }
    }
}
