//! The load: one thread, one kind of work against one target for a set time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::{JoinSet, LocalSet};

use crate::backend::{DOWNLOAD, ECHO, UPLOAD};
use crate::proxies::{Address, Target};

const REQUEST_BYTES: usize = 256;
const PIECE_BYTES: usize = 64 * 1024;

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Requests of 256 bytes with answers of 256 bytes, over so many connections that stay open.
    Requests { connections: usize },
    /// Connections with one such request each, so many at once.
    Connections { at_once: usize },
    /// Bytes from the backend over one connection.
    Download,
    /// Bytes to the backend over one connection.
    Upload,
}

/// What was done, and how long it took.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Requests, connections or bytes.
    pub count: u64,
    /// The time.
    pub took: Duration,
}

impl Workload {
    /// In the order of the table.
    pub const ALL: [Self; 6] = [
        Self::Requests { connections: 1 },
        Self::Requests { connections: 32 },
        Self::Connections { at_once: 1 },
        Self::Connections { at_once: 32 },
        Self::Download,
        Self::Upload,
    ];

    /// As it stands in the table.
    pub fn name(self) -> String {
        match self {
            Self::Requests { connections } => format!("requests/s, {connections} connections"),
            Self::Connections { at_once } => format!("connect/s, {at_once} at once"),
            Self::Download => "download, MiB/s".into(),
            Self::Upload => "upload, MiB/s".into(),
        }
    }

    /// Whether it counts bytes.
    pub fn counts_bytes(self) -> bool {
        matches!(self, Self::Download | Self::Upload)
    }
}

/// Works for `time`, and a little over until each connection has finished what it began.
pub async fn run(workload: Workload, target: &Target, time: Duration) -> anyhow::Result<Done> {
    let address = target.address.clone();
    let started = Instant::now();
    let end = started + time;
    let count = match workload {
        Workload::Requests { connections } => {
            together(connections, || requests(address.clone(), end)).await?
        }
        Workload::Connections { at_once } => together(at_once, || connections(address.clone(), end)).await?,
        Workload::Download => {
            let mut stream = connect(&address).await?;
            stream.write_u8(DOWNLOAD).await?;
            let mut piece = vec![0; PIECE_BYTES];
            let mut bytes = 0;
            while Instant::now() < end {
                bytes += stream.read(&mut piece).await? as u64;
            }
            bytes
        }
        Workload::Upload => {
            let mut stream = connect(&address).await?;
            stream.write_u8(UPLOAD).await?;
            let piece = vec![0; PIECE_BYTES];
            let mut bytes = 0;
            while Instant::now() < end {
                bytes += stream.write(&piece).await? as u64;
            }
            bytes
        }
    };
    Ok(Done { count, took: started.elapsed() })
}

/// The sum of so many at once.
async fn together<F>(many: usize, work: impl Fn() -> F) -> anyhow::Result<u64>
where
    F: Future<Output = anyhow::Result<u64>> + 'static,
{
    let local = LocalSet::new();
    let mut all = JoinSet::new();
    for _ in 0..many {
        all.spawn_local_on(work(), &local);
    }
    let sum = Cell::new(0);
    local
        .run_until(async {
            while let Some(done) = all.join_next().await {
                sum.set(sum.get() + done??);
            }
            anyhow::Ok(())
        })
        .await?;
    Ok(sum.get())
}

async fn requests(address: Address, end: Instant) -> anyhow::Result<u64> {
    let mut stream = connect(&address).await?;
    stream.write_u8(ECHO).await?;
    let mut count = 0;
    while Instant::now() < end {
        request(&mut stream).await?;
        count += 1;
    }
    Ok(count)
}

async fn connections(address: Address, end: Instant) -> anyhow::Result<u64> {
    let mut count = 0;
    while Instant::now() < end {
        let mut stream = connect(&address).await?;
        stream.write_u8(ECHO).await?;
        request(&mut stream).await?;
        count += 1;
    }
    Ok(count)
}

async fn request(stream: &mut Box<dyn Socket>) -> anyhow::Result<()> {
    let mut bytes = [7; REQUEST_BYTES];
    stream.write_all(&bytes).await?;
    stream.read_exact(&mut bytes).await?;
    Ok(())
}

trait Socket: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Socket for S {}

async fn connect(address: &Address) -> anyhow::Result<Box<dyn Socket>> {
    Ok(match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    })
}
