//! Keeps one enclave running: starts it, waits for its end, says why, waits, starts it again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use r3e_transport::Endpoint;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::error::LaunchError;
use super::host::{self, Enclave};
use super::state::{Phase, State};
use super::{Host, Launch, Restart};
use crate::blobs::postgres::{Lease, LeaseState};
use crate::counters::Count;
use crate::limits::{HEARTBEAT_LOOK_MS, STEADY_AFTER_MS, STOP_DURING_START_MS};
use crate::preflight;

/// Starts enclaves, one after the other.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) launch: Launch,
    pub(super) endpoint: Endpoint,
    /// Of this enclave alone.
    pub(super) beats: Arc<Count>,
    pub(super) state: Arc<State>,
    /// Without the lease of the store there is no enclave: it would read what another one writes over.
    pub(super) lease: Option<Lease>,
    /// What to do when it ends.
    pub(super) afterwards: Arc<Afterwards>,
    /// Turns true when there shall be no enclave any more.
    pub(super) stopping: watch::Receiver<bool>,
}

/// What is done when an enclave ends: it may change until then. A successor is started once, and kept running once it took over.
#[derive(Debug)]
pub(super) struct Afterwards(Mutex<Plan>);

#[derive(Debug)]
struct Plan {
    restart: Restart,
    /// It has ended for good.
    over: bool,
}

impl Afterwards {
    pub(super) fn new(restart: Restart) -> Self {
        Self(Mutex::new(Plan { restart, over: false }))
    }

    /// False, and nothing is done, where it has ended for good.
    pub(super) fn set(&self, restart: Restart) -> bool {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.restart = restart;
        !plan.over
    }

    /// It has ended. With [`Restart::Never`], that is for good.
    fn decide(&self) -> Restart {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.over = plan.restart == Restart::Never;
        plan.restart
    }
}

/// Why the supervisor is done.
#[derive(Debug)]
pub(super) enum Done {
    /// It was asked to, and the enclave is gone.
    Stopped,
    /// The enclave ended, and is not to be started again.
    Ended(LaunchError),
}

impl Supervisor {
    /// Runs until it is told to stop, or the one enclave it may start has ended.
    pub(super) async fn run(self) -> Done {
        let mut pause = None;
        loop {
            if let Some(lease) = &self.lease
                && !matches!(lease.state(), LeaseState::Held { .. })
            {
                self.state.on_standby();
                info!("on standby: the enclave is started once this parent holds the store's lease");
                tokio::select! {
                    () = lease.held() => {}
                    () = asked(self.stopping.clone()) => {
                        self.state.ended("the parent was asked to stop", None);
                        return Done::Stopped;
                    }
                }
            }
            self.state.starting();
            let began = Instant::now();
            let stopping = async {
                asked(self.stopping.clone()).await;
                self.let_start_finish().await;
            };
            let mut enclave = None;
            let ended = tokio::select! {
                ended = self.one_life(&mut enclave) => ended,
                () = self.overtaken() => LaunchError::Ended("another parent has taken the store's lease".into()),
                () = stopping => {
                    self.put_away(enclave).await;
                    self.state.ended("the parent was asked to stop", None);
                    return Done::Stopped;
                }
            };
            // An emulator whose enclave is silent still runs.
            self.put_away(enclave).await;
            let why = ended.to_string();
            let Restart::Backoff { first_ms, max_ms } = self.afterwards.decide() else {
                error!(why, "there is no enclave any more, and it is not started again");
                self.state.ended(&why, None);
                return Done::Ended(ended);
            };
            let steady = began.elapsed() >= Duration::from_millis(STEADY_AFTER_MS);
            let ms = next_pause_ms(pause.filter(|_| !steady), first_ms, max_ms);
            pause = Some(ms);
            error!(why, restart_in_ms = ms, "there is no enclave");
            self.state.ended(&why, Some(Duration::from_millis(ms)));
            tokio::select! {
                () = sleep(Duration::from_millis(ms)) => {}
                () = asked(self.stopping.clone()) => {
                    self.state.ended(&why, None);
                    return Done::Stopped;
                }
            }
        }
    }

    /// Waits until another parent holds the lease; for ever, where there is none to hold.
    async fn overtaken(&self) {
        match &self.lease {
            Some(lease) => lease.taken().await,
            None => std::future::pending().await,
        }
    }

