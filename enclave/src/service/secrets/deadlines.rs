//! Times at which values must go, in one list for all tenants, so that finding those that are due reads nothing else.
//!
//! A secret's record alone says what is over: an entry of the list that has lost its meaning is only one look in vain.

use std::sync::Weak;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::{Action, Actor};
use r3e_store::{Namespace, Store, StoreError, Write};

use super::Secrets;
use crate::limits::{SECRET_SWEEP_INTERVAL, SECRETS_SWEPT_AT_ONCE};
use crate::service::ServiceError;

/// The list.
pub(super) struct Deadlines(Namespace);

/// One entry of it.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    at_ms: u64,
    tenant: TenantId,
    secret: String,
}

impl Deadlines {
    pub(super) fn new() -> Result<Self, StoreError> {
        Ok(Self(Namespace::of_appliance("secret-deadlines")?))
    }

    /// The write that adds `(at_ms, version)` of a secret.
    pub(super) fn add(&self, tenant: TenantId, secret: &str, deadline: (u64, u64)) -> Write {
        Write::put(&self.0, &key(tenant, secret, deadline), Vec::new())
    }

    /// The write that takes it away.
    pub(super) fn remove(&self, tenant: TenantId, secret: &str, deadline: (u64, u64)) -> Write {
        Write::delete(&self.0, &key(tenant, secret, deadline))
    }

    /// The keys of entries that are due, the earliest first, and what they say.
    fn due(&self, store: &Store, now_ms: u64) -> Result<Vec<(String, Option<Due>)>, StoreError> {
        let listed = store.scan(&self.0, "", None, SECRETS_SWEPT_AT_ONCE)?;
        let read = listed.into_iter().map(|entry| {
            let due = parse(&entry.key);
            (entry.key, due)
        });
        Ok(read.take_while(|(_, due)| due.as_ref().is_none_or(|due| due.at_ms <= now_ms)).collect())
    }
}

/// Sweeps while there are secrets to sweep.
pub(super) async fn keep_sweeping(secrets: Weak<Secrets>) {
    let mut interval = tokio::time::interval(SECRET_SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(secrets) = secrets.upgrade() else { return };
        if let Err(error) = sweep(&secrets).await {
            tracing::warn!(%error, "values whose time is over wait for the next sweep");
        }
    }
}

/// Deletes the values whose time is over. Until then nobody is given them either. One that cannot be deleted now does not
/// keep the others.
pub(super) async fn sweep(secrets: &Secrets) -> Result<(), ServiceError> {
    loop {
        let now_ms = (secrets.now_ms)();
        let (mut settled, mut failed) = (0, None);
        for (key, due) in secrets.deadlines.due(&secrets.store, now_ms)? {
            let swept = match &due {
                Some(Due { tenant, secret, .. }) => sweep_one(secrets, *tenant, secret, now_ms).await,
                None => Ok(()),
            };
            match swept {
                Ok(()) => {
                    secrets.store.delete(&secrets.deadlines.0, &key).await?;
                    settled += 1;
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if settled == 0 => return Err(error),
            None if settled == 0 => return Ok(()),
            _ => {}
        }
    }
}

async fn sweep_one(secrets: &Secrets, tenant: TenantId, name: &str, now_ms: u64) -> Result<(), ServiceError> {
    let turn = secrets.changing.take(tenant).await?;
    let Some((record, stands)) = secrets.find(tenant, name).await? else { return Ok(()) };
    let Some(change) = record.swept(now_ms) else { return Ok(()) };
    let entries = change
        .removed
        .iter()
        .map(|version| super::entry(Action::Destroy, name, Some(*version), Actor::Appliance {}, now_ms));
    let entries = entries.collect();
    secrets.carry_out(turn, tenant, name, Some(stands), change, None, entries).await?;
    Ok(())
}

/// Fixed in length up to the secret's name, so that the store lists them by time.
fn key(tenant: TenantId, secret: &str, (at_ms, version): (u64, u64)) -> String {
    format!("{at_ms:016x}/{tenant}/{version}/{secret}")
}

fn parse(key: &str) -> Option<Due> {
    let mut parts = key.splitn(4, '/');
    let at_ms = u64::from_str_radix(parts.next()?, 16).ok()?;
    let tenant = parts.next()?.parse().ok()?;
    let _version = parts.next()?;
    Some(Due { at_ms, tenant, secret: parts.next()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_was_made_of_and_sorts_by_time() {
        let tenant = TenantId([7; 16]);
        let due = parse(&key(tenant, "a.b-c_D", (77, 3)));
        assert_eq!(due, Some(Due { at_ms: 77, tenant, secret: "a.b-c_D".into() }));
        assert!(key(tenant, "Z", (9, 1)) < key(TenantId([0; 16]), "A", (10, 9)));
        for wrong in ["", "00", "zz/00/1/S", "0000000000000001/short/1/S"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
