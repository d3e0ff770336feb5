//! The admin socket in the data folder, for this machine's own user: `GET /status` (JSON), `GET /metrics` (Prometheus
//! text), `GET /backup` (the sealed records as they stand), `POST /takeover` (of the store's lease), `POST /upgrade` (to a
//! successor of the enclave; with a body, the order, and a line of the answer for each step).
//!
//! It speaks as much HTTP as `curl --unix-socket` needs: one request a connection, no keep-alive.

mod client;
mod report;
mod upgrade;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, access};
use r3e_transport::{Listener, Stream};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{error, warn};

pub(crate) use client::fetch_backup;
pub use client::{order_takeover, order_upgrade, query_status};

use crate::backup::write_backup;
use crate::blobs::postgres::Lease;
use crate::blobs::{Handle, in_words};
use crate::counters::Counters;
use crate::disk;
use crate::forwarder::Targets;
use crate::health::Observed;
use crate::limits::{
    ADMIN_TIMEOUT_MS, MAX_ADMIN_REQUEST_BYTES, MAX_CONNECTIONS_PER_SERVICE, STATUS_DIAL_TIMEOUT_MS,
};
use crate::upgrade::Upgrades;

/// The socket's name in the data folder.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// The two forms of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFormat {
    /// One JSON object: whether it serves, the findings, the enclave, and numbers by group and name.
    Json,
    /// Prometheus text exposition format, version 0.0.4.
    Prometheus,
}

/// Why there is no status.
#[derive(Debug, Error)]
pub enum StatusError {
    /// No parent answers.
    #[error("no r3e-parent answers at {path}: {source}")]
    Connect {
        /// The socket.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It answered with something else.
    #[error("what answers at {path} is no r3e-parent of this version")]
    Answer {
        /// The socket.
        path: String,
    },
    /// It did not answer in time.
    #[error("r3e-parent did not answer at {path} in time")]
    TimedOut {
        /// The socket.
        path: String,
    },
    /// It did not do what it was asked for; in its words.
    #[error("{0}")]
    Refused(String),
}

/// What the admin socket tells of.
#[derive(Debug)]
pub(crate) struct Admin {
    counters: Arc<Counters>,
    watched: Watched,
    started: Instant,
}

/// What is looked at when a status is asked for.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The enclave that serves.
    pub(crate) targets: Arc<Targets>,
    /// What takes it to its successor.
    pub(crate) upgrades: Arc<Upgrades>,
    /// Whether the parent answers the heartbeat.
    pub(crate) heartbeat: bool,
    /// The store.
    pub(crate) store: Handle,
    /// Its lease, where several parents may share it.
    pub(crate) lease: Option<Lease>,
}

impl Admin {
    /// Tells of `counters` and of what is `watched`.
    pub(crate) fn new(counters: Arc<Counters>, watched: Watched) -> Self {
        Self { counters, watched, started: Instant::now() }
    }

    /// Looks at everything now: tries the enclave's port, and the disk.
    async fn observe(&self) -> Observed<'_> {
        let Watched { data, targets, heartbeat, lease, .. } = &self.watched;
        let (limit, serving) = (Duration::from_millis(STATUS_DIAL_TIMEOUT_MS), targets.current());
        let unreached = match timeout(limit, serving.dial()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("it did not answer within {STATUS_DIAL_TIMEOUT_MS} ms")),
        };
        Observed {
            counters: &self.counters,
            enclave: serving.state().map(|state| state.snapshot()),
            heartbeat: *heartbeat,
            lease: lease.as_ref().map(Lease::state),
            unreached,
            disk_free_mib: disk::free_mib(data).ok(),
            unwritable: access(data.as_path(), AccessFlags::W_OK)
                .err()
                .map(|reason| reason.desc().to_owned()),
        }
    }
}

/// Answers until the socket fails for good.
pub(crate) async fn run(mut listener: Listener, admin: Arc<Admin>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS_PER_SERVICE));
    let mut connections = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok(stream) => {
                let admin = Arc::clone(&admin);
                connections.spawn(async move {
                    if let Err(error) = answer(stream, &admin).await {
                        warn!(%error, "an admin request was not answered");
                    }
                    drop(place);
                });
            }
            Err(failure) => {
                error!(%failure, "the admin socket has failed; all else goes on");
                break;
            }
        }
    }
}

const STATUS: &str = "/status";
const METRICS: &str = "/metrics";

const BACKUP: &str = "/backup";
const TAKEOVER: &str = "/takeover";
const UPGRADE: &str = "/upgrade";

async fn answer(mut stream: Stream, admin: &Admin) -> io::Result<()> {
    let (request, rest) = in_time(read_head(&mut stream)).await?;
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let (status, kind, body) = match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["GET", STATUS, _version] => {
            ("200 OK", "application/json", report::json(admin, &admin.observe().await))
        }
        ["GET", METRICS, _version] => ("200 OK", "text/plain; version=0.0.4", report::prometheus(admin)),
        ["GET", BACKUP, _version] => return back_up(stream, admin).await,
        ["POST", UPGRADE, _version] => return upgrade::answer(stream, &request, rest, admin).await,
        ["POST", TAKEOVER, _version] => {
            let done = match &admin.watched.lease {
                Some(lease) => lease.take_over().await,
                None => Err("the embedded store has no lease: one parent alone can open it".to_owned()),
            };
            match done {
                Ok(epoch) => ("200 OK", "text/plain", format!("{epoch}\n")),
                Err(why) => ("409 Conflict", "text/plain", format!("{why}\n")),
            }
        }
        _ => {
            let words =
                format!("GET {STATUS}, GET {METRICS}, GET {BACKUP}, POST {TAKEOVER} or POST {UPGRADE}\n");
            ("404 Not Found", "text/plain", words)
        }
    };
    in_time(finish(&mut stream, status, kind, &body)).await
}

async fn finish(stream: &mut Stream, status: &str, kind: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await?;
    stream.shutdown().await
}

/// A backup ends with the connection; its own end says whether it is whole.
async fn back_up(mut stream: Stream, admin: &Admin) -> io::Result<()> {
    let snapshot = match admin.watched.store.snapshot().await {
        Some(Ok(snapshot)) => Ok(snapshot),
        Some(Err(error)) => Err(in_words(&error)),
        None => Err("the store has stopped".to_owned()),
    };
    let mut snapshot = match snapshot {
        Ok(snapshot) => snapshot,
        Err(why) => return in_time(finish(&mut stream, "503 Unavailable", "text/plain", &why)).await,
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n";
    in_time(stream.write_all(head.as_bytes())).await?;
    match write_backup(&mut *snapshot, &mut stream, &mut |_| ()).await {
        Ok(()) => stream.shutdown().await,
        Err(end) => Err(io::Error::other(format!("a backup broke off: {end:?}"))),
    }
}

/// Within the time that a short exchange may take.
async fn in_time<T>(exchange: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(Duration::from_millis(ADMIN_TIMEOUT_MS), exchange).await?
}

/// Reads to the empty line that ends a request's head: the head, and what came behind it.
async fn read_head(stream: &mut Stream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::with_capacity(MAX_ADMIN_REQUEST_BYTES);
    loop {
        if let Some(end) = head.windows(END.len()).position(|four| four == END) {
            let rest = head.split_off(end + END.len());
            return Ok((head, rest));
        }
        if head.len() >= MAX_ADMIN_REQUEST_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an admin request of too many bytes"));
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
