//! Triggers, as the appliance composes them: whose functions and secrets they meet.

mod own;
mod prices;

use std::sync::{Arc, OnceLock, Weak};

use r3e_attester::TrustedClock;
use r3e_feeds::Feeds;
use r3e_functions::{Event, EventSink, PublishError, PublishFuture, SourceError, Taken};
use r3e_jobs::{BoxFuture, Jobs};
use r3e_proto::api::identity::{TenantId, TenantState};
use r3e_proto::api::triggers::Fired;
use r3e_proto::api::versions::Reference;
use r3e_store::Store;
use r3e_triggers::{Outside, Triggers, TriggersError, TriggersParts};
use zeroize::Zeroizing;

use self::prices::Prices;
use super::turns::Turns;
use super::{Billing, Chains, Functions, Secrets, ServiceError, Tenants};
use crate::limits::MAX_WAITING_CHANGES_OF_FUNCTIONS;

/// What triggers meet.
pub(crate) struct TriggersFrom<'a> {
    pub(crate) store: &'a Store,
    pub(crate) clock: &'a TrustedClock,
    pub(crate) jobs: &'a Arc<Jobs>,
    pub(crate) functions: &'a Arc<Functions>,
    pub(crate) secrets: &'a Arc<Secrets>,
    pub(crate) billing: &'a Billing,
    /// Where functions' events go.
    pub(crate) events: &'a FunctionEvents,
    pub(crate) chains: &'a Arc<Chains>,
    pub(crate) feeds: &'a Arc<Feeds>,
}

/// The triggers in the store. They fire from here on, and events of functions reach them.
///
/// # Errors
/// The store's.
pub(crate) async fn start_triggers(from: TriggersFrom<'_>) -> Result<Arc<Triggers>, ServiceError> {
    let TriggersFrom { store, clock, jobs, functions, secrets, billing, events, chains, feeds } = from;
    let (functions, secrets) = (Arc::clone(functions), Arc::clone(secrets));
    let now = clock.clone();
    let networks = chains.networks();
    let triggers = Triggers::start(TriggersParts {
        store: store.clone(),
        now_ms: Box::new(move || now.now_ms()),
        jobs: Arc::clone(jobs),
        outside: Arc::new(Deployed { functions, secrets, tenants: billing.tenants() }),
        chains: Arc::clone(chains) as Arc<dyn r3e_triggers::Chains>,
        prices: Arc::new(Prices(Arc::clone(feeds))),
    });
    let triggers = Arc::new(triggers.await?);
    drop(events.reached.set(Reached { triggers: Arc::downgrade(&triggers), networks }));
    Ok(triggers)
}

/// The way from functions to the triggers, which come later: they need the jobs, and those the functions.
pub(crate) struct FunctionEvents {
    reached: OnceLock<Reached>,
    making: Turns<TenantId>,
}

impl Default for FunctionEvents {
    fn default() -> Self {
        Self { reached: OnceLock::new(), making: Turns::new(MAX_WAITING_CHANGES_OF_FUNCTIONS) }
    }
}

/// What functions reach by it.
struct Reached {
    triggers: Weak<Triggers>,
    /// The networks that triggers may follow, as CAIP-2 names them.
    networks: Vec<String>,
}

impl FunctionEvents {
    fn reached(&self) -> Result<(Arc<Triggers>, &[String]), SourceError> {
        let absent = || SourceError("there are no triggers: the appliance starts or stops".to_owned());
        let reached = self.reached.get().ok_or_else(absent)?;
        Ok((reached.triggers.upgrade().ok_or_else(absent)?, &reached.networks))
    }
}

impl EventSink for FunctionEvents {
    fn publish(&self, event: Event) -> PublishFuture<'_> {
        Box::pin(async move {
            let (triggers, _) = self.reached()?;
            let Event { tenant, topic, data, key, hops } = event;
            let published = triggers.publish(tenant, &topic, data.as_bytes(), key.as_deref(), hops).await;
            let fired = published.map_err(not_published)?.fired;
            let count = |of: &dyn Fn(&Fired) -> bool| {
                u32::try_from(fired.iter().filter(|fired| of(fired)).count()).unwrap_or(u32::MAX)
            };
            Ok(Taken {
                queued: count(&|fired| fired.job.is_some()),
                failed: count(&|fired| fired.job.is_none() && fired.failed),
            })
        })
    }
}

fn not_published(error: TriggersError) -> PublishError {
    match error {
        TriggersError::Invalid(message) => PublishError::Invalid(message),
        error @ TriggersError::TooFast => PublishError::TooFast(error.to_string()),
        error => SourceError(error.to_string()).into(),
    }
}

/// The tenants' functions and secrets, as triggers meet them.
struct Deployed {
    functions: Arc<Functions>,
    secrets: Arc<Secrets>,
    tenants: Arc<Tenants>,
}

impl Deployed {
    async fn is_active(&self, tenant: TenantId) -> Result<bool, ServiceError> {
        let found = self.tenants.find(tenant).await?;
        Ok(found.is_some_and(|tenant| tenant.state == TenantState::Active))
    }

    async fn deployed(&self, tenant: TenantId, function: &str) -> Result<bool, ServiceError> {
        let Some(reference) = Reference::parse(function) else { return Ok(false) };
        if !self.is_active(tenant).await? {
            return Ok(false);
        }
        match self.functions.granted_hosts(tenant, &reference).await {
            Ok(_) => Ok(true),
            Err(ServiceError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn granted(
        &self,
        tenant: TenantId,
        function: &str,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, ServiceError> {
        let Some(reference) = Reference::parse(function) else { return Ok(None) };
        // Suspension acts at once: nobody is believed any more.
        if !self.is_active(tenant).await? {
            return Ok(None);
        }
        self.secrets.for_trigger(tenant, reference.function(), name).await
    }
}

impl Outside for Deployed {
    fn has_function<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
    ) -> BoxFuture<'a, Result<bool, String>> {
        Box::pin(async move { self.deployed(tenant, function).await.map_err(|error| told(&error)) })
    }

    fn is_active(&self, tenant: TenantId) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async move { Self::is_active(self, tenant).await.map_err(|error| told(&error)) })
    }

    fn secret<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Zeroizing<String>>, String>> {
        Box::pin(async move { self.granted(tenant, function, name).await.map_err(|error| told(&error)) })
    }
}

/// An error's cause is the operator's business.
fn told(error: &ServiceError) -> String {
    tracing::warn!(%error, "a trigger could not look something up");
    "the appliance cannot look that up now; try again in some seconds".to_owned()
}

impl From<TriggersError> for ServiceError {
    fn from(error: TriggersError) -> Self {
        let message = error.to_string();
        match error {
            TriggersError::Invalid(_) => Self::Invalid(message),
            TriggersError::NoFunction(name) => Self::NotFound { kind: "function", name },
            TriggersError::NotFound(name) => Self::NotFound { kind: "trigger", name },
            TriggersError::NoHook => Self::NotFound { kind: "hook", name: String::new() },
            TriggersError::TooMany(max) => Self::TooMany { what: "triggers", max },
            TriggersError::Full => Self::NoRoom(message),
            TriggersError::Paused | TriggersError::NotItsOwn(_) => Self::Conflict(message),
            TriggersError::TooFast
            | TriggersError::Overtaken
            | TriggersError::Unavailable(_)
            | TriggersError::Stopping => Self::Busy(message),
            TriggersError::Job(error) => error.into(),
            TriggersError::Store(error) => Self::Store(error),
            _ => Self::Internal(message),
        }
    }
}
