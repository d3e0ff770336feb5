//! Dialling over vsock.

use std::time::Duration;

use tokio::time::timeout;
use tokio_vsock::{VsockAddr, VsockStream};

use crate::error::TransportError;
use crate::limits::DIAL_TIMEOUT_MS;
use crate::stream::Stream;

/// Connects to `port` of the machine `cid`.
pub(crate) async fn dial(cid: u32, port: u32) -> Result<Stream, TransportError> {
    let endpoint = || format!("vsock:{cid}, port {port}");
    match timeout(Duration::from_millis(DIAL_TIMEOUT_MS), VsockStream::connect(VsockAddr::new(cid, port)))
        .await
    {
        Ok(Ok(stream)) => Ok(stream.into()),
        Ok(Err(source)) => Err(TransportError::Dial { endpoint: endpoint(), source }),
        Err(_) => Err(TransportError::DialTimedOut { endpoint: endpoint() }),
    }
}
