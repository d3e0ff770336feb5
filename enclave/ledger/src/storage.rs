//! What a tenant keeps in storage, by function: it is looked at from time to time, and counted as if it had been so since the
//! look before.

use std::collections::BTreeMap;

use r3e_proto::api::identity::TenantId;
use r3e_store::{Namespace, Store, StoreError};

/// Bytes that each function keeps: values of records, and their keys.
pub type Kept = BTreeMap<String, u64>;

/// Where functions keep things. Keys begin with the function's name and a slash.
const SPACES: [&str; 2] = ["function-sources", "function-values"];

/// What a tenant keeps now. From memory: no value is read.
///
/// # Errors
/// Those of a store that is of no more use.
pub(crate) fn kept(store: &Store, tenant: TenantId) -> Result<Kept, StoreError> {
    let mut kept = Kept::new();
    for label in SPACES {
        let space = Namespace::of_tenant(label, &tenant.to_string())?;
        for record in store.scan_all(&space)? {
            let function = record.key.split_once('/').map_or(record.key.as_str(), |(name, _)| name);
            let bytes = u64::try_from(record.key.len().saturating_add(record.bytes)).unwrap_or(u64::MAX);
            let sum = kept.entry(function.to_owned()).or_default();
            *sum = sum.saturating_add(bytes);
        }
    }
    Ok(kept)
}
