//! One invocation, from the event to what its receipt says.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use r3e_egress::FetchError;
use r3e_proto::api::functions::{Function, FunctionError, Outcome, STORE_UNCONFIRMED, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::versions::Reference;
use r3e_runner_api::json::{self, JsonError};
use r3e_store::{Store, StoreError};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::admissions::{Admissions, NotAdmitted, Running, is_the_appliances};
use crate::completed::{Completed, Hashes};
use crate::course::Course;
use crate::host::{Host, Resources};
use crate::limits::{
    MAX_ATTESTATIONS_AT_ONCE, MAX_EVENT_BYTES, MAX_WAIT_MS, MAX_WAITING_FOR_ALL, MAX_WAITING_FOR_ONE,
};
use crate::registry::{Deployed, Draw, Registry, RegistryError};
use crate::runner::{engine_of, explained, function_key, log_line, pool_limits, tenant_key};
use crate::runner_pool::{Code, Fetching, InvocationError, LateSource, RunnerPool, Source};
use crate::sources::{
    AttestationSource, EventSink, Internet, Networks, Notary, OwnTriggers, PriceSource, ProofSource,
    RandomSource, SecretSource, SourceError,
};
use crate::turnstile::{Bounds, TurnedAway, Turnstile};

/// What an [`Invoker`] is made of.
pub struct InvokerParts {
    /// Where functions are found.
    pub registry: Arc<Registry>,
    /// Who runs them.
    pub pool: Arc<RunnerPool>,
    /// Where they keep their values.
    pub store: Store,
    /// How they reach the hosts they were granted.
    pub internet: Arc<dyn Internet>,
    /// Where the secrets they were granted come from.
    pub secrets: Arc<dyn SecretSource>,
    /// Where attestation documents come from.
    pub attestation: Arc<dyn AttestationSource>,
    /// Where the events go that they publish.
    pub events: Arc<dyn EventSink>,
    /// Where the triggers are that they make.
    pub triggers: Arc<dyn OwnTriggers>,
    /// Where the price feeds are that they read.
    pub prices: Arc<dyn PriceSource>,
    /// Where the random numbers come from that they draw.
    pub random: Arc<dyn RandomSource>,
    /// What makes and verifies the proofs that they ask for.
    pub proofs: Arc<dyn ProofSource>,
    /// Who signs what they were answered.
    pub notary: Arc<dyn Notary>,
    /// The chains that they read.
    pub networks: Arc<dyn Networks>,
    /// Who lets invocations in, and is told what they used.
    pub admissions: Arc<dyn Admissions>,
}

/// Invokes deployed functions.
pub struct Invoker {
    registry: Arc<Registry>,
    pool: Arc<RunnerPool>,
    /// The concurrency that each function declares.
    functions: Turnstile<(TenantId, String)>,
    resources: Resources,
    admissions: Arc<dyn Admissions>,
}

/// One run of a function, as those who have it run know it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The id that the receipt will name, drawn at random.
    pub invocation: &'a [u8; 16],
    /// The job that this is an attempt of, if it is one.
    pub job: Option<[u8; 16]>,
    /// How many events caused one another before it, none where no function published one.
    pub hops: u32,
}

impl<'a> Run<'a> {
    /// One that somebody waits for.
    pub fn asked(invocation: &'a [u8; 16]) -> Self {
        Self { invocation, job: None, hops: 0 }
    }
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
    /// What is to be invoked is no function's name, and neither alias nor version of one.
    #[error("a function is named by NAME, NAME@ALIAS or NAME@VERSION, of at least six digits of the version")]
    Reference,
    /// Too much is running; try again later.
    #[error("{0}")]
    Busy(InvocationError),
    /// As many events wait as may, or this one waited as long as it may; try again later.
    #[error("{error}")]
    Overloaded {
        /// What all places were taken of.
        error: InvocationError,
        /// How long an event that came now would wait, as far as the latest ones tell.
        expected_wait: Duration,
    },
    /// No runner could be had, or it was lost for a reason of the appliance's.
    #[error("the function could not be run")]
    Runner(#[source] InvocationError),
    /// The runner's output is not JSON: it was not written by the engine.
    #[error("the runner gave something other than JSON")]
    Output(#[source] JsonError),
    /// The function.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It was not let in, and never ran.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
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
        let InvokerParts {
            registry,
            pool,
            store,
            internet,
            secrets,
            attestation,
            events,
            triggers,
            prices,
            random,
            proofs,
            notary,
            networks,
            admissions,
        } = parts;
        let functions = Turnstile::new(Bounds {
            places: usize::MAX,
            max_waiting: MAX_WAITING_FOR_ALL,
            max_waiting_of_one: MAX_WAITING_FOR_ONE,
            max_wait: Duration::from_millis(MAX_WAIT_MS),
        });
        let resources = Resources {
            store,
            secrets,
            attestation,
            internet,
            events,
            triggers,
            prices,
            random,
            proofs,
            notary,
            networks,
            attestation_turns: Semaphore::new(MAX_ATTESTATIONS_AT_ONCE),
        };
        Self { registry, pool, functions, resources, admissions }
    }

    /// Invokes what `name` stands for: `NAME`, `NAME@ALIAS` or `NAME@VERSION` ([`Self::invoke_one`]).
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
        let reference = Reference::parse(name).ok_or(InvokeError::Reference)?;
        self.invoke_one(tenant, Run::asked(invocation), &reference, None, event).await
    }

