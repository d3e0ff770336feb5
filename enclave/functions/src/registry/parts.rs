//! Code that is longer than one record of the store: in parts, which the function's record counts.
//!
//! Parts stand before the record that counts them, under a name that no other code has, so that a record counts whole codes or none.
//! What was interrupted leaves parts that nothing counts: the function's next deployment, and its deletion, clear them away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use r3e_proto::api::identity::TenantId;
use r3e_store::limits::{MAX_COMMIT_BYTES, MAX_SCAN, MAX_VALUE_BYTES};
use r3e_store::{Value, Write};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::record::Record;
use super::{Registry, RegistryError, Spaces, source_key};
use crate::compiled::runnable;
use crate::limits::{MAX_CODE_BYTES, MAX_JOINED_AT_ONCE, MAX_JOINED_BYTES, MAX_VERSIONS};

/// Parts of one code, at most.
const MAX_PARTS: usize = MAX_CODE_BYTES.div_ceil(MAX_VALUE_BYTES);
/// Parts that one commit has room for.
const PARTS_AT_ONCE: usize = MAX_COMMIT_BYTES / (MAX_VALUE_BYTES + 1024);
/// Parts that one commit clears away: more than those of all versions of a function.
pub(super) const CLEARED_AT_ONCE: usize = 256;

// A key has two digits of its part.
const _: () = assert!(PARTS_AT_ONCE > 0 && MAX_PARTS < 100);
const _: () = assert!(CLEARED_AT_ONCE > MAX_PARTS * MAX_VERSIONS);

/// Where a code in parts is, and what of it runs: its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    /// Of all of it: the name that its parts have.
    id: String,
    count: usize,
    runs_bytes: usize,
    /// Of what runs, in hex.
    runs_sha256: String,
}

/// What was joined of parts.
pub(super) type Code = Arc<Zeroizing<String>>;

/// Codes that were joined, those that were loaded last. So many bytes of them.
pub(super) struct Joined {
    codes: Mutex<Codes>,
    /// Each holds its parts and what it makes of them.
    at_once: Semaphore,
}

struct Codes {
    by_key: LruCache<(TenantId, String), Code>,
    bytes: usize,
}

impl Parts {
    /// Those of a code that is too long for one record; none of one that is not.
    ///
    /// # Errors
    /// [`RegistryError::Program`]: it is a program that this release cannot read.
    fn of(name: &str, code: &str) -> Result<Option<Self>, RegistryError> {
        if code.len() <= MAX_VALUE_BYTES {
            return Ok(None);
        }
        let unreadable = |source| RegistryError::Program { name: name.to_owned(), source };
        let runs = runnable(code).map_err(unreadable)?;
        let digest = |text: &str| hex::encode(Sha256::digest(text));
        let mut id = digest(code);
        id.truncate(32);
        let count = code.len().div_ceil(MAX_VALUE_BYTES);
        Ok(Some(Self { id, count, runs_bytes: runs.len(), runs_sha256: digest(runs) }))
    }

    fn key(&self, name: &str, version: &str, at: usize) -> String {
        format!("{}/{}/{at:02}", source_key(name, version), self.id)
    }

    /// How many of them what runs is in.
    fn run(&self) -> usize {
        self.runs_bytes.div_ceil(MAX_VALUE_BYTES)
    }

    /// What runs of the code whose first parts these are, if they are that.
    fn joined(&self, parts: &[Value]) -> Option<Code> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.runs_bytes));
        for part in parts {
            let left = self.runs_bytes - bytes.len();
            bytes.extend(part.as_bytes().iter().take(left));
        }
        if bytes.len() != self.runs_bytes || hex::encode(Sha256::digest(&*bytes)) != self.runs_sha256 {
            return None;
        }
        String::from_utf8(std::mem::take(&mut *bytes)).ok().map(|text| Arc::new(Zeroizing::new(text)))
    }
}

impl Joined {
    /// None yet.
    pub(super) fn new() -> Self {
        let codes = Codes { by_key: LruCache::unbounded(), bytes: 0 };
        Self { codes: Mutex::new(codes), at_once: Semaphore::new(MAX_JOINED_AT_ONCE) }
    }

    /// Forgets those of a function.
    pub(super) fn forget(&self, tenant: TenantId, name: &str) {
        let mut codes = self.lock();
        let of_function = |(owner, key): &(TenantId, String)| {
            *owner == tenant && key.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        };
        let gone: Vec<_> = codes.by_key.iter().map(|(key, _)| key.clone()).filter(of_function).collect();
        for key in gone {
            if let Some(code) = codes.by_key.pop(&key) {
                codes.bytes -= code.len();
            }
        }
    }

    fn get(&self, key: &(TenantId, String)) -> Option<Code> {
        self.lock().by_key.get(key).cloned()
    }

    /// Keeps a code, and gives it; or the one that was kept meanwhile, so that all hold the same.
    fn put(&self, key: (TenantId, String), code: Code) -> Code {
        let mut codes = self.lock();
        if let Some(kept) = codes.by_key.get(&key) {
            return Arc::clone(kept);
        }
        codes.bytes += code.len();
        codes.by_key.put(key, Arc::clone(&code));
        while codes.bytes > MAX_JOINED_BYTES {
            let Some((_, oldest)) = codes.by_key.pop_lru() else { break };
            codes.bytes -= oldest.len();
        }
        code
    }

