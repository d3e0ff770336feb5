//! What may be deployed: a definition that was compiled, and that a runner has loaded.

use std::sync::Arc;

use r3e_proto::api::functions::{FunctionError, Runtime};
use r3e_proto::api::identity::TenantId;
use r3e_runner_api::program::ProgramError;
use r3e_store::limits::MAX_VALUE_BYTES;
use thiserror::Error;

use crate::bundler::{BundleError, Bundler, memory_mib};
use crate::compiled::{record, runnable, to_compile};
use crate::definition::{Definition, Sources};
use crate::limits::MAX_CODE_BYTES;
use crate::runner::{engine_of, explained, pool_limits, tenant_key};
use crate::runner_pool::{InvocationError, RunnerPool};

/// A definition whose modules were compiled, and that a runner has loaded: it evaluates and exports a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loadable {
    definition: Definition,
    /// What is kept of its code.
    record: Arc<str>,
}

/// Why a definition may not be deployed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The modules do not compile, or do not load within the definition's limits. The text is the compiler's or the engine's, with
    /// file, line and column where there are such, or names the limit.
    #[error("{0}")]
    Refused(String),
    /// The appliance has nothing that runs the definition's language, or no memory to compile it in.
    #[error("{0}")]
    NoRuntime(String),
    /// Too much is running; try again later.
    #[error("{0}")]
    Busy(InvocationError),
    /// Too much is being compiled; try again later.
    #[error("{0}")]
    Compiling(BundleError),
    /// No runner could be had; nothing the module did.
    #[error("no runner could load the module")]
    Runner(#[source] InvocationError),
    /// No bundler could be had; nothing the modules did.
    #[error("no bundler could compile the modules")]
    Bundler(#[source] BundleError),
    /// The bundler's answer is no program.
    #[error("the bundler gave no program")]
    Program(#[source] ProgramError),
}

impl Loadable {
    /// Compiles what must be, and loads it once, in a runner of its own.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn check(
        pool: &RunnerPool,
        bundler: &Bundler,
        tenant: TenantId,
        definition: Definition,
    ) -> Result<Self, CheckError> {
        let tenant = tenant_key(tenant);
        let record = code(pool, bundler, &tenant, &definition).await?;
        let limits = pool_limits(definition.limits(), definition.instance());
        let source = runnable(&record).map_err(CheckError::Program)?;
        match pool.check(&tenant, engine_of(definition.runtime()), source, &limits).await {
            Err(error @ InvocationError::NoEngine { .. }) => Err(CheckError::NoRuntime(error.to_string())),
            Ok(()) => Ok(Self { definition, record }),
            Err(error @ InvocationError::Busy { .. }) => Err(CheckError::Busy(error)),
            Err(error) => Err(match explained(error) {
                Ok(refused) => CheckError::Refused(with_place(refused)),
                Err(error) => CheckError::Runner(error),
            }),
        }
    }

    /// The definition, and what is kept of its code.
    pub(crate) fn into_parts(self) -> (Definition, Arc<str>) {
        (self.definition, self.record)
    }

    /// Passes for loaded what no runner has seen, and is to be run by none.
    #[cfg(test)]
    pub(crate) fn unchecked(definition: Definition) -> Self {
        let record = match definition.sources() {
            Sources::Single(source) => Arc::clone(source),
            Sources::Several { .. } => Arc::default(),
        };
        Self { definition, record }
    }

    /// The same, with what it is said to compile to.
    #[cfg(test)]
    pub(crate) fn compiled(definition: Definition, record: Arc<str>) -> Self {
        Self { definition, record }
    }
}

/// What is kept of a definition's code.
async fn code(
    pool: &RunnerPool,
    bundler: &Bundler,
    tenant: &Arc<str>,
    definition: &Definition,
) -> Result<Arc<str>, CheckError> {
    match (definition.sources(), definition.is_compiled()) {
        (Sources::Single(source), false) => return Ok(Arc::clone(source)),
        (Sources::Several { .. }, false) => return Err(CheckError::Program(ProgramError::Mark)),
        (_, true) => {}
    }
    let (runtime, bytes) = (definition.runtime(), definition.source_bytes());
    // The bundler takes what an event takes, and waits for it as one does: before it has its turn, which all tenants share.
    let room = pool.room(tenant, memory_mib(runtime, bytes)).await.map_err(|error| match error {
        error @ InvocationError::Busy { .. } => CheckError::Busy(error),
        InvocationError::NoRoom { needed_mib, max_mib } => CheckError::NoRuntime(format!(
            "compiling may take {needed_mib} MiB, and a tenant has {max_mib} MiB on this appliance: its operator can give it more memory; \
             JavaScript in one module is not compiled"
        )),
        error => CheckError::Runner(error),
    })?;
    let turn = bundler.turn(tenant, runtime, bytes).await.map_err(|error| match error {
        BundleError::NoCompiler(_) => CheckError::NoRuntime(error.to_string()),
        error => CheckError::Compiling(error),
    })?;
    // Made only now: whoever waits holds what was deployed once.
    let sources = to_compile(definition).ok_or(CheckError::Program(ProgramError::Mark))?;
    let text = sources.encode().map_err(CheckError::Program)?;
    let compiled = turn.bundle(text).await;
    drop(room);
    let compiled = compiled.map_err(|error| match error {
        BundleError::Problem(_) | BundleError::Ended(_) | BundleError::TimedOut(_) => {
            CheckError::Refused(error.to_string())
        }
        BundleError::Busy => CheckError::Compiling(error),
        error => CheckError::Bundler(error),
    })?;
    let record = record(sources, &compiled).map_err(CheckError::Program)?;
    let max_bytes = if runtime == Runtime::Wasm { MAX_CODE_BYTES } else { MAX_VALUE_BYTES };
    if record.len() > max_bytes {
        let bytes = record.len();
        return Err(CheckError::Refused(format!(
            "what was deployed and what it compiles to take {bytes} bytes together, more than {max_bytes}: deploy less, \
             or JavaScript, which is kept once; strip a WebAssembly module of its names and debug sections"
        )));
    }
    Ok(record)
}

/// The message, and where the engine's stack says it was thrown.
fn with_place(refused: FunctionError) -> String {
    let FunctionError { message, stack, .. } = refused;
    let place =
        stack.as_deref().and_then(|stack| stack.lines().find_map(|line| line.trim().strip_prefix("at ")));
    match place {
        Some(place) => format!("{message} (at {place})"),
        None => message,
    }
}
