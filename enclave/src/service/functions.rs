//! Functions: deployed, invoked, and each invocation's receipt.

mod observations;
mod queued;
mod receipts;
mod versions;

use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_attester::{Attester, TrustedClock};
use r3e_egress::Egress;
use r3e_functions::limits::MEMORY_MIB;
use r3e_functions::runner_pool::{Layers, RunnerConfig, RunnerPool};
use r3e_functions::{
    Admissions, AllMetrics, AttestationSource, Bundler, CheckError, Counts, Definition, EventSink,
    InvokeError, Invoker, InvokerParts, Loadable, Logs, Networks, Notary, OwnTriggers, PriceSource,
    RandomSource, Registry, Run, SecretSource, SourceError, SourceFuture, Version,
};
use r3e_keys::ReportKey;
use r3e_proto::api::functions::{Deploy, Function, Invocation};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Promotion, Reference};
use r3e_proto::channel::binding::Digest;
use r3e_proto::channel::statement::Statement;
use r3e_store::Store;
use r3e_transport::EnclaveTransport;
use r3e_zk::Zk;

use self::receipts::{Made, Receipts};
use super::egress::open_egress;
use super::error::with_causes;
use super::{Secrets, ServiceError};
use crate::configuration::Configuration;
use crate::memory::runners_budget_mib;

/// What functions run in, and their way outside: ready before there is any state.
pub(crate) struct Workshop {
    pool: RunnerPool,
    bundler: Bundler,
    egress: Egress,
    zk: Arc<Zk>,
    /// The configuration's, for receipts.
    configuration: Digest,
}

impl Workshop {
    /// With runners that are made of the program `runner`, and compilers of `bundler`.
    ///
    /// # Errors
    /// [`ServiceError::Internal`]: no runner can be started, or an extra root is no certificate.
    pub(crate) fn open(
        transport: EnclaveTransport,
        runner: PathBuf,
        bundler: PathBuf,
        configuration: &Configuration,
        clock: &TrustedClock,
    ) -> Result<Self, ServiceError> {
        let internal = |error: &dyn std::error::Error| ServiceError::Internal(with_causes(error));
        let egress = open_egress(transport, configuration, clock)?;
        let zk = Zk::open_beside(&runner).map_err(|error| internal(&error))?;
        let pool = RunnerPool::new(runner_config(configuration, runner)).map_err(|error| internal(&error))?;
        Ok(Self {
            pool,
            bundler: Bundler::new(bundler)
                .with_compilers_beside()
                .with_limit_ms(configuration.max_compile_ms().into()),
            egress,
            zk: Arc::new(zk),
            configuration: *configuration.digest(),
        })
    }

    /// What makes and verifies zero-knowledge proofs.
    pub(crate) fn zk(&self) -> Arc<Zk> {
        Arc::clone(&self.zk)
    }
}

/// What [`Functions`] is made of.
pub(crate) struct FunctionsParts {
    pub(crate) store: Store,
    pub(crate) workshop: Workshop,
    pub(crate) attester: Attester,
    pub(crate) clock: TrustedClock,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) report_key: Arc<ReportKey>,
    pub(crate) admissions: Arc<dyn Admissions>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) triggers: Arc<dyn OwnTriggers>,
    pub(crate) prices: Arc<dyn PriceSource>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) notary: Arc<dyn Notary>,
    pub(crate) networks: Arc<dyn Networks>,
}

/// The functions of all tenants.
pub(crate) struct Functions {
    registry: Arc<Registry>,
    pool: Arc<RunnerPool>,
    bundler: Bundler,
    invoker: Arc<Invoker>,
    logs: Arc<Logs>,
    metrics: Arc<AllMetrics>,
    counts: Arc<Counts>,
    receipts: Receipts,
    store: Store,
    clock: TrustedClock,
}

