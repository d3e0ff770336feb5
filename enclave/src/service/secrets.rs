//! Secrets: set, versioned and granted by their tenant; read by the functions they were granted to, and by nobody else.
//!
//! | namespace of the tenant | key | value |
//! |---|---|---|
//! | `secrets` | name | versions and grants ([`record`]), JSON |
//! | `secret-values` | name, `/`, version | the value |
//! | `secret-audit` | page number | entries of the audit log ([`pages`]), JSON |
//!
//! and, of the appliance, `secret-deadlines` ([`deadlines`]). Every change is one commit: record, values, deadlines and the
//! log's entry, or none of them.

mod audit;
mod deadlines;
mod pages;
mod record;
mod source;

use std::sync::{Arc, OnceLock};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::is_name;
use r3e_proto::api::secrets::{Action, Actor, AuditEntry, AuditLog, Grantee, Outcome, Secret, SecretDetails};
use r3e_store::{Namespace, Store, StoreError, Value, Write};
use zeroize::Zeroizing;

use self::audit::Audit;
use self::deadlines::Deadlines;
use self::record::{Change, Next, Record};
use super::ServiceError;
use super::finish::finish;
use super::json::{decode, encode};
use super::turns::{Turn, Turns};
use crate::limits::{
    MAX_SECRET_BYTES, MAX_SECRET_LIFETIME_MS, MAX_SECRETS, MAX_WAITING_CHANGES_OF_FUNCTIONS, MAX_WAITING_USES,
};

/// The secrets of all tenants.
pub(crate) struct Secrets {
    store: Store,
    now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    audit: Arc<Audit>,
    deadlines: Deadlines,
    /// Held from the look to the end of what follows the commit: two at once of a tenant cannot both take the last place, or the
    /// same next version.
    changing: Turns<TenantId>,
    /// Of functions, before that: they leave room there for the tenant itself.
    setting: Turns<TenantId>,
    /// Told of each secret that functions may no longer have as they had it.
    changed: Arc<OnceLock<Changed>>,
}

/// Who is told whose secret changed.
pub(crate) type Changed = Box<dyn Fn(TenantId, &str) + Send + Sync>;

/// How a version is set, beside its value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SetOptions {
    /// How long it lives; for ever where it is absent.
    pub(crate) expires_in_ms: Option<u64>,
    /// How long the earlier versions are kept at the most; 0 deletes their values in the same commit.
    pub(crate) keep_previous_ms: Option<u64>,
    /// Only if this is the current version; 0 means that there must be no such secret.
    pub(crate) if_version: Option<u64>,
    /// Functions that it is granted to, beside those that have it already. Only a tenant that signed in gives any.
    pub(crate) grantees: Vec<Grantee>,
}

