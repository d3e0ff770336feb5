//! Whether the parent's own part can start: its data folder, its sockets, the enclave's configuration.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use r3e_proto::host::{BLOB_PORT, CONFIGURATION_PORT, CREDENTIALS_PORT, EGRESS_PORT, LIFECYCLE_PORT};
use r3e_transport::{Endpoint, ParentTransport};

use super::problem::Problem;
use crate::admin::ADMIN_SOCKET;
use crate::disk;
use crate::limits::{MAX_SOCKET_PATH_BYTES, MIN_DISK_FREE_MIB};
use crate::parent::LOCK_FILE;
use crate::{Settings, configuration, forwarder};

/// Looks at all of it. Where another parent runs, its sockets are left alone.
pub(super) async fn check(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Err(error) = configuration::read(&settings.configuration) {
        problems.push(Problem::Configuration { reason: error.to_string() });
    }
    problems.extend(socket_paths(settings));
    if is_held(&settings.data) {
        problems.push(Problem::ParentRunning { data: settings.data.clone() });
        return problems;
    }
    problems.extend(data_folder(&settings.data));
    if let Err(error) = forwarder::listen(settings.listen) {
        let at = settings.listen.to_string();
        problems.push(Problem::Listen { at, reason: error.to_string(), low: settings.listen.port() < 1024 });
    }
    problems.extend(enclave_ports(settings).await);
    problems
}

/// Whether a process holds the lock of the data folder.
pub(crate) fn is_held(data: &Path) -> bool {
    let Ok(file) = File::options().write(true).open(data.join(LOCK_FILE)) else { return false };
    // Given back when the file is closed.
    matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

fn socket_paths(settings: &Settings) -> Vec<Problem> {
    let admin = too_long(&settings.data.join(ADMIN_SOCKET));
    socket_path(&settings.enclave).into_iter().chain(admin).collect()
}

/// Whether the sockets of an enclave fit, where it has any.
pub(super) fn socket_path(enclave: &Endpoint) -> Option<Problem> {
    match enclave {
        Endpoint::Unix { path } => too_long(path),
        Endpoint::Vsock { .. } => None,
    }
}

fn too_long(path: &Path) -> Option<Problem> {
    let long = path.as_os_str().len() > MAX_SOCKET_PATH_BYTES;
    long.then(|| Problem::SocketPath { path: path.into() })
}

/// The folder, or where it is not yet, the nearest one above it, in which it will be made.
fn data_folder(data: &Path) -> Vec<Problem> {
    let there = data.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let unusable = |reason: io::Error| {
        let (path, reason) = (data.into(), reason.to_string());
        if there == data {
            return Problem::Data { path, reason };
        }
        Problem::DataMissing { path, above: there.into(), reason }
    };
    if !there.is_dir() {
        return vec![unusable(io::ErrorKind::NotADirectory.into())];
    }
    if let Err(error) = access(there, AccessFlags::W_OK | AccessFlags::X_OK) {
        return vec![unusable(error.into())];
    }
    match disk::free_mib(there) {
        Ok(free_mib) if free_mib < MIN_DISK_FREE_MIB => {
            vec![Problem::DiskFull { path: data.into(), free_mib }]
        }
        _ => Vec::new(),
    }
}

async fn enclave_ports(settings: &Settings) -> Vec<Problem> {
    // A unix socket needs its folder, which the parent makes.
    if let Endpoint::Unix { path } = &settings.enclave
        && !path.parent().is_some_and(Path::is_dir)
    {
        return Vec::new();
    }
    let transport = ParentTransport::new(settings.enclave.clone());
    let mut problems = Vec::new();
    for port in [CONFIGURATION_PORT, BLOB_PORT, EGRESS_PORT, CREDENTIALS_PORT, LIFECYCLE_PORT] {
        if let Err(error) = transport.listen(port).await {
            problems.push(Problem::EnclavePort { reason: error.to_string() });
        }
    }
    problems
}
