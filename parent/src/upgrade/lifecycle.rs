//! The lifecycle port of one enclave: whether it is to succeed another, the way to that one, and what it says of itself.
//!
//! A successor's bytes to its predecessor go through here unread. What an enclave says is believed as far as it goes: that
//! it serves leads clients to it, and they verify it; that it failed ends the upgrade.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use r3e_proto::host::lifecycle::{MAX_MESSAGE_BYTES, Reply, Request};
use r3e_proto::limits::MAX_FAILURE_TEXT_BYTES;
use r3e_transport::Stream;
use r3e_transport::frame::{FrameError, read_frame, write_frame};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::blobs::Commits;
use crate::finding::shown;
use crate::forwarder::Target;
use crate::limits::SHORT_EXCHANGE_TIMEOUT_MS;
use crate::orders::Orders;
use crate::relay::Moved;

/// What one enclave is told of its life, and what it has said of it.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    /// None: an ordinary boot.
    offer: Mutex<Option<Arc<Offer>>>,
    said: watch::Sender<Said>,
    /// Whether clients are led to it, if it serves.
    led: watch::Sender<bool>,
}

/// What an enclave has said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// It asked for its predecessor, and was offered one.
    Asked,
    /// It serves.
    Serving,
    /// It does not come to serve, in its words.
    Failed(String),
}

/// A predecessor.
#[derive(Debug)]
struct Offer {
    manifest: Vec<u8>,
    predecessor: Arc<Target>,
    idle: Duration,
    /// The successor's: with the first, it has succeeded, and boots as any other.
    commits: Arc<Commits>,
}

impl Lifecycle {
    /// Of an enclave that succeeds nobody.
    pub(crate) fn ordinary() -> Arc<Self> {
        Arc::new(Self {
            offer: Mutex::new(None),
            said: watch::Sender::new(Said::Nothing),
            led: watch::Sender::new(true),
        })
    }

    /// Of a successor of `predecessor`, by the signed `manifest`, until one of its own `commits` stands. A connection of the two
    /// without a byte for `idle` is ended.
    pub(crate) fn successor(
        manifest: Vec<u8>,
        predecessor: Arc<Target>,
        idle: Duration,
        commits: Arc<Commits>,
    ) -> Arc<Self> {
        Arc::new(Self {
            offer: Mutex::new(Some(Arc::new(Offer { manifest, predecessor, idle, commits }))),
            said: watch::Sender::new(Said::Nothing),
            led: watch::Sender::new(false),
        })
    }

    /// What it says, as it says it.
    pub(crate) fn said(&self) -> watch::Receiver<Said> {
        self.said.subscribe()
    }

    /// Clients are led to it: from now on it succeeds nobody, should it boot again.
    pub(crate) fn settle(&self) {
        *self.offer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.led.send_replace(true);
    }

    /// Serves one connection of the enclave's: one request, one reply, and then the predecessor's bytes.
    pub(crate) async fn serve(self: Arc<Self>, mut enclave: Stream, orders: Orders) {
        let asked = within(async {
            let body = read_frame(&mut enclave, MAX_MESSAGE_BYTES).await?;
            Request::decode(&body)
                .map_err(|error| FrameError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
        });
        let served = match asked.await {
            Ok(Request::Predecessor) => self.predecessor(enclave).await,
            Ok(Request::Serving) => {
                info!("the enclave serves");
                self.says(Said::Serving);
                // The answer says that clients come, so that it may tell its predecessor.
                let led = timeout(
                    Duration::from_millis(SHORT_EXCHANGE_TIMEOUT_MS),
                    self.led.subscribe().wait_for(|led| *led),
                )
                .await
                .is_ok();
                if led { reply(&mut enclave, &Reply::Noted).await } else { Ok(()) }
            }
            Ok(Request::RestoreOrder) => restore_order(&mut enclave, &orders).await,
            Ok(Request::Failed(why)) => {
                let why = shown(why.as_bytes(), MAX_FAILURE_TEXT_BYTES);
                warn!(why, "the enclave does not succeed its predecessor");
                self.says(Said::Failed(why));
                reply(&mut enclave, &Reply::Noted).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            warn!(%error, "closed a lifecycle connection");
        }
    }

    /// Whom to succeed; where there is one, both are connected until either has enough.
    async fn predecessor(&self, mut enclave: Stream) -> Result<(), FrameError> {
        let offer = self.offer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(offer) = offer.filter(|offer| !offer.commits.stand()) else {
            return reply(&mut enclave, &Reply::None).await;
        };
        // Before it is offered: an enclave whose question is closed unanswered asks again.
        let mut predecessor =
            offer.predecessor.dial().await.map_err(|error| FrameError::Io(std::io::Error::other(error)))?;
        reply(&mut enclave, &Reply::Offered { manifest: offer.manifest.clone() }).await?;
        info!("led the successor to its predecessor");
        self.says(Said::Asked);
        let (forth, back) = (AtomicU64::new(0), AtomicU64::new(0));
        let moved = Moved { forth: &forth, back: &back };
        let ended = offer.predecessor.carry(&mut enclave, &mut predecessor, offer.idle, moved).await;
        info!(
            ?ended,
            bytes = forth.into_inner() + back.into_inner(),
            "successor and predecessor have parted"
        );
        Ok(())
    }

    /// Once it serves, or has failed, nothing before that counts any more.
    fn says(&self, new: Said) {
        self.said.send_if_modified(|said| {
            let goes_on = !matches!(said, Said::Serving | Said::Failed(_)) && *said != new;
            if goes_on {
                *said = new;
            }
            goes_on
        });
    }
}

/// The order to restore, if there is one that can be read.
async fn restore_order(enclave: &mut Stream, orders: &Orders) -> Result<(), FrameError> {
    let order = orders.read().unwrap_or_else(|error| {
        warn!(%error, "the order to restore is not handed out");
        None
    });
    if order.is_some() {
        info!("handed out the order to restore");
    }
    reply(enclave, &order.map_or(Reply::None, Reply::RestoreOrder)).await
}

async fn reply(enclave: &mut Stream, reply: &Reply) -> Result<(), FrameError> {
    within(write_frame(enclave, &reply.encode(), MAX_MESSAGE_BYTES)).await
}

/// A short exchange with the enclave, in its time.
async fn within<T>(exchange: impl Future<Output = Result<T, FrameError>>) -> Result<T, FrameError> {
    let late = |_| FrameError::Io(std::io::ErrorKind::TimedOut.into());
    timeout(Duration::from_millis(SHORT_EXCHANGE_TIMEOUT_MS), exchange).await.map_err(late)?
}
