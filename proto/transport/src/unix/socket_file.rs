//! A listening unix socket and the file it leaves behind.
//!
//! A file is removed only if it is a socket that nobody listens on, and, when the listener ends, only if it is still
//! the one that was made here.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixSocket, UnixStream};

use crate::error::TransportError;
use crate::limits::LISTEN_BACKLOG;

/// The file of a listening socket; dropping it removes the file.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Listens at `path`, for this user alone (0600).
    pub(crate) async fn bind(path: &Path) -> Result<(UnixListener, Self), TransportError> {
        remove_stale(path).await?;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => TransportError::InUse { endpoint: path.display().to_string() },
            _ => TransportError::Listen { endpoint: path.display().to_string(), source },
        };
        let socket = UnixSocket::new_stream().map_err(failed)?;
        socket.bind(path).map_err(failed)?;
        // Between bind and listen every connect is refused, so nobody slips in under the permissions of the umask.
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        let found = fs::symlink_metadata(path).map_err(failed)?;
        let listener = socket.listen(LISTEN_BACKLOG).map_err(failed)?;
        Ok((listener, Self { path: path.into(), device: found.dev(), inode: found.ino() }))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode);
        if ours {
            // A file that cannot be removed is stale, and the next listener replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that a process left behind when it ended.
async fn remove_stale(path: &Path) -> Result<(), TransportError> {
    let failed = |source| TransportError::Listen { endpoint: path.display().to_string(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(TransportError::NotASocket { path: path.into() });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // It answers, or its queue is full: someone is there.
        _ => Err(TransportError::InUse { endpoint: path.display().to_string() }),
    }
}
