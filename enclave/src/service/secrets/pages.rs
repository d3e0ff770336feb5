//! The pages of one tenant's audit log: a ring of records that is only ever written at its end. It knows what a page holds and
//! when one goes, and nothing of who waits for an entry.

use std::ops::Range;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::AuditEntry;
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::limits::{AUDIT_PAGE_ENTRIES, AUDIT_PAGES};
use crate::service::ServiceError;
use crate::service::json::{decode, encode};

/// The namespace of a tenant's log.
pub(super) fn namespace(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("secret-audit", &tenant.to_string())
}

/// The end of a log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Numbers of the pages that stand; the last of them is written to.
    pages: Range<u64>,
    /// The store's version of the last page; none while there is none.
    stands: Option<u64>,
    /// What the last page holds.
    entries: Vec<AuditEntry>,
}

/// What a log's next commit writes, and how the log ends after it.
pub(super) struct Staged {
    tail: Tail,
    pub(super) writes: Vec<Write>,
    /// Which of the writes is the last page.
    last_page: usize,
}

impl Tail {
    /// The end of the log that stands in the store.
    pub(super) async fn load(store: &Store, namespace: &Namespace) -> Result<Self, ServiceError> {
        let listed = store.scan(namespace, "", None, usize::MAX)?;
        let number = |key: &str| {
            u64::from_str_radix(key, 16)
                .map_err(|_| ServiceError::Internal("a page of an audit log has no number".into()))
        };
        let (Some(first), Some(last)) = (listed.first(), listed.last()) else { return Ok(Self::default()) };
        let pages = number(&first.key)?..number(&last.key)?.saturating_add(1);
        // Pages go with the commit that adds one, and nobody adds one but who asks.
        let record = store.get(namespace, &last.key).await?;
        let record =
            record.ok_or_else(|| ServiceError::Internal("the last page of an audit log is gone".into()))?;
        Ok(Self { pages, stands: Some(record.version), entries: decode(record.value.as_bytes())? })
    }

    /// Entries that were dropped: whole pages, the oldest first.
    pub(super) fn dropped(&self) -> u64 {
        self.pages.start.saturating_mul(AUDIT_PAGE_ENTRIES as u64)
    }

    /// The log with `entries` after its last one. Their numbers are set here.
    pub(super) fn append(
        self,
        namespace: &Namespace,
        entries: impl IntoIterator<Item = AuditEntry>,
    ) -> Result<Staged, ServiceError> {
        let mut staged = Staged { tail: self, writes: Vec::new(), last_page: 0 };
        let mut changed = false;
        for entry in entries {
            if staged.tail.pages.is_empty() || staged.tail.entries.len() >= AUDIT_PAGE_ENTRIES {
                if changed {
                    staged.write_last(namespace)?;
                }
                staged.open_page(namespace);
            }
            let page = staged.tail.pages.end.saturating_sub(1);
            let before = page * AUDIT_PAGE_ENTRIES as u64 + staged.tail.entries.len() as u64;
            staged.tail.entries.push(AuditEntry { number: before + 1, ..entry });
            changed = true;
        }
        if changed {
            staged.write_last(namespace)?;
        }
        Ok(staged)
    }
}

impl Staged {
    /// Begins a page, and drops the oldest where there are as many as may be.
    fn open_page(&mut self, namespace: &Namespace) {
        self.tail.pages.end += 1;
        self.tail.stands = None;
        self.tail.entries.clear();
        if self.tail.pages.end - self.tail.pages.start > AUDIT_PAGES {
            self.writes.push(Write::delete(namespace, &key(self.tail.pages.start)));
            self.tail.pages.start += 1;
        }
    }

    /// Writes the last page, over exactly what it was: two writers cannot lose each other's entries.
    fn write_last(&mut self, namespace: &Namespace) -> Result<(), ServiceError> {
        let put = Write::put(namespace, &key(self.tail.pages.end - 1), encode(&self.tail.entries)?);
        self.last_page = self.writes.len();
        self.writes.push(match self.tail.stands {
            Some(version) => put.if_version(version),
            None => put.if_absent(),
        });
        Ok(())
    }

