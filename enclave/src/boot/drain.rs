//! The end of jobs' work, when the appliance is told to stop: nothing is begun any more, and what is under way may end.

use std::future::Future;
use std::pin::pin;
use std::sync::Weak;

use r3e_jobs::Jobs;
use tokio::sync::watch;

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
