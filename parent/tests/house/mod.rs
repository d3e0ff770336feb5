//! A parent in this process, and the enclave's end of its sockets for a test to play.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod conformance;
pub(crate) mod machine;
pub(crate) mod postgres;

use std::path::{Path, PathBuf};
use std::time::Duration;

use r3e_parent::{Parent, RunningParent, Settings, StatusFormat, query_status};
use r3e_proto::host::blob::{Commit, Operation, Outcome, Request, Response};
use r3e_proto::host::{BLOB_PORT, CHANNEL_PORT};
use r3e_proto::limits::MAX_HOST_FRAME_BYTES;
use r3e_transport::frame::{read_frame, write_frame};
use r3e_transport::{EnclaveTransport, Endpoint, Stream};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The configuration that the house's file has.
pub(crate) const CONFIGURATION: &[u8] = b"the configuration";

pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) parent: RunningParent,
    pub(crate) enclave: EnclaveTransport,
}

/// Settings for a parent with everything under `folder`, on a free port, with no limit on an address.
pub(crate) fn settings(folder: &Path) -> Settings {
    let configuration = folder.join("configuration");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let enclave = Endpoint::Unix { path: folder.join("enclave.sock") };
    let mut settings =
        Settings::new("127.0.0.1:0".parse().unwrap(), enclave, folder.join("data"), configuration);
    settings.forward.max_connections_per_address = 0;
    settings.forward.connections_per_second = 0;
    settings
}

impl House {
    pub(crate) async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let enclave = EnclaveTransport::new(settings.enclave.clone());
        let parent = Parent::start(settings).await.unwrap();
        Self { folder, parent, enclave }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.parent.local_addr()).await.unwrap()
    }

    /// An enclave that sends back what it gets, on every connection, until the handle is aborted.
    pub(crate) async fn echo(&self) -> JoinHandle<()> {
        let mut listener = self.enclave.listen(CHANNEL_PORT).await.unwrap();
        tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok(stream) = listener.accept().await {
                connections.spawn(async move {
                    let (mut reader, mut writer) = tokio::io::split(stream);
                    let _ = tokio::io::copy(&mut reader, &mut writer).await;
                    let _ = writer.shutdown().await;
                });
            }
        })
    }

    /// The parent's status.
    pub(crate) async fn status(&self) -> serde_json::Value {
        let status = query_status(&self.data(), StatusFormat::Json).await.unwrap();
        serde_json::from_str(&status).unwrap()
    }

    /// One number of the parent's status.
    pub(crate) async fn count(&self, group: &str, name: &str) -> u64 {
        let status = self.status().await;
        status[group][name].as_u64().unwrap_or_else(|| panic!("{group}.{name} in {status}"))
    }

    /// Waits until a number of the parent's status has a value: the parent counts when it sees, not when we act.
    pub(crate) async fn wait_for(&self, group: &str, name: &str, value: u64) {
        for _ in 0..1000 {
            if self.count(group, name).await == value {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.count(group, name).await, value, "{group}.{name}");
    }
}

/// Sends a byte and expects it back.
pub(crate) async fn ping(stream: &mut TcpStream) {
    stream.write_all(b"p").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'p');
}

/// Whether the other side closes without a word.
pub(crate) async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(stream.read(&mut byte).await, Ok(0) | Err(_))
}

/// The enclave's end of the blob store.
pub(crate) struct BlobClient {
    stream: Stream,
    next: u64,
}

impl BlobClient {
    pub(crate) async fn dial(enclave: &EnclaveTransport) -> Self {
        Self { stream: enclave.dial_parent(BLOB_PORT).await.unwrap(), next: 1 }
    }

    /// Sends a request without waiting; returns its id.
    pub(crate) async fn send(&mut self, operation: Operation) -> std::io::Result<u64> {
        let id = self.next;
        self.next += 1;
        let body = Request { id, operation }.encode();
        write_frame(&mut self.stream, &body, MAX_HOST_FRAME_BYTES).await.map_err(std::io::Error::other)?;
        Ok(id)
    }

    /// The next answer; none when the parent is gone.
    pub(crate) async fn receive(&mut self) -> Option<Response> {
        let body = read_frame(&mut self.stream, MAX_HOST_FRAME_BYTES).await.ok()?;
        Some(Response::decode(&body).unwrap())
    }

    pub(crate) async fn ask(&mut self, operation: Operation) -> Outcome {
        let id = self.send(operation).await.unwrap();
        let response = self.receive().await.unwrap();
        assert_eq!(response.id, id);
        response.outcome
    }

    /// Every record, page by page.
    pub(crate) async fn list(&mut self) -> Vec<([u8; 32], Vec<u8>)> {
        let mut all: Vec<([u8; 32], Vec<u8>)> = Vec::new();
        loop {
            let after = all.last().map(|(name, _)| *name);
            match self.ask(Operation::List { after }).await {
                Outcome::List { records, more } => {
                    all.extend(records);
                    if !more {
                        return all;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A commit that follows `expected`.
pub(crate) fn commit(expected: Option<&[u8]>, head: &[u8], puts: Vec<([u8; 32], Vec<u8>)>) -> Operation {
    let expected = expected.map(|head| Sha256::digest(head).into());
    Operation::Commit(Commit { expected, head: head.to_vec(), puts, deletes: Vec::new() })
}

/// The same bytes in every run, different for each seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
