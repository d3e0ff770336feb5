//! Moves records of older epochs to the current one: reads them from the parent, a few at a time, and hands them to the
//! committer to be sealed again. Writers go on meanwhile; a record that one of them writes is of the current epoch then,
//! and is left alone.

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::sleep,
};

use crate::{
    commit::{Batch, Job},
    error::StoreError,
    index::{Cursor, Entry},
    limits::{MAX_LOOKED_AT, MAX_RESEALED, MAX_RESEALED_BYTES},
    settle::backoff,
    store::Shared,
    write::Write,
};

/// Walks over the whole index once. Ends early when the store closes or is dropped.
pub(crate) async fn reseal(
    shared: Arc<Shared>,
    jobs: mpsc::WeakSender<Job>,
    room: Arc<Semaphore>,
    epoch: u32,
) {
    let mut after = None;
    let mut failures = 0;
    loop {
        let look = look(&shared, after.as_ref(), epoch);
        match move_all(&shared, &jobs, &room, look.found).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // The parent does not answer now. A record that it changed has closed the store already.
                if shared.tampered.get().is_some() {
                    return;
                }
                failures += 1;
                tracing::warn!(%error, failures, "records could not be re-sealed now");
                sleep(backoff(failures)).await;
                continue;
            }
        }
        failures = 0;
        match look.after {
            None => return,
            next => after = next,
        }
        tokio::task::yield_now().await;
    }
}

/// Records that are still of an older epoch.
struct Look {
    found: Vec<(Cursor, Entry)>,
    /// Where the next look goes on; none at the end of the index.
    after: Option<Cursor>,
}

fn look(shared: &Shared, after: Option<&Cursor>, epoch: u32) -> Look {
    let index = shared.index();
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut last = None;
    for (looked_at, (namespace, key, entry)) in index.walk(after).enumerate() {
        let older = entry.epoch < epoch;
        let size = usize::try_from(entry.bytes).unwrap_or(usize::MAX);
        let full = found.len() == MAX_RESEALED || (!found.is_empty() && bytes + size > MAX_RESEALED_BYTES);
        if looked_at == MAX_LOOKED_AT || (older && full) {
            let after = last.map(|(namespace, key)| cursor(namespace, key));
            return Look { found, after };
        }
        if older {
            bytes += size;
            found.push((cursor(namespace, key), *entry));
        }
        last = Some((namespace, key));
    }
    Look { found, after: None }
}

fn cursor(namespace: &crate::Namespace, key: &str) -> Cursor {
    Cursor { namespace: namespace.clone(), key: key.to_owned() }
}

/// Says whether there is still a store to go on with.
async fn move_all(
    shared: &Shared,
    jobs: &mpsc::WeakSender<Job>,
    room: &Arc<Semaphore>,
    found: Vec<(Cursor, Entry)>,
) -> Result<bool, StoreError> {
    if found.is_empty() {
        return Ok(true);
    }
    let mut writes = Vec::with_capacity(found.len());
    for (at, entry) in found {
        // A record that changed since the look is no business of ours any more.
        if let Some(record) = shared.fetch(&at.namespace, &at.key).await?
            && record.version == entry.version
        {
            writes.push(Write::reseal(at, record.version, record.value));
        }
    }
    let bytes = writes.iter().map(Write::cost_bytes).sum();
    let share = u32::try_from(bytes).map_err(|_| StoreError::Busy)?;
    // The semaphore is never closed.
    let Ok(room) = Arc::clone(room).acquire_many_owned(share).await else { return Ok(false) };
    let (answer, outcome) = oneshot::channel();
    // Held for no longer than this: the store ends with the last handle, whatever is left to be moved.
    let Some(sender) = jobs.upgrade() else { return Ok(false) };
    let sent = sender.try_send(Job::Batch(Batch { writes, bytes, answer, room }));
    drop(sender);
    match sent {
        Ok(()) => Ok(matches!(outcome.await, Ok(Ok(_)))),
        Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Busy),
        Err(mpsc::error::TrySendError::Closed(_)) => Ok(false),
    }
}
