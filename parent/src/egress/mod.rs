//! Connects to the outside for the enclave: it names a host and a port, the parent resolves the name, refuses what is
//! not public, connects, and then moves bytes.
//!
//! TLS ends inside the enclave, so nothing here needs to be trusted: a wrong address costs a failed handshake. The rules
//! guard the parent's own network and the instance's metadata service from what runs in the enclave.

mod network;
mod public;
mod rules;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use r3e_proto::host::egress::{Connect, MAX_MESSAGE_BYTES, RefusalCode, Reply};
use r3e_transport::Stream;
use r3e_transport::frame::{FrameError, read_frame, write_frame};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, info, warn};

pub use network::Network;
pub use rules::{HostRule, Resolve, RuleError};
use rules::{Route, Rules};

use crate::counters::Counters;
use crate::limits::{
    CONNECT_TIMEOUT_MS, EGRESS_SETUP_TIMEOUT_MS, MAX_ADDRESSES_TRIED, RESOLVE_TIMEOUT_MS,
    SHORT_EXCHANGE_TIMEOUT_MS,
};
use crate::relay::{Moved, relay};
use crate::settings;

/// The egress proxy, shared by its connections.
#[derive(Debug)]
pub(crate) struct Egress {
    rules: Rules,
    idle: Duration,
    places: Semaphore,
    counters: Arc<Counters>,
}

/// Why there is no connection: what the enclave is told.
#[derive(Debug)]
struct Refused {
    code: RefusalCode,
    message: String,
}

impl Egress {
    /// By the operator's settings.
    pub(crate) fn new(settings: settings::Egress, counters: Arc<Counters>) -> Self {
        Self {
            idle: Duration::from_millis(settings.idle_timeout_ms),
            places: Semaphore::new(settings.max_connections),
            rules: Rules::new(settings.allow, settings.allow_private, settings.resolve),
            counters,
        }
    }

    /// Serves one connection of the enclave's.
    pub(crate) async fn serve(self: Arc<Self>, mut enclave: Stream) {
        let counters = &self.counters.egress;
        let connect = match within(SHORT_EXCHANGE_TIMEOUT_MS, read_connect(&mut enclave)).await {
            Ok(connect) => connect,
            Err(error) => {
                counters.malformed.add(1);
                return match error {
                    // Who asked does not want it any more: enough of other hosts have answered, say.
                    FrameError::Closed => debug!("an egress connection was given up before it named a host"),
                    error => warn!(%error, "closed an egress connection"),
                };
            }
        };
        // Held until the connection ends.
        let place = self.places.try_acquire();
        let outside = match &place {
            Ok(_) => self.connect(&connect).await,
            Err(_) => Err(refused(RefusalCode::Busy, "too many egress connections are open")),
        };
        let reply = match &outside {
            Ok(_) => Reply::Connected,
            Err(Refused { code, message }) => {
                counters.refused.add(1);
                info!(host = connect.host, port = connect.port, ?code, message, "refused egress");
                Reply::Refused { code: *code, message: message.clone() }
            }
        };
        let replied = within(SHORT_EXCHANGE_TIMEOUT_MS, async {
            write_frame(&mut enclave, &reply.encode(), MAX_MESSAGE_BYTES).await
        });
        if let (Ok(()), Ok(mut outside)) = (replied.await, outside) {
            counters.connected.add(1);
            let _open = counters.open.enter();
            let moved = Moved { forth: counters.bytes_out.atomic(), back: counters.bytes_in.atomic() };
            let ended = relay(&mut enclave, &mut outside, self.idle, moved).await;
            debug!(host = connect.host, port = connect.port, ?ended, "egress ended");
        }
    }

    /// Resolves and connects, within the rules and the time.
    async fn connect(&self, to: &Connect) -> Result<TcpStream, Refused> {
        let setup = async {
            let addresses = self.addresses(to).await?;
            connect_any(&addresses).await
        };
        timeout(Duration::from_millis(EGRESS_SETUP_TIMEOUT_MS), setup)
            .await
            .unwrap_or_else(|_| Err(refused(RefusalCode::TimedOut, "no address answered in time")))
    }

    /// The addresses that `to` may be connected at: resolved once, judged, and then used as they are, so that a name
    /// cannot be judged at one address and reached at another.
    async fn addresses(&self, to: &Connect) -> Result<Vec<SocketAddr>, Refused> {
        let host = match self.rules.route(&to.host, to.port) {
            Route::Fixed(address) => return Ok(vec![address]),
            Route::Resolve(host) => host,
            Route::NotAllowed(why) => return Err(refused(RefusalCode::NotAllowed, why)),
        };
        let lookup =
            timeout(Duration::from_millis(RESOLVE_TIMEOUT_MS), lookup_host((host.as_str(), to.port)));
        let found: Vec<_> = match lookup.await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(error)) => {
                return Err(refused(RefusalCode::NoSuchHost, &format!("cannot resolve: {error}")));
            }
            Err(_) => return Err(refused(RefusalCode::TimedOut, "the name was not resolved in time")),
        };
        if found.is_empty() {
            return Err(refused(RefusalCode::NoSuchHost, "the name has no address"));
        }
        self.rules.judged(found).map_err(|why| refused(RefusalCode::NotPublic, &why))
    }
}

async fn read_connect(enclave: &mut Stream) -> Result<Connect, FrameError> {
    let body = read_frame(enclave, MAX_MESSAGE_BYTES).await?;
    Connect::decode(&body).map_err(|error| FrameError::Io(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// Tries the addresses in the resolver's order.
async fn connect_any(addresses: &[SocketAddr]) -> Result<TcpStream, Refused> {
    let mut last = refused(RefusalCode::Unreachable, "no address to try");
    for address in addresses.iter().take(MAX_ADDRESSES_TRIED) {
        match timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Without it all works, only slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = refused(RefusalCode::Unreachable, &format!("{address}: {error}")),
            Err(_) => last = refused(RefusalCode::TimedOut, &format!("{address} did not answer in time")),
        }
    }
    Err(last)
}

fn refused(code: RefusalCode, message: &str) -> Refused {
    Refused { code, message: message.into() }
}

/// A short exchange with the enclave, in its time.
async fn within<T>(ms: u64, exchange: impl Future<Output = Result<T, FrameError>>) -> Result<T, FrameError> {
    let late = |_| FrameError::Io(io::ErrorKind::TimedOut.into());
    timeout(Duration::from_millis(ms), exchange).await.map_err(late)?
}
