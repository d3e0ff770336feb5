//! What a process holds of the pool as long as it lives: a place in a count, and memory of the budget.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle as Runtime;

use super::family::Member;
use super::handle::Handle;
use super::memory::Reserved;

/// A count of processes that are meant to live, and do or await some work.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveCount(Arc<AtomicUsize>);

impl LiveCount {
    /// How many there are.
    pub(super) fn now(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Counts one more, until the token is dropped.
    pub(super) fn token(&self) -> LiveToken {
        self.0.fetch_add(1, Ordering::AcqRel);
        LiveToken(Arc::clone(&self.0))
    }
}

/// One of the count.
#[derive(Debug)]
pub(super) struct LiveToken(Arc<AtomicUsize>);

impl Drop for LiveToken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A process with what it holds. Dropping this ends it; its place is free at once, its memory when it has ended.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) handle: Arc<Handle>,
    memory: Mutex<Option<Reserved>>,
    live: Vec<LiveToken>,
    /// Its place in a family, which is nobody else's before it has ended.
    member: Option<Member>,
}

impl Held {
    /// A process that is counted, and holds no memory of the budget yet.
    pub(super) fn new(handle: Handle, live: Vec<LiveToken>) -> Self {
        Self { handle: Arc::new(handle), memory: Mutex::default(), live, member: None }
    }

    /// Gives the process its reserved memory.
    pub(super) fn reserve(&mut self, memory: Reserved) {
        *self.memory() = Some(memory);
    }

    /// Counts it in another way as well.
    pub(super) fn count(&mut self, live: LiveToken) {
        self.live.push(live);
    }

    /// Makes the process one of a family, which stays as long as it does.
    pub(super) fn join(&mut self, member: Member) {
        self.member = Some(member);
    }

    /// Whether it is one of a family.
    pub(super) fn is_member(&self) -> bool {
        self.member.is_some()
    }

    /// Gives its place in the counts back, though it lives on.
    pub(super) fn retire(&mut self) {
        self.live.clear();
    }

    /// Gives all of its memory back but so much.
    pub(super) fn shrink_to(&self, mib: usize) {
        if let Some(memory) = self.memory().as_mut() {
            memory.shrink_to(mib);
        }
    }

    /// MiB that it holds of the budget.
    pub(super) fn mib(&self) -> usize {
        self.memory().as_ref().map_or(0, Reserved::mib)
    }

    fn memory(&self) -> MutexGuard<'_, Option<Reserved>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.handle.kill();
        let mut memory = self.memory().take();
        let member = self.member.take();
        if let Some(memory) = &mut memory {
            memory.will_come_back();
        }
        if memory.is_none() && member.is_none() {
            return;
        }
        // Without a runtime the process is still killed, and so is the pool that the memory is of.
        if let Ok(runtime) = Runtime::try_current() {
            let handle = Arc::clone(&self.handle);
            runtime.spawn(async move {
                // What it held is free when it is gone, not when it was told to go.
                let _ended = handle.ended().await;
                drop((memory, member));
            });
        }
    }
}
