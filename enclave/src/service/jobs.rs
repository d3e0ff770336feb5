//! Jobs, as the appliance composes them: what runs their functions, what tells their webhooks, and how many at once.

use std::sync::Arc;

use r3e_attester::TrustedClock;
use r3e_functions::Run;
use r3e_jobs::{BoxFuture, EgressCourier, Invocations, Jobs, JobsError, JobsParts, NotInvoked, Settings};
use r3e_keys::ReportKey;
use r3e_proto::api::codes;
use r3e_proto::api::functions::Invocation;
use r3e_proto::api::identity::{TenantId, TenantState};
use r3e_proto::api::versions::Reference;
use r3e_store::Store;
use r3e_transport::EnclaveTransport;

use super::egress::open_egress;
use super::{Functions, ServiceError, Tenants};
use crate::configuration::Configuration;
use crate::limits::JOBS_SHARE_PERCENT;

/// What a job's outcome says of a function that is not there, or a tenant that may not act.
const NO_FUNCTION: &str = "no_function";
const SUSPENDED: &str = "suspended";
const INVALID_EVENT: &str = "invalid_event";

/// What [`start_jobs`] takes.
pub(crate) struct QueueParts<'a> {
    pub(crate) store: Store,
    pub(crate) transport: EnclaveTransport,
    pub(crate) configuration: &'a Configuration,
    pub(crate) clock: &'a TrustedClock,
    pub(crate) functions: Arc<Functions>,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) report_key: Arc<ReportKey>,
}

/// The jobs in the store. They are worked on from here on.
///
/// # Errors
/// [`ServiceError::Internal`]: there is no way out for webhooks. The store's.
pub(crate) fn start_jobs(parts: QueueParts<'_>) -> Result<Arc<Jobs>, ServiceError> {
    let QueueParts { store, transport, configuration, clock, functions, tenants, report_key } = parts;
    let egress = open_egress(transport, configuration, clock)?;
    let now = clock.clone();
    let jobs = Jobs::start(JobsParts {
        store,
        now_ms: Box::new(move || now.now_ms()),
        invocations: Arc::new(Deployed { functions, tenants }),
        courier: Arc::new(EgressCourier::new(egress)),
        report_key,
        settings: settings(configuration.max_runners(), configuration.tenant_share_percent()),
    });
    Ok(Arc::new(jobs?))
}

/// Jobs leave part of the runners to those who wait for their answer, and a tenant's jobs part of theirs to other tenants'.
fn settings(max_runners: u32, tenant_share_percent: u32) -> Settings {
    let part = |all: u32, percent: u32| (u64::from(all) * u64::from(percent) / 100).max(1);
    let at_once = part(max_runners, JOBS_SHARE_PERCENT);
    let of_one = part(u32::try_from(at_once).unwrap_or(u32::MAX), tenant_share_percent);
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    Settings { at_once: number(at_once), of_one: number(of_one) }
}

/// The tenants' functions, as jobs meet them.
struct Deployed {
    functions: Arc<Functions>,
    tenants: Arc<Tenants>,
}

impl Deployed {
    async fn is_active(&self, tenant: TenantId) -> Result<bool, ServiceError> {
        let found = self.tenants.find(tenant).await?;
        Ok(found.is_some_and(|tenant| tenant.state == TenantState::Active))
    }
}

