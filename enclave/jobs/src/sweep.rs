//! Removing what has been kept long enough: jobs with their events and outcomes, and idempotency keys.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};

use crate::changes::{Changed, GivenUp, carry_through, closed, read_through};
use crate::error::JobsError;
use crate::index::Place;
use crate::jobs::Inner;
use crate::keys;
use crate::limits::{SWEEP_INTERVAL, SWEPT_AT_ONCE};
use crate::record::Address;

/// Sweeps, until jobs are not worked on any more.
pub(crate) async fn keep_sweeping(inner: Arc<Inner>) {
    let mut ticks = interval(SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = closed(&inner.phase) => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = sweep(&inner).await {
            tracing::warn!(%error, "jobs whose time is over wait for the next sweep");
        }
    }
}

/// Removes all whose time is over, some at a time.
///
/// # Errors
/// The store's.
pub(crate) async fn sweep(inner: &Inner) -> Result<(), JobsError> {
    loop {
        let now_ms = inner.now_ms();
        let listed = inner.store.scan(&inner.spaces.index, "e/", None, SWEPT_AT_ONCE)?;
        let due = listed
            .iter()
            .filter_map(|entry| Place::parse(&entry.key))
            .take_while(|(_, place)| matches!(place, Place::Kept { until_ms, .. } if *until_ms <= now_ms));
        let mut removed = 0;
        for (address, _) in due {
            // Somebody looks after it now: the next look finds it again.
            if inner.board().claim(address).is_none() {
                continue;
            }
            match remove(inner, address).await {
                Ok(place) => {
                    removed += usize::from(place.is_none());
                    inner.release(address, place);
                }
                Err(GivenUp) => return Ok(()),
            }
        }
        let keys = keys::sweep(&inner.store, &inner.spaces, now_ms, SWEPT_AT_ONCE).await?;
        if removed + keys < SWEPT_AT_ONCE {
            return Ok(());
        }
    }
}

/// Where the job is afterwards: nowhere.
async fn remove(inner: &Inner, address: Address) -> Result<Option<Place>, GivenUp> {
    let Some(standing) = read_through(&inner.store, &inner.phase, address).await? else { return Ok(None) };
    let writes = inner.spaces.removal(address, &standing).map_err(|error| {
        tracing::error!(%error, "a job cannot be removed");
        GivenUp
    })?;
    match carry_through(&inner.store, &inner.phase, address, &writes, None).await? {
        Changed::Stands(_) | Changed::Other(None) => {
            inner.tallies.removed.add();
            Ok(None)
        }
        Changed::Other(Some(found)) => Ok(Some(found.record.place())),
    }
}
