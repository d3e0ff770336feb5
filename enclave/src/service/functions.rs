//! Functions: deployed, invoked, and each invocation's receipt.

use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_attester::{Attester, TrustedClock};
use r3e_functions::{
    AttestationSource, Completed, Definition, InvokeError, Invoker, InvokerParts, Logs, Registry, RegistryError,
    SourceError, SourceFuture, Version,
};
use r3e_keys::ReportKey;
use r3e_proto::api::functions::{Deploy, Function, Invocation, LogEntry};
use r3e_proto::api::identity::TenantId;
use r3e_proto::channel::binding::Digest;
use r3e_proto::channel::statement::Statement;
use r3e_proto::receipt::Receipt;
use r3e_store::Store;
use r3e_transport::EnclaveTransport;

use super::{Secrets, ServiceError};
use crate::configuration::Configuration;

/// What [`Functions`] is made of.
pub(crate) struct FunctionsParts<'a> {
    pub(crate) store: Store,
    pub(crate) transport: EnclaveTransport,
    /// The runner program.
    pub(crate) runner: PathBuf,
    pub(crate) configuration: &'a Configuration,
    pub(crate) attester: Attester,
    pub(crate) clock: TrustedClock,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) report_key: Arc<ReportKey>,
}

/// The functions of all tenants.
pub(crate) struct Functions {
    registry: Arc<Registry>,
    invoker: Invoker,
    logs: Logs,
    receipts: Receipts,
    clock: TrustedClock,
}

impl Functions {
    pub(crate) fn new(parts: FunctionsParts<'_>) -> Result<Self, ServiceError> {
        todo
    }

    /// Deploys a function, once a runner has loaded it.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for what breaks a rule; [`ServiceError::InvalidFunction`] for code that does not load;
    /// [`ServiceError::TooMany`], [`ServiceError::Conflict`], [`ServiceError::Busy`].
    pub(crate) async fn deploy(
        &self,
        tenant: TenantId,
        name: &str,
        deploy: Deploy,
    ) -> Result<Function, ServiceError> {
        let definition =
            Definition::new(name, deploy).map_err(|error| ServiceError::Invalid(error.to_string()))?;
        let loadable = self.invoker.check(tenant, definition).await?;
        Ok(self.registry.deploy(tenant, loadable, self.clock.now_ms()).await?)
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
        self.registry.delete(tenant, name).await?;
        self.logs.forget(tenant, name);
        Ok(())
    }

    /// The logs of a function's latest invocations since the appliance booted, oldest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn logs(&self, tenant: TenantId, name: &str) -> Result<Vec<LogEntry>, ServiceError> {
        self.registry.show(tenant, name).await?;
        Ok(self.logs.of(tenant, name))
    }

    /// Invokes a function and signs what happened.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an event that is not JSON; [`ServiceError::NotFound`], [`ServiceError::Busy`].
    pub(crate) async fn invoke(
        &self,
        tenant: TenantId,
        name: &str,
        event: &[u8],
    ) -> Result<Invocation, ServiceError> {
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| ServiceError::Internal("the random generator failed".into()))?;
        let completed = self.invoker.invoke(tenant, name, event).await?;
        // From here on all that the function wrote is durable: the receipt's sequence number covers it.
        let at_ms = self.clock.now_ms();
        let receipt = self.receipts.sign(id, tenant, name, &completed, at_ms)?;
        let entry = LogEntry {
            invocation: hex::encode(id),
            version: hex::encode(completed.version),
            at_ms,
            outcome: completed.code().to_owned(),
            lines: completed.logs.clone(),
        };
        self.logs.add(tenant, name, entry);
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

/// Makes receipts.
struct Receipts {
    store: Store,
    key: Arc<ReportKey>,
    configuration: Digest,
}

impl Receipts {
    fn sign(
        &self,
        invocation: [u8; 16],
        tenant: TenantId,
        function: &str,
        completed: &Completed,
        time_ms: u64,
    ) -> Result<Vec<u8>, ServiceError> {
        let receipt = Receipt {
            invocation,
            tenant: tenant.0,
            function: function.to_owned(),
            version: completed.version,
            input: completed.hashes.input,
            outcome: completed.code().to_owned(),
            output: completed.hashes.output,
            log: completed.hashes.log,
            usage: completed.usage,
            sequence: self.store.sequence(),
            time_ms,
            configuration: self.configuration,
        };
        let mut failure = None;
        let signed = receipt.sign(|message| {
            self.key.sign(message).unwrap_or_else(|error| {
                failure = Some(error);
                [0; 64]
            })
        });
        match failure {
            None => Ok(signed),
            Some(error) => Err(ServiceError::Internal(format!("the receipt cannot be signed: {error}"))),
        }
    }
}

/// The device, for functions: the statement names tenant and version, so that a document of one is no other's.
struct FunctionAttestation(Attester);

impl AttestationSource for FunctionAttestation {
    fn attest_function(&self, tenant: TenantId, version: Version, data: Vec<u8>) -> SourceFuture<'_, Vec<u8>> {
        Box::pin(async move {
            let statement = Statement::Function { tenant: tenant.0, version, data };
            let document = self.0.attest(Some(&statement.encode()), None, None).await;
            document.map(r3e_attester::Document::into_bytes).map_err(|error| SourceError(error.to_string()))
        })
    }
}

impl From<RegistryError> for ServiceError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::NotFound(name) => Self::NotFound { kind: "function", name },
            RegistryError::TooMany => Self::TooMany { what: "functions", max: r3e_functions::limits::MAX_FUNCTIONS },
            RegistryError::Changed(_) => Self::Conflict(error.to_string()),
            RegistryError::Store(error) => Self::Store(error),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<InvokeError> for ServiceError {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Registry(error) => error.into(),
            InvokeError::Store(error) => Self::Store(error),
            other => Self::Invalid(other.to_string()),
        }
    }
}
