//! Changes that are carried through: a commit that was neither confirmed nor refused is made again, until it is either. Its
//! condition is the version that stood, so that it takes effect once.

use std::time::Duration;

use r3e_store::{Store, StoreError, Write};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::error::JobsError;
use crate::limits::{FIRST_CHANGE_PAUSE, LAST_CHANGE_PAUSE};
use crate::record::Address;
use crate::spaces::{self, Standing};

/// Whether jobs are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// They are.
    Open,
    /// What is under way goes on, and nothing is begun.
    Paused,
    /// Nobody works on them here any more.
    Closed,
}

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Changed {
    /// It stands, in this try or an earlier one, and the record has this version; 0 where it is deleted.
    Stands(u64),
    /// Another record stands, or none: the change does not.
    Other(Option<Box<Standing>>),
}

/// It is not known whether the change stands, and this process will not learn it: the store is closed, or has refused for good.
#[derive(Debug)]
pub(crate) struct GivenUp;

/// Carries a change of one job's record through; `wanted` is the record that it writes, none where it deletes it.
///
/// # Errors
/// [`GivenUp`]: whoever opens the state next finds out.
pub(crate) async fn carry_through(
    store: &Store,
    phase: &watch::Sender<Phase>,
    address: Address,
    writes: &[Write],
    wanted: Option<&[u8]>,
) -> Result<Changed, GivenUp> {
    let mut pauses = Pauses::new(phase);
    loop {
        match store.batch(writes.to_vec()).await {
            Ok(committed) => {
                let version = committed.versions.first().copied().flatten();
                return Ok(Changed::Stands(version.unwrap_or_default()));
            }
            Err(StoreError::Conflict { .. }) => match spaces::read(store, address).await {
                Ok(found) => {
                    let (stands, version) = found
                        .as_ref()
                        .map_or((None, 0), |standing| (Some(standing.bytes.as_bytes()), standing.version));
                    let is_ours = stands == wanted;
                    return Ok(if is_ours {
                        Changed::Stands(version)
                    } else {
                        Changed::Other(found.map(Box::new))
                    });
                }
                Err(JobsError::Store(error)) if error.may_pass() => {}
                Err(error) => return Err(given_up(&error)),
            },
            Err(error) if !error.may_pass() => return Err(given_up(&error.into())),
            Err(error) => tracing::debug!(%error, "a job's step is committed again"),
        }
        pauses.next().await?;
    }
}

/// Reads a job's record, again and again while the store does not answer.
///
/// # Errors
/// [`GivenUp`].
pub(crate) async fn read_through(
    store: &Store,
    phase: &watch::Sender<Phase>,
    address: Address,
) -> Result<Option<Standing>, GivenUp> {
    let mut pauses = Pauses::new(phase);
    loop {
        match spaces::read(store, address).await {
            Ok(found) => return Ok(found),
            Err(JobsError::Store(error)) if error.may_pass() => {}
            Err(error) => return Err(given_up(&error)),
        }
        pauses.next().await?;
    }
}

/// Longer and longer pauses between tries, until jobs are not worked on any more.
pub(crate) struct Pauses<'a> {
    phase: &'a watch::Sender<Phase>,
    pause: Duration,
}

impl<'a> Pauses<'a> {
    pub(crate) fn new(phase: &'a watch::Sender<Phase>) -> Self {
        Self { phase, pause: FIRST_CHANGE_PAUSE }
    }

    /// Waits for the next try.
    ///
    /// # Errors
    /// [`GivenUp`]: nobody works on jobs here any more.
    pub(crate) async fn next(&mut self) -> Result<(), GivenUp> {
        tokio::select! {
            () = closed(self.phase) => return Err(GivenUp),
            () = sleep(self.pause) => {}
        }
        self.pause = (self.pause * 2).min(LAST_CHANGE_PAUSE);
        Ok(())
    }
}

/// Waits until nobody works on jobs here any more.
pub(crate) async fn closed(phase: &watch::Sender<Phase>) {
    let mut changes = phase.subscribe();
    // The sender lives as long as whoever waits.
    drop(changes.wait_for(|phase| *phase == Phase::Closed).await);
}

/// Whether a write that ended so may stand nevertheless.
pub(crate) fn may_stand(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Unconfirmed)
}

fn given_up(error: &JobsError) -> GivenUp {
    tracing::error!(%error, "a job's step is left to whoever opens the state next");
    GivenUp
}