impl Functions {
    /// The functions in `parts.store`, and runners for them.
    ///
    /// # Errors
    /// [`ServiceError::Internal`]: the random generator failed.
    pub(crate) fn new(parts: FunctionsParts) -> Result<Self, ServiceError> {
        let FunctionsParts {
            store,
            workshop,
            attester,
            clock,
            secrets,
            report_key,
            admissions,
            events,
            triggers,
            prices,
            random,
            notary,
            networks,
        } = parts;
        let Workshop { pool, bundler, egress, zk, configuration } = workshop;
        let pool = Arc::new(pool);
        // What a process was given of a secret that changed is not to be had from its memory either.
        let runners = Arc::downgrade(&pool);
        secrets.on_change(Box::new(move |tenant, name| {
            if let Some(pool) = runners.upgrade() {
                pool.end_those_noted(&tenant.to_string().into(), name);
            }
        }));
        let registry = Arc::new(Registry::new(store.clone()));
        let invoker = Arc::new(Invoker::new(InvokerParts {
            registry: Arc::clone(&registry),
            pool: Arc::clone(&pool),
            store: store.clone(),
            internet: Arc::new(egress),
            secrets: secrets as Arc<dyn SecretSource>,
            attestation: Arc::new(FunctionAttestation(attester)),
            events,
            triggers,
            prices,
            random,
            proofs: zk,
            notary,
            networks,
            admissions,
        }));
        let receipts = Receipts::new(report_key, configuration);
        let logs = Arc::new(Logs::new(random_id()?));
        let (metrics, counts) = (Arc::new(AllMetrics::new()), Arc::new(Counts::new()));
        Ok(Self { registry, pool, bundler, invoker, logs, metrics, counts, receipts, store, clock })
    }

    /// Keeps a version of a function, once a runner has loaded it, and moves an alias to it as `promotion` says.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for what breaks a rule; [`ServiceError::InvalidFunction`] for code that does not load;
    /// [`ServiceError::TooMany`], [`ServiceError::Conflict`], [`ServiceError::Busy`].
    pub(crate) async fn deploy(
        &self,
        tenant: TenantId,
        name: &str,
        deploy: Deploy,
        promotion: Promotion,
        by: Actor,
    ) -> Result<Function, ServiceError> {
        if promotion.promote == Some(false) && (promotion.alias.is_some() || promotion.if_revision.is_some())
        {
            let rule = "promote=false moves no alias: it takes neither alias nor if_revision";
            return Err(ServiceError::Invalid(rule.into()));
        }
        let definition =
            Definition::new(name, deploy).map_err(|error| ServiceError::Invalid(error.to_string()))?;
        let loadable = Loadable::check(&self.pool, &self.bundler, tenant, definition).await?;
        let (registry, by) = (Arc::clone(&self.registry), self.by(by));
        self.change(tenant, async move {
            let deployment = registry.deploy_as(tenant, loadable, &promotion, &by).await?;
            Ok((deployment.function, deployment.retired))
        })
        .await
    }

    /// The tenant's functions, by name.
    pub(crate) async fn list(&self, tenant: TenantId) -> Result<Vec<Function>, ServiceError> {
        Ok(self.registry.list(tenant).await?)
    }

