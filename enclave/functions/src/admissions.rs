//! Who lets invocations in, and is told what they used. The composition root supplies it.
//!
//! An invocation that began is told of whatever becomes of it: also where its caller goes away, so that nobody can have work
//! done for nothing by leaving before the answer.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use r3e_proto::api::functions::{Function, Usage};
use r3e_proto::api::identity::TenantId;
use thiserror::Error;

use crate::course::Course;
use crate::host::Host;
use crate::runner_pool::InvocationError;

/// What [`Admissions::admit`] answers, boxed so that the trait can be a trait object.
pub type AdmissionFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Box<dyn Admitted>, NotAdmitted>> + Send + 'a>>;

/// Lets invocations in.
pub trait Admissions: Send + Sync {
    /// Whether one invocation of this function may run.
    fn admit<'a>(&'a self, tenant: TenantId, function: &'a Function) -> AdmissionFuture<'a>;
}

/// An invocation that was let in. Dropped without being settled, it never ran.
pub trait Admitted: Send {
    /// It has ended, and used this; `failed` if with an error of the function's.
    fn settle(self: Box<Self>, used: &Usage, failed: bool);
}

/// Why an invocation was not let in. It never ran, and cost nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// Over what its tenant may use.
    #[error("{source}")]
    Quota {
        /// What, and what to do.
        source: Box<dyn Error + Send + Sync>,
        /// After how long it may be let in.
        retry_after_s: u64,
    },
    /// What it may cost is not covered.
    #[error("{0}")]
    Balance(#[source] Box<dyn Error + Send + Sync>),
    /// Its tenant is under a plan that there is not.
    #[error("{0}")]
    NoSuchPlan(#[source] Box<dyn Error + Send + Sync>),
    /// What it uses could not be recorded now.
    #[error("{0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// Whether an event has no output for a reason of the appliance's: then nothing was used by the function.
pub(crate) fn is_the_appliances<T>(outcome: &Result<T, InvocationError>) -> bool {
    matches!(
        outcome,
        Err(InvocationError::Busy { .. }
            | InvocationError::NoRoom { .. }
            | InvocationError::NoEngine { .. }
            | InvocationError::Event(_)
            | InvocationError::NotReady
            | InvocationError::TooLarge(_)
            | InvocationError::Start(_)
            | InvocationError::Io(_))
    )
}

/// An invocation from its admission to its end. Dropped in between, it is settled by what is known of it by then: the time
/// since its process was ready, as if all of it had been the processor's, and what it sent and called.
pub(crate) struct Running<'a> {
    admitted: Option<Box<dyn Admitted>>,
    course: &'a Course,
    host: &'a Host<'a>,
}

impl<'a> Running<'a> {
    pub(crate) fn new(admitted: Box<dyn Admitted>, course: &'a Course, host: &'a Host<'a>) -> Self {
        Self { admitted: Some(admitted), course, host }
    }

    /// It has ended: what it used is known, or it was not the function's fault.
    pub(crate) fn ended(mut self) -> Option<Box<dyn Admitted>> {
        self.admitted.take()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Some(admitted) = self.admitted.take() else { return };
        let Some((running_us, host_calls)) = self.course.so_far() else { return };
        let used = Usage {
            cpu_us: running_us,
            wall_us: running_us,
            peak_memory_bytes: 0,
            host_calls,
            bytes_out: self.host.bytes_out(),
        };
        admitted.settle(&used, true);
    }
}
