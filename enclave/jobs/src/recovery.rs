//! After a boot: the queue as the index says, and the attempts that were under way when the state was left. Each of these counts
//! as an attempt that was interrupted, and is retried or not as the policy says.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use r3e_proto::api::jobs::JobState;

use crate::attempts::{end, not_run};
use crate::changes::{GivenUp, read_through};
use crate::index::Place;
use crate::jobs::Inner;
use crate::limits::RECOVERED_AT_ONCE;
use crate::record::{Address, Ended, INTERRUPTED};

/// Puts every job on the board, and claims those whose attempts were under way.
pub(crate) fn take_over(inner: &Inner, all: Vec<(Address, Place)>) -> Vec<Address> {
    let now_ms = inner.now_ms();
    let mut board = inner.board();
    let mut interrupted = Vec::new();
    let count = all.len();
    for (address, place) in all {
        board.add(address, place, now_ms);
        if place.state() == JobState::Running && board.claim(address).is_some() {
            interrupted.push(address);
        }
    }
    drop(board);
    if count > 0 {
        tracing::info!(jobs = count, interrupted = interrupted.len(), "jobs taken over");
    }
    interrupted
}

/// Settles those attempts.
pub(crate) async fn settle(inner: Arc<Inner>, interrupted: Vec<Address>) {
    let places = Arc::new(Semaphore::new(RECOVERED_AT_ONCE));
    let mut settling = JoinSet::new();
    for address in interrupted {
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let inner = Arc::clone(&inner);
        settling.spawn(async move {
            let _place = place;
            if let Ok(place) = settle_one(&inner, address).await {
                inner.release(address, place);
            }
        });
    }
    while settling.join_next().await.is_some() {}
}

async fn settle_one(inner: &Inner, address: Address) -> Result<Option<Place>, GivenUp> {
    let Some(standing) = read_through(&inner.store, &inner.phase, address).await? else { return Ok(None) };
    if standing.record.job.state != JobState::Running {
        return Ok(Some(standing.record.place()));
    }
    inner.tallies.interrupted.add();
    let number = standing.record.job.attempts.len();
    let message = format!(
        "the appliance stopped, was killed or was handed over while attempt {number} was under way: the function may have run \
         whole, in part or not at all, and what it wrote stands"
    );
    end(inner, address, standing, &Ended::Interrupted, &not_run(INTERRUPTED, message)).await
}
