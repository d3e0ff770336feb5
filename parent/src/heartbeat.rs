//! The heartbeat of a Nitro Enclave: once it is up it sends one byte and waits for the same byte back.

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::host::HEARTBEAT;
use r3e_transport::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::counters::{Count, Counters};
use crate::limits::SHORT_EXCHANGE_TIMEOUT_MS;

/// Echoes the byte, and records when, among all and among this enclave's `own`. Any other byte is not answered.
pub(crate) async fn serve(mut stream: Stream, counters: Arc<Counters>, own: Arc<Count>) {
    let exchange = async {
        let byte = stream.read_u8().await?;
        if byte != HEARTBEAT {
            warn!(byte, "the enclave sent another byte than the heartbeat");
            return Ok(());
        }
        counters.heartbeat.last_unix_seconds.set_now();
        counters.heartbeat.beats.add(1);
        own.add(1);
        stream.write_u8(HEARTBEAT).await?;
        info!("the enclave is up");
        std::io::Result::Ok(())
    };
    // An enclave that leaves early is seen by its absence.
    let _ = timeout(Duration::from_millis(SHORT_EXCHANGE_TIMEOUT_MS), exchange).await;
}
