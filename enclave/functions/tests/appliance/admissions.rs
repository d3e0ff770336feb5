//! Lets invocations in or not, as a test says, and remembers what they used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use r3e_functions::{AdmissionFuture, Admissions, Admitted, NotAdmitted};
use r3e_proto::api::functions::{Function, Usage};
use r3e_proto::api::identity::TenantId;

/// The gate.
#[derive(Default)]
pub(crate) struct Gate {
    /// Whether nobody is let in.
    pub(crate) closed: AtomicBool,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What became of one that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Settled {
        used: Usage,
        failed: bool,
    },
    /// It never ran.
    Released,
}

impl Gate {
    /// What became of all that were let in, in the order in which they ended.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Admissions for Gate {
    fn admit<'a>(&'a self, _: TenantId, _: &'a Function) -> AdmissionFuture<'a> {
        Box::pin(async {
            if self.closed.load(Ordering::SeqCst) {
                return Err(NotAdmitted::Quota { source: "no".into(), retry_after_s: 7 });
            }
            Ok(Box::new(LetIn { seen: Arc::clone(&self.seen), is_settled: false }) as Box<dyn Admitted>)
        })
    }
}

struct LetIn {
    seen: Arc<Mutex<Vec<Seen>>>,
    is_settled: bool,
}

impl Admitted for LetIn {
    fn settle(mut self: Box<Self>, used: &Usage, failed: bool) {
        self.is_settled = true;
        self.seen.lock().unwrap().push(Seen::Settled { used: *used, failed });
    }
}

impl Drop for LetIn {
    fn drop(&mut self) {
        if !self.is_settled {
            self.seen.lock().unwrap().push(Seen::Released);
        }
    }
}
