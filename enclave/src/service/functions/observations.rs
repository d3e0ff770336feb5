//! What can be seen of a function's invocations afterwards: logs, metrics, and where the time of one went.

use std::collections::BTreeMap;

use r3e_functions::{Completed, Ended, FunctionCounts, InvokeError};
use r3e_proto::api::functions::LogEntry;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::observations::{LogPage, Metrics, Trace};

use super::Functions;
use crate::service::ServiceError;

impl Functions {
    /// A function's log after `cursor`, or all that is kept of it; where there is nothing yet, once there is, or after `wait_ms`.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Busy`] where too many of the tenant's questions wait.
    pub(crate) async fn logs(
        &self,
        tenant: TenantId,
        name: &str,
        cursor: Option<&str>,
        wait_ms: u64,
    ) -> Result<LogPage, ServiceError> {
        self.registry.show(tenant, name).await?;
        if wait_ms == 0 {
            return Ok(self.logs.page(tenant, name, cursor));
        }
        self.logs.follow(tenant, name, cursor, wait_ms).await.map_err(|_| {
            let most = r3e_functions::limits::MAX_FOLLOWERS;
            ServiceError::Busy(format!(
                "{most} of the tenant's questions wait for logs already; end one first"
            ))
        })
    }

    /// What a function's invocations took.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn metrics(&self, tenant: TenantId, name: &str) -> Result<Metrics, ServiceError> {
        self.registry.show(tenant, name).await?;
        Ok(self.metrics.of(tenant, name))
    }

    /// Where the time of one of a function's latest invocations went.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also of one that is not kept any more.
    pub(crate) async fn trace(
        &self,
        tenant: TenantId,
        name: &str,
        invocation: &str,
    ) -> Result<Trace, ServiceError> {
        self.registry.show(tenant, name).await?;
        let not_kept =
            || ServiceError::NotFound { kind: "trace of an invocation", name: invocation.to_owned() };
        self.logs.trace(tenant, name, invocation).ok_or_else(not_kept)
    }

    /// What the invocations of all of a tenant's functions came to, by name; nothing but zeros of one that was not invoked.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn counts(&self, tenant: TenantId) -> Result<BTreeMap<String, FunctionCounts>, ServiceError> {
        // In this order: what was counted of a function that is deleted in between is left out.
        let mut counted = self.counts.of(tenant);
        let names = self.registry.names(tenant)?;
        Ok(names
            .into_iter()
            .map(|name| {
                let of = counted.remove(&name).unwrap_or_default();
                (name, of)
            })
            .collect())
    }

    /// What all invocations came to, of all tenants.
    pub(crate) fn totals(&self) -> Ended {
        self.counts.totals()
    }

    /// Counts an event that was not handed to its function.
    pub(super) fn observe_refusal(&self, tenant: TenantId, name: &str, error: &InvokeError) {
        let now_ms = self.clock.now_ms();
        if matches!(error, InvokeError::Overloaded { .. }) {
            self.metrics.turned_away(tenant, name, now_ms);
        }
        self.counts.refused(tenant, name, error, now_ms, || self.registry.is_there(tenant, name));
    }

    /// Keeps what can be seen of an invocation that is over.
    pub(super) fn observe(
        &self,
        tenant: TenantId,
        name: &str,
        id: &[u8; 16],
        completed: &Completed,
        at_ms: u64,
    ) {
        let entry = LogEntry {
            invocation: hex::encode(id),
            version: hex::encode(completed.version),
            at_ms,
            outcome: completed.code().to_owned(),
            lines: completed.logs.clone(),
        };
        let trace = Trace {
            invocation: entry.invocation.clone(),
            version: entry.version.clone(),
            at_ms,
            outcome: entry.outcome.clone(),
            total_us: completed.course.total_us,
            usage: completed.usage,
            spans: completed.course.spans.clone(),
            calls_left_out: completed.course.calls_left_out,
        };
        self.logs.add(tenant, name, entry, trace);
        self.metrics.add(tenant, name, completed, at_ms);
        self.counts.completed(tenant, name, completed, at_ms, || self.registry.is_there(tenant, name));
    }
}
