//! The parent's vsock ports, which all enclaves of a machine share: whose a connection is shows by its peer's CID.
//!
//! Whoever waits for a connection of one enclave takes those of the others from the kernel's queue too, and leaves them
//! where the others look. There is no task, so a port is free the moment that nobody listens on it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, mpsc};
use tokio_vsock::{VsockListener, VsockStream};

use crate::limits::MAX_PENDING_ACCEPTS;

/// Brings connections with the CIDs of their peers.
pub(crate) trait Accept: Send {
    /// A connection.
    type Stream: Send;

    /// The next connection, of whatever peer. Dropped, it has taken none.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, u32)>> + Send;
}

impl Accept for VsockListener {
    type Stream = VsockStream;

    async fn accept(&mut self) -> io::Result<(VsockStream, u32)> {
        let (stream, address) = VsockListener::accept(self).await?;
        Ok((stream, address.cid()))
    }
}

/// The ports that are listened on, for any enclave.
#[derive(Debug)]
pub(crate) struct VsockPorts<L: Accept = VsockListener> {
    open: Mutex<HashMap<u32, Weak<Port<L>>>>,
}

/// One port, for as long as anybody listens on it.
#[derive(Debug)]
struct Port<L: Accept> {
    /// Held by the one who waits for the kernel.
    listener: Turn<L>,
    /// Who listens, by the CID of the enclave.
    queues: Mutex<HashMap<u32, mpsc::Sender<L::Stream>>>,
}

/// The connections of one enclave to one port.
#[derive(Debug)]
pub(crate) struct PeerQueue<L: Accept = VsockListener> {
    cid: u32,
    connections: mpsc::Receiver<L::Stream>,
    port: Arc<Port<L>>,
}

impl<L: Accept> Default for VsockPorts<L> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<L: Accept> VsockPorts<L> {
    /// Takes the connections of the enclave `cid` to `port`, until the queue is dropped. `bind` is asked where nobody
    /// listens on the port yet.
    ///
    /// # Errors
    /// Those of `bind`; [`io::ErrorKind::AddrInUse`] where the same enclave's are taken already.
    pub(crate) fn open(
        &self,
        cid: u32,
        port: u32,
        bind: impl FnOnce() -> io::Result<L>,
    ) -> io::Result<PeerQueue<L>> {
        let mut open = locked(&self.open);
        open.retain(|_, port| port.strong_count() > 0);
        let shared = if let Some(shared) = open.get(&port).and_then(Weak::upgrade) {
            shared
        } else {
            let shared = Arc::new(Port { listener: Turn::new(bind()?), queues: Mutex::default() });
            open.insert(port, Arc::downgrade(&shared));
            shared
        };
        let (sender, connections) = mpsc::channel(MAX_PENDING_ACCEPTS);
        match locked(&shared.queues).entry(cid) {
            Entry::Occupied(_) => return Err(io::ErrorKind::AddrInUse.into()),
            Entry::Vacant(free) => drop(free.insert(sender)),
        }
        Ok(PeerQueue { cid, connections, port: shared })
    }
}

impl<L: Accept> PeerQueue<L> {
    /// The next connection of this enclave. Those of an enclave that nobody listens to are closed unread.
    pub(crate) async fn next(&mut self) -> io::Result<L::Stream> {
        loop {
            let accepted = tokio::select! {
                biased;
                // The sender stands in the table for as long as this queue.
                Some(stream) = self.connections.recv() => return Ok(stream),
                accepted = async { self.port.listener.lock().await.accept().await } => accepted,
            };
            let (stream, peer) = accepted?;
            if peer == self.cid {
                return Ok(stream);
            }
            let other = locked(&self.port.queues).get(&peer).cloned();
            if let Some(other) = other {
                // One whose queue is full loses the connection, and holds up nobody else.
                let _ = other.try_send(stream);
            }
        }
    }
}

impl<L: Accept> Drop for PeerQueue<L> {
    fn drop(&mut self) {
        locked(&self.port.queues).remove(&self.cid);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds a lock, and a map is whole after each operation.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Connections are numbers, which a test sends.
    struct Wire(mpsc::UnboundedReceiver<(u8, u32)>);

    impl Accept for Wire {
        type Stream = u8;

        async fn accept(&mut self) -> io::Result<(u8, u32)> {
            self.0.recv().await.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
        }
    }

    fn wire() -> (mpsc::UnboundedSender<(u8, u32)>, Wire) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Wire(receiver))
    }

    #[tokio::test]
    async fn each_enclave_gets_its_own_connections_whoever_waits() {
        let ports = VsockPorts::default();
        let (kernel, listener) = wire();
        let mut first = ports.open(16, 5000, || Ok(listener)).unwrap();
        let mut second = ports.open(17, 5000, || unreachable!("it is bound")).unwrap();
        for connection in [(1, 17), (2, 99), (3, 16), (4, 17)] {
            kernel.send(connection).unwrap();
        }
        // The first takes all from the kernel; what is not its is left for the second, or closed.
        assert_eq!(first.next().await.unwrap(), 3);
        assert_eq!(second.next().await.unwrap(), 1);
        assert_eq!(second.next().await.unwrap(), 4);
        // Both wait: who has the turn serves the other.
        let waiting = tokio::spawn(async move { (first.next().await.unwrap(), first) });
        tokio::task::yield_now().await;
        kernel.send((5, 17)).unwrap();
        assert_eq!(second.next().await.unwrap(), 5);
        drop(second);
        kernel.send((6, 16)).unwrap();
        let (got, _first) = waiting.await.unwrap();
        assert_eq!(got, 6);
    }

    #[tokio::test]
    async fn one_who_stops_waiting_leaves_the_turn_to_the_other() {
        let ports = VsockPorts::default();
        let (kernel, listener) = wire();
        let mut first = ports.open(16, 5000, || Ok(listener)).unwrap();
        let mut second = ports.open(17, 5000, || unreachable!("it is bound")).unwrap();
        assert!(timeout(Duration::from_millis(20), first.next()).await.is_err());
        kernel.send((1, 17)).unwrap();
        assert_eq!(second.next().await.unwrap(), 1);
        // One who never waits holds up nobody, and loses what does not fit.
        for _ in 0..=MAX_PENDING_ACCEPTS {
            kernel.send((2, 16)).unwrap();
        }
        kernel.send((3, 17)).unwrap();
        assert_eq!(second.next().await.unwrap(), 3);
        for _ in 0..MAX_PENDING_ACCEPTS {
            assert_eq!(first.next().await.unwrap(), 2);
        }
        assert!(timeout(Duration::from_millis(20), first.next()).await.is_err());
    }

    #[tokio::test]
    async fn a_port_has_one_listener_an_enclave_and_is_free_when_the_last_has_gone() {
        let ports = VsockPorts::default();
        let first = ports.open(16, 5000, || Ok(wire().1)).unwrap();
        let twice = ports.open(16, 5000, || unreachable!("it is bound"));
        assert_eq!(twice.map(drop).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let second = ports.open(17, 5000, || unreachable!("it is bound")).unwrap();
        drop(first);
        let again = ports.open(16, 5000, || unreachable!("it is bound")).unwrap();
        drop((again, second));
        let mut bound = false;
        let bind = || {
            bound = true;
            Ok(wire().1)
        };
        drop(ports.open(16, 5000, bind).unwrap());
        assert!(bound, "nobody listened any more");
        let failed = ports.open(16, 5001, || Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(failed.map(drop).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
