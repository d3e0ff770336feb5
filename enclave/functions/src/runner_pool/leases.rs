//! Which processes may be kept after their event: none whose function was deleted or replaced since the event was taken on.
//!
//! A tenant that has events under way has a generation, which every deletion and replacement raises. An event notes it
//! before its function is even looked up, and its process is kept only if it is still the same. So a deletion that falls
//! anywhere between the look-up and the answer is seen; that it costs the tenant's other events of that moment their warm
//! processes is the price of keeping nothing about functions that are gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tenants that have events under way.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<Arc<str>, Generation>>);

#[derive(Debug, Default)]
struct Generation {
    number: u64,
    leases: usize,
}

/// An event of a tenant's, from before its function is looked up until its process was kept or ended.
#[derive(Debug)]
pub struct Lease {
    leases: Arc<Leases>,
    tenant: Arc<str>,
    number: u64,
}

impl Leases {
    /// Takes on an event of `tenant`'s.
    pub(super) fn take(self: &Arc<Self>, tenant: &Arc<str>) -> Lease {
        let mut generations = self.lock();
        let generation = generations.entry(Arc::clone(tenant)).or_default();
        generation.leases += 1;
        let number = generation.number;
        drop(generations);
        Lease { leases: Arc::clone(self), tenant: Arc::clone(tenant), number }
    }

    /// Ends the leases of the events that are under way: their processes are not kept.
    pub(super) fn end_those_of(&self, tenant: &str) {
        if let Some(generation) = self.lock().get_mut(tenant) {
            generation.number += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Generation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Whether nothing of this tenant's was deleted or replaced since.
    pub(super) fn holds_for(&self, tenant: &str) -> bool {
        let number = self.leases.lock().get(&self.tenant).map(|generation| generation.number);
        *self.tenant == *tenant && number == Some(self.number)
    }
}

impl Clone for Lease {
    /// Of the same moment: what ended the one has ended the other.
    fn clone(&self) -> Self {
        if let Some(generation) = self.leases.lock().get_mut(&self.tenant) {
            generation.leases += 1;
        }
        Self { leases: Arc::clone(&self.leases), tenant: Arc::clone(&self.tenant), number: self.number }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut generations = self.leases.lock();
        let Some(generation) = generations.get_mut(&self.tenant) else { return };
        generation.leases -= 1;
        if generation.leases == 0 {
            generations.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_ends_the_leases_of_its_tenant_alone_and_nothing_stays() {
        let leases = Arc::new(Leases::default());
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let (before, other) = (leases.take(&alice), leases.take(&bob));
        assert!(before.holds_for("alice") && !before.holds_for("bob"));
        leases.end_those_of("alice");
        let after = leases.take(&alice);
        let (still, again) = (before.clone(), after.clone());
        assert!(!still.holds_for("alice") && again.holds_for("alice"));
        assert!(!before.holds_for("alice") && after.holds_for("alice") && other.holds_for("bob"));
        drop((before, after, other));
        assert!(again.holds_for("alice"), "the other is still there");
        drop((still, again));
        assert!(leases.lock().is_empty());
        leases.end_those_of("alice");
        assert!(leases.lock().is_empty(), "no trace of tenants without events");
    }
}
