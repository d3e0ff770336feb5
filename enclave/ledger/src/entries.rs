//! A tenant's entries as they are kept: so many to a record, by number.
//!
//! | namespace of the tenant | key | value |
//! |---|---|---|
//! | `ledger` | the page's number, 16 digits | JSON, up to [`PAGE_ENTRIES`] entries |

use r3e_proto::api::billing::{Entry, LedgerPage};
use r3e_proto::api::identity::TenantId;
use r3e_proto::limits::MAX_LEDGER_PAGE;
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::error::LedgerError;
use crate::limits::PAGE_ENTRIES;
use crate::usage::{decode, encode};

fn namespace(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("ledger", &tenant.to_string())
}

fn page_of(number: u64) -> u64 {
    number.saturating_sub(1) / PAGE_ENTRIES
}

fn key(page: u64) -> String {
    format!("{page:016}")
}

async fn read_page(store: &Store, space: &Namespace, page: u64) -> Result<Vec<Entry>, LedgerError> {
    match store.get(space, &key(page)).await? {
        Some(record) => decode(record.value.as_bytes()),
        None => Ok(Vec::new()),
    }
}

/// What must be written for entries that follow those that are kept.
pub(crate) async fn writes(
    store: &Store,
    tenant: TenantId,
    new: &[Entry],
) -> Result<Vec<Write>, LedgerError> {
    let space = namespace(tenant)?;
    let mut writes = Vec::new();
    let mut rest = new;
    while let Some(first) = rest.first() {
        let page = page_of(first.number);
        let here = rest.iter().take_while(|entry| page_of(entry.number) == page).count();
        let (these, after) = rest.split_at(here);
        let mut entries = read_page(store, &space, page).await?;
        // What a commit wrote that this life has not heard of would be here already; then the head's condition fails.
        entries.retain(|entry| entry.number < first.number);
        entries.extend_from_slice(these);
        writes.push(Write::put(&space, &key(page), encode(&entries)?));
        rest = after;
    }
    Ok(writes)
}

/// Entries after a number, at most `limit` and at most [`MAX_LEDGER_PAGE`], of which the last has the number `last`.
pub(crate) async fn page(
    store: &Store,
    tenant: TenantId,
    last: u64,
    after: u64,
    limit: usize,
) -> Result<LedgerPage, LedgerError> {
    let space = namespace(tenant)?;
    let limit = limit.clamp(1, MAX_LEDGER_PAGE);
    let mut entries: Vec<Entry> = Vec::new();
    let mut next = after.saturating_add(1);
    while next <= last && entries.len() < limit {
        let page = read_page(store, &space, page_of(next)).await?;
        let found: Vec<_> = page
            .into_iter()
            .filter(|entry| (next..=last).contains(&entry.number))
            .take(limit - entries.len())
            .collect();
        let Some(end) = found.last().map(|entry| entry.number) else {
            return Err(LedgerError::Closed(format!("entry {next} is not there")));
        };
        entries.extend(found);
        next = end.saturating_add(1);
    }
    let next = (next <= last).then(|| next.saturating_sub(1));
    Ok(LedgerPage { entries, next })
}
