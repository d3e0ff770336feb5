//! Secrets: set and listed by their tenant, read by functions that were granted them, and by nobody else.

use r3e_attester::TrustedClock;
use r3e_functions::{SecretSource, SourceError, SourceFuture};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::is_name;
use r3e_proto::api::secrets::Secret;
use r3e_store::{Namespace, Store, StoreError, Write};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::ServiceError;
use super::json::{decode, encode};
use crate::limits::{MAX_SECRET_BYTES, MAX_SECRETS};

/// The secrets of all tenants.
pub(crate) struct Secrets {
    store: Store,
    clock: TrustedClock,
    /// Held from the count to the commit, so that two at once cannot both take the last place.
    setting: Mutex<()>,
}

/// Values and descriptions lie apart, so that a listing reads no value.
struct Spaces {
    values: Namespace,
    descriptions: Namespace,
}

impl Spaces {
    fn of(tenant: TenantId) -> Result<Self, StoreError> {
        let tenant = tenant.to_string();
        Ok(Self {
            values: Namespace::of_tenant("secrets", &tenant)?,
            descriptions: Namespace::of_tenant("secret-descriptions", &tenant)?,
        })
    }
}

impl Secrets {
    pub(crate) fn new(store: Store, clock: TrustedClock) -> Self {
        Self { store, clock, setting: Mutex::new(()) }
    }

    /// Sets a secret, over what it was. Functions are given text, so a value is UTF-8.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a bad name or value; [`ServiceError::TooMany`].
    pub(crate) async fn set(
        &self,
        tenant: TenantId,
        name: &str,
        value: &[u8],
    ) -> Result<Secret, ServiceError> {
        checked_name(name)?;
        if value.is_empty() || value.len() > MAX_SECRET_BYTES {
            return Err(ServiceError::Invalid(format!("a secret has 1 to {MAX_SECRET_BYTES} bytes")));
        }
        if std::str::from_utf8(value).is_err() {
            let message =
                "a secret is UTF-8 text, since functions are given text; encode other bytes, as base64 say";
            return Err(ServiceError::Invalid(message.into()));
        }
        let spaces = Spaces::of(tenant)?;
        let secret = Secret {
            name: name.to_owned(),
            value_bytes: value.len() as u64,
            updated_at_ms: self.clock.now_ms(),
        };
        let _turn = self.setting.lock().await;
        let listed = self.store.scan(&spaces.descriptions, "", None, MAX_SECRETS)?;
        if listed.len() >= MAX_SECRETS && !listed.iter().any(|entry| entry.key == name) {
            return Err(ServiceError::TooMany { what: "secrets", max: MAX_SECRETS });
        }
        let writes = vec![
            Write::put(&spaces.values, name, Zeroizing::new(value.to_vec())),
            Write::put(&spaces.descriptions, name, encode(&secret)?),
        ];
        self.store.batch(writes).await?;
        Ok(secret)
    }

    /// The tenant's secrets without their values, by name.
    pub(crate) async fn list(&self, tenant: TenantId) -> Result<Vec<Secret>, ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let mut secrets = Vec::new();
        for listed in self.store.scan(&spaces.descriptions, "", None, MAX_SECRETS)? {
            if let Some(record) = self.store.get(&spaces.descriptions, &listed.key).await? {
                secrets.push(decode(record.value.as_bytes())?);
            }
        }
        Ok(secrets)
    }

    /// Deletes a secret. Functions that were granted it are given nothing from now on.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), ServiceError> {
        checked_name(name)?;
        let spaces = Spaces::of(tenant)?;
        let _turn = self.setting.lock().await;
        if self.store.get(&spaces.descriptions, name).await?.is_none() {
            return Err(ServiceError::NotFound { kind: "secret", name: name.to_owned() });
        }
        let writes = vec![Write::delete(&spaces.values, name), Write::delete(&spaces.descriptions, name)];
        self.store.batch(writes).await?;
        Ok(())
    }

    /// A secret's value, for a function that was granted it.
    async fn value(&self, tenant: TenantId, name: &str) -> Result<Option<Zeroizing<String>>, ServiceError> {
        let Some(record) = self.store.get(&Spaces::of(tenant)?.values, name).await? else { return Ok(None) };
        let text = std::str::from_utf8(record.value.as_bytes())
            .map_err(|_| ServiceError::Internal("a secret's record is not text".into()))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }
}

impl SecretSource for Secrets {
    fn secret<'a>(&'a self, tenant: TenantId, name: &'a str) -> SourceFuture<'a, Option<Zeroizing<String>>> {
        Box::pin(
            async move { self.value(tenant, name).await.map_err(|error| SourceError(error.to_string())) },
        )
    }
}

fn checked_name(name: &str) -> Result<(), ServiceError> {
    if is_name(name) {
        return Ok(());
    }
    let rule = "a secret's name has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`";
    Err(ServiceError::Invalid(rule.into()))
}
