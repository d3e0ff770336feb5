//! The pages of one tenant's audit log: two rings of records that are only ever written at their ends, so that whoever may
//! invoke, and so have reads logged without end, drives out no entry of who changed or granted a secret. Numbers count the
//! entries of both. It knows what a page holds and when one goes, and nothing of who waits for an entry.

use std::ops::Range;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::{Action, Actor, AuditEntry};
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::limits::{AUDIT_CHANGE_PAGES, AUDIT_PAGE_ENTRIES, AUDIT_PAGES};
use crate::service::ServiceError;
use crate::service::json::{decode, encode};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ring {
    /// Of what people and their keys did to secrets.
    Changes,
    /// Of what functions asked for, had, and set: whoever may only invoke makes such entries, as many as they like.
    Reads,
}

impl Ring {
    pub(super) const ALL: [Self; 2] = [Self::Changes, Self::Reads];

    /// Where an entry goes.
    pub(super) fn of(entry: &AuditEntry) -> Self {
        match (&entry.by, entry.action) {
            (Actor::Function { .. }, _) | (_, Action::Read | Action::Held) => Self::Reads,
            _ => Self::Changes,
        }
    }

    /// The namespace of a tenant's.
    pub(super) fn namespace(self, tenant: TenantId) -> Result<Namespace, StoreError> {
        let name = match self {
            Self::Changes => "secret-changes",
            Self::Reads => "secret-audit",
        };
        Namespace::of_tenant(name, &tenant.to_string())
    }

    /// The most pages that it has.
    fn pages(self) -> u64 {
        match self {
            Self::Changes => AUDIT_CHANGE_PAGES,
            Self::Reads => AUDIT_PAGES,
        }
    }

    /// Entries that are kept at the least: those of all pages but one.
    pub(super) fn kept(self) -> u64 {
        (self.pages() - 1) * AUDIT_PAGE_ENTRIES as u64
    }
}

/// The end of a ring.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Numbers of the pages that stand; the last of them is written to.
    pages: Range<u64>,
    /// The store's version of the last page; none while there is none.
    stands: Option<u64>,
    /// What the last page holds.
    entries: Vec<AuditEntry>,
    /// The number of the last entry; 0 where there is none.
    last_number: u64,
}

/// What a ring's next commit writes, and how the ring ends after it.
pub(super) struct Staged {
    ring: Ring,
    tail: Tail,
    pub(super) writes: Vec<Write>,
    /// Which of the writes is the last page.
    last_page: usize,
}

