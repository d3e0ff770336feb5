//! A node that took too long is left alone for a while: its silence is its answer to all that is asked meanwhile, so that it does not hold
//! up what the others agree on. For questions that any node answers at once: of others, whoever may choose them would have nodes left alone.

use std::collections::HashMap;
use std::sync::Mutex;

use r3e_chain::rpc::{Post, Transport, TransportError};
use tokio::time::Instant;

use super::lock;
use crate::limits::NODE_REST;

/// What a transport's error is called where the node took too long.
pub(super) const SILENT: &str = "timeout";

/// A transport that leaves a silent node of `inner` alone.
pub(crate) struct Resting<T> {
    inner: T,
    /// Until when.
    resting: Mutex<HashMap<usize, Instant>>,
}

impl<T> Resting<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, resting: Mutex::default() }
    }

    fn is_resting(&self, node: usize) -> bool {
        lock(&self.resting).get(&node).is_some_and(|until| Instant::now() < *until)
    }
}

impl<T: Transport> Transport for Resting<T> {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(async move {
            if self.is_resting(endpoint) {
                return Err(TransportError { code: SILENT });
            }
            let answer = self.inner.post(endpoint, body, max_bytes).await;
            let mut resting = lock(&self.resting);
            match answer {
                Err(TransportError { code: SILENT }) => {
                    resting.insert(endpoint, Instant::now() + NODE_REST);
                }
                Ok(_) => drop(resting.remove(&endpoint)),
                // The parent's word, or ours.
                Err(_) => {}
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::counting::Counting;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_silent_is_left_alone_for_a_while() {
        let resting = Resting::new(Counting::default());
        let ask = async |node: usize| resting.post(node, Vec::new(), 1).await.map(|said| said.status);
        let silent = Err(TransportError { code: SILENT });
        let count = || resting.inner.0.load(Ordering::SeqCst);
        for _ in 0..3 {
            assert_eq!(ask(Counting::SILENT).await, silent);
        }
        assert_eq!(count(), 1);
        // The others are asked.
        assert_eq!(ask(0).await, Ok(1));
        assert!(ask(Counting::REFUSES).await.is_err());
        assert!(ask(Counting::REFUSES).await.is_err());
        assert_eq!(count(), 4);
        tokio::time::advance(NODE_REST).await;
        assert_eq!(ask(Counting::SILENT).await, silent);
        assert_eq!(count(), 5);
    }
}
