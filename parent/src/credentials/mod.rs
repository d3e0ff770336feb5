//! Gives the enclave the credentials of this instance's role, so that it can sign requests to AWS itself.
//!
//! They are this machine's to begin with; handing them over gives the enclave nothing that the machine has not. What they
//! allow is for AWS to say: a key's policy that asks for an attestation document allows the machine itself nothing. They are
//! wiped when they are dropped, and never logged.

mod endpoint;
mod error;
mod imds;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use r3e_proto::host::credentials::{AwsCredentials, MAX_MESSAGE_BYTES, Reply, Request};
use r3e_transport::Stream;
use r3e_transport::frame::{FrameError, read_frame, write_frame};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{info, warn};

pub use endpoint::{ImdsEndpoint, ImdsEndpointError};
use error::CredentialsError;
use imds::Imds;

use crate::limits::{CREDENTIALS_MARGIN_MS, SHORT_EXCHANGE_TIMEOUT_MS};

/// The credentials of this machine, as long as they hold.
#[derive(Debug)]
pub(crate) struct Credentials {
    imds: Imds,
    /// Held while new ones are fetched, so that one request asks for all that wait.
    kept: Mutex<Option<AwsCredentials>>,
}

impl Credentials {
    /// From the metadata service at `endpoint`; nothing is asked yet.
    pub(crate) fn new(endpoint: ImdsEndpoint) -> Self {
        Self { imds: Imds::new(endpoint), kept: Mutex::new(None) }
    }

    /// Serves one connection of the enclave's: one request, one reply.
    pub(crate) async fn serve(self: Arc<Self>, mut enclave: Stream) {
        let asked = within(async {
            let body = read_frame(&mut enclave, MAX_MESSAGE_BYTES).await?;
            Request::decode(&body)
                .map_err(|error| FrameError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
        });
        let Request { service } = match asked.await {
            Ok(request) => request,
            Err(error) => return warn!(%error, "closed a connection for credentials"),
        };
        let reply = match self.of_now().await {
            Ok(credentials) => {
                info!(?service, expires_at_ms = credentials.expires_at_ms, "gave the enclave credentials");
                Reply::Credentials(credentials)
            }
            Err(error) => {
                warn!(?service, %error, "there are no credentials for the enclave");
                Reply::Failed(error.to_string())
            }
        };
        let encoded = reply.encode();
        if let Err(error) = within(write_frame(&mut enclave, &encoded, MAX_MESSAGE_BYTES)).await {
            warn!(%error, "the enclave did not take its credentials");
        }
    }

    /// Those that are kept, or new ones where none are or their end is near. Where no new ones can be had, the old ones
    /// serve to their end.
    async fn of_now(&self) -> Result<AwsCredentials, CredentialsError> {
        let mut kept = self.kept.lock().await;
        let now_ms = unix_ms();
        let lasts = |credentials: &AwsCredentials, ms| credentials.expires_at_ms > now_ms.saturating_add(ms);
        if let Some(credentials) = kept.as_ref().filter(|kept| lasts(kept, CREDENTIALS_MARGIN_MS)) {
            return Ok(credentials.clone());
        }
        match self.imds.credentials().await {
            Ok(credentials) => {
                *kept = Some(credentials.clone());
                Ok(credentials)
            }
            Err(error) => match kept.as_ref().filter(|kept| lasts(kept, 0)) {
                Some(credentials) => {
                    warn!(%error, "the old credentials serve on");
                    Ok(credentials.clone())
                }
                None => Err(error),
            },
        }
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A short exchange with the enclave, in its time.
async fn within<T>(exchange: impl Future<Output = Result<T, FrameError>>) -> Result<T, FrameError> {
    let late = |_| FrameError::Io(std::io::ErrorKind::TimedOut.into());
    timeout(Duration::from_millis(SHORT_EXCHANGE_TIMEOUT_MS), exchange).await.map_err(late)?
}
