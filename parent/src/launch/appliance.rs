//! A parent and its enclave: the parent's ports are open before the enclave starts, and close after it has ended.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::error::{ApplianceError, LaunchError};
use super::host;
use super::state::State;
use super::{Host, Launch};
use crate::finding::any_error;
use crate::preflight::{self, Machine};
use crate::upgrade::{self, Crew};
use crate::{Parent, RunningParent, Settings};

/// Starts appliances.
#[derive(Debug, Clone, Copy)]
pub struct Appliance;

/// An appliance that runs until [`RunningAppliance::shutdown`].
#[derive(Debug)]
pub struct RunningAppliance {
    parent: RunningParent,
}

impl Appliance {
    /// Looks at the machine, starts the parent and then the enclave: what the settings name, or what an upgrade put in its
    /// place. When this returns, clients can connect; the enclave may still be starting.
    ///
    /// # Errors
    /// [`ApplianceError`]: nothing keeps running then.
    pub async fn start(
        mut settings: Settings,
        mut launch: Launch,
        machine: &Machine,
    ) -> Result<RunningAppliance, ApplianceError> {
        let looking = spawn_blocking(move || {
            let instead_of = upgrade::in_force(&mut settings, &mut launch);
            (settings, launch, instead_of)
        });
        let (settings, launch, mut instead_of) = looking.await.map_err(ApplianceError::Panicked)?;
        let report = preflight::check(&settings, &launch, machine).await;
        if any_error(&report.findings) {
            return Err(ApplianceError::Preflight(report.findings));
        }
        for finding in &report.findings {
            warn!(code = finding.code, next = finding.next, "{}", finding.words);
        }
        if let Some(instead_of) = &mut instead_of {
            instead_of.settle();
        }
        let state = Arc::new(State::new(&launch));
        let endpoint = settings.enclave.clone();
        let parent = Parent::start_supervising(settings, Some(Arc::clone(&state))).await?;
        warn_of_what_is_not_protected(&launch);
        // An earlier run may have ended in the middle of an upgrade, or after one.
        let second = launch.at_other_place();
        if let Err(error) = host::clean(&second, &second.endpoint(&endpoint)).await {
            warn!(%error, "cannot see whether a successor is left; nitro-cli describe-enclaves tells");
        }
        let crew = Crew { launch, first: endpoint, machine: machine.clone(), instead_of };
        parent.upgrades().supervise(crew, state).await;
        Ok(RunningAppliance { parent })
    }
}

impl RunningAppliance {
    /// Where clients connect.
    pub fn local_addr(&self) -> std::net::SocketAddr {
        self.parent.local_addr()
    }

    /// Waits until the enclave has ended for good: with [`super::Restart::Never`] alone.
    pub async fn ended(&mut self) -> Arc<LaunchError> {
        self.parent.upgrades().ended().await
    }

    /// Takes no new clients, and gives those there are their time. The enclave runs on.
    pub async fn drain(&mut self) {
        self.parent.drain().await;
    }

    /// Cuts what is not drained, ends the enclave, then the parent.
    pub async fn shutdown(self) {
        info!("ending the enclave");
        self.parent.stop().await;
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
