//! A parent and its enclave: the parent's ports are open before the enclave starts, and close after it has ended.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::error::{ApplianceError, LaunchError};
use super::state::State;
use super::supervisor::{Done, Supervisor};
use super::{Host, Launch};
use crate::finding::any_error;
use crate::preflight::{self, Machine};
use crate::{Parent, RunningParent, Settings};

/// Starts appliances.
#[derive(Debug, Clone, Copy)]
pub struct Appliance;

/// An appliance that runs until [`RunningAppliance::shutdown`].
#[derive(Debug)]
pub struct RunningAppliance {
    parent: RunningParent,
    supervising: JoinHandle<Done>,
    stopping: watch::Sender<bool>,
}

impl Appliance {
    /// Looks at the machine, starts the parent and then the enclave. When this returns, clients can connect; the
    /// enclave may still be starting.
    ///
    /// # Errors
    /// [`ApplianceError`]: nothing keeps running then.
    pub async fn start(
        settings: Settings,
        launch: Launch,
        machine: &Machine,
    ) -> Result<RunningAppliance, ApplianceError> {
        let report = preflight::check(&settings, &launch, machine).await;
        if any_error(&report.findings) {
            return Err(ApplianceError::Preflight(report.findings));
        }
        for finding in &report.findings {
            warn!(code = finding.code, next = finding.next, "{}", finding.words);
        }
        let state = Arc::new(State::new(&launch));
        let endpoint = settings.enclave.clone();
        let parent = Parent::start_supervising(settings, Some(Arc::clone(&state))).await?;
        warn_of_what_is_not_protected(&launch);
        let (stopping, stopped) = watch::channel(false);
        let (counters, lease) = (parent.counters(), parent.lease());
        let supervisor = Supervisor { launch, endpoint, counters, state, lease, stopping: stopped };
        Ok(RunningAppliance { parent, supervising: tokio::spawn(supervisor.run()), stopping })
    }
}

impl RunningAppliance {
    /// Where clients connect.
    pub fn local_addr(&self) -> std::net::SocketAddr {
        self.parent.local_addr()
    }

    /// Waits until the enclave has ended for good: with [`super::Restart::Never`] alone.
    pub async fn ended(&mut self) -> LaunchError {
        match (&mut self.supervising).await {
            Ok(Done::Ended(why)) => why,
            Ok(Done::Stopped) => LaunchError::Ended("the enclave was stopped".into()),
            Err(panicked) => LaunchError::Ended(format!("the supervisor failed: {panicked}")),
        }
    }

    /// Takes no new clients, and gives those there are their time. The enclave runs on.
    pub async fn drain(&mut self) {
        self.parent.drain().await;
    }

    /// Cuts what is not drained, ends the enclave, then the parent.
    pub async fn shutdown(self) {
        let Self { parent, supervising, stopping } = self;
        // The receiver is gone where the enclave has ended for good.
        let _ = stopping.send(true);
        if !supervising.is_finished() {
            info!("ending the enclave");
            if let Err(failure) = supervising.await {
                error!(%failure, "the supervisor failed");
            }
        }
        parent.stop().await;
    }
}

/// Said at every start, whatever the log's form: nobody shall take one of these for the real thing.
fn warn_of_what_is_not_protected(launch: &Launch) {
    if matches!(launch.host, Host::Qemu { .. }) {
        warn!(
            "THIS ENCLAVE IS EMULATED BY QEMU AND PROTECTS NOTHING: whoever has this machine reads its memory"
        );
    }
    if launch.debug_mode {
        warn!(
            "THIS ENCLAVE RUNS IN DEBUG MODE AND PROTECTS NOTHING: its PCRs are zeros, and no client accepts it"
        );
    }
}
