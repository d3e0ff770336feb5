//! What connections are served, stage by stage: while the appliance is locked, what unlocks it; then everything.
//!
//! A connection is served by the stage that it began in. When the next stage begins, it answers what is open and closes
//! ([`super::serve`]), so a client that comes back finds the new one; the listener never closes in between.

use std::sync::{Mutex, PoisonError};

use axum::Router;
use tokio::sync::watch;

/// One stage's routes, for one connection.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) attested: Router,
    pub(super) public: Router,
    pub(super) over: watch::Receiver<bool>,
}

/// The stage that is, and the way to the next. Lives as long as the channel serves.
pub(crate) struct Stages {
    current: watch::Sender<Stage>,
    over: Mutex<watch::Sender<bool>>,
}

impl Stages {
    /// Begins with what a session, and what anyone, is served.
    pub(crate) fn begin(attested: Router, public: Router) -> Self {
        let (over, is_over) = watch::channel(false);
        let (current, _) = watch::channel(Stage { attested, public, over: is_over });
        Self { current, over: Mutex::new(over) }
    }

    /// Ends this stage and begins the next.
    pub(crate) fn next(&self, attested: Router, public: Router) {
        let (over, is_over) = watch::channel(false);
        // First the new routes, then the end of the old: nobody who is sent away finds the old ones again.
        self.current.send_replace(Stage { attested, public, over: is_over });
        let mut last = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, over).send_replace(true);
    }

    /// The stage that is, whenever it is asked.
    pub(super) fn current(&self) -> watch::Receiver<Stage> {
        self.current.subscribe()
    }
}
