//! Hands the enclave its configuration: one frame with the bytes of a file, read when the parent starts.
//!
//! The enclave measures what it gets, so a change must be deliberate: it needs a restart of both.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use r3e_transport::Stream;
use r3e_transport::frame::{FrameError, write_frame};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::counters::Counters;
use crate::error::ParentError;
use crate::limits::SHORT_EXCHANGE_TIMEOUT_MS;

/// Reads the file, of 1 to [`MAX_CONFIGURATION_BYTES`] bytes.
pub(crate) fn read(path: &Path) -> Result<Arc<[u8]>, ParentError> {
    let failed = |source| ParentError::Configuration { path: path.into(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_CONFIGURATION_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.is_empty() || bytes.len() > MAX_CONFIGURATION_BYTES {
        return Err(ParentError::ConfigurationSize { path: path.into(), max_bytes: MAX_CONFIGURATION_BYTES });
    }
    Ok(bytes.into())
}

/// Sends the configuration and closes.
pub(crate) async fn serve(mut stream: Stream, configuration: Arc<[u8]>, counters: Arc<Counters>) {
    let sending = async {
        write_frame(&mut stream, &configuration, MAX_CONFIGURATION_BYTES).await?;
        stream.shutdown().await.map_err(Into::into)
    };
    let sent: Result<Result<(), FrameError>, _> =
        timeout(Duration::from_millis(SHORT_EXCHANGE_TIMEOUT_MS), sending).await;
    match sent {
        Ok(Ok(())) => {
            counters.configurations_served.add(1);
            info!(bytes = configuration.len(), "the enclave took its configuration");
        }
        Ok(Err(error)) => warn!(%error, "the configuration was not taken"),
        Err(_) => warn!("the enclave did not take its configuration in time"),
    }
}
