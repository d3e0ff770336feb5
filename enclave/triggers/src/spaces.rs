//! Where triggers lie in the sealed store.
//!
//! | namespace | key | value |
//! |---|---|---|
//! | `triggers` of the tenant | the name | [`Record`], JSON |
//! | `trigger-states` of the tenant | the name | [`State`], JSON; there as long as the record is |
//! | `trigger-index` of the appliance | `TENANT/NAME` | nothing: the board is rebuilt from it |

use r3e_proto::api::identity::TenantId;
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::error::TriggersError;
use crate::record::{Record, State, decode, encode};

/// Which trigger, of whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    pub(crate) tenant: TenantId,
    pub(crate) name: String,
}

/// A trigger as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    pub(crate) record_version: u64,
    pub(crate) state: State,
    pub(crate) state_version: u64,
}

impl Address {
    pub(crate) fn records(&self) -> Result<Namespace, StoreError> {
        Namespace::of_tenant("triggers", &self.tenant.to_string())
    }

    pub(crate) fn states(&self) -> Result<Namespace, StoreError> {
        Namespace::of_tenant("trigger-states", &self.tenant.to_string())
    }

    /// The writes of a trigger that is new.
    pub(crate) fn creation(&self, record: &Record) -> Result<Vec<Write>, TriggersError> {
        Ok(vec![
            Write::put(&self.records()?, &self.name, encode(record)?).if_absent(),
            Write::put(&self.states()?, &self.name, encode(&State::default())?),
            Write::put(&index()?, &self.index_key(), Vec::new()),
        ])
    }

    /// The write of another definition.
    pub(crate) fn change(&self, record: &Record, version: u64) -> Result<Vec<Write>, TriggersError> {
        Ok(vec![Write::put(&self.records()?, &self.name, encode(record)?).if_version(version)])
    }

    /// The write of how far it is.
    pub(crate) fn step(&self, state: &State, version: u64) -> Result<Write, TriggersError> {
        Ok(Write::put(&self.states()?, &self.name, encode(state)?).if_version(version))
    }

    /// The writes that remove it.
    pub(crate) fn removal(&self, version: u64) -> Result<Vec<Write>, TriggersError> {
        Ok(vec![
            Write::delete(&self.records()?, &self.name).if_version(version),
            Write::delete(&self.states()?, &self.name),
            Write::delete(&index()?, &self.index_key()),
        ])
    }

    /// The version of its state. From memory.
    pub(crate) fn state_version(&self, store: &Store) -> Result<Option<u64>, StoreError> {
        version_of(store, &self.states()?, &self.name)
    }

    /// Reads it.
    pub(crate) async fn read(&self, store: &Store) -> Result<Option<Stored>, TriggersError> {
        let record = store.get(&self.records()?, &self.name).await?;
        let state = store.get(&self.states()?, &self.name).await?;
        let (Some(record), Some(state)) = (record, state) else { return Ok(None) };
        Ok(Some(Stored {
            record_version: record.version,
            record: decode(record.value.as_bytes())?,
            state_version: state.version,
            state: decode(state.value.as_bytes())?,
        }))
    }

    fn index_key(&self) -> String {
        format!("{}/{}", self.tenant, self.name)
    }
}

/// Every trigger that the index names. From memory.
pub(crate) fn all(store: &Store) -> Result<Vec<Address>, StoreError> {
    let address = |key: &str| {
        let (tenant, name) = key.split_once('/')?;
        Some(Address { tenant: tenant.parse().ok()?, name: name.to_owned() })
    };
    let mut all = Vec::new();
    for listed in store.scan_all(&index()?)? {
        if let Some(address) = address(&listed.key) {
            all.push(address);
        } else {
            tracing::error!("the index of triggers has a key of another release");
        }
    }
    Ok(all)
}

fn index() -> Result<Namespace, StoreError> {
    Namespace::of_appliance("trigger-index")
}

fn version_of(store: &Store, namespace: &Namespace, key: &str) -> Result<Option<u64>, StoreError> {
    // Of all keys that begin so, the key itself is the first.
    let listed = store.scan(namespace, key, None, 1)?;
    Ok(listed.first().filter(|listed| listed.key == key).map(|listed| listed.version))
}