    /// One function's description.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn show(&self, tenant: TenantId, name: &str) -> Result<Function, ServiceError> {
        Ok(self.registry.show(tenant, name).await?)
    }

    /// Deletes a function, with all that it stored and logged.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), ServiceError> {
        let (registry, logs) = (Arc::clone(&self.registry), Arc::clone(&self.logs));
        let (metrics, counts) = (Arc::clone(&self.metrics), Arc::clone(&self.counts));
        let name = name.to_owned();
        self.change(tenant, async move {
            let deleted = registry.delete(tenant, &name).await?;
            logs.forget(tenant, &name);
            metrics.forget(tenant, &name);
            counts.forget(tenant, &name);
            Ok(((), deleted))
        })
        .await
    }

    /// Invokes the version of a function that is meant, of a split the one that the stickiness key or a draw decides on, and signs what
    /// happened.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an event that is not JSON; [`ServiceError::NotFound`], [`ServiceError::Busy`],
    /// [`ServiceError::Overloaded`].
    pub(crate) async fn invoke(
        &self,
        tenant: TenantId,
        reference: &Reference,
        sticky: Option<&str>,
        event: &[u8],
    ) -> Result<Invocation, ServiceError> {
        self.invoke_as(tenant, Run::asked(&random_id()?), reference, sticky, event).await
    }

    /// The same, for whoever knows more of the run.
    ///
    /// # Errors
    /// Those of [`Self::invoke`].
    pub(crate) async fn invoke_as(
        &self,
        tenant: TenantId,
        run: Run<'_>,
        reference: &Reference,
        sticky: Option<&str>,
        event: &[u8],
    ) -> Result<Invocation, ServiceError> {
        let name = reference.function();
        let id = *run.invocation;
        let invoked = self.invoker.invoke_one(tenant, run, reference, sticky, event).await;
        let completed = invoked.inspect_err(|error| self.observe_refusal(tenant, name, error))?;
        // All that the function wrote is durable from here on, and covered by this sequence number; or the outcome says that
        // it is not known to be.
        let (sequence, at_ms) = (self.store.sequence(), self.clock.now_ms());
        let made = Made { invocation: id, tenant, function: name, sequence, time_ms: at_ms };
        let receipt = self.receipts.sign(&made, &completed)?;
        self.observe(tenant, name, &id, &completed, at_ms);
        Ok(Invocation {
            id: hex::encode(id),
            version: hex::encode(completed.version),
            outcome: completed.outcome,
            logs: completed.logs,
            logs_truncated: completed.logs_truncated,
            usage: completed.usage,
            receipt: BASE64.encode(receipt),
        })
    }
}

/// What nobody can guess.
fn random_id() -> Result<[u8; 16], ServiceError> {
    let mut id = [0; 16];
    rand::fill(&mut id).map_err(|_| ServiceError::Internal("the random generator failed".into()))?;
    Ok(id)
}

/// The pool's settings, of those that the operator decides.
fn runner_config(configuration: &Configuration, runner: PathBuf) -> RunnerConfig {
    let config = RunnerConfig {
        max_processes: usize::try_from(configuration.max_runners()).unwrap_or(usize::MAX),
        memory_mib: runners_budget_mib(configuration.max_runners_memory_mib()),
        layers: Layers::beside(&runner),
        ..RunnerConfig::new(runner)
    };
    config.with_tenant_share(configuration.tenant_share_percent(), *MEMORY_MIB.end())
}

/// The device, for functions: the statement names tenant and version, so that a document of one is no other's.
struct FunctionAttestation(Attester);

impl AttestationSource for FunctionAttestation {
    fn attest_function(
        &self,
        tenant: TenantId,
        version: Version,
        data: Vec<u8>,
    ) -> SourceFuture<'_, Vec<u8>> {
        Box::pin(async move {
            let statement = Statement::Function { tenant: tenant.0, version, data };
            let document = self.0.attest(Some(&statement.encode()), None, None).await;
            document.map(r3e_attester::Document::into_bytes).map_err(|error| SourceError(error.to_string()))
        })
    }
}

impl From<CheckError> for ServiceError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Refused(message) | CheckError::NoRuntime(message) => Self::InvalidFunction(message),
            CheckError::Busy(error) => Self::Busy(error.to_string()),
            CheckError::Compiling(error) => Self::Busy(error.to_string()),
            other => Self::Internal(with_causes(&other)),
        }
    }
}

impl From<InvokeError> for ServiceError {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::EventTooLarge(_)
            | InvokeError::EventNotText
            | InvokeError::Event(_)
            | InvokeError::Reference => Self::Invalid(error.to_string()),
            InvokeError::Busy(error) => Self::Busy(error.to_string()),
            InvokeError::Overloaded { error, expected_wait } => {
                Self::Overloaded { message: error.to_string(), expected_wait }
            }
            InvokeError::Registry(error) => error.into(),
            InvokeError::NotAdmitted(error) => error.into(),
            InvokeError::Store(error) => Self::Store(error),
            // No event was handed over: it may be sent again.
            InvokeError::Audit(error) => {
                tracing::error!(%error, "the secrets that a process holds could not be logged; it was given no event");
                Self::Busy("the appliance cannot log which secrets the function holds now; try again".into())
            }
            other => Self::Internal(with_causes(&other)),
        }
    }
}
