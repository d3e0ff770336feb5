//! Code that is longer than one record of the store: in parts, which the version's own record counts and has the digest of.
//!
//! Parts stand before the record that counts them, and are cleared away with it or after it. Whatever is interrupted leaves parts
//! that nothing counts, which the function's next deployment, or its deletion, clears away.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use r3e_proto::api::identity::TenantId;
use r3e_store::limits::{MAX_COMMIT_BYTES, MAX_SCAN, MAX_VALUE_BYTES};
use r3e_store::{StoreError, Write};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Registry, RegistryError, Spaces, source_key};
use crate::limits::{MAX_CODE_BYTES, MAX_JOINED_BYTES, MAX_VERSIONS};

/// What begins the record of a code in parts. No code begins so: text has no such character, and a program goes on with digits.
const MARK: &str = "\0\0";
/// Parts of one code, at most.
const MAX_PARTS: usize = MAX_CODE_BYTES.div_ceil(MAX_VALUE_BYTES);
/// Parts that one commit has room for.
const PARTS_AT_ONCE: usize = MAX_COMMIT_BYTES / (MAX_VALUE_BYTES + 1024);

/// Parts that one commit clears away: more than those of all versions of a function.
const CLEARED_AT_ONCE: usize = 256;

// A key has two digits of its part.
const _: () = assert!(PARTS_AT_ONCE > 0 && MAX_PARTS < 100);
const _: () = assert!(CLEARED_AT_ONCE > MAX_PARTS * MAX_VERSIONS);

/// The record of a code in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    parts: usize,
    bytes: usize,
    /// Of all of it, in hex.
    sha256: String,
}

/// Codes that were joined, those that were loaded last. So many bytes of them.
pub(super) struct Joined(Mutex<Codes>);

struct Codes {
    by_version: LruCache<(TenantId, String), (String, Arc<str>)>,
    bytes: usize,
}

impl Head {
    /// The record of a code that is too long for one; none of one that is not.
    fn of(code: &str) -> Option<Self> {
        (code.len() > MAX_VALUE_BYTES).then(|| Self {
            parts: code.len().div_ceil(MAX_VALUE_BYTES),
            bytes: code.len(),
            sha256: hex::encode(Sha256::digest(code)),
        })
    }

    /// What a record says, where it is that of a code in parts.
    fn read(record: &[u8]) -> serde_json::Result<Option<Self>> {
        record.strip_prefix(MARK.as_bytes()).map(serde_json::from_slice).transpose()
    }

    fn record(&self) -> serde_json::Result<Vec<u8>> {
        let mut record = MARK.as_bytes().to_vec();
        serde_json::to_writer(&mut record, self)?;
        Ok(record)
    }

    /// The code that these parts are, if they are that.
    fn joined(&self, parts: &[u8]) -> Option<Arc<str>> {
        let is_it = parts.len() == self.bytes && hex::encode(Sha256::digest(parts)) == self.sha256;
        is_it.then(|| std::str::from_utf8(parts).ok().map(Arc::from)).flatten()
    }
}