    fn lock(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Puts the parts of a code that is too long for one record; nothing of one that is not.
    pub(super) async fn put_parts(
        &self,
        spaces: &Spaces,
        name: &str,
        version: &str,
        code: &str,
    ) -> Result<Option<Parts>, RegistryError> {
        let Some(parts) = Parts::of(name, code)? else { return Ok(None) };
        let mut chunks = code.as_bytes().chunks(MAX_VALUE_BYTES).enumerate().peekable();
        while chunks.peek().is_some() {
            let some = chunks.by_ref().take(PARTS_AT_ONCE);
            let put = |(at, part)| Write::put(&spaces.sources, &parts.key(name, version, at), part);
            self.commit(name, some.map(put).collect()).await?;
        }
        Ok(Some(parts))
    }

    /// What runs of a code in parts; nothing where it was dropped meanwhile.
    pub(super) async fn join(
        &self,
        tenant: TenantId,
        name: &str,
        version: &str,
        parts: &Parts,
    ) -> Result<Option<Code>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let key = (tenant, parts.key(name, version, 0));
        if let Some(code) = self.joined.get(&key) {
            return Ok(Some(code));
        }
        let closed = |_| RegistryError::Changed(name.to_owned());
        let _turn = self.joined.at_once.acquire().await.map_err(closed)?;
        // Whoever had the turn before may have joined this very code.
        if let Some(code) = self.joined.get(&key) {
            return Ok(Some(code));
        }
        if parts.count > MAX_PARTS || parts.run() > parts.count {
            return Err(RegistryError::Source(name.to_owned()));
        }
        let mut found = Vec::new();
        for at in 0..parts.run() {
            let part = self.store.get(&spaces.sources, &parts.key(name, version, at)).await?;
            let Some(part) = part else { return Ok(None) };
            found.push(part.value);
        }
        let wanted = parts.clone();
        // Some ten milliseconds of a processor.
        let joined = tokio::task::spawn_blocking(move || wanted.joined(&found)).await;
        let code = joined.ok().flatten().ok_or_else(|| RegistryError::Source(name.to_owned()))?;
        Ok(Some(self.joined.put(key, code)))
    }

    /// Deletions of the function's parts that the record does not count; of all of them, without one.
    pub(super) fn uncounted(
        &self,
        spaces: &Spaces,
        name: &str,
        record: Option<&Record>,
    ) -> Result<Vec<Write>, RegistryError> {
        let counted: HashMap<&str, &str> = record
            .into_iter()
            .flat_map(Record::codes)
            .map(|(version, parts)| (version, &*parts.id))
            .collect();
        // More than versions and their parts can be; what is left over is found the next time.
        let listed = self.store.scan(&spaces.sources, &format!("{name}/"), None, MAX_SCAN)?;
        let is_left = |key: &str| {
            let mut of_name = key.strip_prefix(name).unwrap_or_default().split('/').skip(1);
            let (version, id) = (of_name.next().unwrap_or_default(), of_name.next());
            id.is_some_and(|id| counted.get(version) != Some(&id))
        };
        let left = listed.iter().filter(|listed| is_left(&listed.key)).take(CLEARED_AT_ONCE);
        Ok(left.map(|listed| Write::delete(&spaces.sources, &listed.key)).collect())
    }
}

/// The name that the parts of a code would have; none of a code that is in none.
pub(super) fn is_in(parts: Option<&Parts>, name: &str, code: &str) -> Result<bool, RegistryError> {
    Ok(parts.is_some() && Parts::of(name, code)?.as_ref() == parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_parts_and_no_others() {
        let long = "x".repeat(MAX_VALUE_BYTES) + "yz";
        let parts = Parts::of("f", &long).unwrap().unwrap();
        assert_eq!((parts.count, parts.run(), parts.runs_bytes), (2, 2, long.len()));
        let values = |text: &str| -> Vec<Value> {
            text.as_bytes().chunks(MAX_VALUE_BYTES).map(|part| Value::from(part.to_vec())).collect()
        };
        assert_eq!(parts.joined(&values(&long)).unwrap().as_str(), long);
        for wrong in [&long[1..], &long.replacen('x', "y", 1), &long[..long.len() - 1], ""] {
            assert!(parts.joined(&values(wrong)).is_none());
        }
        assert!(parts.joined(&values(&(long.clone() + "more"))).is_some(), "the rest does not run");
        assert_eq!(Parts::of("f", &long[2..]).unwrap(), None);
        assert!(is_in(Some(&parts), "f", &long).unwrap() && !is_in(None, "f", &long).unwrap());
        assert!(!is_in(Some(&parts), "f", &long[1..]).unwrap());
    }

    #[test]
    fn so_many_bytes_stay_joined() {
        let joined = Joined::new();
        let tenant = TenantId([1; 16]);
        let key = |key: &str| (tenant, format!("{key}/00"));
        let code: Code = Arc::new("x".repeat(MAX_JOINED_BYTES / 4).into());
        for name in ["a", "b", "c", "d", "a", "e"] {
            joined.put(key(name), Arc::clone(&code));
        }
        let there = |name: &str| joined.get(&key(name)).is_some();
        assert_eq!(["a", "b", "c", "d", "e"].map(there), [true, false, true, true, true]);
        assert!(joined.get(&(TenantId([2; 16]), key("a").1)).is_none());
        assert_eq!(joined.lock().bytes, MAX_JOINED_BYTES / 4 * 4);
        joined.forget(tenant, "a");
        assert_eq!(["a", "c"].map(there), [false, true]);
        assert_eq!(joined.lock().bytes, MAX_JOINED_BYTES / 4 * 3);
        let larger: Code = Arc::new("x".repeat(MAX_JOINED_BYTES + 1).into());
        joined.put(key("f"), larger);
        assert!(!there("f") && joined.lock().bytes == 0);
    }
}
