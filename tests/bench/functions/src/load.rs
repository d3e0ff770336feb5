//! Load from as many clients as are asked for, each with one request at a time.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use r3e_e2e::processes;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::task::JoinSet;

use crate::measured::{Load, Times};
use crate::settings::{ANSWER, EVENT};

/// One who asks again and again.
pub(crate) trait Client: Send + 'static {
    /// Asks once and checks the answer.
    fn ask(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Has each client ask in a loop for `span`, and reads what the servers used meanwhile.
pub(crate) async fn load<C: Client>(
    clients: Vec<C>,
    servers: &[u32],
    span: Duration,
) -> anyhow::Result<Load> {
    let mut warm = Vec::new();
    for mut client in clients {
        client.ask().await.context("the first request")?;
        warm.push(client);
    }
    let before = processes::cpu(servers)?;
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for mut client in warm {
        tasks.spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < span {
                let begun = Instant::now();
                client.ask().await?;
                times.push(begun.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let wall = started.elapsed();
    let cpu = processes::cpu(servers)?.saturating_sub(before);
    Ok(Load { count: times.len(), times: Times::of(times)?, wall, cpu })
}

/// A connection that is kept, to a server of HTTP/1.1 (RFC 9112) that tells the length of its answers.
pub(crate) struct Http<S> {
    stream: BufReader<S>,
    request: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Http<S> {
    pub(crate) fn over(stream: S) -> Self {
        let length = EVENT.len();
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length";
        let request = format!("{head}: {length}\r\n\r\n{EVENT}").into_bytes();
        Self { stream: BufReader::new(stream), request }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Client for Http<S> {
    async fn ask(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            anyhow::ensure!(self.stream.read_line(&mut line).await? > 0, "the server closed the connection");
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse().context("a length")?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        anyhow::ensure!(body == ANSWER.as_bytes(), "the server answered something else");
        Ok(())
    }
}
