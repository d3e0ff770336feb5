//! The enclave's one unix socket, shared by its ports: each connection names its port in the first line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::line;
use super::socket_file::SocketFile;
use crate::accept::pause_after;
use crate::error::TransportError;
use crate::limits::{LINE_TIMEOUT_MS, MAX_PENDING_ACCEPTS, MAX_PENDING_LINES};

/// The shared socket. It is closed when the last [`PortQueue`] and the transport that made it are dropped.
#[derive(Debug)]
pub(crate) struct Demux {
    ports: Arc<Ports>,
    accepting: JoinHandle<()>,
    file: SocketFile,
}

/// The connections to one port of the shared socket.
#[derive(Debug)]
pub(crate) struct PortQueue {
    port: u32,
    connections: mpsc::Receiver<UnixStream>,
    demux: Arc<Demux>,
}

impl Demux {
    /// Binds the socket at `path` and begins to accept.
    pub(crate) async fn bind(path: &Path) -> Result<Self, TransportError> {
        let (listener, file) = SocketFile::bind(path).await?;
        let ports = Arc::<Ports>::default();
        let accepting = tokio::spawn(accept_all(listener, Arc::clone(&ports)));
        Ok(Self { ports, accepting, file })
    }

    /// Takes the connections that ask for `port`, until the queue is dropped.
    pub(crate) fn open(self: &Arc<Self>, port: u32) -> Result<PortQueue, TransportError> {
        match self.ports.table().entry(port) {
            Entry::Occupied(_) => Err(TransportError::InUse {
                endpoint: format!("port {port} of {}", self.file.path().display()),
            }),
            Entry::Vacant(free) => {
                let (sender, connections) = mpsc::channel(MAX_PENDING_ACCEPTS);
                free.insert(sender);
                Ok(PortQueue { port, connections, demux: Arc::clone(self) })
            }
        }
    }
}

impl Drop for Demux {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl PortQueue {
    /// The next connection; none when the socket has stopped.
    pub(crate) async fn next(&mut self) -> Option<UnixStream> {
        self.connections.recv().await
    }
}

impl Drop for PortQueue {
    fn drop(&mut self) {
        self.demux.ports.table().remove(&self.port);
    }
}

/// Who listens, by port.
#[derive(Debug, Default)]
struct Ports {
    table: Mutex<HashMap<u32, mpsc::Sender<UnixStream>>>,
    /// The `n` of the next `OK n`: the convention's host-side port, of use to a reader of traces.
    granted: AtomicU32,
}

impl Ports {
    fn table(&self) -> MutexGuard<'_, HashMap<u32, mpsc::Sender<UnixStream>>> {
        // Nothing panics while it holds the lock, and a map is whole after each operation.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept_all(listener: UnixListener, ports: Arc<Ports>) {
    let pending = Arc::new(Semaphore::new(MAX_PENDING_LINES));
    // The semaphore is never closed, so this loop ends only by a lasting failure of `accept`, or when aborted.
    while let Ok(place) = Arc::clone(&pending).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let ports = Arc::clone(&ports);
                tokio::spawn(async move {
                    // A peer that is slow, silent or wrong loses its connection and nothing else.
                    let _ = timeout(Duration::from_millis(LINE_TIMEOUT_MS), route(stream, &ports)).await;
                    drop(place);
                });
            }
            Err(error) => match pause_after(&error) {
                Some(pause) => sleep(pause).await,
                None => break,
            },
        }
    }
    // Each `PortQueue` then ends, and its listener says so.
    ports.table().clear();
}

/// Reads the line, and hands the connection to the port's listener if there is one.
async fn route(mut stream: UnixStream, ports: &Ports) -> Option<()> {
    let port = line::requested_port(&mut stream).await.ok()??;
    let listener = ports.table().get(&port).cloned()?;
    let place = listener.reserve().await.ok()?;
    let number = ports.granted.fetch_add(1, Ordering::Relaxed);
    line::grant(&mut stream, number).await.ok()?;
    place.send(stream);
    Some(())
}
