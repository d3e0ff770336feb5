//! Tenants: the keys that the operator admitted.

use r3e_attester::TrustedClock;
use r3e_proto::api::identity::{AdmitTenant, Tenant, TenantId, TenantState};
use r3e_proto::limits::MAX_LABEL_BYTES;
use r3e_store::{Namespace, Store, StoreError, Write};
use tokio::sync::Mutex;

use super::ServiceError;
use super::json::{decode, encode};
use crate::limits::MAX_TENANTS;

/// The tenants of the appliance.
pub(crate) struct Tenants {
    store: Store,
    clock: TrustedClock,
    namespace: Namespace,
    /// Held from the count to the commit, so that two at once cannot both take the last place.
    admitting: Mutex<()>,
}

impl Tenants {
    pub(crate) fn new(store: Store, clock: TrustedClock) -> Result<Self, StoreError> {
        Ok(Self { store, clock, namespace: Namespace::of_appliance("tenants")?, admitting: Mutex::new(()) })
    }

    /// Admits a tenant.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] if its key is admitted already; [`ServiceError::TooMany`].
    pub(crate) async fn admit(&self, request: AdmitTenant) -> Result<Tenant, ServiceError> {
        checked_label(&request.name)?;
        let _admitting = self.admitting.lock().await;
        if self.store.scan(&self.namespace, "", None, MAX_TENANTS)?.len() >= MAX_TENANTS {
            return Err(ServiceError::TooMany { what: "tenants", max: MAX_TENANTS });
        }
        let id = TenantId::of(&request.public_key);
        let tenant = Tenant {
            id,
            public_key: request.public_key,
            name: request.name,
            state: TenantState::Active,
            admitted_at_ms: self.clock.now_ms(),
        };
        match self.store.put_if_absent(&self.namespace, &id.to_string(), encode(&tenant)?).await {
            Ok(_) => Ok(tenant),
            Err(StoreError::Conflict { .. }) => {
                Err(ServiceError::Conflict(format!("the tenant {id} is admitted already")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How many were admitted, from memory.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn count(&self) -> Result<usize, StoreError> {
        Ok(self.store.scan(&self.namespace, "", None, MAX_TENANTS)?.len())
    }

    /// All tenants, by id.
    pub(crate) async fn list(&self) -> Result<Vec<Tenant>, ServiceError> {
        let mut tenants = Vec::new();
        for listed in self.store.scan(&self.namespace, "", None, MAX_TENANTS)? {
            if let Some(record) = self.store.get(&self.namespace, &listed.key).await? {
                tenants.push(decode(record.value.as_bytes())?);
            }
        }
        Ok(tenants)
    }

    /// The tenant with this id, if it was admitted.
    pub(crate) async fn find(&self, id: TenantId) -> Result<Option<Tenant>, ServiceError> {
        let record = self.store.get(&self.namespace, &id.to_string()).await?;
        record.map(|record| decode(record.value.as_bytes())).transpose()
    }

    /// Suspends a tenant, or lets it act again.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] if it changed meanwhile.
    pub(crate) async fn set_state(&self, id: TenantId, state: TenantState) -> Result<Tenant, ServiceError> {
        let key = id.to_string();
        let not_found = || ServiceError::NotFound { kind: "tenant", name: id.to_string() };
        let record = self.store.get(&self.namespace, &key).await?.ok_or_else(not_found)?;
        let tenant = Tenant { state, ..decode::<Tenant>(record.value.as_bytes())? };
        let write = Write::put(&self.namespace, &key, encode(&tenant)?).if_version(record.version);
        match self.store.batch(vec![write]).await {
            Ok(_) => Ok(tenant),
            Err(StoreError::Conflict { .. }) => {
                Err(ServiceError::Conflict("the tenant changed meanwhile; try again".into()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A name that people gave: 1 to `MAX_LABEL_BYTES` bytes, no control characters (it is shown in terminals).
pub(super) fn checked_label(label: &str) -> Result<(), ServiceError> {
    if label.is_empty() || label.len() > MAX_LABEL_BYTES || label.chars().any(char::is_control) {
        return Err(ServiceError::Invalid(format!(
            "a name has 1 to {MAX_LABEL_BYTES} bytes and no control characters"
        )));
    }
    Ok(())
}
