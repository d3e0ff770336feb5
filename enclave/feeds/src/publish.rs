//! The one way to a report that may be signed: a commit of the state that has its sequence, which stands; and from there to signatures.

use std::sync::Arc;

use r3e_oracle::feed::State;
use r3e_proto::api::feeds::SignedReport;
use r3e_proto::report::Report;

use crate::entry::{Entry, Standing};
use crate::error::FeedsError;
use crate::feeds::Inner;
use crate::record::{Kept, Progress};

impl Inner {
    /// Writes the report down, with the state that has its sequence, over the state that it was computed from: where another one
    /// stands, nothing is written. Then tells whoever waits for it. Whether it is signed, too.
    ///
    /// # Errors
    /// The store's: it is not known whether it stands, and what does is read before anything else is done.
    pub(crate) async fn publish(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
        state: State,
        report: Report,
    ) -> Result<bool, FeedsError> {
        let progress = Progress { state, is_deleted: false };
        let writes =
            entry.address.publication(&progress, standing.progress_version, &standing.page, &report)?;
        // Until it is known what stands, it may be another one; also where this future is dropped.
        standing.is_stale = true;
        let committed = self.store.batch(writes).await?;
        let kept = Kept::acknowledged(report);
        if let Some(Some(version)) = committed.versions.first() {
            standing.progress = progress;
            standing.progress_version = *version;
            standing.page.push(kept);
            standing.is_stale = false;
        }
        entry.tell(kept);
        // So that nobody waits for it. Whoever asks tries again.
        let signed = self.signed(entry, kept);
        if let Err(error) = &signed {
            tracing::error!(%error, "a feed's report is not signed");
        }
        Ok(signed.is_ok())
    }

    /// Reads what stands in the store, where it may be something else.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`]: nothing does. The store's.
    pub(crate) async fn refresh(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
    ) -> Result<(), FeedsError> {
        let missing = || FeedsError::NotFound(entry.address.name.clone());
        if standing.is_gone {
            return Err(missing());
        }
        if standing.is_stale {
            let stored = entry.address.read(&self.store).await?.ok_or_else(missing)?;
            standing.read(stored);
            // A commit that nobody confirmed may have come through.
            if let Some(kept) = standing.page.reports().last() {
                entry.tell(*kept);
            }
        }
        Ok(())
    }

    /// A report with a signature for each of the feed's targets.
    ///
    /// # Errors
    /// [`FeedsError::Signing`].
    pub(crate) fn signed(&self, entry: &Entry, kept: Kept) -> Result<Arc<SignedReport>, FeedsError> {
        let (shape, report) = (entry.shape(), *kept.report());
        if let Some(signed) = entry.signed(&shape, report.sequence) {
            return Ok(signed);
        }
        let tenant = entry.address.tenant;
        let sign = |target| self.signer.sign(tenant, target, &kept).map_err(FeedsError::Signing);
        let signatures = shape.record.targets.iter().map(sign).collect::<Result<_, _>>()?;
        let feed = entry.address.name.clone();
        let signed = Arc::new(SignedReport { feed, tenant, report, signatures, document: None });
        entry.keep_signed(shape, Arc::clone(&signed));
        Ok(signed)
    }
}
