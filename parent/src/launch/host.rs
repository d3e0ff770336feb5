//! The two kinds of enclave behind one face. Knows nothing of when one should run.

use std::path::Path;

use r3e_transport::Endpoint;

use super::error::LaunchError;
use super::nitro::{self, NitroEnclave};
use super::qemu::{self, QemuEnclave};
use super::state::State;
use super::{Host, Launch};

/// An enclave that was started.
#[derive(Debug)]
pub(super) enum Enclave {
    Nitro(NitroEnclave),
    Qemu(QemuEnclave),
}

/// Removes what an earlier start left.
pub(super) async fn clean(launch: &Launch, endpoint: &Endpoint) -> Result<(), LaunchError> {
    match &launch.host {
        Host::Nitro { nitro_cli } => nitro::clean(nitro_cli, launch).await,
        Host::Qemu { .. } => qemu::clean(socket(endpoint)?),
    }
}

/// Starts the enclave.
pub(super) async fn start(launch: &Launch, endpoint: &Endpoint) -> Result<Enclave, LaunchError> {
    match &launch.host {
        Host::Nitro { nitro_cli } => Ok(Enclave::Nitro(nitro::start(nitro_cli, launch).await?)),
        Host::Qemu { folder, sign_with } => {
            let (folder, sign_with) = (folder.as_deref(), sign_with.as_deref());
            Ok(Enclave::Qemu(qemu::start(folder, sign_with, socket(endpoint)?, launch).await?))
        }
    }
}

impl Enclave {
    /// The hypervisor's name for it.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Nitro(enclave) => Some(enclave.id()),
            Self::Qemu(_) => None,
        }
    }

    /// Whether its heartbeat comes to the parent, after the start. `nitro-cli` waits for it before it says "started".
    pub(super) fn beats_at_parent(&self) -> bool {
        matches!(self, Self::Qemu(_))
    }

    /// Waits until it runs no more, and says what is known of why.
    pub(super) async fn ended(&mut self, state: &State) -> String {
        match self {
            Self::Nitro(enclave) => enclave.ended(state).await,
            Self::Qemu(enclave) => enclave.ended().await,
        }
    }

    /// The end of its console, as an appendix to a sentence.
    pub(super) fn last_words(&self) -> String {
        match self {
            Self::Nitro(_) => String::new(),
            Self::Qemu(enclave) => enclave.last_words(),
        }
    }

    /// Ends it.
    pub(super) async fn stop(&mut self) -> Result<(), LaunchError> {
        match self {
            Self::Nitro(enclave) => enclave.stop().await,
            Self::Qemu(enclave) => {
                enclave.stop().await;
                Ok(())
            }
        }
    }
}

fn socket(endpoint: &Endpoint) -> Result<&Path, LaunchError> {
    match endpoint {
        Endpoint::Unix { path } => Ok(path),
        Endpoint::Vsock { .. } => Err(LaunchError::Endpoint { endpoint: endpoint.to_string() }),
    }
}
