//! Who may start now, who waits, and who is turned away.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::InvocationError;

/// A number of slots and a bounded queue for them.
#[derive(Debug)]
pub(super) struct Gate {
    scope: &'static str,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    max_wait: Duration,
}

impl Gate {
    /// A gate with `slots` places inside and `max_waiting` before it.
    pub(super) fn new(scope: &'static str, slots: usize, max_waiting: usize, max_wait: Duration) -> Self {
        Self {
            scope,
            slots: Arc::new(Semaphore::new(slots)),
            waiting: AtomicUsize::new(0),
            max_waiting,
            max_wait,
        }
    }

    /// Enters, at once or after a bounded wait, first come first served.
    pub(super) async fn enter(&self) -> Result<OwnedSemaphorePermit, InvocationError> {
        let busy = || InvocationError::Busy { scope: self.scope };
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue().ok_or_else(busy)?;
        match tokio::time::timeout(self.max_wait, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    fn queue(&self) -> Option<Place<'_>> {
        let place = Place(&self.waiting);
        // Counted before the comparison, so that two cannot take the last place.
        (self.waiting.fetch_add(1, Ordering::AcqRel) < self.max_waiting).then_some(place)
    }
}

/// A place in the queue, left when dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Gates by key, each there while someone uses it.
#[derive(Debug)]
pub(super) struct KeyedGates<K: Eq + Hash + Clone> {
    gates: Mutex<HashMap<K, Arc<Gate>>>,
    scope: &'static str,
    slots: usize,
    max_waiting: usize,
    max_wait: Duration,
}

/// A slot behind a keyed gate.
pub(super) struct KeyedPermit<'a, K: Eq + Hash + Clone> {
    gates: &'a KeyedGates<K>,
    key: K,
    gate: Option<Arc<Gate>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Eq + Hash + Clone> KeyedGates<K> {
    /// Gates that are all alike.
    pub(super) fn new(scope: &'static str, slots: usize, max_waiting: usize, max_wait: Duration) -> Self {
        Self { gates: Mutex::default(), scope, slots, max_waiting, max_wait }
    }

    /// Enters the key's gate.
    pub(super) async fn enter(&self, key: &K) -> Result<KeyedPermit<'_, K>, InvocationError> {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Gate::new(self.scope, self.slots, self.max_waiting, self.max_wait));
            Arc::clone(gates.entry(key.clone()).or_insert_with(fresh))
        };
        // Made first, so that a wait that is given up still tidies.
        let mut permit =
            KeyedPermit { gates: self, key: key.clone(), gate: Some(Arc::clone(&gate)), permit: None };
        let entered = gate.enter().await;
        drop(gate);
        permit.permit = Some(entered?);
        Ok(permit)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl<K: Eq + Hash + Clone> Drop for KeyedPermit<'_, K> {
    fn drop(&mut self) {
        self.permit = None;
        let mut gates = self.gates.gates.lock().unwrap_or_else(PoisonError::into_inner);
        self.gate = None;
        // Every other user holds a reference, taken under this lock.
        if gates.get(&self.key).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_away_beyond_the_queue_and_after_the_wait() {
        let gate = Arc::new(Gate::new("function", 1, 1, Duration::from_millis(20)));
        let inside = gate.enter().await.unwrap();
        let waits = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.is_ok() }
        });
        while gate.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gate.enter().await, Err(InvocationError::Busy { scope: "function" })));
        assert!(!waits.await.unwrap(), "the wait is bounded");
        drop(inside);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test]
    async fn keys_do_not_share_and_leave_nothing_behind() {
        let gates = KeyedGates::new("tenant", 1, 0, Duration::from_millis(20));
        let one = gates.enter(&"a").await.unwrap();
        assert!(gates.enter(&"a").await.is_err());
        let other = gates.enter(&"b").await.unwrap();
        assert_eq!(gates.len(), 2);
        drop((one, other));
        assert_eq!(gates.len(), 0);
        assert!(gates.enter(&"a").await.is_ok());
    }
}
