//! What may be deployed: a definition that a runner has loaded.

use r3e_proto::api::identity::TenantId;
use thiserror::Error;

use crate::definition::Definition;
use crate::runner::{explained, pool_limits, tenant_key};
use crate::runner_pool::{InvocationError, RunnerPool};

/// A definition whose module a runner has loaded: it parses, evaluates and exports a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loadable(Definition);

/// Why a definition may not be deployed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The module does not load within the definition's limits. The text is the engine's, or names the limit.
    #[error("{0}")]
    Refused(String),
    /// Too much is running; try again later.
    #[error("{0}")]
    Busy(InvocationError),
    /// No runner could be had; nothing the module did.
    #[error("no runner could load the module")]
    Runner(#[source] InvocationError),
}

impl Loadable {
    /// Loads the module once, in a runner of its own.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn check(
        pool: &RunnerPool,
        tenant: TenantId,
        definition: Definition,
    ) -> Result<Self, CheckError> {
        let limits = pool_limits(definition.limits());
        match pool.check(&tenant_key(tenant), definition.source(), &limits).await {
            Ok(()) => Ok(Self(definition)),
            Err(error @ InvocationError::Busy { .. }) => Err(CheckError::Busy(error)),
            Err(error) => Err(match explained(error) {
                Ok(refused) => CheckError::Refused(refused.message),
                Err(error) => CheckError::Runner(error),
            }),
        }
    }

    pub(crate) fn into_definition(self) -> Definition {
        self.0
    }

    /// Passes for loaded what no runner has seen.
    #[cfg(test)]
    pub(crate) fn unchecked(definition: Definition) -> Self {
        Self(definition)
    }
}
