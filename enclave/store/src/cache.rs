//! Plaintext of records lately used, bounded by bytes. Wiped as it leaves.

use lru::LruCache;
use r3e_proto::host::blob::BlobName;

use crate::{limits::CACHE_ENTRY_BYTES, record::Value};

/// A cache of values, each for one version of its record.
pub(crate) struct Cache {
    entries: LruCache<BlobName, (u64, Value)>,
    bytes: usize,
    max_bytes: usize,
}

impl Cache {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, max_bytes }
    }

    /// The value of exactly this version.
    pub(crate) fn get(&mut self, name: &BlobName, version: u64) -> Option<Value> {
        self.entries.get(name).filter(|(cached, _)| *cached == version).map(|(_, value)| value.clone())
    }

    /// Keeps a value, unless a newer version of it is already there.
    pub(crate) fn put(&mut self, name: BlobName, version: u64, value: Value) {
        let cost = cost(&value);
        let stale = self.entries.peek(&name).is_some_and(|(cached, _)| *cached > version);
        if stale || cost > self.max_bytes {
            return;
        }
        if let Some((_, old)) = self.entries.put(name, (version, value)) {
            self.bytes -= self::cost(&old);
        }
        self.bytes += cost;
        while self.bytes > self.max_bytes {
            let Some((_, (_, oldest))) = self.entries.pop_lru() else { break };
            self.bytes -= self::cost(&oldest);
        }
    }

    pub(crate) fn remove(&mut self, name: &BlobName) {
        if let Some((_, old)) = self.entries.pop(name) {
            self.bytes -= cost(&old);
        }
    }
}

fn cost(value: &Value) -> usize {
    value.as_bytes().len() + CACHE_ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(len: usize) -> Value {
        vec![7; len].into()
    }

    #[test]
    fn the_least_used_leaves_first_and_the_bytes_stay_bounded() {
        let mut cache = Cache::new(3 * (100 + CACHE_ENTRY_BYTES));
        for name in 0..3 {
            cache.put([name; 32], 1, value(100));
        }
        assert!(cache.get(&[0; 32], 1).is_some());
        cache.put([3; 32], 1, value(100));
        assert!(cache.get(&[1; 32], 1).is_none());
        assert!(cache.get(&[0; 32], 1).is_some() && cache.get(&[3; 32], 1).is_some());
        for name in 0..200 {
            cache.put([name; 32], 2, value(usize::from(name)));
            assert!(cache.bytes <= cache.max_bytes);
        }
        while let Some((_, (_, old))) = cache.entries.pop_lru() {
            cache.bytes -= cost(&old);
        }
        assert_eq!(cache.bytes, 0);
    }

    #[test]
    fn only_the_version_asked_for_is_given_and_an_older_one_never_replaces_a_newer() {
        let mut cache = Cache::new(10_000);
        cache.put([0; 32], 5, value(1));
        assert!(cache.get(&[0; 32], 4).is_none());
        cache.put([0; 32], 4, value(2));
        assert_eq!(cache.get(&[0; 32], 5), Some(value(1)));
        cache.remove(&[0; 32]);
        assert_eq!(cache.bytes, 0);
    }

    #[test]
    fn what_is_larger_than_the_cache_is_not_kept() {
        let mut cache = Cache::new(1000);
        cache.put([0; 32], 1, value(1001));
        assert!(cache.get(&[0; 32], 1).is_none());
        assert_eq!(cache.bytes, 0);
    }
}
