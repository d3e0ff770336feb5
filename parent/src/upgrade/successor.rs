//! A successor that does not serve yet: started, watched, and put away unless it has taken the state over.

use std::sync::Arc;
use std::time::Duration;

use r3e_transport::Endpoint;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::lifecycle::{Lifecycle, Said};
use super::{Crew, Crewed, Line, Means, Step, UpgradeError};
use crate::blobs::Commits;
use crate::launch::{End, LaunchError, Post, Restart};
use crate::limits::LAST_WORDS_MS;
use crate::ports::Ports;

/// An enclave that is to succeed the one that serves.
pub(super) struct Successor {
    pub(super) ports: Ports,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) commits: Arc<Commits>,
    /// Where this process starts it.
    pub(super) post: Option<Post>,
}

/// How far a successor has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It has committed: the one before can commit no more, and nothing goes back.
    TookOver,
    /// It serves.
    Serves,
}

/// Who may end a wait for a successor, and who hears of it.
pub(super) struct Wait<'a> {
    pub(super) stopping: &'a mut watch::Receiver<bool>,
    /// Ends when whoever ordered it has left; none where that changes nothing any more.
    pub(super) left: Option<&'a mut oneshot::Receiver<()>>,
    pub(super) lines: &'a mpsc::Sender<Line>,
    pub(super) timeout_ms: u64,
}

impl Successor {
    /// Waits until it serves, or, where it had not, has taken over.
    ///
    /// # Errors
    /// Why it does not come to that. It may have taken over all the same: [`Commits::close`] says.
    pub(super) async fn wait(&mut self, wait: Wait<'_>) -> Result<Came, UpgradeError> {
        let Wait { stopping, mut left, lines, timeout_ms } = wait;
        let mut said = self.lifecycle.said();
        let mut end = self.post.as_ref().map(Post::end);
        let had_taken_over = self.commits.stand();
        let too_late = sleep(Duration::from_millis(timeout_ms));
        tokio::pin!(too_late);
        loop {
            let now = said.borrow_and_update().clone();
            match now {
                Said::Serving => return Ok(Came::Serves),
                Said::Failed(why) => return Err(UpgradeError::Failed(why)),
                Said::Asked if !had_taken_over => {
                    let words = "the successor was led to the enclave that serves; they verify each other";
                    // Whoever ordered it may have left.
                    let _ = lines.send(Line::Step { step: Step::Introduced, words: words.to_owned() }).await;
                }
                Said::Asked | Said::Nothing => {}
            }
            let why = tokio::select! {
                // The sender is the lifecycle's own.
                _ = said.changed() => continue,
                () = self.commits.made(), if !had_taken_over => return Ok(Came::TookOver),
                why = ended(end.as_mut()) => why,
                () = &mut too_late => return Err(UpgradeError::Late { ms: timeout_ms, last: last_seen(&said) }),
                () = gone(left.as_deref_mut()) => return Err(UpgradeError::Cancelled),
                () = stopped(stopping) => return Err(UpgradeError::Stopping),
            };
            // What it said before its end may still be on its way, and says more.
            let last = timeout(Duration::from_millis(LAST_WORDS_MS), failed(&mut said)).await;
            return Err(last.map_or(UpgradeError::Ended(why), UpgradeError::Failed));
        }
    }

    /// Ends it.
    pub(super) async fn put_away(mut self) {
        if let Some(post) = self.post {
            post.stop().await;
        }
        self.ports.close().await;
    }
}

/// Keeps a successor running that was to be started once; where it has ended already, it is started again.
pub(super) fn keep_running(
    crew: Crew,
    post: Post,
    endpoint: &Endpoint,
    ports: &Ports,
    means: &Means,
) -> Crewed {
    let in_time = post.restart(crew.launch.restart);
    let post = if in_time || crew.launch.restart == Restart::Never {
        post
    } else {
        let (launch, state) = (crew.launch.clone(), Arc::clone(post.state()));
        Post::start(launch, endpoint.clone(), state, ports.beats(), means.lease.clone())
    };
    Crewed { crew, post }
}

/// Waits until the parent is asked to stop.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A parent that is gone has stopped.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Waits until whoever ordered it has left; for ever, where that changes nothing.
async fn gone(left: Option<&mut oneshot::Receiver<()>>) {
    match left {
        // Nothing is ever sent.
        Some(left) => drop(left.await),
        None => std::future::pending().await,
    }
}

/// Waits for the end of a successor that this process starts; for ever, where someone else does.
async fn ended(end: Option<&mut End>) -> Arc<LaunchError> {
    match end {
        Some(end) => end.wait().await,
        None => std::future::pending().await,
    }
}

/// Waits until the successor says why it failed; for ever, where it does not.
async fn failed(said: &mut watch::Receiver<Said>) -> String {
    let failed = said.wait_for(|said| matches!(said, Said::Failed(_))).await.map(|said| said.clone());
    match failed {
        Ok(Said::Failed(why)) => why,
        _ => std::future::pending().await,
    }
}

fn last_seen(said: &watch::Receiver<Said>) -> &'static str {
    match *said.borrow() {
        Said::Nothing => "never asked whom it succeeds: it did not boot, or is another release's",
        _ => "had been led to the enclave that serves",
    }
}
