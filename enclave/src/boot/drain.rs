//! The end of the work of jobs, feeds and transactions, when the appliance is told to stop or has given way: nothing is begun any more, and what is under way
//! may end.

use std::future::Future;
use std::pin::pin;
use std::sync::Weak;

use r3e_jobs::Jobs;
use tokio::sync::watch;

use crate::appliance::Appliance;
use crate::limits::DRAIN_TIMEOUT;

/// Serves to the end, and beside it lets attempts of jobs end from the order to stop on. What is not done in time is settled
/// by the next boot.
pub(super) async fn drained<T>(
    served: impl Future<Output = T>,
    mut stop: watch::Receiver<bool>,
    jobs: Weak<Jobs>,
) -> T {
    let stopped = stop.clone();
    let mut served = pin!(served);
    let mut draining = pin!(async move {
        let stops = stop.wait_for(|stop| *stop).await.is_ok();
        if let (true, Some(jobs)) = (stops, jobs.upgrade()) {
            jobs.pause(DRAIN_TIMEOUT).await;
        }
    });
    tokio::select! {
        outcome = &mut served => {
            if *stopped.borrow() {
                draining.await;
            }
            return outcome;
        }
        () = &mut draining => {}
    }
    served.await
}

/// Waits for the order to stop, or for a successor that has taken over; then feeds have no more rounds, and nothing is sent to chains.
pub(super) async fn closed(
    mut stop: watch::Receiver<bool>,
    mut superseded: watch::Receiver<bool>,
    appliance: Weak<Appliance>,
) {
    // Where nobody is left to say the one, the other may still be said.
    let said = async |receiver: &mut watch::Receiver<bool>| {
        if receiver.wait_for(|said| *said).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = said(&mut stop) => {}
        () = said(&mut superseded) => {}
    }
    if let Some(appliance) = appliance.upgrade() {
        appliance.feeds.close();
        appliance.publisher.close();
        appliance.transactions.close();
        appliance.neo_transactions.close();
    }
}
