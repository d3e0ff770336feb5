//! Accepts clients' TCP connections and carries each to the enclave, byte for byte.
//!
//! A client that has not said anything costs no connection to the enclave: in TLS the client speaks first. Nothing a
//! client sends is looked at. While this parent does not hold the lease of a store that it shares, the
//! port is closed and no connection is left: so a balancer finds the parent that serves, and nobody is answered by an enclave
//! that another may have written past.

mod admission;
mod target;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use r3e_transport::{Stream, TransportError, pause_after};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use admission::{Admission, Admitted, Refusal};
pub(crate) use target::{Target, Targets};

use crate::blobs::postgres::Lease;
use crate::counters::Counters;
use crate::limits::{DIAL_RETRY_PAUSE_MS, LISTEN_BACKLOG, LISTEN_RETRY_MS};
use crate::relay::{Ended, Moved};
use crate::settings::Forward;

/// The public side of the parent.
#[derive(Debug)]
pub(crate) struct Forwarder {
    /// None while another parent serves.
    listener: Option<TcpListener>,
    address: Option<SocketAddr>,
    /// Of the store that other parents may share.
    lease: Option<Lease>,
    carrier: Arc<Carrier>,
    admission: Arc<Admission>,
}

/// What every connection needs.
#[derive(Debug)]
struct Carrier {
    targets: Arc<Targets>,
    settings: Forward,
    counters: Arc<Counters>,
}

/// Listens on `address`, where a parent that has just ended may still have connections in `TIME_WAIT`.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}

impl Forwarder {
    /// Over `listener`, to the enclave that serves. Where another parent holds the lease, the port is closed from here on.
    pub(crate) fn new(
        listener: TcpListener,
        lease: Option<Lease>,
        targets: Arc<Targets>,
        settings: Forward,
        counters: Arc<Counters>,
    ) -> Self {
        let admission = Arc::new(Admission::new(&settings));
        // A socket that listens has an address.
        let address = listener.local_addr().ok();
        let listener = Some(listener).filter(|_| lease.as_ref().is_none_or(Lease::is_held));
        Self {
            listener,
            address,
            lease,
            admission,
            carrier: Arc::new(Carrier { targets, settings, counters }),
        }
    }

    /// Accepts until `stopping` turns true; then lets connections finish for the drain timeout, and cuts the rest.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let Self { mut listener, address, lease, carrier, admission } = self;
        let Some(address) = address else { return };
        let mut connections = JoinSet::new();
        loop {
            if let Some(lease) = lease.as_ref().filter(|lease| !lease.is_held()) {
                listener = None;
                connections.abort_all();
                tokio::select! {
                    () = lease.held() => {}
                    _ = stopping.wait_for(|stop| *stop) => break,
                }
            }
            if listener.is_none() {
                match listen(address) {
                    Ok(again) => listener = Some(again),
                    Err(error) => warn!(%error, "cannot listen again"),
                }
            }
            let accepted = tokio::select! {
                accepted = accept(listener.as_ref()) => accepted,
                Some(_) = connections.join_next() => continue,
                () = ceased(lease.as_ref()) => continue,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((client, address)) => {
                    if let Some(admitted) = admit(&admission, &carrier.counters, address.ip()) {
                        let carrier = Arc::clone(&carrier);
                        connections.spawn(async move {
                            carrier.carry(client).await;
                            drop(admitted);
                        });
                    }
                }
                Err(error) => {
                    let pause = pause_after(&error);
                    warn!(%error, "a connection could not be accepted");
                    // Even a lasting failure must not spin; there is no second listener to turn to.
                    sleep(pause.unwrap_or(Duration::from_secs(1))).await;
                }
            }
        }
        drop(listener);
        let draining = async { while connections.join_next().await.is_some() {} };
        if timeout(Duration::from_millis(carrier.settings.drain_timeout_ms), draining).await.is_err() {
            info!(cut = connections.len(), "connections did not finish in time");
        }
    }
}

/// The next connection; without a listener, an error after a while.
async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    let Some(listener) = listener else {
        sleep(Duration::from_millis(LISTEN_RETRY_MS)).await;
        return Err(io::ErrorKind::NotConnected.into());
    };
    listener.accept().await
}

/// Waits until this parent does not hold the lease; for ever, where there is none.
async fn ceased(lease: Option<&Lease>) {
    match lease {
        Some(lease) => lease.ceased().await,
        None => std::future::pending().await,
    }
}

/// Lets a connection in, or counts why not; the caller then closes it.
fn admit(admission: &Arc<Admission>, counters: &Counters, address: IpAddr) -> Option<Admitted> {
    match admission.admit(address, Instant::now()) {
        Ok(admitted) => {
            counters.clients.accepted.add(1);
            Some(admitted)
        }
        Err(refusal) => {
            match refusal {
                Refusal::Full => counters.clients.refused_full.add(1),
                Refusal::Address => counters.clients.refused_address.add(1),
                Refusal::Rate => counters.clients.refused_rate.add(1),
            }
            debug!(%address, ?refusal, "refused a connection");
            None
        }
    }
}

impl Carrier {
    async fn carry(&self, mut client: TcpStream) {
        let clients = &self.counters.clients;
        let _open = clients.open.enter();
        // Small TLS records must not wait for an acknowledgement. Without it all works, only slower.
        let _ = client.set_nodelay(true);
        let first_byte = Duration::from_millis(self.settings.first_byte_timeout_ms);
        // Readiness alone may be reported without a byte behind it, so look for one, and leave it where it is.
        match timeout(first_byte, client.peek(&mut [0])).await {
            Ok(Ok(1..)) => {}
            Ok(Err(_)) => return clients.failed.add(1),
            Ok(Ok(0)) | Err(_) => return clients.silent.add(1),
        }
        let (target, mut enclave) = match self.dial().await {
            Ok(dialled) => dialled,
            Err(error) => {
                debug!(%error, "a client could not be carried");
                return clients.unreached.add(1);
            }
        };
        let idle = Duration::from_millis(self.settings.idle_timeout_ms);
        let moved = Moved { forth: clients.bytes_forth.atomic(), back: clients.bytes_back.atomic() };
        match target.carry(&mut client, &mut enclave, idle, moved).await {
            Ended::Finished | Ended::Cut => {}
            Ended::Idle => clients.idle.add(1),
            Ended::Failed => clients.failed.add(1),
        }
    }

    /// Connects to the enclave, trying again while it starts; each time to the one that serves then.
    async fn dial(&self) -> Result<(Arc<Target>, Stream), TransportError> {
        let patience = Instant::now() + Duration::from_millis(self.settings.dial_patience_ms);
        loop {
            let target = self.targets.current();
            match target.dial().await {
                Err(_) if Instant::now() < patience => {
                    sleep(Duration::from_millis(DIAL_RETRY_PAUSE_MS)).await;
                }
                done => return done.map(|enclave| (target, enclave)),
            }
        }
    }
}
