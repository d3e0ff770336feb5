//! One invocation, from the event to what its receipt says.

use std::sync::Arc;

use r3e_egress::{Egress, FetchError};
use r3e_proto::api::functions::{Function, FunctionError, Outcome, STORE_UNCONFIRMED, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_runner_api::json::{self, JsonError};
use r3e_store::{Store, StoreError};
use thiserror::Error;

use crate::completed::{Completed, Hashes};
use crate::host::{Host, Resources};
use crate::limits::MAX_EVENT_BYTES;
use crate::registry::{Registry, RegistryError};
use crate::runner::{explained, function_key, log_line, pool_limits, tenant_key};
use crate::runner_pool::{InvocationError, RunnerPool};
use crate::sources::{AttestationSource, SecretSource, SourceError};

/// What an [`Invoker`] is made of.
pub struct InvokerParts {
    /// Where functions are found.
    pub registry: Arc<Registry>,
    /// Who runs them.
    pub pool: Arc<RunnerPool>,
    /// Where they keep their values.
    pub store: Store,
    /// How they reach the hosts they were granted.
    pub egress: Egress,
    /// Where the secrets they were granted come from.
    pub secrets: Arc<dyn SecretSource>,
    /// Where attestation documents come from.
    pub attestation: Arc<dyn AttestationSource>,
}

/// Invokes deployed functions.
pub struct Invoker {
    registry: Arc<Registry>,
    pool: Arc<RunnerPool>,
    resources: Resources,
}

/// Why an event reached no function, or nothing can be said of what came of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The event is too long.
    #[error("the event has {0} bytes, more than {MAX_EVENT_BYTES}")]
    EventTooLarge(usize),
    /// The event is not text.
    #[error("the event is not UTF-8 text")]
    EventNotText,
    /// The event is not JSON that a function can be given.
    #[error("the event is {0}")]
    Event(#[from] JsonError),
    /// Too much is running; try again later.
    #[error("{0}")]
    Busy(InvocationError),
    /// No runner could be had, or it was lost for a reason of the appliance's.
    #[error("the function could not be run")]
    Runner(#[source] InvocationError),
    /// The runner's output is not JSON: it was not written by the engine.
    #[error("the runner gave something other than JSON")]
    Output(#[source] JsonError),
    /// The function.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Which secrets the process has in memory could not be logged: it was given no event without it.
    #[error("the log of the secrets that the function's process holds could not be written")]
    Audit(#[source] SourceError),
    /// A permission in the function's record that is none.
    #[error("the function's record grants something that is no host")]
    Grant(#[from] FetchError),
}

impl Invoker {
    /// An invoker of `parts`.
    pub fn new(parts: InvokerParts) -> Self {
        let InvokerParts { registry, pool, store, egress, secrets, attestation } = parts;
        Self { registry, pool, resources: Resources::new(store, egress, secrets, attestation) }
    }

    /// Invokes the tenant's function with `event`, JSON text; `invocation` is the id that the receipt will name. When this returns, all that the function wrote is
    /// durable, or was refused, or the outcome is `store_unconfirmed`; a function that fails is an outcome, not an error.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(
        &self,
        tenant: TenantId,
        invocation: &[u8; 16],
        name: &str,
        event: &[u8],
    ) -> Result<Completed, InvokeError> {
        if event.len() > MAX_EVENT_BYTES {
            return Err(InvokeError::EventTooLarge(event.len()));
        }
        let text = std::str::from_utf8(event).map_err(|_| InvokeError::EventNotText)?;
        json::check(text)?;
        // Before the function is looked up: a deletion from here on is seen when its runner is done.
        let lease = self.pool.lease(&tenant_key(tenant));
        let deployed = self.registry.load(tenant, name).await?;
        let function = &deployed.function;
        let host = Host::new(&self.resources, tenant, invocation, &deployed)?;
        let key = function_key(tenant, &function.name, &function.version);
        let limits = pool_limits(&function.limits);
        let ran = self.pool.invoke_under(&lease, &key, deployed.source()?, text, &limits, &host).await;
        let unconfirmed = host.settle().await;
        let outcome = match ran.outcome {
            Ok(output) => {
                json::check(&output).map_err(InvokeError::Output)?;
                Outcome::Output(output)
            }
            Err(error @ InvocationError::Busy { .. }) => return Err(InvokeError::Busy(error)),
            Err(error @ InvocationError::NotReady) => {
                return Err(host.not_logged().map_or(InvokeError::Busy(error), InvokeError::Audit));
            }
            Err(error) => Outcome::Error(explained(error).map_err(InvokeError::Runner)?),
        };
        let outcome = if unconfirmed == 0 { outcome } else { not_vouched_for(unconfirmed, &outcome) };
        let logs: Vec<_> = ran.logs.into_iter().map(log_line).collect();
        let usage = Usage {
            cpu_us: ran.usage.cpu_us,
            wall_us: ran.usage.wall_us,
            peak_memory_bytes: ran.usage.peak_memory_bytes,
            host_calls: u64::from(ran.usage.host_calls),
            bytes_out: host.bytes_out(),
        };
        let hashes = Hashes::of(event, &outcome, &logs, ran.logs_truncated);
        let logs_truncated = ran.logs_truncated;
        Ok(Completed { version: deployed.version, outcome, logs, logs_truncated, usage, hashes })
    }

    /// Ends the runners of a version that was replaced or deleted.
    pub fn forget(&self, tenant: TenantId, function: &Function) {
        self.pool.forget(&function_key(tenant, &function.name, &function.version));
    }
}

/// The outcome of an invocation that wrote what may stand or not. Whatever the function made of it, its result is no fact: the
/// caller is told so, and the receipt says the same.
fn not_vouched_for(writes: usize, ended: &Outcome) -> Outcome {
    let ended = match ended {
        Outcome::Output(_) => "with a result, which is withheld".to_owned(),
        Outcome::Error(error) => format!("with {}: {}", error.code, error.message),
    };
    Outcome::Error(FunctionError {
        code: STORE_UNCONFIRMED.to_owned(),
        message: format!(
            "{writes} write(s) were neither confirmed nor refused in time, and may stand or not; the function ended {ended}"
        ),
        stack: None,
    })
}