    /// The log's end once the writes stand; `versions` are those that the store gave them, in their order.
    pub(super) fn committed(mut self, versions: &[Option<u64>]) -> Tail {
        self.tail.stands = versions.get(self.last_page).copied().flatten();
        self.tail
    }
}

/// What is kept of a log: entries, oldest first, and how many were dropped before them.
pub(super) async fn read(
    store: &Store,
    tenant: TenantId,
    after: u64,
) -> Result<(u64, Vec<AuditEntry>), ServiceError> {
    let namespace = namespace(tenant)?;
    let tail = Tail::load(store, &namespace).await?;
    let mut dropped = tail.dropped();
    let mut entries = Vec::new();
    for page in tail.pages.clone() {
        if (page + 1).saturating_mul(AUDIT_PAGE_ENTRIES as u64) <= after {
            continue;
        }
        if let Some(record) = store.get(&namespace, &key(page)).await? {
            entries.extend(decode::<Vec<AuditEntry>>(record.value.as_bytes())?);
        } else {
            // Dropped since they were listed, and so were those before it.
            dropped = (page + 1).saturating_mul(AUDIT_PAGE_ENTRIES as u64);
            entries.clear();
        }
    }
    entries.retain(|entry| entry.number > after);
    Ok((dropped, entries))
}

/// A page's key: fixed in length, so that the store lists pages in their order.
fn key(page: u64) -> String {
    format!("{page:016x}")
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::secrets::{Action, Actor, Outcome};

    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            number: 0,
            at_ms: 1,
            action: Action::Read,
            secret: "S".into(),
            version: Some(1),
            outcome: Outcome::Done,
            by: Actor::Tenant {},
            functions: Vec::new(),
        }
    }

    fn space() -> Namespace {
        namespace(TenantId([1; 16])).unwrap()
    }

    /// Stages `count` entries as if the store took them; how many writes that was.
    fn append(tail: &mut Tail, count: usize) -> usize {
        let entries = std::iter::repeat_with(entry).take(count);
        let staged = std::mem::take(tail).append(&space(), entries).unwrap();
        let versions: Vec<Option<u64>> = (0..staged.writes.len()).map(|n| Some(n as u64)).collect();
        let writes = staged.writes.len();
        *tail = staged.committed(&versions);
        writes
    }

    #[test]
    fn numbers_rise_without_a_gap_over_pages() {
        let mut tail = Tail::default();
        assert_eq!(append(&mut tail, 1), 1);
        assert_eq!(append(&mut tail, AUDIT_PAGE_ENTRIES - 1), 1, "they fit the page");
        assert_eq!(tail.entries.last().map(|entry| entry.number), Some(AUDIT_PAGE_ENTRIES as u64));
        assert_eq!(append(&mut tail, AUDIT_PAGE_ENTRIES + 1), 2, "two pages, each written once");
        assert_eq!(tail.entries.last().map(|entry| entry.number), Some(2 * AUDIT_PAGE_ENTRIES as u64 + 1));
        assert_eq!((tail.entries.len(), tail.pages.clone()), (1, 0..3));
        assert_eq!(append(&mut tail, 0), 0);
    }

    #[test]
    fn the_ring_drops_whole_pages_and_counts_what_it_dropped() {
        let mut tail = Tail::default();
        for _ in 0..AUDIT_PAGES {
            append(&mut tail, AUDIT_PAGE_ENTRIES);
        }
        assert_eq!((tail.dropped(), tail.pages.clone()), (0, 0..AUDIT_PAGES));
        assert_eq!(append(&mut tail, 1), 2, "a new page, and the oldest one's deletion");
        assert_eq!((tail.dropped(), tail.pages.start), (AUDIT_PAGE_ENTRIES as u64, 1));
        assert_eq!(tail.pages.end - tail.pages.start, AUDIT_PAGES);
        assert_eq!(tail.entries[0].number, AUDIT_PAGES * AUDIT_PAGE_ENTRIES as u64 + 1);
    }
}
