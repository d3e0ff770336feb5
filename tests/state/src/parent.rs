//! A parent in this process, on a folder of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use r3e_parent::{Parent, RunningParent, Settings};
use r3e_proto::host::BLOB_PORT;
use r3e_store::ParentBlobs;
use r3e_transport::{EnclaveTransport, Endpoint};
use tempfile::TempDir;

/// The parent, and the folder that outlives it.
#[derive(Debug)]
pub struct Keeping {
    folder: TempDir,
    running: Option<RunningParent>,
}

impl Keeping {
    /// Starts one on a new folder.
    pub async fn start() -> Self {
        // Short: the path of a unix socket has 107 bytes.
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
        fs::write(folder.path().join("configuration"), "test").unwrap();
        let mut keeping = Self { folder, running: None };
        keeping.resume().await;
        keeping
    }

    /// Stops it: what was answered is on the disk.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Starts it again on the same folder.
    pub async fn resume(&mut self) {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let configuration = self.folder.path().join("configuration");
        let settings = Settings::new(listen, self.endpoint(), self.folder.path().join("data"), configuration);
        self.running = Some(Parent::start(settings).await.unwrap());
    }

    /// A connection of an enclave's to its blobs.
    pub fn blobs(&self) -> ParentBlobs {
        ParentBlobs::new(EnclaveTransport::new(self.endpoint()), BLOB_PORT)
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Unix { path: self.socket() }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("enclave.sock")
    }
}