impl Secrets {
    /// The secrets in `store`, by the clock `now_ms`. Must be called within a tokio runtime, which carries the log's writer and
    /// the sweep.
    ///
    /// # Errors
    /// None that the store's rules for names allow.
    pub(crate) fn start(
        store: Store,
        now_ms: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Arc<Self>, StoreError> {
        let secrets = Arc::new(Self {
            audit: Arc::new(Audit::start(store.clone())),
            store,
            now_ms: Box::new(now_ms),
            deadlines: Deadlines::new()?,
            changing: Turns::new(MAX_WAITING_USES),
            setting: Turns::new(MAX_WAITING_CHANGES_OF_FUNCTIONS),
            changed: Arc::default(),
        });
        tokio::spawn(deadlines::keep_sweeping(Arc::downgrade(&secrets)));
        Ok(secrets)
    }

    /// Has `changed` called after each change by which functions may no longer have a secret as they had it. Only the first
    /// one given counts.
    pub(crate) fn on_change(&self, changed: Changed) {
        let _ = self.changed.set(changed);
    }

    /// Sets a secret: its next version, or its first. Functions are given text, so a value is UTF-8.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a bad name, value or time; [`ServiceError::Conflict`] if another version is current
    /// than was expected; [`ServiceError::TooMany`].
    pub(crate) async fn set(
        &self,
        tenant: TenantId,
        by: Actor,
        name: &str,
        value: &[u8],
        options: SetOptions,
    ) -> Result<Secret, ServiceError> {
        checked_name(name)?;
        checked_value(value)?;
        let turn = self.changing.take(tenant).await?;
        // Not before: a turn may be long in coming.
        let now_ms = (self.now_ms)();
        let expires_at_ms = options.expires_in_ms.map(|ms| checked_lifetime(now_ms, ms)).transpose()?;
        let found = self.find(tenant, name).await?;
        expected_version(options.if_version, found.as_ref().map_or(0, |(record, _)| record.current()))?;
        let next = Next {
            value_bytes: value.len() as u64,
            by: by.clone(),
            now_ms,
            expires_at_ms,
            keep_previous_ms: options.keep_previous_ms,
        };
        let (mut change, stands) = if let Some((record, stands)) = found {
            (record.next(&next), Some(stands))
        } else {
            if self.store.scan(&records(tenant)?, "", None, MAX_SECRETS)?.len() >= MAX_SECRETS {
                return Err(ServiceError::TooMany { what: "secrets", max: MAX_SECRETS });
            }
            (Record::first(&next), None)
        };
        change.record.grant(&options.grantees, now_ms)?;
        let set = AuditEntry {
            functions: options.grantees.iter().map(ToString::to_string).collect(),
            ..entry(Action::Set, name, change.added, by, now_ms)
        };
        self.carry_out(
            turn,
            tenant,
            name,
            stands,
            change,
            Some(Zeroizing::new(value.to_vec()).into()),
            vec![set],
        )
        .await
    }

    /// Makes the value of an earlier version current again, as a new version.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] where the version cannot be restored, or another one is current
    /// than was expected.
    pub(crate) async fn rollback(
        &self,
        tenant: TenantId,
        by: Actor,
        name: &str,
        to: u64,
        if_version: Option<u64>,
    ) -> Result<Secret, ServiceError> {
        let turn = self.changing.take(tenant).await?;
        let (record, stands) = self.existing(tenant, name).await?;
        expected_version(if_version, record.current())?;
        let value = self.store.get(&values(tenant)?, &value_key(name, to)).await?;
        // After all that waits: a version whose time ran out meanwhile is not restored.
        let now_ms = (self.now_ms)();
        let change = record.restored(to, by.clone(), now_ms)?;
        let value = value.ok_or_else(|| ServiceError::Internal("a kept version has no value".into()))?.value;
        let restored = entry(Action::Rollback, name, change.added, by, now_ms);
        self.carry_out(turn, tenant, name, Some(stands), change, Some(value), vec![restored]).await
    }

    /// Grants a secret to a function, or takes that back, as `may` says. Only for a tenant that signed in: an API key grants nothing.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also of a grant that is not there; [`ServiceError::TooMany`].
    pub(crate) async fn regrant(
        &self,
        tenant: TenantId,
        name: &str,
        grantee: &Grantee,
        may: bool,
    ) -> Result<Secret, ServiceError> {
        let turn = self.changing.take(tenant).await?;
        let (mut record, stands) = self.existing(tenant, name).await?;
        let now_ms = (self.now_ms)();
        let action = if may {
            record.grant(std::slice::from_ref(grantee), now_ms)?;
            Action::Grant
        } else {
            record.revoke(grantee)?;
            Action::Revoke
        };
        let logged = AuditEntry {
            functions: vec![grantee.to_string()],
            ..entry(action, name, None, Actor::Tenant {}, now_ms)
        };
        let change =
            Change { record, added: None, removed: Vec::new(), deadlines: Vec::new(), settled: Vec::new() };
        self.carry_out(turn, tenant, name, Some(stands), change, None, vec![logged]).await
    }

    /// Deletes a secret with all its versions and grants. What the log says of it stays.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn delete(&self, tenant: TenantId, by: Actor, name: &str) -> Result<(), ServiceError> {
        let turn = self.changing.take(tenant).await?;
        let (record, stands) = self.existing(tenant, name).await?;
        let (versions, deadlines) = record.everything();
        let space = values(tenant)?;
        let mut writes = vec![Write::delete(&records(tenant)?, name).if_version(stands)];
        writes.extend(versions.into_iter().map(|version| Write::delete(&space, &value_key(name, version))));
        writes.extend(deadlines.into_iter().map(|deadline| self.deadlines.remove(tenant, name, deadline)));
        let deleted = entry(Action::Delete, name, Some(record.current()), by, (self.now_ms)());
        self.commit(turn, tenant, name, vec![deleted], writes).await
    }

    /// The tenant's secrets without their values, by name.
    pub(crate) async fn list(&self, tenant: TenantId) -> Result<Vec<Secret>, ServiceError> {
        let now_ms = (self.now_ms)();
        let mut secrets = Vec::new();
        for listed in self.store.scan(&records(tenant)?, "", None, MAX_SECRETS)? {
            secrets.extend(
                self.find(tenant, &listed.key).await?.map(|(record, _)| record.shown(&listed.key, now_ms)),
            );
        }
        Ok(secrets)
    }

