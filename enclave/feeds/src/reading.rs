//! Reports of feeds, as they are read.

use std::sync::Arc;

use r3e_proto::api::feeds::{HistoryPage, SignedReport};
use r3e_proto::report::Report;

use crate::entry::Entry;
use crate::error::FeedsError;
use crate::feeds::Inner;
use crate::limits::{PAGE_REPORTS, PAGES};
use crate::record::{Kept, Page};

/// Which report of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The latest.
    Latest,
    /// That of a sequence.
    Sequence(u64),
    /// The one that was the latest at a time, in Unix seconds.
    At(u64),
}

impl Inner {
    pub(crate) async fn report(&self, entry: &Arc<Entry>, which: Which) -> Result<SignedReport, FeedsError> {
        let latest = entry.latest().ok_or(FeedsError::NoReport("it has not published yet"))?;
        let kept = match which {
            Which::Latest => latest,
            Which::Sequence(sequence) if sequence == latest.report().sequence => latest,
            Which::Sequence(sequence) => {
                let page = entry.address.page(&self.store, sequence).await?;
                let found = page.reports().iter().find(|kept| kept.report().sequence == sequence);
                *found.ok_or(FeedsError::NoReport("that sequence is not kept"))?
            }
            Which::At(at_s) => self.at(entry, latest, at_s).await?,
        };
        self.signed(entry, kept).map(Arc::unwrap_or_clone)
    }

    /// The report that was the latest at a time. A feed's times never fall.
    async fn at(&self, entry: &Arc<Entry>, latest: Kept, at_s: u64) -> Result<Kept, FeedsError> {
        let was = |kept: &Kept| kept.report().observed_at_s <= at_s;
        if was(&latest) {
            return Ok(latest);
        }
        let mut behind = latest.report().sequence;
        loop {
            let reports = self.before(entry, behind).await?;
            let none = FeedsError::NoReport("none is kept of that time or before it");
            let first = reports.first().ok_or(none)?;
            behind = first.report().sequence;
            if let Some(found) = reports.iter().rev().find(|kept| was(kept)) {
                return Ok(*found);
            }
        }
    }

    /// Of the reports before a sequence, those of one page: its last is the one just before.
    async fn before(&self, entry: &Arc<Entry>, behind: u64) -> Result<Vec<Kept>, FeedsError> {
        let Some(last) = behind.checked_sub(1).filter(|last| *last > 0) else { return Ok(Vec::new()) };
        let page = entry.address.page(&self.store, last).await?;
        let mut reports: Vec<Kept> = page.reports().to_vec();
        reports.retain(|kept| kept.report().sequence <= last);
        Ok(reports)
    }

    /// The oldest report that is kept behind a sequence.
    pub(crate) async fn oldest_after(
        &self,
        entry: &Arc<Entry>,
        last: u64,
        latest: u64,
    ) -> Result<SignedReport, FeedsError> {
        let (mut behind, mut oldest) = (latest.saturating_add(1), None);
        loop {
            let reports = self.before(entry, behind).await?;
            let Some(first) = reports.iter().find(|kept| kept.report().sequence > last) else { break };
            behind = first.report().sequence;
            oldest = Some(*first);
        }
        let kept = oldest.ok_or(FeedsError::NoReport("none is kept behind that sequence"))?;
        self.signed(entry, kept).map(Arc::unwrap_or_clone)
    }

    /// The next reports behind a sequence that are kept, the oldest first: those of one page.
    pub(crate) async fn behind(&self, entry: &Arc<Entry>, sequence: u64) -> Result<Vec<Report>, FeedsError> {
        let latest = entry.latest().map_or(0, |kept| kept.report().sequence);
        // Before that, the ring has gone past it. Of a feed that was deleted and made again, there may be none in between either.
        let oldest = latest.saturating_sub(PAGES * PAGE_REPORTS);
        let mut next = sequence.max(oldest).saturating_add(1);
        while next <= latest {
            let stretch = next..Page::next_stretch(next);
            let page = entry.address.page(&self.store, next).await?;
            let reports = page.reports().iter().map(|kept| *kept.report());
            // Another stretch may lie in its place by now.
            let found: Vec<Report> = reports.filter(|report| stretch.contains(&report.sequence)).collect();
            if !found.is_empty() {
                return Ok(found);
            }
            next = stretch.end;
        }
        Ok(Vec::new())
    }

    /// Reports before a sequence, the latest first.
    pub(crate) async fn history(
        &self,
        entry: &Arc<Entry>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<HistoryPage, FeedsError> {
        let latest = entry.latest().map_or(0, |kept| kept.report().sequence);
        let mut behind = before.unwrap_or(u64::MAX).min(latest.saturating_add(1));
        let mut reports = Vec::new();
        loop {
            let page = self.before(entry, behind).await?;
            let Some(first) = page.first() else { return Ok(HistoryPage { reports, next: None }) };
            behind = first.report().sequence;
            for kept in page.iter().rev() {
                if reports.len() >= limit {
                    let next = reports.last().map(|report: &Report| report.sequence);
                    return Ok(HistoryPage { reports, next });
                }
                reports.push(*kept.report());
            }
        }
    }
}
