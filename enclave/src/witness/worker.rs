//! One peer: a task that asks it whatever was asked last. What was asked meanwhile and is not the latest any more is left out:
//! the latest commit stands for those before it. Whatever it answers is held against what this process had recorded, whether
//! anybody waits for that answer or not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_proto::api::witness::WitnessPeer;
use r3e_proto::witness::Commit;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::line::Problem;
use super::ours::Ours;
use crate::limits::{WITNESS_PEER_PAUSE, WITNESS_ROUND_TIMEOUT};

/// What all of them share.
pub(super) struct Shared {
    /// What this process had recorded.
    pub(super) ours: Ours,
    /// The time, in Unix milliseconds.
    pub(super) time: Box<dyn Fn() -> u64 + Send + Sync>,
    /// After so long without a question, a peer is asked what it remembers.
    pub(super) ping: Duration,
}

/// What a peer is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    /// What it remembers.
    Last,
    /// To remember this, which has this signature.
    Record(Commit, [u8; 64]),
}

/// What all peers are asked now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) round: u64,
    pub(super) task: Task,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) round: u64,
    /// What the peer remembers.
    pub(super) outcome: Result<Option<Commit>, ()>,
}

/// How a peer is asked.
pub(super) trait PeerLine: Send + 'static {
    /// Asks it; what it remembers, verified.
    fn ask(&mut self, task: Task) -> impl Future<Output = Result<Option<Commit>, Problem>> + Send;

    /// Leaves the connection, after it did not answer.
    fn hang_up(&mut self);
}

/// A peer, as the status names it.
#[derive(Debug, Clone)]
pub(super) struct Called {
    pub(super) name: String,
    /// `HOST:PORT`.
    pub(super) host: String,
}

/// A peer, from the outside.
pub(super) struct Worker {
    called: Called,
    done: watch::Receiver<Done>,
    met: Arc<Mutex<Met>>,
}

/// How it was met last, for the status.
#[derive(Debug, Clone, Default)]
struct Met {
    confirms: bool,
    signed: Option<(Commit, u64)>,
    problem: Option<String>,
}

impl Worker {
    /// Begins to ask by `line`. Must be called within a tokio runtime.
    pub(super) fn start(
        called: Called,
        line: impl PeerLine,
        asked: watch::Receiver<Asked>,
        shared: Arc<Shared>,
    ) -> Self {
        let met = Arc::new(Mutex::new(Met::default()));
        let (say, done) = watch::channel(Done { round: 0, outcome: Err(()) });
        let name = called.name.clone();
        let asking = Asking { name, line, shared, met: Arc::clone(&met), pause_until: None };
        tokio::spawn(asking.run(asked, say));
        Self { called, done, met }
    }

    pub(super) fn done(&self) -> watch::Receiver<Done> {
        self.done.clone()
    }

    pub(super) fn status(&self) -> WitnessPeer {
        let met = lock(&self.met).clone();
        WitnessPeer {
            name: self.called.name.clone(),
            host: self.called.host.clone(),
            confirms: met.confirms,
            sequence: met.signed.map(|(commit, _)| commit.sequence),
            at_ms: met.signed.map(|(_, at_ms)| at_ms),
            problem: met.problem,
        }
    }
}

/// The task.
struct Asking<L> {
    name: String,
    line: L,
    shared: Arc<Shared>,
    met: Arc<Mutex<Met>>,
    /// Until then it is not asked again.
    pause_until: Option<Instant>,
}

impl<L: PeerLine> Asking<L> {
    /// Asks what is asked, until nobody asks any more.
    async fn run(mut self, mut asked: watch::Receiver<Asked>, say: watch::Sender<Done>) {
        loop {
            let task = match timeout(self.shared.ping, asked.changed()).await {
                Ok(Err(_)) => return,
                Ok(Ok(())) => Some(*asked.borrow_and_update()),
                // Nothing is asked: it is seen whether the peer would answer, and the connection stays open.
                Err(_) => None,
            };
            let outcome = self.ask(task.map_or(Task::Last, |asked| asked.task)).await;
            if let Some(Asked { round, .. }) = task {
                say.send_replace(Done { round, outcome });
            }
        }
    }

    async fn ask(&mut self, task: Task) -> Result<Option<Commit>, ()> {
        if self.pause_until.is_some_and(|until| Instant::now() < until) {
            return Err(());
        }
        self.pause_until = None;
        let answered = match timeout(WITNESS_ROUND_TIMEOUT, self.line.ask(task)).await {
            Ok(answered) => answered,
            Err(_) => Err(Problem::Slow),
        };
        let mut met = lock(&self.met);
        match answered {
            Ok(last) => {
                let now_ms = (self.shared.time)();
                if !met.confirms {
                    tracing::info!(peer = self.name, "a witness peer answers");
                }
                let signed = last.map(|commit| (commit, now_ms)).or(met.signed);
                *met = Met { confirms: true, signed, problem: None };
                drop(met);
                if let Some(last) = last {
                    self.shared.ours.heard(last);
                }
                Ok(last)
            }
            Err(problem) => {
                let text = problem.to_string();
                if met.problem.as_ref() != Some(&text) {
                    tracing::warn!(peer = self.name, problem = text, "a witness peer does not answer");
                }
                (met.confirms, met.problem) = (false, Some(text));
                drop(met);
                self.line.hang_up();
                self.pause_until = Some(Instant::now() + WITNESS_PEER_PAUSE);
                Err(())
            }
        }
    }
}

fn lock(met: &Mutex<Met>) -> MutexGuard<'_, Met> {
    met.lock().unwrap_or_else(PoisonError::into_inner)
}