impl Joined {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Codes { by_version: LruCache::unbounded(), bytes: 0 }))
    }

    fn get(&self, tenant: TenantId, key: &str, head: &Head) -> Option<Arc<str>> {
        let mut codes = self.lock();
        let (sha256, code) = codes.by_version.get(&(tenant, key.to_owned()))?;
        (*sha256 == head.sha256).then(|| Arc::clone(code))
    }

    fn put(&self, tenant: TenantId, key: String, head: &Head, code: &Arc<str>) {
        let mut codes = self.lock();
        codes.bytes += code.len();
        if let Some((_, before)) =
            codes.by_version.put((tenant, key), (head.sha256.clone(), Arc::clone(code)))
        {
            codes.bytes -= before.len();
        }
        while codes.bytes > MAX_JOINED_BYTES {
            let Some((_, (_, oldest))) = codes.by_version.pop_lru() else { return };
            codes.bytes -= oldest.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Codes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Puts the parts of a code that is too long for one record. Gives the write of the record itself, which is to be committed
    /// with what names it.
    pub(super) async fn put_code(
        &self,
        spaces: &Spaces,
        name: &str,
        version: &str,
        code: &str,
    ) -> Result<Write, RegistryError> {
        let key = source_key(name, version);
        let Some(head) = Head::of(code) else {
            return Ok(Write::put(&spaces.sources, &key, code.as_bytes()));
        };
        let parts: Vec<&[u8]> = code.as_bytes().chunks(MAX_VALUE_BYTES).collect();
        let mut writes = parts
            .iter()
            .enumerate()
            .map(|(at, part)| Write::put(&spaces.sources, &part_key(&key, at), *part))
            .collect::<Vec<Write>>();
        while !writes.is_empty() {
            let rest = writes.split_off(PARTS_AT_ONCE.min(writes.len()));
            self.commit(name, std::mem::replace(&mut writes, rest)).await?;
        }
        let record = head.record().map_err(|error| super::unreadable(name, error))?;
        Ok(Write::put(&spaces.sources, &key, record))
    }

    /// A version's code; nothing where it was dropped meanwhile.
    pub(super) async fn code(
        &self,
        spaces: &Spaces,
        tenant: TenantId,
        name: &str,
        version: &str,
    ) -> Result<Option<super::Source>, RegistryError> {
        let key = source_key(name, version);
        let Some(found) = self.store.get(&spaces.sources, &key).await? else { return Ok(None) };
        let head = Head::read(found.value.as_bytes()).map_err(|error| super::unreadable(name, error))?;
        let Some(head) = head else { return Ok(Some(super::Source::Stored(found.value))) };
        if let Some(code) = self.joined.get(tenant, &key, &head) {
            return Ok(Some(super::Source::Joined(code)));
        }
        if head.parts > MAX_PARTS || head.bytes > MAX_CODE_BYTES {
            return Err(RegistryError::Source(name.to_owned()));
        }
        let mut bytes = Vec::with_capacity(head.bytes);
        for at in 0..head.parts {
            let part = self.store.get(&spaces.sources, &part_key(&key, at)).await?;
            let Some(part) = part else { return Ok(None) };
            bytes.extend_from_slice(part.value.as_bytes());
        }
        let code = head.joined(&bytes).ok_or_else(|| RegistryError::Source(name.to_owned()))?;
        self.joined.put(tenant, key, &head, &code);
        Ok(Some(super::Source::Joined(code)))
    }

    /// Deletions of the parts of all versions but these, from memory.
    pub(super) fn parts_without(
        &self,
        spaces: &Spaces,
        name: &str,
        versions: &BTreeSet<&str>,
    ) -> Result<Vec<Write>, StoreError> {
        // More than versions and their parts can be; what were left over would be found the next time.
        let listed = self.store.scan(&spaces.sources, &format!("{name}/"), None, MAX_SCAN)?;
        let is_left = |key: &str| {
            let mut of_name = key.strip_prefix(name).unwrap_or_default().split('/').skip(1);
            let (version, part) = (of_name.next(), of_name.next());
            part.is_some() && version.is_some_and(|version| !versions.contains(version))
        };
        let left = listed.iter().filter(|listed| is_left(&listed.key)).take(CLEARED_AT_ONCE);
        Ok(left.map(|listed| Write::delete(&spaces.sources, &listed.key)).collect())
    }
}

/// In the order of the parts, all of which have one more `/` than their version's record.
fn part_key(source_key: &str, at: usize) -> String {
    format!("{source_key}/{at:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_parts_is_told_from_any_code() {
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        let head = Head::of(&long).unwrap();
        assert_eq!((head.parts, head.bytes), (2, MAX_VALUE_BYTES + 1));
        assert_eq!(Head::read(&head.record().unwrap()).unwrap(), Some(head.clone()));
        assert_eq!(head.joined(long.as_bytes()).as_deref(), Some(long.as_str()));
        for wrong in [&long[1..], &format!("{long}x"), &long.replacen('x', "y", 1)] {
            assert_eq!(head.joined(wrong.as_bytes()), None);
        }
        assert_eq!(Head::of(&long[1..]), None);
        for code in ["export default 1", "\u{0}00000002{}", "", "\0"] {
            assert_eq!(Head::read(code.as_bytes()).unwrap(), None, "{code:?}");
        }
        assert!(Head::read(b"\0\0{\"parts\":1}").is_err());
    }

    #[test]
    fn so_many_bytes_stay_joined() {
        let joined = Joined::new();
        let tenant = TenantId([1; 16]);
        let head = |sha256: &str| Head { parts: 1, bytes: 1, sha256: sha256.to_owned() };
        let code: Arc<str> = "x".repeat(MAX_JOINED_BYTES / 4).into();
        for key in ["a", "b", "c", "d", "a", "e"] {
            joined.put(tenant, key.to_owned(), &head(key), &code);
        }
        let there = |key: &str| joined.get(tenant, key, &head(key)).is_some();
        assert_eq!(["a", "b", "c", "d", "e"].map(there), [true, false, true, true, true]);
        assert_eq!(joined.get(tenant, "a", &head("other")), None, "another code under the same key");
        assert_eq!(joined.get(TenantId([2; 16]), "a", &head("a")), None);
        assert_eq!(joined.lock().bytes, MAX_JOINED_BYTES / 4 * 4);
        let larger: Arc<str> = "x".repeat(MAX_JOINED_BYTES + 1).into();
        joined.put(tenant, "f".to_owned(), &head("f"), &larger);
        assert!(!there("f") && joined.lock().bytes == 0);
    }
}
