//! A transport that says how often it was asked, after a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use r3e_chain::rpc::{Post, Posted, Transport, TransportError};

use super::recent::NO_ROOM;
use super::resting::SILENT;
use crate::limits::MAX_RECENT_ANSWERS_BYTES;

#[derive(Default)]
pub(super) struct Counting(pub(super) AtomicUsize);

impl Counting {
    /// The node for which there is no room.
    pub(super) const FULL: usize = 7;
    /// The one that refuses.
    pub(super) const REFUSES: usize = 8;
    /// The one that says nothing.
    pub(super) const SILENT: usize = 9;
}

impl Transport for Counting {
    fn post(&self, endpoint: usize, body: Vec<u8>, _: usize) -> Post<'_> {
        Box::pin(async move {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            let code = match endpoint {
                Self::FULL => NO_ROOM,
                Self::REFUSES => "connection_refused",
                Self::SILENT => SILENT,
                _ => {
                    let big = if body.is_empty() { 0 } else { MAX_RECENT_ANSWERS_BYTES / 2 };
                    return Ok(Posted {
                        status: u16::try_from(count).unwrap_or(u16::MAX),
                        body: vec![0; big],
                    });
                }
            };
            Err(TransportError { code })
        })
    }
}
