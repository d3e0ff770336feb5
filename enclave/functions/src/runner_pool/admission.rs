//! Who may start now, who waits, and who is turned away, where nobody shares: a gate for each function and each tenant's
//! memory. What tenants share is given by turns (`turnstile`).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::InvocationError;

/// A number of slots and a bounded queue for them.
#[derive(Debug)]
struct Gate {
    scope: &'static str,
    slots: Arc<Semaphore>,
    total: u32,
    waiting: AtomicUsize,
    max_waiting: usize,
    max_wait: Duration,
}

impl Gate {
    /// A gate with `slots` places inside and `max_waiting` before it.
    fn new(scope: &'static str, slots: usize, max_waiting: usize, max_wait: Duration) -> Self {
        let slots = slots.min(Semaphore::MAX_PERMITS);
        Self {
            scope,
            slots: Arc::new(Semaphore::new(slots)),
            total: u32::try_from(slots).unwrap_or(u32::MAX),
            waiting: AtomicUsize::new(0),
            max_waiting,
            max_wait,
        }
    }

    /// Enters with so many slots as one, at once or after a bounded wait, first come first served.
    async fn enter_with(&self, slots: u32) -> Result<OwnedSemaphorePermit, InvocationError> {
        let busy = || InvocationError::Busy { scope: self.scope };
        if slots > self.total {
            return Err(InvocationError::NoRoom { needed_mib: slots, max_mib: self.total });
        }
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_many_owned(slots) {
            return Ok(permit);
        }
        let _place = self.queue().ok_or_else(busy)?;
        match tokio::time::timeout(self.max_wait, Arc::clone(&self.slots).acquire_many_owned(slots)).await {
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
        self.enter_with(key, 1).await
    }

    /// Enters the key's gate with so many slots as one, if that can be done at once.
    pub(super) async fn enter_at_once(&self, key: &K, slots: u32) -> Option<KeyedPermit<'_, K>> {
        let entering = std::pin::pin!(self.enter_with(key, slots));
        // Asked once: what would wait leaves its place in the queue when it is dropped.
        tokio::select! {
            biased;
            entered = entering => entered.ok(),
            () = std::future::ready(()) => None,
        }
    }

    /// Enters the key's gate with so many slots as one.
    pub(super) async fn enter_with(
        &self,
        key: &K,
        slots: u32,
    ) -> Result<KeyedPermit<'_, K>, InvocationError> {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Gate::new(self.scope, self.slots, self.max_waiting, self.max_wait));
            Arc::clone(gates.entry(key.clone()).or_insert_with(fresh))
        };
        // Made first, so that a wait that is given up still tidies.
        let mut permit =
            KeyedPermit { gates: self, key: key.clone(), gate: Some(Arc::clone(&gate)), permit: None };
        let entered = gate.enter_with(slots).await;
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
        let gate = Arc::new(Gate::new("function", 1, 1, Duration::from_millis(500)));
        let inside = gate.enter_with(1).await.unwrap();
        let waits = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter_with(1).await.is_ok() }
        });
        while gate.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gate.enter_with(1).await, Err(InvocationError::Busy { scope: "function" })));
        assert!(!waits.await.unwrap(), "the wait is bounded");
        drop(inside);
        assert!(gate.enter_with(1).await.is_ok());
    }

    #[tokio::test]
    async fn who_needs_many_slots_is_not_passed_by_those_who_need_few() {
        let gate = Arc::new(Gate::new("tenant's memory", 10, 4, Duration::from_secs(20)));
        let six = gate.enter_with(6).await.unwrap();
        assert!(matches!(
            gate.enter_with(11).await,
            Err(InvocationError::NoRoom { needed_mib: 11, max_mib: 10 })
        ));
        let enter = |slots| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.enter_with(slots).await.unwrap() })
        };
        let large = enter(8);
        while gate.waiting.load(Ordering::Acquire) < 1 {
            tokio::task::yield_now().await;
        }
        let small = enter(4);
        while gate.waiting.load(Ordering::Acquire) < 2 {
            tokio::task::yield_now().await;
        }
        assert!(!small.is_finished(), "four are free, and the one before has them first");
        drop(six);
        let large = large.await.unwrap();
        assert!(!small.is_finished());
        drop(large);
        drop(small.await.unwrap());
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
