//! The other end of the admin socket: what the program's commands ask of a parent that runs.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{ADMIN_SOCKET, BACKUP, METRICS, STATUS, StatusError, StatusFormat, TAKEOVER, UPGRADE};
use crate::backup::Progress;
use crate::limits::{
    ADMIN_TIMEOUT_MS, BLOB_ANSWER_TIMEOUT_MS, MAX_ADMIN_REQUEST_BYTES, MAX_LINE_BYTES, MAX_STATUS_BYTES,
    TAKEOVER_TIMEOUT_MS,
};
use crate::upgrade::{Line, Order};

/// Asks the parent that holds the folder `data`.
///
/// # Errors
/// [`StatusError`]: no parent runs there, or it does not answer.
pub async fn query_status(data: &Path, format: StatusFormat) -> Result<String, StatusError> {
    let target = match format {
        StatusFormat::Json => STATUS,
        StatusFormat::Prometheus => METRICS,
    };
    Question::new(data, "GET", target).short(ADMIN_TIMEOUT_MS).await
}

/// Has the parent that holds the folder `data` take over its store's lease, whoever holds it: the epoch that begins, or
/// the one that it holds already.
///
/// # Errors
/// [`StatusError`]: no parent runs there, or it could not.
pub async fn order_takeover(data: &Path) -> Result<u64, StatusError> {
    let question = Question::new(data, "POST", TAKEOVER);
    let path = question.path.clone();
    let answer = question.short(TAKEOVER_TIMEOUT_MS).await?;
    answer.trim().parse().map_err(|_| StatusError::Answer { path })
}

/// Has the parent that holds the folder `data` go over to a successor of its enclave, and tells each step: the last line is
/// [`Line::Done`], [`Line::TookOver`] or [`Line::Failed`]. Dropped before the successor took over, it cancels the upgrade.
///
/// # Errors
/// [`StatusError`]: no parent runs there, it is at another upgrade, or it ended meanwhile.
pub async fn order_upgrade(
    data: &Path,
    order: &Order,
    told: &mut (dyn FnMut(&Line) + Send),
) -> Result<Line, StatusError> {
    let mut question = Question::new(data, "POST", UPGRADE);
    let failed =
        |source| StatusError::Connect { path: data.join(ADMIN_SOCKET).display().to_string(), source };
    let body = serde_json::to_string(order).map_err(|error| failed(io::Error::other(error)))?;
    question.request =
        format!("POST {UPGRADE} HTTP/1.1\r\nHost: parent\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut from = question.begin(TAKEOVER_TIMEOUT_MS).await?;
    loop {
        let mut text = String::new();
        if (&mut from).take(MAX_LINE_BYTES).read_line(&mut text).await.map_err(failed)? == 0 {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        let line: Line =
            serde_json::from_str(&text).map_err(|_| StatusError::Answer { path: question.path.clone() })?;
        told(&line);
        if !matches!(line, Line::Step { .. }) {
            return Ok(line);
        }
    }
}

/// Writes what the parent that holds the folder `data` keeps, as a backup, to `writer`. Whether all of it came is said by
/// the backup's own end.
pub(crate) async fn fetch_backup<W: AsyncWrite + Unpin>(
    data: &Path,
    writer: &mut W,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), StatusError> {
    let question = Question::new(data, "GET", BACKUP);
    let failed = |source| StatusError::Connect { path: question.path.clone(), source };
    let mut from = question.begin(TAKEOVER_TIMEOUT_MS).await?;
    let mut done = Progress::default();
    loop {
        let piece = timeout(Duration::from_millis(BLOB_ANSWER_TIMEOUT_MS), from.fill_buf()).await;
        let piece = piece.map_err(|_| question.timed_out())?.map_err(failed)?;
        if piece.is_empty() {
            return Ok(());
        }
        let length = piece.len();
        writer.write_all(piece).await.map_err(failed)?;
        from.consume(length);
        done.bytes += length as u64;
        progress(done);
    }
}

struct Question {
    path: String,
    request: String,
}

impl Question {
    fn new(data: &Path, method: &str, target: &str) -> Self {
        let path = data.join(ADMIN_SOCKET).display().to_string();
        Self { path, request: format!("{method} {target} HTTP/1.1\r\nHost: parent\r\n\r\n") }
    }

    fn timed_out(&self) -> StatusError {
        StatusError::TimedOut { path: self.path.clone() }
    }

    /// A text for an answer.
    async fn short(&self, timeout_ms: u64) -> Result<String, StatusError> {
        let reading = async {
            let mut answer = String::new();
            self.begin(timeout_ms)
                .await?
                .take(MAX_STATUS_BYTES)
                .read_to_string(&mut answer)
                .await
                .map_err(|source| StatusError::Connect { path: self.path.clone(), source })?;
            Ok(answer)
        };
        timeout(Duration::from_millis(timeout_ms), reading).await.map_err(|_| self.timed_out())?
    }

    /// Asks, and reads the answer's head: its body comes next.
    async fn begin(&self, timeout_ms: u64) -> Result<BufReader<UnixStream>, StatusError> {
        let exchange = async {
            let mut stream = UnixStream::connect(&self.path).await?;
            stream.write_all(self.request.as_bytes()).await?;
            let mut from = BufReader::with_capacity(64 * 1024, stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && head.len() < MAX_ADMIN_REQUEST_BYTES {
                if (&mut from).take(MAX_ADMIN_REQUEST_BYTES as u64).read_line(&mut head).await? == 0 {
                    break;
                }
            }
            io::Result::Ok((head, from))
        };
        let (head, from) = timeout(Duration::from_millis(timeout_ms), exchange)
            .await
            .map_err(|_| self.timed_out())?
            .map_err(|source| StatusError::Connect { path: self.path.clone(), source })?;
        match head.split(' ').nth(1) {
            Some("200") => Ok(from),
            // Of these, the body says why.
            Some("409" | "503") => {
                let mut why = String::new();
                let reading = from.take(MAX_ADMIN_REQUEST_BYTES as u64).read_to_string(&mut why).await;
                reading.map_err(|source| StatusError::Connect { path: self.path.clone(), source })?;
                Err(StatusError::Refused(why.trim().to_owned()))
            }
            _ => Err(StatusError::Answer { path: self.path.clone() }),
        }
    }
}