    /// A secret with its versions, without their values.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn show(&self, tenant: TenantId, name: &str) -> Result<SecretDetails, ServiceError> {
        Ok(self.existing(tenant, name).await?.0.details(name, (self.now_ms)()))
    }

    /// The tenant's audit log after the entry numbered `after`; of one secret, where one is named.
    pub(crate) async fn audit(
        &self,
        tenant: TenantId,
        secret: Option<&str>,
        after: u64,
    ) -> Result<AuditLog, ServiceError> {
        self.audit.read(tenant, secret, after).await
    }

    /// Commits a change with its entries, over the record of version `stands` or where there was none.
    #[expect(clippy::too_many_arguments, reason = "whose turn, of what, and the change's parts")]
    async fn carry_out(
        &self,
        turn: Turn,
        tenant: TenantId,
        name: &str,
        stands: Option<u64>,
        change: Change,
        value: Option<Value>,
        entries: Vec<AuditEntry>,
    ) -> Result<Secret, ServiceError> {
        let Change { record, added, removed, deadlines, settled } = change;
        let space = values(tenant)?;
        let put = Write::put(&records(tenant)?, name, encode(&record)?);
        let mut writes = vec![match stands {
            Some(version) => put.if_version(version),
            None => put.if_absent(),
        }];
        if let (Some(version), Some(value)) = (added, value) {
            writes.push(Write::put(&space, &value_key(name, version), value));
        }
        writes.extend(removed.into_iter().map(|version| Write::delete(&space, &value_key(name, version))));
        writes.extend(settled.into_iter().map(|deadline| self.deadlines.remove(tenant, name, deadline)));
        writes.extend(deadlines.into_iter().map(|deadline| self.deadlines.add(tenant, name, deadline)));
        self.commit(turn, tenant, name, entries, writes).await?;
        Ok(record.shown(name, (self.now_ms)()))
    }

    /// Commits, and tells who holds values in memory: both, also where whoever asked is gone by then. Until both are done
    /// it is nobody else's turn.
    async fn commit(
        &self,
        turn: Turn,
        tenant: TenantId,
        name: &str,
        entries: Vec<AuditEntry>,
        writes: Vec<Write>,
    ) -> Result<(), ServiceError> {
        let (audit, changed, name) = (Arc::clone(&self.audit), Arc::clone(&self.changed), name.to_owned());
        let committed = finish(async move {
            let _turn = turn;
            let outcome = audit.commit(tenant, entries, writes).await;
            // Also after an answer that was lost: what may have changed is not to be had from memory either.
            if let Some(changed) = changed.get() {
                changed(tenant, &name);
            }
            outcome
        });
        match committed.await {
            Err(ServiceError::Store(StoreError::Conflict { .. })) => Err(ServiceError::Conflict(
                "the secret changed meanwhile; look at it, and decide again".into(),
            )),
            outcome => outcome,
        }
    }

    /// A secret's record, and the store's version of it.
    async fn find(&self, tenant: TenantId, name: &str) -> Result<Option<(Record, u64)>, ServiceError> {
        let Some(found) = self.store.get(&records(tenant)?, name).await? else { return Ok(None) };
        Ok(Some((decode(found.value.as_bytes())?, found.version)))
    }

    async fn existing(&self, tenant: TenantId, name: &str) -> Result<(Record, u64), ServiceError> {
        checked_name(name)?;
        let not_found = || ServiceError::NotFound { kind: "secret", name: name.to_owned() };
        self.find(tenant, name).await?.ok_or_else(not_found)
    }
}

fn records(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("secrets", &tenant.to_string())
}

fn values(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("secret-values", &tenant.to_string())
}

/// A name holds no slash, so no secret's values are another's.
fn value_key(name: &str, version: u64) -> String {
    format!("{name}/{version}")
}

/// An entry for something that was done, before it has its number.
fn entry(action: Action, secret: &str, version: Option<u64>, by: Actor, at_ms: u64) -> AuditEntry {
    AuditEntry {
        number: 0,
        at_ms,
        action,
        secret: secret.to_owned(),
        version,
        outcome: Outcome::Done,
        by,
        functions: Vec::new(),
    }
}

fn expected_version(expected: Option<u64>, current: u64) -> Result<(), ServiceError> {
    match expected {
        Some(expected) if expected != current => Err(ServiceError::Conflict(if current == 0 {
            "there is no such secret yet".to_owned()
        } else {
            format!("version {current} is current, not {expected}; look at it, and decide again")
        })),
        _ => Ok(()),
    }
}

fn checked_lifetime(now_ms: u64, lifetime_ms: u64) -> Result<u64, ServiceError> {
    if !(1..=MAX_SECRET_LIFETIME_MS).contains(&lifetime_ms) {
        let rule = format!("expires_in_ms is 1 to {MAX_SECRET_LIFETIME_MS} (ten years)");
        return Err(ServiceError::Invalid(rule));
    }
    Ok(now_ms.saturating_add(lifetime_ms))
}

fn checked_value(value: &[u8]) -> Result<(), ServiceError> {
    if value.is_empty() || value.len() > MAX_SECRET_BYTES {
        return Err(ServiceError::Invalid(format!("a secret has 1 to {MAX_SECRET_BYTES} bytes")));
    }
    if std::str::from_utf8(value).is_err() {
        let message =
            "a secret is UTF-8 text, since functions are given text; encode other bytes, as base64 say";
        return Err(ServiceError::Invalid(message.into()));
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<(), ServiceError> {
    if is_name(name) {
        return Ok(());
    }
    let rule = "a secret's name has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`";
    Err(ServiceError::Invalid(rule.into()))
}

#[cfg(test)]
mod tests;
