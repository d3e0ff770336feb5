//! Where connections are waited for, whichever socket brings them.

use std::io;
use std::path::Path;

use nix::sys::socket::{Backlog, listen};
use tokio::net::UnixListener;
use tokio::time::sleep;
use tokio_vsock::{VMADDR_CID_ANY, VsockAddr, VsockListener};

use crate::accept::pause_after;
use crate::error::TransportError;
use crate::limits::LISTEN_BACKLOG;
use crate::stream::Stream;
use crate::unix::demux::PortQueue;
use crate::unix::socket_file::SocketFile;
use crate::vsock_ports::{PeerQueue, VsockPorts};

/// Connections to one port. Dropping it stops listening and removes what it put into the file system.
#[derive(Debug)]
pub struct Listener {
    name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Vsock(VsockListener),
    /// Of one enclave, on a port that it shares with others.
    OfOne(PeerQueue),
    File {
        listener: UnixListener,
        _file: SocketFile,
    },
    Shared(PortQueue),
}

impl Listener {
    /// On a unix socket at `path`, outside the convention: for this machine's own users, with the same care for the
    /// file. A stale one is replaced, its permissions are 0600.
    ///
    /// # Errors
    /// [`TransportError::InUse`], [`TransportError::NotASocket`] or [`TransportError::Listen`].
    pub async fn at_path(path: &Path) -> Result<Self, TransportError> {
        let (listener, file) = SocketFile::bind(path).await?;
        let name = path.display().to_string();
        Ok(Self { name, source: Source::File { listener, _file: file } })
    }

    /// The next connection.
    ///
    /// Waits out what passes by itself (a lack of descriptors, a peer that left before it was accepted).
    ///
    /// # Errors
    /// [`TransportError::Accept`] or [`TransportError::Stopped`]: this listener will bring no more connections.
    pub async fn accept(&mut self) -> Result<Stream, TransportError> {
        loop {
            let failed = match &mut self.source {
                Source::Shared(queue) => match queue.next().await {
                    Some(stream) => return Ok(stream.into()),
                    None => return Err(TransportError::Stopped { endpoint: self.name.clone() }),
                },
                Source::File { listener, .. } => match listener.accept().await {
                    Ok((stream, _)) => return Ok(stream.into()),
                    Err(error) => error,
                },
                Source::Vsock(listener) => match listener.accept().await {
                    Ok((stream, _)) => return Ok(stream.into()),
                    Err(error) => error,
                },
                Source::OfOne(queue) => match queue.next().await {
                    Ok(stream) => return Ok(stream.into()),
                    Err(error) => error,
                },
            };
            match pause_after(&failed) {
                Some(pause) => sleep(pause).await,
                None => return Err(TransportError::Accept { endpoint: self.name.clone(), source: failed }),
            }
        }
    }

    /// On vsock, taking connections from anyone.
    pub(crate) fn vsock(port: u32) -> Result<Self, TransportError> {
        Self::over_vsock(port, bind_vsock(port).map(Source::Vsock))
    }

    /// On vsock, taking connections from the enclave `cid` alone; those of others go to who listens for them.
    pub(crate) fn vsock_of(ports: &VsockPorts, cid: u32, port: u32) -> Result<Self, TransportError> {
        Self::over_vsock(port, ports.open(cid, port, || bind_vsock(port)).map(Source::OfOne))
    }

    fn over_vsock(port: u32, source: io::Result<Source>) -> Result<Self, TransportError> {
        let name = format!("vsock port {port}");
        match source {
            Ok(source) => Ok(Self { name, source }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Err(TransportError::InUse { endpoint: name })
            }
            Err(source) => Err(TransportError::Listen { endpoint: name, source }),
        }
    }

    /// On one port of a shared unix socket.
    pub(crate) fn shared(name: String, queue: PortQueue) -> Self {
        Self { name, source: Source::Shared(queue) }
    }
}

fn bind_vsock(port: u32) -> io::Result<VsockListener> {
    let listener = VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, port))?;
    // The library's queue holds 128, and vsock resets what finds the queue full, where TCP would let it wait.
    let backlog = i32::try_from(LISTEN_BACKLOG).map_err(io::Error::other)?;
    listen(&listener, Backlog::new(backlog)?)?;
    Ok(listener)
}
