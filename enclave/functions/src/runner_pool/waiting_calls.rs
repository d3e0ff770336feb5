//! Host calls under way, at most a handful, polled together.

use std::future::poll_fn;
use std::task::Poll;

use r3e_runner_api::HostReply;

use super::config::HostFuture;

/// The calls of one event.
#[derive(Default)]
pub(super) struct WaitingCalls<'a> {
    calls: Vec<(u32, HostFuture<'a>)>,
}

impl<'a> WaitingCalls<'a> {
    /// Adds one. The session bounds how many there can be.
    pub(super) fn push(&mut self, call_id: u32, answer: HostFuture<'a>) {
        self.calls.push((call_id, answer));
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The next that is answered; waits for ever when there is none. Safe to drop half way.
    pub(super) async fn next(&mut self) -> (u32, HostReply) {
        poll_fn(|cx| {
            for index in 0..self.calls.len() {
                let Some((call_id, answer)) = self.calls.get_mut(index) else { break };
                if let Poll::Ready(reply) = answer.as_mut().poll(cx) {
                    let call_id = *call_id;
                    drop(self.calls.swap_remove(index));
                    return Poll::Ready((call_id, reply));
                }
            }
            Poll::Pending
        })
        .await
    }
}
