//! Versions and aliases of deployed functions, in the sealed store. Each change is one commit over the record that was looked
//! at: of two at once, one is told that the other was there first.

use r3e_proto::api::functions::Function;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::versions::{Alias, Cause, FunctionVersion, SetAlias, Target};
use r3e_store::Write;

use super::error::RegistryError;
use super::record::{By, Record};
use super::{Changed, Registry, Spaces, source_key};

impl Registry {
    /// A function's versions, the oldest first.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`]; the store's.
    pub async fn versions(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Vec<FunctionVersion>, RegistryError> {
        Ok(self.existing(&Spaces::of(tenant)?, tenant, name).await?.0.listed())
    }

    /// Removes a version that no alias names, with its source; `digits` are its first ones.
    ///
    /// # Errors
    /// [`RegistryError::InUse`], [`RegistryError::NoVersion`], [`RegistryError::AmbiguousVersion`],
    /// [`RegistryError::NotFound`], [`RegistryError::Changed`]; the store's.
    pub async fn remove_version(
        &self,
        tenant: TenantId,
        name: &str,
        digits: &str,
    ) -> Result<Changed<Function>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let turn = self.turn(tenant);
        let _turn = turn.lock().await;
        let (found, stands) = self.existing(&spaces, tenant, name).await?;
        let mut record = Record::clone(&found);
        let removed = record.remove_version(digits)?;
        let mut writes = vec![Write::delete(&spaces.sources, &source_key(name, &removed.version))];
        writes.extend(self.uncounted(&spaces, name, Some(&record))?);
        let retired = self.replace(&spaces, name, Some((found, stands)), record, writes).await?;
        Ok(Changed { now: removed, retired })
    }

    /// A function's aliases, by name.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`]; the store's.
    pub async fn aliases(&self, tenant: TenantId, name: &str) -> Result<Vec<Alias>, RegistryError> {
        Ok(self.existing(&Spaces::of(tenant)?, tenant, name).await?.0.all_aliases())
    }

    /// One alias.
    ///
    /// # Errors
    /// [`RegistryError::NoAlias`], [`RegistryError::NotFound`]; the store's.
    pub async fn alias(&self, tenant: TenantId, name: &str, alias: &str) -> Result<Alias, RegistryError> {
        self.existing(&Spaces::of(tenant)?, tenant, name).await?.0.alias(alias)
    }

    /// Points an alias at a version, or at two.
    ///
    /// # Errors
    /// [`RegistryError::AliasMoved`], [`RegistryError::AliasName`], [`RegistryError::Split`],
    /// [`RegistryError::TooManyAliases`], [`RegistryError::NoVersion`], [`RegistryError::AmbiguousVersion`],
    /// [`RegistryError::NotFound`], [`RegistryError::Changed`]; the store's.
    pub async fn set_alias(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        set: SetAlias,
        by: &By,
    ) -> Result<Changed<Alias>, RegistryError> {
        let SetAlias { version, canary, if_revision } = set;
        let target = Target { version, canary };
        self.move_alias(tenant, name, alias, |record| {
            record.point(alias, &target, if_revision, Cause::Set, by)
        })
        .await
    }

    /// Points an alias at what it pointed at before.
    ///
    /// # Errors
    /// [`RegistryError::AliasMoved`], [`RegistryError::NoAlias`], [`RegistryError::NothingBefore`],
    /// [`RegistryError::NoVersion`], [`RegistryError::NotFound`], [`RegistryError::Changed`]; the store's.
    pub async fn roll_back(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        if_revision: Option<u64>,
        by: &By,
    ) -> Result<Changed<Alias>, RegistryError> {
        self.move_alias(tenant, name, alias, |record| record.roll_back(alias, if_revision, by)).await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`RegistryError::AliasMoved`], [`RegistryError::NoAlias`], [`RegistryError::ProdStays`], [`RegistryError::NotFound`],
    /// [`RegistryError::Changed`]; the store's.
    pub async fn remove_alias(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        if_revision: Option<u64>,
    ) -> Result<Changed<()>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let turn = self.turn(tenant);
        let _turn = turn.lock().await;
        let (found, stands) = self.existing(&spaces, tenant, name).await?;
        let mut record = Record::clone(&found);
        record.remove_alias(alias, if_revision)?;
        let retired = self.replace(&spaces, name, Some((found, stands)), record, Vec::new()).await?;
        Ok(Changed { now: (), retired })
    }

    async fn move_alias(
        &self,
        tenant: TenantId,
        name: &str,
        alias: &str,
        change: impl FnOnce(&mut Record) -> Result<(), RegistryError>,
    ) -> Result<Changed<Alias>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        // In turn with deployments, which put much before they count it.
        let turn = self.turn(tenant);
        let _turn = turn.lock().await;
        let (found, stands) = self.existing(&spaces, tenant, name).await?;
        let mut record = Record::clone(&found);
        change(&mut record)?;
        let now = record.alias(alias)?;
        let retired = self.replace(&spaces, name, Some((found, stands)), record, Vec::new()).await?;
        Ok(Changed { now, retired })
    }
}
