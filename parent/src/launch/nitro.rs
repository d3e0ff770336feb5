//! An enclave of the Nitro hypervisor.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::{info, warn};

use super::Launch;
use super::console::Console;
use super::error::LaunchError;
use super::nitro_cli::NitroCli;
use super::state::State;
use crate::limits::MAX_FAILED_LOOKS;
use crate::programs;

/// A running enclave.
#[derive(Debug)]
pub(super) struct NitroEnclave {
    cli: NitroCli,
    id: String,
    watch_interval: Duration,
    console: Option<(Console, Child, JoinHandle<()>)>,
}

fn find(program: &Path) -> Result<NitroCli, LaunchError> {
    let found = programs::find(program);
    found
        .map(NitroCli::new)
        .map_err(|missing| LaunchError::Missing { program: missing.program, searched: missing.searched })
}

/// Ends what an earlier run left: enclaves of our name. This parent holds the ports, so no other parent uses them.
pub(super) async fn clean(program: &Path, launch: &Launch) -> Result<(), LaunchError> {
    let cli = find(program)?;
    let name = launch.enclave_name();
    for left in cli.describe().await?.into_iter().filter(|enclave| enclave.name.as_ref() == Some(&name)) {
        info!(id = left.id, state = left.state, "terminating the enclave of an earlier start");
        if !cli.terminate(&left.id).await? {
            return Err(LaunchError::NotTerminated { id: left.id });
        }
    }
    Ok(())
}

/// Starts the enclave; when this returns, its heartbeat has come.
pub(super) async fn start(program: &Path, launch: &Launch) -> Result<NitroEnclave, LaunchError> {
    let cli = find(program)?;
    let started = cli.run(launch).await?;
    if started.cid != u64::from(launch.context_id()) {
        if let Err(error) = cli.terminate(&started.id).await {
            warn!(%error, id = started.id, "an enclave with another CID could not be terminated");
        }
        return Err(LaunchError::OtherCid { asked: launch.context_id(), found: started.cid });
    }
    let console = if launch.debug_mode { console(&cli, &started.id) } else { None };
    let watch_interval = Duration::from_millis(launch.watch_interval_ms);
    Ok(NitroEnclave { cli, id: started.id, watch_interval, console })
}

impl NitroEnclave {
    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Waits until it runs no more, and says what is known of why.
    pub(super) async fn ended(&mut self, state: &State) -> String {
        let mut failed = 0;
        loop {
            sleep(self.watch_interval).await;
            let enclaves = match self.cli.describe().await {
                Ok(enclaves) => enclaves,
                Err(error) => {
                    // Not being told that it runs is no reason to end it.
                    failed += 1;
                    warn!(%error, failed, "cannot see whether the enclave runs");
                    if failed >= MAX_FAILED_LOOKS {
                        state.cannot_see(Some(error.to_string()));
                    }
                    continue;
                }
            };
            failed = 0;
            state.cannot_see(None);
            let how = match enclaves.iter().find(|enclave| enclave.id == self.id) {
                Some(enclave) if enclave.state == "RUNNING" => continue,
                Some(enclave) => format!("nitro-cli describes it as {}", enclave.state),
                None => "nitro-cli lists it no more".into(),
            };
            let why = match &self.console {
                Some((console, ..)) => format!("its console's last lines: {}", console.tail(8)),
                None => "why is not known: an enclave shows its console in debug mode alone; \
                         it powers off when its program ends, and runs out of memory silently"
                    .into(),
            };
            return format!("the enclave {} has ended: {how}; {why}", self.id);
        }
    }

    /// Ends it.
    pub(super) async fn stop(&mut self) -> Result<(), LaunchError> {
        if let Some((_, child, _)) = &mut self.console {
            // It may have ended with the enclave.
            let _ = child.start_kill();
        }
        if self.cli.terminate(&self.id).await? {
            Ok(())
        } else {
            Err(LaunchError::NotTerminated { id: self.id.clone() })
        }
    }
}

fn console(cli: &NitroCli, id: &str) -> Option<(Console, Child, JoinHandle<()>)> {
    let child = Command::new(cli.program())
        .args(["console", "--enclave-id", id])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.inspect_err(|error| warn!(%error, "cannot follow the enclave's console")).ok()?;
    let console = Console::default();
    let following = console.follow(child.stdout.take()?, "enclave");
    Some((console, child, following))
}
