//! Accepts connections and takes each through handshake and evidence to HTTP. A connection costs a task and nothing
//! else: whatever a client does, the others do not see it.

use std::sync::Arc;

use r3e_proto::channel::ALPN;
use r3e_proto::channel::binding::Digest;
use r3e_transport::{Listener, Stream, TransportError};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::batch::EvidenceSource;
use super::counters::{Became, Counters};
use super::handshake::attest;
use super::identity::TlsIdentity;
use super::serve::{serve, stopped};
use super::stage::{Stage, Stages};
use crate::descriptors;
use crate::limits::{DRAIN_TIMEOUT, HANDSHAKE_TIMEOUT};

/// What the listener needs to serve connections.
pub(crate) struct Channel {
    /// The appliance's end of TLS.
    pub(crate) identity: TlsIdentity,
    /// SHA-384 of the measured configuration.
    pub(crate) configuration: Digest,
    /// Where evidence comes from.
    pub(crate) evidence: EvidenceSource,
    /// What is counted.
    pub(crate) counters: Arc<Counters>,
}

/// What a connection is served, and when it must end.
struct Serving {
    stages: watch::Receiver<Stage>,
    stop: watch::Receiver<bool>,
}

impl Serving {
    fn stage(&self) -> Stage {
        self.stages.borrow().clone()
    }
}

impl Channel {
    /// Serves connections, each in the stage that is when it begins, until `stop` says so or the listener ends; then
    /// gives open requests a while to finish.
    ///
    /// # Errors
    /// [`TransportError`]: the listener brings no more connections.
    pub(crate) async fn run(
        self,
        mut listener: Listener,
        stages: &Stages,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), TransportError> {
        let channel = Arc::new(self);
        let stages = stages.current();
        let acceptor = TlsAcceptor::from(channel.identity.config());
        let most = descriptors::affordable_connections();
        let connections = Arc::new(Semaphore::new(most));
        let stopping = stop.clone();
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted?,
                () = stopped(&mut stop) => break,
            };
            // Over the cap a connection is closed at once: one that waited would hold a descriptor all the same.
            let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else {
                channel.counters.connection(Became::Refused);
                continue;
            };
            let (channel, acceptor) = (Arc::clone(&channel), acceptor.clone());
            let serving = Serving { stages: stages.clone(), stop: stopping.clone() };
            tokio::spawn(async move {
                channel.connection(stream, acceptor, serving).await;
                drop(permit);
            });
        }
        drop(listener);
        let all = u32::try_from(most).unwrap_or(u32::MAX);
        drop(timeout(DRAIN_TIMEOUT, connections.acquire_many(all)).await);
        Ok(())
    }

    async fn connection(&self, stream: Stream, acceptor: TlsAcceptor, serving: Serving) {
        // As many at once as come: the CPU work of each is done in one go, and there are only so many workers for it. A
        // queue would let clients that send one byte and wait hold the places of others.
        let mut tls = match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return self.failed("no TLS handshake", &error),
            Err(late) => return self.failed("no TLS handshake in time", &late),
        };
        let counters = Arc::clone(&self.counters);
        if tls.get_ref().1.alpn_protocol() != Some(ALPN) {
            counters.connection(Became::Public);
            let stage = serving.stage();
            return serve(tls, stage.public, None, counters, [serving.stop, stage.over]).await;
        }
        match attest(&mut tls, self.identity.spki(), &self.configuration, &self.evidence).await {
            Ok(session) => {
                counters.connection(Became::Session);
                let _open = counters.opened();
                let (stage, session) = (serving.stage(), Some(Arc::new(session)));
                serve(tls, stage.attested, session, counters, [serving.stop, stage.over]).await;
            }
            Err(error) => self.failed("no session", &error),
        }
    }

    fn failed(&self, what: &'static str, error: &dyn std::error::Error) {
        self.counters.connection(Became::Failed);
        tracing::debug!(%error, "{what}");
    }
}