impl Tail {
    /// The end of the ring that stands in the store.
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
        let entries: Vec<AuditEntry> = decode(record.value.as_bytes())?;
        let last_number = entries.last().map_or(0, |entry| entry.number);
        Ok(Self { pages, stands: Some(record.version), entries, last_number })
    }

    /// The number of the last entry; 0 where there is none.
    pub(super) fn last_number(&self) -> u64 {
        self.last_number
    }

    /// The ring with `entries`, numbered, after its last one.
    pub(super) fn append(
        self,
        ring: Ring,
        namespace: &Namespace,
        entries: impl IntoIterator<Item = AuditEntry>,
    ) -> Result<Staged, ServiceError> {
        let mut staged = Staged { ring, tail: self, writes: Vec::new(), last_page: 0 };
        let mut changed = false;
        for entry in entries {
            if staged.tail.pages.is_empty() || staged.tail.entries.len() >= AUDIT_PAGE_ENTRIES {
                if changed {
                    staged.write_last(namespace)?;
                }
                staged.open_page(namespace);
            }
            staged.tail.last_number = entry.number;
            staged.tail.entries.push(entry);
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
        if self.tail.pages.end - self.tail.pages.start > self.ring.pages() {
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

    /// The ring's end once the writes stand; `versions` are those that the store gave them, in their order.
    pub(super) fn committed(mut self, versions: &[Option<u64>]) -> Tail {
        if !versions.is_empty() {
            self.tail.stands = versions.get(self.last_page).copied().flatten();
        }
        self.tail
    }
}

/// What is kept of a log after the entry numbered `after`, by number, and how many entries of all were dropped.
pub(super) async fn read(
    store: &Store,
    tenant: TenantId,
    after: u64,
) -> Result<(u64, Vec<AuditEntry>), ServiceError> {
    let (mut dropped, mut entries) = (0, Vec::new());
    for ring in Ring::ALL {
        let namespace = ring.namespace(tenant)?;
        let tail = Tail::load(store, &namespace).await?;
        let mut first = tail.pages.start;
        // From the latest page back to the one that was asked for.
        for page in tail.pages.clone().rev() {
            let Some(record) = store.get(&namespace, &key(page)).await? else {
                // Dropped since they were listed, and so were those before it.
                first = page + 1;
                break;
            };
            let page: Vec<AuditEntry> = decode(record.value.as_bytes())?;
            let reached = page.first().is_some_and(|entry| entry.number <= after);
            entries.extend(page);
            if reached {
                break;
            }
        }
        dropped += first.saturating_mul(AUDIT_PAGE_ENTRIES as u64);
    }
    entries.retain(|entry| entry.number > after);
    entries.sort_by_key(|entry| entry.number);
    Ok((dropped, entries))
}

/// A page's key: fixed in length, so that the store lists pages in their order.
fn key(page: u64) -> String {
    format!("{page:016x}")
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::secrets::Outcome;

    use super::*;

    fn entry(number: u64) -> AuditEntry {
        AuditEntry {
            number,
            at_ms: 1,
            action: Action::Read,
            secret: "S".into(),
            version: Some(1),
            outcome: Outcome::Done,
            by: Actor::Tenant {},
            functions: Vec::new(),
        }
    }

    /// Stages `count` entries as if the store took them; how many writes that was.
    fn append(ring: Ring, tail: &mut Tail, count: usize) -> usize {
        let first = tail.last_number() + 1;
        let entries = (first..).map(entry).take(count);
        let space = ring.namespace(TenantId([1; 16])).unwrap();
        let staged = std::mem::take(tail).append(ring, &space, entries).unwrap();
        let versions: Vec<Option<u64>> = (0..staged.writes.len()).map(|n| Some(n as u64)).collect();
        let writes = staged.writes.len();
        *tail = staged.committed(&versions);
        writes
    }

    #[test]
    fn entries_fill_pages_and_each_page_is_written_once() {
        let mut tail = Tail::default();
        let mut append = |count| append(Ring::Reads, &mut tail, count);
        assert_eq!(append(1), 1);
        assert_eq!(append(AUDIT_PAGE_ENTRIES - 1), 1, "they fit the page");
        assert_eq!(append(AUDIT_PAGE_ENTRIES + 1), 2, "two pages, each written once");
        assert_eq!(append(0), 0);
        assert_eq!((tail.entries.len(), tail.pages.clone()), (1, 0..3));
        assert_eq!(tail.last_number(), 2 * AUDIT_PAGE_ENTRIES as u64 + 1);
        assert_eq!(tail.stands, Some(1), "what writes nothing leaves the last page as it stands");
    }

    #[test]
    fn each_ring_drops_whole_pages_and_counts_what_it_dropped() {
        for ring in Ring::ALL {
            let mut tail = Tail::default();
            for _ in 0..ring.pages() {
                append(ring, &mut tail, AUDIT_PAGE_ENTRIES);
            }
            assert_eq!(tail.pages, 0..ring.pages());
            assert_eq!(append(ring, &mut tail, 1), 2, "a new page, and the oldest one's deletion");
            assert_eq!(tail.pages, 1..ring.pages() + 1);
            assert_eq!(tail.entries[0].number, ring.pages() * AUDIT_PAGE_ENTRIES as u64 + 1);
        }
    }
}
