//! A server that speaks the channel's protocol with a TLS key of its own, and writes down every byte that a client trusts
//! it with after the nonce.

use std::future::Future;
use std::net::SocketAddr;

use r3e_proto::channel::ALPN;
use r3e_proto::limits::{MAX_EVIDENCE_BYTES, NONCE_BYTES};
use r3e_transport::frame::write_frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::self_signed_server;

/// The impostor; dropped, it stops.
#[derive(Debug)]
pub struct Impostor {
    address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Vec<u8>>,
    accepting: JoinHandle<()>,
}

impl Impostor {
    /// An impostor that answers each nonce with the frame that `evidence` makes of it.
    pub async fn start<F, A>(evidence: F) -> Self
    where
        F: Fn([u8; NONCE_BYTES]) -> A + Send + 'static,
        A: Future<Output = Vec<u8>> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let acceptor = TlsAcceptor::from(self_signed_server(&[ALPN]).0);
        let (tell, heard) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a client");
                let Ok(mut tls) = acceptor.accept(stream).await else { continue };
                let mut nonce = [0; NONCE_BYTES];
                if tls.read_exact(&mut nonce).await.is_err() {
                    continue;
                }
                let frame = evidence(nonce).await;
                write_frame(&mut tls, &frame, MAX_EVIDENCE_BYTES).await.expect("the evidence is sent");
                let mut all = Vec::new();
                // A client that does not close in form has sent what was read all the same.
                let _ = tls.read_to_end(&mut all).await;
                let _ = tls.shutdown().await;
                if tell.send(all).is_err() {
                    return;
                }
            }
        });
        Self { address, heard, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What the next client sent after the nonce, once it is gone.
    pub async fn heard(&mut self) -> Vec<u8> {
        self.heard.recv().await.expect("the impostor runs")
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
