//! Who may connect, by address: how many at once, how many a second, and how many in all.
//!
//! An IPv6 client owns a /64, so that is its address here. Knows nothing of sockets or clocks: it is given the time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tokio::time::Instant;

use crate::limits::MAX_TRACKED_ADDRESSES;
use crate::settings::Forward;

/// The table of addresses.
#[derive(Debug)]
pub(super) struct Admission {
    max_connections: usize,
    max_per_address: u32,
    rate: Option<Rate>,
    table: Mutex<Table>,
}

/// Why a connection is closed unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The parent carries as many as it can.
    Full,
    /// This address has as many as it may.
    Address,
    /// This address comes too often.
    Rate,
}

/// A connection that was let in; dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Admitted {
    admission: Arc<Admission>,
    key: Key,
}

/// A token bucket's measures.
#[derive(Debug, Clone, Copy)]
struct Rate {
    per_second: f64,
    burst: f64,
}

#[derive(Debug)]
struct Table {
    open: usize,
    /// Only addresses with a connection, so no larger than the limit on connections.
    by_address: HashMap<Key, u32>,
    /// The least recently seen address is forgotten first, whether it has connections or not.
    buckets: LruCache<Key, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    V4(Ipv4Addr),
    /// The upper half of the address.
    V6Network(u64),
}

impl Admission {
    pub(super) fn new(settings: &Forward) -> Self {
        // Zero lifts a limit.
        let max_per_address = if settings.max_connections_per_address == 0 {
            u32::MAX
        } else {
            settings.max_connections_per_address
        };
        let rate = (settings.connections_per_second > 0).then(|| Rate {
            per_second: settings.connections_per_second.into(),
            burst: settings.connection_burst.max(1).into(),
        });
        let tracked = NonZeroUsize::new(MAX_TRACKED_ADDRESSES).unwrap_or(NonZeroUsize::MIN);
        let table = Table { open: 0, by_address: HashMap::new(), buckets: LruCache::new(tracked) };
        Self { max_connections: settings.max_connections, max_per_address, rate, table: Mutex::new(table) }
    }

    /// Lets a connection from `address` in at the time `now`. A refusal costs the address no token.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Admitted, Refusal> {
        let key = Key::of(address);
        let mut table = self.table();
        if table.open >= self.max_connections {
            return Err(Refusal::Full);
        }
        let here = table.by_address.get(&key).copied().unwrap_or(0);
        if here >= self.max_per_address {
            return Err(Refusal::Address);
        }
        if let Some(rate) = self.rate {
            let full = || Bucket { tokens: rate.burst, filled: now };
            if !table.buckets.get_or_insert_mut(key, full).take(rate, now) {
                return Err(Refusal::Rate);
            }
        }
        table.open += 1;
        table.by_address.insert(key, here + 1);
        drop(table);
        Ok(Admitted { admission: Arc::clone(self), key })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it holds the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut table = self.admission.table();
        table.open = table.open.saturating_sub(1);
        if let Some(count) = table.by_address.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                table.by_address.remove(&self.key);
            }
        }
    }
}

impl Bucket {
    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate.per_second).min(rate.burst);
        self.filled = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

impl Key {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6Network([a, b, c, d].into_iter().fold(0, |sum, part| sum << 16 | u64::from(part)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admission(change: impl FnOnce(&mut Forward)) -> Arc<Admission> {
        let mut settings = Forward {
            max_connections: 1000,
            max_connections_per_address: 0,
            connections_per_second: 0,
            ..Forward::default()
        };
        change(&mut settings);
        Arc::new(Admission::new(&settings))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_share_and_gets_it_back() {
        let admission = admission(|settings| settings.max_connections_per_address = 2);
        let now = Instant::now();
        let first = admission.admit(address("192.0.2.1"), now).unwrap();
        let _second = admission.admit(address("192.0.2.1"), now).unwrap();
        assert_eq!(admission.admit(address("192.0.2.1"), now).unwrap_err(), Refusal::Address);
        let _other = admission.admit(address("192.0.2.2"), now).unwrap();
        drop(first);
        let _again = admission.admit(address("192.0.2.1"), now).unwrap();
        assert_eq!(admission.admit(address("192.0.2.1"), now).unwrap_err(), Refusal::Address);
    }

    #[test]
    fn a_v6_network_is_one_address_and_a_mapped_v4_the_v4_one() {
        let admission = admission(|settings| settings.max_connections_per_address = 1);
        let now = Instant::now();
        let _held = [
            admission.admit(address("2001:db8:0:1::1"), now).unwrap(),
            admission.admit(address("2001:db8:0:2::1"), now).unwrap(),
            admission.admit(address("192.0.2.1"), now).unwrap(),
        ];
        for same in ["2001:db8:0:1:ffff::9", "::ffff:192.0.2.1"] {
            assert_eq!(admission.admit(address(same), now).unwrap_err(), Refusal::Address, "{same}");
        }
    }

    #[test]
    fn the_whole_is_capped() {
        let admission = admission(|settings| settings.max_connections = 3);
        let now = Instant::now();
        let mut held: Vec<_> =
            (1..=3).map(|n| admission.admit(Ipv4Addr::new(192, 0, 2, n).into(), now).unwrap()).collect();
        assert_eq!(admission.admit(address("192.0.2.9"), now).unwrap_err(), Refusal::Full);
        held.pop();
        admission.admit(address("192.0.2.9"), now).unwrap();
    }

    #[test]
    fn the_rate_is_exact_over_any_stretch() {
        let admission = admission(|settings| {
            settings.connections_per_second = 10;
            settings.connection_burst = 20;
        });
        let start = Instant::now();
        let admitted = |at_ms: u64, tries: usize| {
            let now = start + Duration::from_millis(at_ms);
            (0..tries).filter(|_| admission.admit(address("192.0.2.1"), now).is_ok()).count()
        };
        assert_eq!(admitted(0, 50), 20, "the burst");
        assert_eq!(admitted(0, 50), 0);
        assert_eq!(admitted(1_000, 50), 10, "a second's worth");
        assert_eq!(admitted(1_500, 50), 5, "half a second's");
        assert_eq!(admitted(60_000, 50), 20, "never more than the burst");
        // Refusals cost nothing: trying all the time gets the rate, not less.
        let total: usize = (60_001..=61_000).map(|at| admitted(at, 3)).sum();
        assert!((9..=10).contains(&total), "{total}");
    }

    #[test]
    fn forgotten_addresses_take_no_memory_and_open_connections_stay_counted() {
        let admission = admission(|settings| {
            settings.max_connections = usize::MAX;
            settings.max_connections_per_address = 1;
            settings.connections_per_second = 1;
            settings.connection_burst = 1;
        });
        let now = Instant::now();
        let held = admission.admit(address("192.0.2.1"), now).unwrap();
        for n in 0..u32::try_from(MAX_TRACKED_ADDRESSES).unwrap() + 10 {
            admission.admit(Ipv4Addr::from(0x0a00_0000 + n).into(), now).unwrap();
        }
        assert_eq!(admission.table().buckets.len(), MAX_TRACKED_ADDRESSES);
        assert_eq!(admission.table().by_address.len(), 1);
        assert_eq!(admission.admit(address("192.0.2.1"), now).unwrap_err(), Refusal::Address);
        drop(held);
        assert!(admission.table().by_address.is_empty());
    }
}
