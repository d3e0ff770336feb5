//! An invocation's way through the ledger: let in before it runs, settled after.

use std::sync::Arc;

use r3e_proto::api::billing::{Amount, Metered};
use r3e_proto::api::functions::{Limits, Usage};
use r3e_proto::api::identity::TenantId;
use thiserror::Error;

use crate::ledger::Shared;
use crate::live::Let;

/// Microseconds of a millisecond.
pub(crate) const US_PER_MS: u64 = 1_000;

/// What is let in, and for how much.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// Whose it is.
    pub tenant: TenantId,
    /// The function's name.
    pub function: &'a str,
    /// What one invocation of it may use.
    pub limits: &'a Limits,
    /// Bytes that one invocation may send: no limit of the function's own.
    pub max_bytes_out: u64,
}

/// Why an invocation was not let in. It never ran, and cost nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// Over what may be used in a month.
    #[error(
        "this invocation could pass {} of {limit} {what} a month: lower the function's limits, {}, or wait for the next month",
        plan.as_ref().map_or_else(|| "the quota".to_owned(), |plan| format!("the allowance of the plan {plan:?}")),
        if plan.is_some() { "have the operator assign another plan" } else { "have the operator raise the quota" }
    )]
    Quota {
        /// What there is too much of, a member of `Metered`.
        what: &'static str,
        /// The most of it.
        limit: u64,
        /// The plan whose allowance it is; none for a quota.
        plan: Option<String>,
        /// How long until the next month begins.
        retry_after_s: u64,
    },
    /// The balance does not cover it.
    #[error(
        "this takes {needed} more of the balance, and {available} is available: deposit the difference, or lower the \
         function's limits"
    )]
    Balance {
        /// What must be set aside for it beyond what is.
        needed: Amount,
        /// What there is.
        available: Amount,
    },
    /// The configuration has no such plan any more.
    #[error("the measured configuration has no plan {0:?}: the operator must assign another one")]
    NoSuchPlan(String),
    /// The ledger cannot say, or could not keep what the invocation uses. Try again.
    #[error("usage cannot be recorded now: {0}; try again")]
    Unavailable(String),
}

/// An invocation that was let in. Dropped without being settled, it never ran, and costs nothing.
#[derive(Debug)]
pub struct Admission {
    shared: Arc<Shared>,
    tenant: TenantId,
    function: String,
    memory_mib: u32,
    most: Metered,
    of: Let,
    is_over: bool,
}

impl Charge<'_> {
    /// The most that it may use.
    pub(crate) fn most(&self) -> Metered {
        let Limits { timeout_ms, cpu_ms, memory_mib, host_calls, .. } = *self.limits;
        Metered {
            invocations: 1,
            failures: 0,
            cpu_us: u64::from(cpu_ms) * 1_000,
            wall_us: u64::from(timeout_ms) * 1_000,
            memory_mib_ms: u64::from(memory_mib) * u64::from(timeout_ms),
            // Each fetch is a call.
            bytes_out: if host_calls == 0 { 0 } else { self.max_bytes_out },
            host_calls: u64::from(host_calls),
            storage_byte_s: 0,
        }
    }
}

impl Admission {
    pub(crate) fn new(shared: Arc<Shared>, charge: &Charge<'_>, most: Metered, of: Let) -> Self {
        let Charge { tenant, function, limits, .. } = *charge;
        let (function, memory_mib) = (function.to_owned(), limits.memory_mib);
        Self { shared, tenant, function, memory_mib, most, of, is_over: false }
    }

    /// The invocation has ended, and used this; `failed` if with an error of the function's.
    pub fn settle(mut self, used: &Usage, failed: bool) {
        self.is_over = true;
        let used = Metered {
            invocations: 1,
            failures: u64::from(failed),
            cpu_us: used.cpu_us,
            wall_us: used.wall_us,
            memory_mib_ms: u64::from(self.memory_mib).saturating_mul(used.wall_us).div_ceil(US_PER_MS),
            bytes_out: used.bytes_out,
            host_calls: used.host_calls,
            storage_byte_s: 0,
        };
        self.shared.ended(self.tenant, self.of, &self.function, &self.most, Some(&used));
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.ended(self.tenant, self.of, &self.function, &self.most, None);
        }
    }
}
