//! The parent's answer to a starting enclave: the same byte back, or what a broken or hostile parent does instead.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::error::MachineError;

/// How heartbeats are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As they should be.
    Echo,
    /// As they should be, but this much later.
    Late(Duration),
    /// By another byte.
    Wrong,
    /// Not at all; the connection stays open.
    Silent,
    /// By closing the connection.
    Hangup,
}

/// A listener for heartbeats, until it is dropped.
#[derive(Debug)]
pub struct Heartbeat {
    received: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Heartbeat {
    /// Listens at a socket, which [`crate::Machine::parent_socket`] names. To be called within a tokio runtime, before the
    /// machine boots: nothing refuses a connection to a port on which nobody listens.
    ///
    /// # Errors
    /// [`MachineError::Folder`].
    pub fn listen(socket: &Path, manner: Manner) -> Result<Self, MachineError> {
        let failed = |source| MachineError::Folder { path: socket.to_owned(), source };
        // One of an earlier machine in the same folder.
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(socket).map_err(failed)?;
        let received = Arc::new(AtomicUsize::new(0));
        let serving = tokio::spawn(serve(listener, manner, Arc::clone(&received)));
        Ok(Self { received, serving })
    }

    /// How many heartbeats have come.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: UnixListener, manner: Manner, received: Arc<AtomicUsize>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, manner, Arc::clone(&received)));
    }
}

async fn answer(mut stream: UnixStream, manner: Manner, received: Arc<AtomicUsize>) {
    let Ok(byte) = stream.read_u8().await else { return };
    received.fetch_add(1, Ordering::Relaxed);
    let answer = match manner {
        Manner::Echo => byte,
        Manner::Late(delay) => {
            sleep(delay).await;
            byte
        }
        Manner::Wrong => !byte,
        Manner::Silent => std::future::pending().await,
        Manner::Hangup => return,
    };
    // An enclave that has given up is seen by its absence.
    let _ = stream.write_u8(answer).await;
}
