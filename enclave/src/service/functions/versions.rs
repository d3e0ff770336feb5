//! Versions and aliases of functions: each change is one commit, after which the runners of what is in service no longer are
//! ended.

use std::sync::Arc;

use r3e_functions::{By, RegistryError};
use r3e_proto::api::functions::Function;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Alias, FunctionVersion, RollbackAlias, SetAlias};

use super::Functions;
use crate::service::ServiceError;
use crate::service::error::with_causes;
use crate::service::finish::finish;

impl Functions {
    /// A function's versions, the oldest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn versions(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Vec<FunctionVersion>, ServiceError> {
        Ok(self.registry.versions(tenant, name).await?)
    }

    /// Removes a version that no alias names.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for one that an alias names, or for digits of several.
    pub(crate) async fn remove_version(
        &self,
        tenant: TenantId,
        name: &str,
        digits: &str,
    ) -> Result<(), ServiceError> {
        let (registry, name, digits) = (Arc::clone(&self.registry), name.to_owned(), digits.to_owned());
        self.change(tenant, async move {
            let changed = registry.remove_version(tenant, &name, &digits).await?;
            Ok(((), changed.retired))
        })
        .await
    }

    /// A function's aliases, by name.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn aliases(&self, tenant: TenantId, name: &str) -> Result<Vec<Alias>, ServiceError> {
        Ok(self.registry.aliases(tenant, name).await?)
    }

    /// One alias.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn alias(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
    ) -> Result<Alias, ServiceError> {
        Ok(self.registry.alias(tenant, name, alias).await?)
    }

    /// Points an alias at a version, or at two.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] where it is at another revision than was expected; [`ServiceError::Invalid`],
    /// [`ServiceError::NotFound`], [`ServiceError::TooMany`].
    pub(crate) async fn set_alias(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        set: SetAlias,
        by: Actor,
    ) -> Result<Alias, ServiceError> {
        let (registry, name, alias) = (Arc::clone(&self.registry), name.to_owned(), alias.to_owned());
        let by = self.by(by);
        self.change(tenant, async move {
            let changed = registry.set_alias(tenant, &name, &alias, set, &by).await?;
            Ok((changed.now, changed.retired))
        })
        .await
    }

    /// Points an alias at what it pointed at before.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] where it is at another revision than was expected, or nothing is before; [`ServiceError::NotFound`].
    pub(crate) async fn roll_back(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        RollbackAlias { if_revision }: RollbackAlias,
        by: Actor,
    ) -> Result<Alias, ServiceError> {
        let (registry, name, alias) = (Arc::clone(&self.registry), name.to_owned(), alias.to_owned());
        let by = self.by(by);
        self.change(tenant, async move {
            let changed = registry.roll_back(tenant, &name, &alias, if_revision, &by).await?;
            Ok((changed.now, changed.retired))
        })
        .await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] where it is at another revision than was expected, or is `prod`; [`ServiceError::NotFound`].
    pub(crate) async fn remove_alias(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        if_revision: Option<u64>,
    ) -> Result<(), ServiceError> {
        let (registry, name, alias) = (Arc::clone(&self.registry), name.to_owned(), alias.to_owned());
        self.change(tenant, async move {
            let changed = registry.remove_alias(tenant, &name, &alias, if_revision).await?;
            Ok((changed.now, changed.retired))
        })
        .await
    }

    /// Makes a change and ends the runners of what it retired: both, also where whoever asked is gone by then.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        tenant: TenantId,
        change: impl Future<Output = Result<(T, Vec<Function>), RegistryError>> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let invoker = Arc::clone(&self.invoker);
        let changing = finish(async move {
            let (now, retired) = change.await?;
            for version in &retired {
                invoker.forget(tenant, version);
            }
            Ok(now)
        });
        changing.await
    }

    pub(super) fn by(&self, actor: Actor) -> By {
        By { actor, now_ms: self.clock.now_ms() }
    }
}

impl From<RegistryError> for ServiceError {
    fn from(error: RegistryError) -> Self {
        use r3e_functions::limits::{MAX_ALIASES, MAX_FUNCTIONS};
        match error {
            RegistryError::NotFound(name) => Self::NotFound { kind: "function", name },
            RegistryError::NoVersion(name) => Self::NotFound { kind: "version", name },
            RegistryError::NoAlias(name) => Self::NotFound { kind: "alias", name },
            RegistryError::TooMany => Self::TooMany { what: "functions", max: MAX_FUNCTIONS },
            RegistryError::TooManyAliases => {
                Self::TooMany { what: "aliases of one function", max: MAX_ALIASES }
            }
            RegistryError::TooManyVersions => Self::NoRoom(error.to_string()),
            RegistryError::AliasName(_) | RegistryError::Split => Self::Invalid(error.to_string()),
            RegistryError::Changed(_)
            | RegistryError::AmbiguousVersion(_)
            | RegistryError::InUse { .. }
            | RegistryError::AliasMoved { .. }
            | RegistryError::NothingBefore(_)
            | RegistryError::ProdStays => Self::Conflict(error.to_string()),
            RegistryError::Store(error) => Self::Store(error),
            other => Self::Internal(with_causes(&other)),
        }
    }
}
