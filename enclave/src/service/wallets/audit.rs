//! What was done with a wallet, and what was denied: three rings of pages, so that whoever signs or is denied often drives
//! out no record of how the wallet came to be, what its policies were, and who had its key. A page is written with the
//! state that counts its entries, in one commit.

use r3e_proto::api::wallets::{Action, AuditEntry, WalletAudit};
use r3e_store::{Namespace, Store, Write};
use serde::{Deserialize, Serialize};

use super::By;
use super::records::State;
use crate::limits::{WALLET_AUDIT_PAGE_ENTRIES, WALLET_AUDIT_PAGES};
use crate::service::ServiceError;
use crate::service::json::{decode, encode};

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ring {
    /// Of what a wallet is: made, given another policy, exported, deleted.
    Kept,
    /// Of what it signed.
    Signed,
    /// Of what was denied.
    Denied,
}

/// Entries of one ring that follow one another, the first of them with this place in it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    first: u64,
    entries: Vec<AuditEntry>,
}

/// An entry of something that was done, to which may be added what it was done to.
pub(super) fn entry(at_ms: u64, action: Action, by: &By, revision: u64) -> AuditEntry {
    AuditEntry {
        // Given when it is added.
        number: 0,
        at_ms,
        action,
        by: by.text(),
        revision,
        denied: None,
        payload: None,
        digest: None,
        chain_id: None,
        to: None,
        contract: None,
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
        Ring::Kept => &mut state.kept,
        Ring::Signed => &mut state.signed,
        Ring::Denied => &mut state.denied,
    };
    let place = *count;
    *count = count.saturating_add(1);
    let entry = AuditEntry { number: state.entries(), ..entry };
    let page = place / WALLET_AUDIT_PAGE_ENTRIES;
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

/// All that is kept of the three rings, by number.
pub(super) async fn read(
    store: &Store,
    space: &Namespace,
    name: &str,
    state: &State,
) -> Result<WalletAudit, ServiceError> {
    let mut pages = Vec::new();
    for ring in [Ring::Kept, Ring::Signed, Ring::Denied] {
        for page in 0..WALLET_AUDIT_PAGES {
            if let Some(record) = store.get(space, &page_key(name, ring, page)).await? {
                pages.push(decode::<Page>(record.value.as_bytes())?);
            }
        }
    }
    let mut entries: Vec<AuditEntry> = pages.into_iter().flat_map(|page| page.entries).collect();
    entries.sort_by_key(|entry| entry.number);
    let kept = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    Ok(WalletAudit { dropped: state.entries().saturating_sub(kept), entries })
}

/// A wallet's name holds no `/`.
fn page_key(name: &str, ring: Ring, page: u64) -> String {
    let ring = match ring {
        Ring::Kept => "kept",
        Ring::Signed => "signed",
        Ring::Denied => "denied",
    };
    format!("{name}/{ring}/{page}")
}
