//! A witness in memory, that can be kept from answering.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use r3e_store::{OvertakenFuture, Witness, WitnessError, WitnessFuture, Witnessed, Witnessing};
use tokio::sync::{RwLock, watch};

pub(crate) struct Memory {
    held: Arc<Mutex<Option<Witnessed>>>,
    /// Calls that go unanswered, and do nothing.
    pub(crate) unanswered: AtomicUsize,
    /// Records that go unanswered, but are done.
    pub(crate) answers_lost: AtomicUsize,
    /// Whether records never arrive, while questions do.
    cut_off: AtomicBool,
    pub(crate) records: AtomicUsize,
    /// Held for writing, it stops every record.
    pub(crate) gate: RwLock<()>,
    /// What it has found by itself.
    found: watch::Sender<Option<Witnessed>>,
}

pub(crate) fn witnessed_by(memory: &Arc<Memory>) -> Witnessing {
    Witnessing { witness: Some(memory.clone()), ..Witnessing::default() }
}

impl Memory {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::over(Arc::default()))
    }

    fn over(held: Arc<Mutex<Option<Witnessed>>>) -> Self {
        Self {
            held,
            unanswered: AtomicUsize::new(0),
            answers_lost: AtomicUsize::new(0),
            cut_off: AtomicBool::new(false),
            records: AtomicUsize::new(0),
            gate: RwLock::default(),
            found: watch::Sender::new(None),
        }
    }

    /// The same memory, reached by another connection.
    pub(crate) fn again(&self) -> Arc<Self> {
        Arc::new(Self::over(self.held.clone()))
    }

    /// The same memory, by a connection on which questions are answered and records lost.
    pub(crate) fn cut_off(&self) -> Arc<Self> {
        let memory = Self::over(self.held.clone());
        memory.cut_off.store(true, Ordering::SeqCst);
        Arc::new(memory)
    }

    /// Confirms nothing any more, and takes note or not.
    pub(crate) fn stop(&self, takes_note: bool) {
        let faults = if takes_note { &self.answers_lost } else { &self.unanswered };
        faults.store(usize::MAX, Ordering::SeqCst);
    }

    /// Remembers what another enclave has recorded.
    pub(crate) fn hold(&self, other: Witnessed) {
        *self.held.lock().unwrap() = Some(other);
    }

    /// Says by itself what another enclave has recorded.
    pub(crate) fn tell(&self, other: Witnessed) {
        self.found.send_replace(Some(other));
    }

    /// Answers again.
    pub(crate) fn go_on(&self) {
        self.unanswered.store(0, Ordering::SeqCst);
    }

    pub(crate) fn held(&self) -> Option<Witnessed> {
        *self.held.lock().unwrap()
    }

    fn fault(faults: &AtomicUsize) -> Result<(), WitnessError> {
        let left = faults.load(Ordering::SeqCst);
        if left > 0 {
            faults.store(left - 1, Ordering::SeqCst);
            return Err(WitnessError::Unavailable { reason: "nobody answers".into() });
        }
        Ok(())
    }
}

impl Witness for Memory {
    fn last(&self) -> WitnessFuture<'_, Option<Witnessed>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            Self::fault(&self.unanswered)?;
            Ok(self.held())
        })
    }

    fn overtaken(&self) -> OvertakenFuture<'_> {
        let mut found = self.found.subscribe();
        Box::pin(async move {
            loop {
                if let Some(other) = *found.borrow_and_update() {
                    return other;
                }
                found.changed().await.unwrap();
            }
        })
    }

    fn record(&self, witnessed: Witnessed) -> WitnessFuture<'_, ()> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let _open = self.gate.read().await;
            self.records.fetch_add(1, Ordering::SeqCst);
            if self.cut_off.load(Ordering::SeqCst) {
                return Err(WitnessError::Unavailable { reason: "cut off".into() });
            }
            Self::fault(&self.unanswered)?;
            {
                let mut held = self.held.lock().unwrap();
                match *held {
                    Some(by) if by.sequence > witnessed.sequence => {
                        return Err(WitnessError::Overtaken { by });
                    }
                    Some(by) if by.sequence == witnessed.sequence && by != witnessed => {
                        return Err(WitnessError::Overtaken { by });
                    }
                    _ => *held = Some(witnessed),
                }
            }
            Self::fault(&self.answers_lost)
        })
    }
}
