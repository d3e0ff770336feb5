//! Reports as they come, for who follows a feed. Whoever is slow holds nobody up: a stream keeps nothing but its place.

use std::sync::Arc;

use r3e_proto::api::feeds::SignedReport;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::entry::Entry;
use crate::error::FeedsError;
use crate::feeds::Inner;
use crate::reading::Which;

/// A place in a feed's reports.
pub struct Reports {
    inner: Arc<Inner>,
    entry: Arc<Entry>,
    told: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
    /// The last sequence that was given.
    last: u64,
    _place: OwnedSemaphorePermit,
}

impl Reports {
    pub(crate) fn new(inner: Arc<Inner>, entry: Arc<Entry>, last: u64, place: OwnedSemaphorePermit) -> Self {
        let (told, closed) = (entry.told(), inner.closed.subscribe());
        Self { inner, entry, told, closed, last, _place: place }
    }

    /// The report behind the last one that was given, once there is one; of those that are not kept any more none, but the next one that
    /// is. None at the end: the feed was deleted, or the appliance stops. Nothing is lost where the future is dropped.
    ///
    /// # Errors
    /// [`FeedsError::Signing`]; the store's: the same may be asked again.
    pub async fn next(&mut self) -> Result<Option<SignedReport>, FeedsError> {
        let last = self.last;
        let latest = tokio::select! {
            _ = self.closed.wait_for(|closed| *closed) => return Ok(None),
            told = self.told.wait_for(|sequence| *sequence > last) => match told {
                Ok(latest) => *latest,
                Err(_) => return Ok(None),
            },
        };
        if !self.inner.is_there(&self.entry) {
            return Ok(None);
        }
        let next = match self.inner.report(&self.entry, Which::Sequence(last.saturating_add(1))).await {
            // The ring has gone past it.
            Err(FeedsError::NoReport(_)) => self.inner.oldest_after(&self.entry, last, latest).await?,
            next => next?,
        };
        self.last = next.report.sequence;
        Ok(Some(next))
    }
}
