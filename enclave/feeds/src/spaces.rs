//! Where feeds lie in the sealed store.
//!
//! | namespace | key | value |
//! |---|---|---|
//! | `feeds` of the tenant | the name | [`Record`], JSON |
//! | `feed-states` of the tenant | the name | [`Progress`], JSON; where the feed was deleted, its sequence stays |
//! | `feed-reports` of the tenant | `NAME/SLOT` | [`Page`]: reports in their canonical form |
//! | `feed-index` of the appliance | `TENANT/NAME` | nothing: the board is rebuilt from it |

use r3e_proto::api::identity::TenantId;
use r3e_proto::report::Report;
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::error::FeedsError;
use crate::limits::PAGES;
use crate::record::{Page, Progress, Record, decode, encode};

/// Which feed, of whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    pub(crate) tenant: TenantId,
    pub(crate) name: String,
}

/// A feed as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    pub(crate) record_version: u64,
    pub(crate) progress: Progress,
    pub(crate) progress_version: u64,
    /// The page of its last sequence.
    pub(crate) page: Page,
}

impl Address {
    pub(crate) fn records(&self) -> Result<Namespace, StoreError> {
        Namespace::of_tenant("feeds", &self.tenant.to_string())
    }

    fn states(&self) -> Result<Namespace, StoreError> {
        states(self.tenant)
    }

    fn reports(&self) -> Result<Namespace, StoreError> {
        Namespace::of_tenant("feed-reports", &self.tenant.to_string())
    }

    /// The writes of a feed that is new: over what one of its name left, if that did.
    pub(crate) fn creation(
        &self,
        record: &Record,
        left: Option<&(Progress, u64)>,
    ) -> Result<Vec<Write>, FeedsError> {
        let sequence = left.map_or(0, |(progress, _)| progress.state.sequence);
        let mut progress = Progress::default();
        progress.state.sequence = sequence;
        let begun = Write::put(&self.states()?, &self.name, encode(&progress)?);
        Ok(vec![
            Write::put(&self.records()?, &self.name, encode(record)?).if_absent(),
            match left {
                Some((_, version)) => begun.if_version(*version),
                None => begun.if_absent(),
            },
            Write::put(&index()?, &self.index_key(), Vec::new()),
        ])
    }

    /// The writes of another definition. The state is written too: what was computed from the one before by another definition can then
    /// not be committed any more.
    pub(crate) fn change(
        &self,
        record: &Record,
        record_version: u64,
        progress: &Progress,
        progress_version: u64,
    ) -> Result<Vec<Write>, FeedsError> {
        Ok(vec![
            Write::put(&self.records()?, &self.name, encode(record)?).if_version(record_version),
            Write::put(&self.states()?, &self.name, encode(progress)?).if_version(progress_version),
        ])
    }

    /// The writes of a report, with the state that has its sequence first.
    pub(crate) fn publication(
        &self,
        progress: &Progress,
        version: u64,
        page: &Page,
        report: &Report,
    ) -> Result<Vec<Write>, FeedsError> {
        Ok(vec![
            Write::put(&self.states()?, &self.name, encode(progress)?).if_version(version),
            Write::put(&self.reports()?, &self.page_key(Page::slot(report.sequence)), page.with(report)),
        ])
    }

    /// The writes that remove it, all but its sequence.
    pub(crate) fn removal(
        &self,
        record_version: u64,
        sequence: u64,
        progress_version: u64,
    ) -> Result<Vec<Write>, FeedsError> {
        let (states, reports) = (self.states()?, self.reports()?);
        let left = match Progress::tombstone(sequence) {
            Some(left) => Write::put(&states, &self.name, encode(&left)?),
            None => Write::delete(&states, &self.name),
        };
        let mut writes = vec![
            Write::delete(&self.records()?, &self.name).if_version(record_version),
            left.if_version(progress_version),
            Write::delete(&index()?, &self.index_key()),
        ];
        writes.extend((0..PAGES).map(|slot| Write::delete(&reports, &self.page_key(slot))));
        Ok(writes)
    }

    /// Reads it.
    pub(crate) async fn read(&self, store: &Store) -> Result<Option<Stored>, FeedsError> {
        let Some(record) = store.get(&self.records()?, &self.name).await? else { return Ok(None) };
        let Some((progress, progress_version)) = self.progress(store).await? else { return Ok(None) };
        let page = self.page(store, progress.state.sequence).await?;
        Ok(Some(Stored {
            record_version: record.version,
            record: decode(record.value.as_bytes())?,
            progress,
            progress_version,
            page,
        }))
    }

    /// How far it is, or was when it was deleted.
    pub(crate) async fn progress(&self, store: &Store) -> Result<Option<(Progress, u64)>, FeedsError> {
        let Some(found) = store.get(&self.states()?, &self.name).await? else { return Ok(None) };
        Ok(Some((decode(found.value.as_bytes())?, found.version)))
    }

    /// The page that holds a sequence, if that is kept.
    pub(crate) async fn page(&self, store: &Store, sequence: u64) -> Result<Page, FeedsError> {
        match store.get(&self.reports()?, &self.page_key(Page::slot(sequence))).await? {
            Some(found) => Page::decode(found.value.as_bytes()),
            None => Ok(Page::default()),
        }
    }

    fn page_key(&self, slot: u64) -> String {
        format!("{}/{slot}", self.name)
    }

    fn index_key(&self) -> String {
        format!("{}/{}", self.tenant, self.name)
    }
}

/// Names that a tenant's feeds have, or had when they published. From memory.
pub(crate) fn names(store: &Store, tenant: TenantId) -> Result<usize, StoreError> {
    Ok(store.scan(&states(tenant)?, "", None, usize::MAX)?.len())
}

/// Every feed that the index names. From memory.
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
            tracing::error!("the index of feeds has a key of another release");
        }
    }
    Ok(all)
}

fn index() -> Result<Namespace, StoreError> {
    Namespace::of_appliance("feed-index")
}

fn states(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("feed-states", &tenant.to_string())
}