    /// From start to end; only an error comes back. What was started stands in `slot`, so that it can be ended
    /// when this future is dropped.
    async fn one_life(&self, slot: &mut Option<Enclave>) -> LaunchError {
        match self.try_one_life(slot).await {
            Ok(why) => LaunchError::Ended(why),
            Err(error) => error,
        }
    }

    async fn try_one_life(&self, slot: &mut Option<Enclave>) -> Result<String, LaunchError> {
        // The file may have changed since the last start.
        preflight::allow_image(&self.launch).await.map_err(LaunchError::Image)?;
        host::clean(&self.launch, &self.endpoint).await?;
        let beats = self.beats.get();
        let began = Instant::now();
        info!(image = %self.launch.image.display(), "starting the enclave");
        let enclave = slot.insert(host::start(&self.launch, &self.endpoint).await?);
        if enclave.beats_at_parent() {
            let limit = Duration::from_millis(self.launch.boot_timeout_ms);
            tokio::select! {
                came = timeout(limit, self.heartbeat_after(beats)) => if came.is_err() {
                    let (ms, console) = (self.launch.boot_timeout_ms, enclave.last_words());
                    return Err(LaunchError::NoHeartbeat { ms, console });
                },
                why = enclave.ended(&self.state) => return Ok(format!("before its heartbeat, {why}")),
            }
        }
        let boot_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(boot_ms, id = enclave.id().unwrap_or("-"), "the enclave runs");
        self.state.running(enclave.id());
        Ok(enclave.ended(&self.state).await)
    }

    async fn heartbeat_after(&self, beats: u64) {
        while self.beats.get() <= beats {
            sleep(Duration::from_millis(HEARTBEAT_LOOK_MS)).await;
        }
    }

    /// A `nitro-cli` that is cut off leaves a process behind that goes on starting the enclave, unseen: better to let
    /// it finish, and end the enclave then.
    async fn let_start_finish(&self) {
        let start_finishes = async {
            while self.state.snapshot().phase == Phase::Starting {
                sleep(Duration::from_millis(HEARTBEAT_LOOK_MS)).await;
            }
        };
        if let Host::Nitro { .. } = self.launch.host
            && timeout(Duration::from_millis(STOP_DURING_START_MS), start_finishes).await.is_err()
        {
            warn!("the enclave is still starting: the start is cut off");
        }
    }

    /// Ends the enclave, and what a start that was cut off may have left.
    async fn put_away(&self, enclave: Option<Enclave>) {
        if let Some(mut enclave) = enclave
            && let Err(error) = enclave.stop().await
        {
            // One that has ended by itself cannot be terminated; `clean` looks whether it is still there.
            info!(%error, "the enclave was not terminated by its id");
        }
        if let Err(error) = host::clean(&self.launch, &self.endpoint).await {
            warn!(%error, "cannot see whether an enclave is left; nitro-cli describe-enclaves tells");
        }
    }
}

/// Waits until the parent is asked to stop, or is gone.
async fn asked(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone has no more use for an enclave.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// How long to wait, after a wait of `last`: twice as long, and at least a millisecond, so that doubling grows.
fn next_pause_ms(last: Option<u64>, first_ms: u64, max_ms: u64) -> u64 {
    last.map_or(first_ms, |last| last.saturating_mul(2)).min(max_ms).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_afterwards_changes_until_the_end() {
        let again = Restart::Backoff { first_ms: 1, max_ms: 2 };
        let afterwards = Afterwards::new(Restart::Never);
        assert!(afterwards.set(again));
        assert_eq!(afterwards.decide(), again);
        assert!(afterwards.set(Restart::Never), "it was started again");
        assert_eq!(afterwards.decide(), Restart::Never);
        assert!(!afterwards.set(again), "it has ended for good");
    }

    #[test]
    fn waits_double_from_the_first_to_the_longest() {
        let waits = |first_ms, max_ms| {
            let mut last = None;
            let mut next = || *last.insert(next_pause_ms(last, first_ms, max_ms));
            [next(), next(), next(), next()]
        };
        assert_eq!(waits(10, 50), [10, 20, 40, 50]);
        assert_eq!(waits(0, 3), [1, 2, 3, 3]);
        assert_eq!(waits(90, 50), [50; 4]);
        assert_eq!(waits(u64::MAX, u64::MAX), [u64::MAX; 4]);
    }
}
