//! Work that is finished once it was begun, whoever still waits for it: a request's future is dropped where its client goes
//! away, and what must follow a commit must follow it then, too.

use std::future::Future;

use r3e_store::StoreError;

use super::ServiceError;

/// Does `work` to its end, also if this future is dropped before.
///
/// # Errors
/// Those of `work`; [`StoreError::Unconfirmed`] if it ended half way, as it does when the appliance stops.
pub(super) async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(StoreError::Unconfirmed.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn what_was_begun_is_finished_after_its_caller_is_gone() {
        let (begun, go, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begins, goes, ends) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&done));
        let caller = tokio::spawn(finish(async move {
            begins.notify_one();
            goes.notified().await;
            ends.notify_one();
            Ok(())
        }));
        begun.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.notify_one();
        done.notified().await;
    }

    #[tokio::test]
    async fn work_that_ends_half_way_is_not_known_to_stand() {
        let outcome = finish::<()>(async { panic!("half way") }).await;
        assert!(matches!(outcome, Err(ServiceError::Store(StoreError::Unconfirmed))));
    }
}
