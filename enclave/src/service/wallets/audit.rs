//! What was done with a wallet, and what was denied: two rings of pages, so that whoever is denied often drives out no
//! record of what was done. A page is written with the state that counts its entries, in one commit.

use r3e_proto::api::wallets::{Action, AuditEntry};
use r3e_store::{Namespace, Store, Write};
use serde::{Deserialize, Serialize};

use super::By;
use super::records::State;
use crate::limits::{WALLET_AUDIT_PAGE_ENTRIES, WALLET_AUDIT_PAGES};
use crate::service::ServiceError;
use crate::service::json::{decode, encode};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ring {
    Done,
    Denied,
}

/// Entries that follow one another, the first of them with this number.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    first: u64,
    entries: Vec<AuditEntry>,
}

/// An entry of something that was done, to which may be added what it was done to.
pub(super) fn entry(at_ms: u64, action: Action, by: &By, revision: u64) -> AuditEntry {
    AuditEntry {
        at_ms,
        action,
        by: by.text(),
        revision,
        denied: None,
        payload: None,
        digest: None,
        chain_id: None,
        to: None,
        spend: None,
    }
}

/// Counts an entry in `state`; the write of its page, to be committed together with the state.
pub(super) async fn add(
    store: &Store,
    space: &Namespace,
    name: &str,
    state: &mut State,
    ring: Ring,
    entry: AuditEntry,
) -> Result<Write, ServiceError> {
    let count = match ring {
        Ring::Done => &mut state.done,
        Ring::Denied => &mut state.denied,
    };
    let number = *count;
    *count += 1;
    let page = number / WALLET_AUDIT_PAGE_ENTRIES;
    let key = page_key(name, ring, page % WALLET_AUDIT_PAGES);
    let first = page * WALLET_AUDIT_PAGE_ENTRIES;
    let standing = match store.get(space, &key).await? {
        Some(record) => decode::<Page>(record.value.as_bytes())?,
        None => Page::default(),
    };
    // A page of the round before is begun anew.
    let mut entries = if standing.first == first { standing.entries } else { Vec::new() };
    entries.push(entry);
    Ok(Write::put(space, &key, encode(&Page { first, entries })?))
}

/// All that is kept of both rings, by time.
pub(super) async fn read(
    store: &Store,
    space: &Namespace,
    name: &str,
) -> Result<Vec<AuditEntry>, ServiceError> {
    let mut pages = Vec::new();
    for ring in [Ring::Done, Ring::Denied] {
        for page in 0..WALLET_AUDIT_PAGES {
            if let Some(record) = store.get(space, &page_key(name, ring, page)).await? {
                pages.push(decode::<Page>(record.value.as_bytes())?);
            }
        }
    }
    pages.sort_by_key(|page| page.first);
    let mut entries: Vec<AuditEntry> = pages.into_iter().flat_map(|page| page.entries).collect();
    // Stable: entries of one moment stay in the order in which they were written.
    entries.sort_by_key(|entry| entry.at_ms);
    Ok(entries)
}

/// A wallet's name holds no `/`.
fn page_key(name: &str, ring: Ring, page: u64) -> String {
    let ring = match ring {
        Ring::Done => "done",
        Ring::Denied => "denied",
    };
    format!("{name}/{ring}/{page}")
}