    /// Invokes the tenant's function with `event`, JSON text. Of a split, the invocation's id decides which version runs, unless the caller has a
    /// stickiness key. When this returns, all that the function wrote is
    /// durable, or was refused, or the outcome is `store_unconfirmed`; a function that fails is an outcome, not an error.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke_one(
        &self,
        tenant: TenantId,
        run: Run<'_>,
        reference: &Reference,
        sticky: Option<&str>,
        event: &[u8],
    ) -> Result<Completed, InvokeError> {
        let course = Course::begin();
        if event.len() > MAX_EVENT_BYTES {
            return Err(InvokeError::EventTooLarge(event.len()));
        }
        let text = std::str::from_utf8(event).map_err(|_| InvokeError::EventNotText)?;
        json::check(text)?;
        // Before the function is looked up: a deletion from here on is seen when its runner is done.
        let lease = self.pool.lease(&tenant_key(tenant));
        let draw = sticky.map_or(Draw::Random(run.invocation), Draw::Sticky);
        let deployed = self.registry.load(tenant, reference, draw).await?;
        let function = &deployed.function;
        let host = Host::new(&self.resources, tenant, run, &deployed, &course)?;
        let key = function_key(tenant, &function.name, &function.version, deployed.in_service);
        let limits = pool_limits(&function.limits, function.instance);
        let line = (tenant, function.name.clone());
        let concurrency = usize::try_from(function.limits.concurrency).unwrap_or(usize::MAX);
        let overloaded = |error| {
            let expected_wait = self.functions.expected_wait(&line, concurrency);
            let expected_wait = expected_wait.max(self.pool.expected_wait(&key.tenant));
            InvokeError::Overloaded { error, expected_wait }
        };
        let entered = self.functions.enter(&line, concurrency).await;
        let _place = entered.map_err(|TurnedAway| overloaded(InvocationError::Busy { scope: "function" }))?;
        let admitted = self.admissions.admit(tenant, function).await?;
        let running = Running::new(admitted, &course, &host);
        let whole = deployed.whole()?;
        let late = Late { registry: &self.registry, tenant, deployed: &deployed };
        let source = whole.as_ref().map_or(Source::Late(&late), |whole| Source::Here(whole.as_str()));
        let code = Code { engine: engine_of(function.runtime), source };
        let ran = self.pool.invoke_under(&lease, &key, code, text, &limits, &host).await;
        course.ran();
        let admitted = running.ended();
        let usage = Usage {
            cpu_us: ran.usage.cpu_us,
            wall_us: ran.usage.wall_us,
            peak_memory_bytes: ran.usage.peak_memory_bytes,
            host_calls: u64::from(ran.usage.host_calls),
            bytes_out: host.bytes_out(),
        };
        // Before anything else is waited for: whoever leaves now has used it all the same.
        if let Some(admitted) = admitted.filter(|_| !is_the_appliances(&ran.outcome)) {
            admitted.settle(&usage, ran.outcome.is_err());
        }
        let unconfirmed = host.settle().await;
        let outcome = match ran.outcome {
            Ok(output) => {
                json::check(&output).map_err(InvokeError::Output)?;
                Outcome::Output(output)
            }
            Err(error @ InvocationError::Busy { .. }) => return Err(overloaded(error)),
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
        let course = course.told();
        Ok(Completed { version: deployed.version, outcome, logs, logs_truncated, usage, hashes, course })
    }

    /// Ends the runners of a version that is in service no longer, or was deleted.
    pub fn forget(&self, tenant: TenantId, function: &Function) {
        for in_service in [true, false] {
            self.pool.forget(&function_key(tenant, &function.name, &function.version, in_service));
        }
    }
}

/// A version whose code is joined when a runner is there to load it.
struct Late<'a> {
    registry: &'a Registry,
    tenant: TenantId,
    deployed: &'a Deployed,
}

impl fmt::Debug for Late<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Late")
            .field("version", &self.deployed.function.version)
            .finish_non_exhaustive()
    }
}

impl LateSource for Late<'_> {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async move {
            let Function { name, version, .. } = &self.deployed.function;
            match self.registry.runnable(self.tenant, self.deployed).await {
                Ok(Some(code)) => Some(Box::new(code) as Box<dyn AsRef<str> + Send + Sync>),
                // It was dropped since it was looked up: whoever asks again is given another.
                Ok(None) => None,
                Err(error) => {
                    tracing::error!(%error, tenant = %self.tenant, name, version, "the code of a function");
                    None
                }
            }
        })
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
