//! The hybrid-vsock convention over unix sockets: dialling. [`demux`] is the enclave's listening end, [`line`] the
//! two lines, [`socket_file`] the file that a listener leaves in the file system.

pub(crate) mod demux;
mod line;
pub(crate) mod socket_file;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use crate::error::TransportError;
use crate::limits::{DIAL_RETRY_MS, DIAL_TIMEOUT_MS};
use crate::stream::Stream;

/// Connects to the socket at `path`.
pub(crate) async fn dial(path: &Path) -> Result<Stream, TransportError> {
    within(path, async { Ok(connect(path).await?.into()) }).await
}

/// Connects to `port` behind the enclave's socket at `path`.
pub(crate) async fn dial_port(path: &Path, port: u32) -> Result<Stream, TransportError> {
    let exchange = async {
        let mut stream = connect(path).await?;
        line::request(&mut stream, port).await?;
        Ok(stream.into())
    };
    within(path, exchange).await
}

/// Runs a dial under the one limit, and says of every failure which endpoint it met.
async fn within(
    path: &Path,
    dial: impl Future<Output = Result<Stream, line::DialFailure>>,
) -> Result<Stream, TransportError> {
    let endpoint = || path.display().to_string();
    match timeout(Duration::from_millis(DIAL_TIMEOUT_MS), dial).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(line::DialFailure::Io(source))) => Err(TransportError::Dial { endpoint: endpoint(), source }),
        Ok(Err(line::DialFailure::Refused)) => Err(TransportError::Refused { endpoint: endpoint() }),
        Ok(Err(line::DialFailure::Answer)) => Err(TransportError::Answer { endpoint: endpoint() }),
        Err(_) => Err(TransportError::DialTimedOut { endpoint: endpoint() }),
    }
}

/// A non-blocking connect to a unix socket whose backlog is full fails at once, where TCP would queue: wait and
/// try again. The caller bounds the time.
async fn connect(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                sleep(Duration::from_millis(DIAL_RETRY_MS)).await;
            }
            other => return other,
        }
    }
}