impl Invocations for Deployed {
    fn granted<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, String>> {
        Box::pin(async move {
            let Some(reference) = Reference::parse(function) else { return Ok(None) };
            match self.is_active(tenant).await {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => return Err(error.to_string()),
            }
            match self.functions.granted_hosts(tenant, &reference).await {
                Ok(hosts) => Ok(Some(hosts)),
                Err(ServiceError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    fn invoke<'a>(
        &'a self,
        tenant: TenantId,
        run: r3e_jobs::Run,
        function: &'a str,
        event: &'a [u8],
    ) -> BoxFuture<'a, Result<Invocation, NotInvoked>> {
        Box::pin(async move {
            let refused = |code, message: String| NotInvoked::Refused { code, message };
            let reference = Reference::parse(function)
                .ok_or_else(|| refused(NO_FUNCTION, format!("{function:?} names no function")))?;
            // Suspension acts at once, also on what is queued.
            if !self.is_active(tenant).await.map_err(not_invoked)? {
                return Err(refused(SUSPENDED, "the operator suspended this tenant".to_owned()));
            }
            let r3e_jobs::Run { job, invocation, hops } = run;
            let run = Run { invocation: &invocation, job: Some(job.0), hops };
            let invoked = self.functions.invoke_as(tenant, run, &reference, None, event).await;
            invoked.map_err(not_invoked)
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn not_invoked(error: ServiceError) -> NotInvoked {
    let message = error.to_string();
    match error {
        ServiceError::Busy(_) | ServiceError::Overloaded { .. } => NotInvoked::NoRoom,
        ServiceError::NotFound { .. } => NotInvoked::Refused { code: NO_FUNCTION, message },
        ServiceError::Invalid(_) => NotInvoked::Refused { code: INVALID_EVENT, message },
        ServiceError::Denied { code, .. } | ServiceError::Payment { code, .. } => {
            NotInvoked::Refused { code, message }
        }
        // Until the month is over, or the quota is another: then the dead letter may be replayed.
        ServiceError::OverQuota { .. } => NotInvoked::Refused { code: codes::QUOTA_EXCEEDED, message },
        ServiceError::Internal(_) => {
            tracing::error!(%error, "a job's attempt failed");
            // Its cause is the operator's business, and may name what a tenant must not know.
            let message = "a fault of the appliance's; the operator's log has the cause".to_owned();
            NotInvoked::Unavailable(message)
        }
        _ => NotInvoked::Unavailable(message),
    }
}

impl From<JobsError> for ServiceError {
    fn from(error: JobsError) -> Self {
        let message = error.to_string();
        match error {
            JobsError::Invalid(_) => Self::Invalid(message),
            JobsError::NoFunction(name) => Self::NotFound { kind: "function", name },
            JobsError::NotFound(id) => Self::NotFound { kind: "job", name: id.to_string() },
            JobsError::KeyReused | JobsError::Begun { .. } | JobsError::NotEnded { .. } => {
                Self::Conflict(message)
            }
            JobsError::Full { full } => {
                let expected_wait = std::time::Duration::from_secs(full.retry_after_s().into());
                Self::Overloaded { message, expected_wait }
            }
            JobsError::Unavailable(_) | JobsError::Stopping | JobsError::Overtaken => Self::Busy(message),
            JobsError::Store(error) => Self::Store(error),
            _ => Self::Internal(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_leave_runners_to_those_who_wait_and_to_each_other() {
        assert_eq!(settings(32, 33), Settings { at_once: 16, of_one: 5 });
        assert_eq!(settings(4, 1), Settings { at_once: 2, of_one: 1 });
        assert_eq!(settings(256, 100), Settings { at_once: 128, of_one: 128 });
    }

    #[test]
    fn what_may_run_later_waits_and_what_cannot_run_does_not() {
        let wait = std::time::Duration::from_secs(1);
        let overloaded = ServiceError::Overloaded { message: String::new(), expected_wait: wait };
        assert_eq!(not_invoked(overloaded), NotInvoked::NoRoom);
        let gone = ServiceError::NotFound { kind: "function", name: "f".into() };
        assert!(matches!(not_invoked(gone), NotInvoked::Refused { code: NO_FUNCTION, .. }));
        let denied = ServiceError::Denied { code: "quota", message: "no".into() };
        assert!(matches!(not_invoked(denied), NotInvoked::Refused { code: "quota", .. }));
        let inside = not_invoked(ServiceError::Internal("a secret cause".into()));
        let NotInvoked::Unavailable(message) = inside else { panic!("{inside:?}") };
        assert!(!message.contains("secret"));
    }
}
