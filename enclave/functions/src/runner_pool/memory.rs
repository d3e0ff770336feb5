//! Memory of all runners together, reserved before a function is loaded.
//!
//! A process that loads a function or handles its events is charged the most that it can come to hold, until it has ended; one that
//! only keeps a function loaded is charged what it holds. What is idle gives way: whoever waits for memory ends it, and nothing
//! more is kept while somebody waits.

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
#[derive(Debug)]
pub(super) struct Reserved {
    permit: OwnedSemaphorePermit,
    ending_mib: Arc<AtomicUsize>,
    is_ending: bool,
}

impl Reserved {
    /// How many.
    pub(super) fn mib(&self) -> usize {
        self.permit.num_permits()
    }

    /// Gives back all but so many.
    pub(super) fn shrink_to(&mut self, mib: usize) {
        drop(self.permit.split(self.mib().saturating_sub(mib)));
    }

    /// Whoever holds them was told to end: nobody needs to end anything else for as much.
    pub(super) fn will_come_back(&mut self) {
        if !self.is_ending {
            self.is_ending = true;
            self.ending_mib.fetch_add(self.mib(), Ordering::AcqRel);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.is_ending {
            self.ending_mib.fetch_sub(self.mib(), Ordering::AcqRel);
        }
    }
}

/// The budget.
#[derive(Debug)]
pub(super) struct Memory {
    free_mib: Arc<Semaphore>,
    total_mib: u32,
    waiting: AtomicUsize,
    /// Of processes that were told to end and have not ended yet.
    ending_mib: Arc<AtomicUsize>,
    max_wait: Duration,
}

impl Memory {
    /// A budget of so many MiB, all of them free.
    pub(super) fn new(total_mib: u32, max_wait: Duration) -> Self {
        let free = usize::try_from(total_mib).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            free_mib: Arc::new(Semaphore::new(free)),
            total_mib,
            waiting: AtomicUsize::new(0),
            ending_mib: Arc::default(),
            max_wait,
        }
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
        if let Ok(permit) = Arc::clone(&self.free_mib).try_acquire_many_owned(mib) {
            return Ok(self.reserved(permit));
        }
        // Counted before room is made, so that what becomes idle after that is not kept.
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&self.waiting);
        let needed = usize::try_from(mib).unwrap_or(usize::MAX);
        let coming = self.free_mib.available_permits() + self.ending_mib.load(Ordering::Acquire);
        make_room(needed.saturating_sub(coming));
        let reserving = Arc::clone(&self.free_mib).acquire_many_owned(mib);
        match tokio::time::timeout(self.max_wait, reserving).await {
            Ok(Ok(permit)) => Ok(self.reserved(permit)),
            Ok(Err(_)) | Err(_) => Err(InvocationError::Busy { scope: "appliance's memory" }),
        }
    }

    /// Reserves `mib` if there are so many now and nobody waits; nothing idle is ended for them.
    pub(super) fn reserve_at_once(&self, mib: u32) -> Option<Reserved> {
        if self.is_awaited() {
            return None;
        }
        Arc::clone(&self.free_mib).try_acquire_many_owned(mib).ok().map(|permit| self.reserved(permit))
    }

    fn reserved(&self, permit: OwnedSemaphorePermit) -> Reserved {
        Reserved { permit, ending_mib: Arc::clone(&self.ending_mib), is_ending: false }
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
        assert!(memory.reserve_at_once(1).is_none());
        drop(sixty);
        assert!(memory.reserve_at_once(61).is_none() && memory.reserve_at_once(60).is_some());
        assert!(memory.reserve(60, |_| panic!("there is room")).await.is_ok());
        assert!(!memory.is_awaited());
    }

    #[tokio::test]
    async fn room_that_is_made_goes_to_who_waits() {
        let memory = memory(100);
        let mut idle = Some(memory.reserve(80, |_| ()).await.unwrap());
        let got = memory
            .reserve(50, |_| {
                assert!(memory.is_awaited() && memory.reserve_at_once(1).is_none());
                idle.take();
            })
            .await;
        assert!(got.is_ok());
    }

    #[tokio::test]
    async fn nothing_is_ended_for_what_comes_back_anyway() {
        let memory = memory(100);
        let mut ending = memory.reserve(70, |_| ()).await.unwrap();
        let idle = memory.reserve(20, |_| ()).await.unwrap();
        ending.will_come_back();
        ending.will_come_back();
        let mut ending = Some(ending);
        let got = memory.reserve(80, |missing| {
            assert_eq!(missing, 0);
            ending.take();
        });
        assert!(got.await.is_ok());
        let mut missing = None;
        assert!(memory.reserve(90, |mib| missing = Some(mib)).await.is_err());
        assert_eq!(missing, Some(10));
        assert_eq!(idle.mib(), 20);
    }

    #[tokio::test]
    async fn what_can_never_fit_is_refused_at_once() {
        let refused = memory(100).reserve(101, |_| panic!("nothing is ended for it")).await.unwrap_err();
        assert!(matches!(refused, InvocationError::NoRoom { needed_mib: 101, max_mib: 100 }));
    }
}
