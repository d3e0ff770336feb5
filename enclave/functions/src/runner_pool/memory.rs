//! Memory of all runners together, reserved before a function is loaded.
//!
//! A process is charged the most that it can come to hold, from its load until it is reaped, busy or idle. Idle processes
//! give way: whoever waits for memory ends them, and none is kept while somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::InvocationError;
use super::limits::MEMORY_OVERHEAD_MIB;

/// What a process that holds this function may use, in MiB: its heap, and all beside it.
pub(super) fn charge_mib(heap_mib: u32) -> u32 {
    heap_mib.saturating_add(u32::try_from(MEMORY_OVERHEAD_MIB).unwrap_or(u32::MAX))
}

/// MiB that were reserved; they go back when this is dropped.
pub(super) type Reserved = OwnedSemaphorePermit;

/// The budget.
#[derive(Debug)]
pub(super) struct Memory {
    free_mib: Arc<Semaphore>,
    total_mib: u32,
    waiting: AtomicUsize,
    max_wait: Duration,
}

impl Memory {
    /// A budget of so many MiB, all of them free.
    pub(super) fn new(total_mib: u32, max_wait: Duration) -> Self {
        let free = usize::try_from(total_mib).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { free_mib: Arc::new(Semaphore::new(free)), total_mib, waiting: AtomicUsize::new(0), max_wait }
    }

    /// Whether somebody waits: then nothing idle is to be kept.
    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Reserves `mib`, at once or after a bounded wait, first come first served. `make_room` is told how much is missing, and
    /// ends idle processes of as much; what they held comes back when they are reaped.
    pub(super) async fn reserve(
        &self,
        mib: u32,
        make_room: impl FnOnce(usize),
    ) -> Result<Reserved, InvocationError> {
        if mib > self.total_mib {
            return Err(InvocationError::NoRoom { needed_mib: mib, max_mib: self.total_mib });
        }
        if let Ok(reserved) = Arc::clone(&self.free_mib).try_acquire_many_owned(mib) {
            return Ok(reserved);
        }
        // Counted before room is made, so that what becomes idle after that is not kept.
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&self.waiting);
        let needed = usize::try_from(mib).unwrap_or(usize::MAX);
        make_room(needed.saturating_sub(self.free_mib.available_permits()));
        let reserving = Arc::clone(&self.free_mib).acquire_many_owned(mib);
        match tokio::time::timeout(self.max_wait, reserving).await {
            Ok(Ok(reserved)) => Ok(reserved),
            Ok(Err(_)) | Err(_) => Err(InvocationError::Busy { scope: "appliance's memory" }),
        }
    }
}

/// One who waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(total_mib: u32) -> Memory {
        Memory::new(total_mib, Duration::from_millis(20))
    }

    #[tokio::test]
    async fn what_is_reserved_is_not_given_twice() {
        let memory = memory(100);
        let sixty = memory.reserve(60, |_| panic!("there is room")).await.unwrap();
        let mut missing = None;
        let refused = memory.reserve(50, |mib| missing = Some(mib)).await.unwrap_err();
        assert!(matches!(refused, InvocationError::Busy { scope: "appliance's memory" }));
        assert_eq!(missing, Some(10));
        let _forty = memory.reserve(40, |_| panic!("there is room")).await.unwrap();
        drop(sixty);
        assert!(memory.reserve(60, |_| panic!("there is room")).await.is_ok());
        assert!(!memory.is_awaited());
    }

    #[tokio::test]
    async fn room_that_is_made_goes_to_who_waits() {
        let memory = memory(100);
        let mut idle = Some(memory.reserve(80, |_| ()).await.unwrap());
        let got = memory
            .reserve(50, |_| {
                assert!(memory.is_awaited());
                idle.take();
            })
            .await;
        assert!(got.is_ok());
    }

    #[tokio::test]
    async fn what_can_never_fit_is_refused_at_once() {
        let refused = memory(100).reserve(101, |_| panic!("nothing is ended for it")).await.unwrap_err();
        assert!(matches!(refused, InvocationError::NoRoom { needed_mib: 101, max_mib: 100 }));
    }
}
