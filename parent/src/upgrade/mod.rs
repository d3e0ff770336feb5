//! From the enclave that serves to its successor, another image or configuration, without a pause for clients.
//!
//! The successor is started beside the enclave that serves, with ports of its own in front of the same store. It asks on its
//! lifecycle port whom it succeeds, and is led to the other: the two verify each other, and one hands the other what it needs,
//! inside a channel that nobody here can read. Once the successor says that it serves, new connections lead to it; the old
//! ones end where they are, and then the old enclave.
//!
//! Whether an enclave may succeed another is for the two to decide, by the signed manifest. All that is decided here is when
//! they meet. Until the successor's first commit, a failure leaves the enclave that serves as it was. From that commit on the
//! store takes no other from the old one, and nothing goes back: the successor is kept running, and its unlock provider brings it
//! back, whatever became of it.

mod course;
mod error;
mod lifecycle;
mod order;
mod record;
mod successor;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use r3e_transport::{Endpoint, ParentTransport};
use tokio::sync::{Mutex as Turn, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{error, info};

pub use error::UpgradeError;
pub(crate) use lifecycle::Lifecycle;
pub use order::{Line, Order, Step};
pub use record::{InsteadOf, in_force};

use course::Course;

use crate::blobs::postgres::Lease;
use crate::forwarder::Targets;
use crate::launch::{End, Launch, LaunchError, Post, State};
use crate::limits::MAX_WAITING_STEPS;
use crate::ports::{Common, Ports};
use crate::preflight::Machine;

/// All that an upgrade needs of the parent, and the one that is under way.
#[derive(Debug)]
pub(crate) struct Upgrades {
    means: Means,
    /// The enclave that serves. An upgrade has it until it is done.
    seat: Arc<Turn<Seat>>,
    /// Tells of the end of the enclave that serves, where this process starts it.
    end: watch::Sender<Option<End>>,
    stopping: watch::Sender<bool>,
    under_way: Mutex<Option<JoinHandle<()>>>,
}

/// What stays the same from one enclave to the next.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    /// What the ports of all enclaves lead to.
    pub(crate) common: Common,
    /// Of the first enclave, from which those of others are made.
    pub(crate) transport: ParentTransport,
    /// Where clients are led.
    pub(crate) targets: Arc<Targets>,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Whether the parent answers heartbeats.
    pub(crate) heartbeat: bool,
    /// How long clients' connections may go on at an enclave that was succeeded.
    pub(crate) drain_timeout_ms: u64,
    /// Without a byte between an enclave and its successor.
    pub(crate) idle_timeout_ms: u64,
    /// Of the store.
    pub(crate) lease: Option<Lease>,
}

/// An enclave, and all that this parent has for it alone.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) ports: Ports,
    pub(crate) configuration: Configuration,
    /// Where this process starts it.
    pub(crate) crew: Option<Crewed>,
}

/// An enclave's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Arc<[u8]>,
}

/// How this process starts enclaves.
#[derive(Debug, Clone)]
pub(crate) struct Crew {
    pub(crate) launch: Launch,
    /// The endpoint of the first place.
    pub(crate) first: Endpoint,
    pub(crate) machine: Machine,
    /// What the settings name, where that could be measured.
    pub(crate) instead_of: Option<InsteadOf>,
}

/// An enclave that this process has started.
#[derive(Debug)]
pub(crate) struct Crewed {
    pub(crate) crew: Crew,
    pub(crate) post: Post,
}

/// An upgrade that was ordered. Dropped before the successor has taken over, it is cancelled; afterwards it goes on.
#[derive(Debug)]
pub(crate) struct Ordered {
    /// Its steps and, last, its outcome.
    pub(crate) lines: mpsc::Receiver<Line>,
    _here: oneshot::Sender<()>,
}

impl Upgrades {
    /// With an enclave whose ports are served, and which someone else starts.
    pub(crate) fn new(means: Means, ports: Ports, configuration: Configuration) -> Self {
        let seat = Arc::new(Turn::new(Seat { ports, configuration, crew: None }));
        let (end, stopping) = (watch::Sender::new(None), watch::Sender::new(false));
        Self { means, seat, end, stopping, under_way: Mutex::new(None) }
    }

    /// Starts the enclave here, and keeps it running.
    pub(crate) async fn supervise(&self, crew: Crew, state: Arc<State>) {
        let mut seat = self.seat.lock().await;
        let endpoint = crew.launch.endpoint(&crew.first);
        let (launch, beats) = (crew.launch.clone(), seat.ports.beats());
        let post = Post::start(launch, endpoint, state, beats, self.means.lease.clone());
        self.end.send_replace(Some(post.end()));
        seat.crew = Some(Crewed { crew, post });
    }

    /// Waits until the enclave that serves, whichever it is then, has ended for good.
    pub(crate) async fn ended(&self) -> Arc<LaunchError> {
        let mut ends = self.end.subscribe();
        loop {
            let end = ends.borrow_and_update().clone();
            tokio::select! {
                why = async {
                    match end {
                        Some(mut end) => end.wait().await,
                        None => std::future::pending().await,
                    }
                } => return why,
                // The sender is this one's own.
                _ = ends.changed() => {}
            }
        }
    }

    /// Whether one is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.seat.try_lock().is_err()
    }

    /// Begins an upgrade.
    pub(crate) fn order(self: &Arc<Self>, order: Order) -> Result<Ordered, UpgradeError> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.stopping.borrow() {
            return Err(UpgradeError::Stopping);
        }
        let seat = Arc::clone(&self.seat).try_lock_owned().map_err(|_| UpgradeError::Busy)?;
        let (lines, told) = mpsc::channel(MAX_WAITING_STEPS);
        let (here, left) = oneshot::channel();
        let course = Course::new(self.means.clone(), self.stopping.subscribe(), left, lines.clone());
        let upgrades = Arc::clone(self);
        *under_way = Some(tokio::spawn(async move {
            let mut seat = seat;
            let last = match course.run(order, &mut seat, &upgrades.end).await {
                Ok(last) => {
                    if let Line::Done { .. } = last {
                        info!("the upgrade is done");
                    }
                    last
                }
                Err(failed) => {
                    let words = failed.to_string();
                    error!(
                        code = failed.code(),
                        words, "there was no upgrade: the enclave that served goes on"
                    );
                    let code = failed.code().to_owned();
                    let findings = match failed {
                        UpgradeError::Preflight(findings) => findings,
                        _ => Vec::new(),
                    };
                    Line::Failed { code, words, findings }
                }
            };
            // Before the last line is told: whoever reads it may order the next.
            drop(seat);
            // Nobody may be there any more.
            let _ = lines.send(last).await;
        }));
        Ok(Ordered { lines: told, _here: here })
    }

    /// Ends an upgrade that is under way, then the enclave that serves where this process started it, and closes its ports.
    pub(crate) async fn shutdown(&self) {
        self.stopping.send_replace(true);
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(under_way) = under_way
            && let Err(failure) = under_way.await
        {
            error!(%failure, "the upgrade failed");
        }
        let mut seat = self.seat.lock().await;
        if let Some(Crewed { post, .. }) = seat.crew.take() {
            post.stop().await;
        }
        seat.ports.close().await;
    }
}
