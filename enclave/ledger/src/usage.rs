//! What was used, as it is kept: one record for each tenant and month.
//!
//! | namespace of the tenant | key | value |
//! |---|---|---|
//! | `usage` | the month, `YYYY-MM` | JSON: the commit of the ledger that wrote it, and sums by function |

use std::collections::BTreeMap;

use r3e_proto::api::billing::{Metered, Month};
use r3e_proto::api::identity::TenantId;
use r3e_store::{Namespace, Store, StoreError, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::limits::{MAX_METERED_NAMES, USAGE_MONTHS};

/// What more functions used than are told apart. No function has this name.
const OTHERS: &str = "*";
/// Old months that one write takes away.
const OLD_AT_ONCE: usize = 2;

/// A tenant's usage of a month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The commit of the ledger that this was written by.
    pub(crate) sequence: u64,
    pub(crate) functions: BTreeMap<String, Metered>,
}

impl Record {
    /// Adds what was used since.
    pub(crate) fn add(&mut self, used: &BTreeMap<String, Metered>) {
        for (function, used) in used {
            let known = self.functions.contains_key(function);
            let named = known || self.functions.len() < MAX_METERED_NAMES;
            let sum = self.functions.entry(if named { function } else { OTHERS }.to_owned()).or_default();
            *sum = sum.plus(used);
        }
    }

    pub(crate) fn total(&self) -> Metered {
        self.functions.values().fold(Metered::default(), |sum, used| sum.plus(used))
    }
}

fn namespace(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("usage", &tenant.to_string())
}

/// A month's record; an empty one where there is none.
pub(crate) async fn read(store: &Store, tenant: TenantId, month: Month) -> Result<Record, LedgerError> {
    match store.get(&namespace(tenant)?, &month.to_string()).await? {
        Some(record) => decode(record.value.as_bytes()),
        None => Ok(Record::default()),
    }
}

/// What must be written for what was used since; with a month that is new, the oldest ones go.
pub(crate) async fn writes(
    store: &Store,
    tenant: TenantId,
    month: Month,
    used: &BTreeMap<String, Metered>,
    sequence: u64,
) -> Result<Vec<Write>, LedgerError> {
    let space = namespace(tenant)?;
    let mut record = read(store, tenant, month).await?;
    let is_new = record.sequence == 0;
    record.add(used);
    record.sequence = sequence;
    let mut writes = vec![Write::put(&space, &month.to_string(), encode(&record)?)];
    if is_new {
        let oldest = month.minus(USAGE_MONTHS - 1).to_string();
        let old = store.scan(&space, "", None, OLD_AT_ONCE)?;
        let old = old.iter().filter(|listed| listed.key < oldest);
        writes.extend(old.map(|listed| Write::delete(&space, &listed.key)));
    }
    Ok(writes)
}

/// A record as the store keeps it.
pub(crate) fn encode(record: &impl Serialize) -> Result<Vec<u8>, LedgerError> {
    serde_json::to_vec(record)
        .map_err(|error| LedgerError::Closed(format!("a record cannot be written: {error}")))
}

/// A record that the store vouches for.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(bytes)
        .map_err(|error| LedgerError::Closed(format!("a record of another release cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_than_are_told_apart_are_counted_together() {
        let mut record = Record::default();
        let one = Metered { invocations: 1, ..Metered::default() };
        let names = (0..2 * MAX_METERED_NAMES).map(|n| (format!("f{n:04}"), one)).collect();
        record.add(&names);
        record.add(&names);
        assert_eq!(record.functions.len(), MAX_METERED_NAMES + 1);
        assert_eq!(record.total().invocations, 4 * MAX_METERED_NAMES as u64);
        assert_eq!(record.functions["f0000"].invocations, 2);
        assert_eq!(record.functions[OTHERS].invocations, 2 * MAX_METERED_NAMES as u64);
    }

    #[test]
    fn sums_end_at_the_largest_number_and_never_begin_again() {
        let mut record = Record::default();
        let most = Metered { invocations: u64::MAX, cpu_us: u64::MAX, ..Metered::default() };
        record.add(&BTreeMap::from([("f".to_owned(), most)]));
        record.add(&BTreeMap::from([("f".to_owned(), most), ("g".to_owned(), most)]));
        assert_eq!((record.total().invocations, record.total().cpu_us), (u64::MAX, u64::MAX));
    }
}
