//! A small internet behind a fake parent: a certificate authority, servers with their names, and an egress end that
//! connects them, refuses, or takes the enclave somewhere else.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use r3e_egress::{
    Egress, FetchError, FetchLimits, HostAllowList, Request, Response, TrustRoots, TrustedClock,
};
use r3e_proto::host::{
    EGRESS_PORT,
    egress::{Connect, MAX_MESSAGE_BYTES, RefusalCode, Reply},
};
use r3e_transport::{
    EnclaveTransport, Endpoint, ParentTransport, Stream,
    frame::{read_frame, write_frame},
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// 2026-01-15, within the year of every certificate here.
pub(crate) const NOW_MS: u64 = 1_768_435_200_000;

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2036, 1, 1);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), der }
    }

    /// A server's identity for `name`, valid in the year 2026.
    pub(crate) fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        Identity { certificate, key: key.serialize_der() }
    }
}

#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Identity {
    pub(crate) fn acceptor(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(self.certificate.clone())], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The world under test: an egress, and where its parent leads.
pub(crate) struct World {
    pub(crate) egress: Egress,
    pub(crate) clock_ms: Arc<AtomicU64>,
    pub(crate) folder: TempDir,
}

impl World {
    /// `parent` handles each connection of the enclave, from its first byte.
    pub(crate) async fn new<F>(roots: &[&Authority], parent: F) -> Self
    where
        F: Fn(Stream) -> Work + Send + Sync + 'static,
    {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::Unix { path: folder.path().join("enclave.sock") };
        let mut listener = ParentTransport::new(endpoint.clone()).listen(EGRESS_PORT).await.unwrap();
        tokio::spawn(async move {
            while let Ok(stream) = listener.accept().await {
                tokio::spawn(parent(stream));
            }
        });
        let extra: Vec<_> = roots.iter().map(|authority| &authority.der).collect();
        let clock_ms = Arc::new(AtomicU64::new(NOW_MS));
        let read = clock_ms.clone();
        let clock = TrustedClock::new(move || match read.load(Ordering::SeqCst) {
            0 => None,
            ms => Some(ms),
        });
        let roots = TrustRoots::public().with_extra(&extra).unwrap();
        let egress = Egress::new(EnclaveTransport::new(endpoint), roots, clock).unwrap();
        Self { egress, clock_ms, folder }
    }

    /// A parent that leads every connection to one server with this identity, which does `serve` after TLS.
    pub(crate) async fn serving<F>(authority: &Authority, identity: &Identity, serve: F) -> Self
    where
        F: Fn(TlsStream<Stream>) -> Work + Send + Sync + Clone + 'static,
    {
        Self::serving_versions(authority, identity, &[&rustls::version::TLS13], serve).await
    }

    pub(crate) async fn serving_versions<F>(
        authority: &Authority,
        identity: &Identity,
        versions: &[&'static SupportedProtocolVersion],
        serve: F,
    ) -> Self
    where
        F: Fn(TlsStream<Stream>) -> Work + Send + Sync + Clone + 'static,
    {
        let acceptor = identity.acceptor(versions);
        Self::new(&[authority], move |stream| {
            let (acceptor, serve) = (acceptor.clone(), serve.clone());
            Box::pin(async move {
                let (stream, _) = connected(stream).await;
                if let Ok(tls) = acceptor.accept(stream).await {
                    serve(tls).await;
                }
            })
        })
        .await
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response, FetchError> {
        self.get_within(url, &FetchLimits::default()).await
    }

    pub(crate) async fn get_within(&self, url: &str, limits: &FetchLimits) -> Result<Response, FetchError> {
        let request = Request::parse("GET", url, [], Bytes::new())?;
        self.egress.fetch(request, &allowed(), limits).await
    }
}

pub(crate) fn allowed() -> HostAllowList {
    HostAllowList::parse(["api.example.com", "api.example.com:8443", "*.feeds.example.com"]).unwrap()
}

/// Reads the enclave's wish and says that it is fulfilled.
pub(crate) async fn connected(mut stream: Stream) -> (Stream, Connect) {
    let wish = Connect::decode(&read_frame(&mut stream, MAX_MESSAGE_BYTES).await.unwrap()).unwrap();
    write_frame(&mut stream, &Reply::Connected.encode(), MAX_MESSAGE_BYTES).await.unwrap();
    (stream, wish)
}

pub(crate) async fn refused(mut stream: Stream, code: RefusalCode) {
    read_frame(&mut stream, MAX_MESSAGE_BYTES).await.unwrap();
    let reply = Reply::Refused { code, message: "not for you".into() };
    write_frame(&mut stream, &reply.encode(), MAX_MESSAGE_BYTES).await.unwrap();
}

/// The head of the request that arrives, up to and with the empty line.
pub(crate) async fn read_head(tls: &mut TlsStream<Stream>) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match tls.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A server that answers every request with these bytes and closes as TLS says.
pub(crate) fn answer(bytes: impl Into<Vec<u8>>) -> impl Fn(TlsStream<Stream>) -> Work + Send + Sync + Clone {
    let bytes = bytes.into();
    move |mut tls| {
        let bytes = bytes.clone();
        Box::pin(async move {
            read_head(&mut tls).await;
            let _ = tls.write_all(&bytes).await;
            let _ = tls.shutdown().await;
        })
    }
}
