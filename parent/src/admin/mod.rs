//! The admin socket in the data folder: answers `GET /status` (JSON) and `GET /metrics` (Prometheus text) to this
//! machine's own user, and changes nothing.
//!
//! It speaks as much HTTP as `curl --unix-socket` needs: one request a connection, no body, no keep-alive.

mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, access};
use r3e_proto::host::CHANNEL_PORT;
use r3e_transport::{Listener, ParentTransport, Stream};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{error, warn};

use crate::counters::Counters;
use crate::disk;
use crate::health::Observed;
use crate::launch::State;
use crate::limits::{
    ADMIN_TIMEOUT_MS, MAX_ADMIN_REQUEST_BYTES, MAX_CONNECTIONS_PER_SERVICE, MAX_STATUS_BYTES,
    STATUS_DIAL_TIMEOUT_MS,
};

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
    #[error("r3e-parent did not answer at {path} within {ADMIN_TIMEOUT_MS} ms")]
    TimedOut {
        /// The socket.
        path: String,
    },
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
    /// The enclave.
    pub(crate) transport: ParentTransport,
    /// Whether the parent answers the heartbeat.
    pub(crate) heartbeat: bool,
    /// What is known of the enclave, where this process starts it.
    pub(crate) supervised: Option<Arc<State>>,
}

impl Admin {
    /// Tells of `counters` and of what is `watched`.
    pub(crate) fn new(counters: Arc<Counters>, watched: Watched) -> Self {
        Self { counters, watched, started: Instant::now() }
    }

    /// Looks at everything now: tries the enclave's port, and the disk.
    async fn observe(&self) -> Observed<'_> {
        let Watched { data, transport, heartbeat, supervised } = &self.watched;
        let limit = Duration::from_millis(STATUS_DIAL_TIMEOUT_MS);
        let unreached = match timeout(limit, transport.dial_enclave(CHANNEL_PORT)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("it did not answer within {STATUS_DIAL_TIMEOUT_MS} ms")),
        };
        Observed {
            counters: &self.counters,
            enclave: supervised.as_ref().map(|state| state.snapshot()),
            heartbeat: *heartbeat,
            unreached,
            disk_free_mib: disk::free_mib(data).ok(),
            unwritable: access(data.as_path(), AccessFlags::W_OK)
                .err()
                .map(|reason| reason.desc().to_owned()),
        }
    }
}

/// Asks the parent that holds the folder `data`.
///
/// # Errors
/// [`StatusError`]: no parent runs there, or it does not answer.
pub async fn query_status(data: &Path, format: StatusFormat) -> Result<String, StatusError> {
    let socket = data.join(ADMIN_SOCKET);
    let path = || socket.display().to_string();
    let exchange = async {
        let mut stream = UnixStream::connect(&socket).await?;
        let target = match format {
            StatusFormat::Json => STATUS,
            StatusFormat::Prometheus => METRICS,
        };
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: parent\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.take(MAX_STATUS_BYTES).read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = timeout(Duration::from_millis(ADMIN_TIMEOUT_MS), exchange)
        .await
        .map_err(|_| StatusError::TimedOut { path: path() })?
        .map_err(|source| StatusError::Connect { path: path(), source })?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(StatusError::Answer { path: path() }),
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
                    let answering = answer(stream, &admin);
                    if let Ok(Err(error)) = timeout(Duration::from_millis(ADMIN_TIMEOUT_MS), answering).await
                    {
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

async fn answer(mut stream: Stream, admin: &Admin) -> io::Result<()> {
    let request = read_head(&mut stream).await?;
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (status, kind, body) = match line.split(|byte| *byte == b' ').collect::<Vec<_>>().as_slice() {
        [b"GET", target, _version] if *target == STATUS.as_bytes() => {
            ("200 OK", "application/json", report::json(admin, &admin.observe().await))
        }
        [b"GET", target, _version] if *target == METRICS.as_bytes() => {
            ("200 OK", "text/plain; version=0.0.4", report::prometheus(admin))
        }
        _ => ("404 Not Found", "text/plain", format!("GET {STATUS} or GET {METRICS}\n")),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    stream.shutdown().await
}

/// Reads to the empty line that ends a request's head.
async fn read_head(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(MAX_ADMIN_REQUEST_BYTES);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_ADMIN_REQUEST_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an admin request of too many bytes"));
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}
