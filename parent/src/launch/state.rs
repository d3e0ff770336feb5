//! What is known of the enclave, for the status. Written by the supervisor, read by the admin socket.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Host, Launch};

/// Where the enclave is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Being started; its heartbeat has not come.
    Starting,
    /// Up, since its heartbeat came.
    Running,
    /// It ended or did not start; the next start is due then.
    Waiting { until: Instant },
    /// It ended and stays so.
    Stopped,
    /// None is started before this parent holds the store's lease.
    Standby,
}

/// All that is known at one time.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) emulated: bool,
    pub(crate) debug_mode: bool,
    pub(crate) phase: Phase,
    /// Since when the phase holds.
    pub(crate) since: Instant,
    /// Starts so far.
    pub(crate) starts: u64,
    pub(crate) id: Option<String>,
    /// How the last one ended, or why it did not start.
    pub(crate) last_end: Option<String>,
    /// Why nobody can tell whether it runs.
    pub(crate) cannot_see: Option<String>,
}

/// Shared between the supervisor and who asks.
#[derive(Debug)]
pub(crate) struct State(Mutex<Snapshot>);

impl State {
    pub(crate) fn new(launch: &Launch) -> Self {
        Self(Mutex::new(Snapshot {
            emulated: matches!(launch.host, Host::Qemu { .. }),
            debug_mode: launch.debug_mode,
            phase: Phase::Starting,
            since: Instant::now(),
            starts: 0,
            id: None,
            last_end: None,
            cannot_see: None,
        }))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.change(|snapshot| snapshot.clone())
    }

    pub(super) fn starting(&self) {
        self.change(|snapshot| {
            snapshot.starts += 1;
            snapshot.enter(Phase::Starting);
        });
    }

    pub(super) fn on_standby(&self) {
        self.change(|snapshot| snapshot.enter(Phase::Standby));
    }

    pub(super) fn running(&self, id: Option<&str>) {
        self.change(|snapshot| {
            snapshot.id = id.map(str::to_owned);
            snapshot.enter(Phase::Running);
        });
    }

    /// It ended: `pause` until the next start, or none.
    pub(super) fn ended(&self, why: &str, pause: Option<Duration>) {
        self.change(|snapshot| {
            snapshot.id = None;
            snapshot.last_end = Some(why.to_owned());
            snapshot.enter(match pause {
                Some(pause) => Phase::Waiting { until: Instant::now() + pause },
                None => Phase::Stopped,
            });
        });
    }

    pub(super) fn cannot_see(&self, why: Option<String>) {
        self.change(|snapshot| snapshot.cannot_see = why);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Snapshot) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Snapshot {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
        self.cannot_see = None;
    }
}
