//! One session with the database: the socket, TLS, the settings that a store needs, and the look at whether the server
//! keeps its promise.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};
use tokio_rustls::TlsConnector;
use tracing::{debug, warn};

use super::address::Server;
use super::{PostgresError, PostgresSettings};
use crate::limits::{IDLE_TRANSACTION_TIMEOUT_MS, STORE_CONNECT_TIMEOUT_MS, STORE_LOCK_TIMEOUT_MS};

/// The oldest server that all of our statements are known to run on.
const MIN_SERVER_VERSION: i32 = 120_000;

/// Makes sessions, all alike.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    servers: Arc<[Server]>,
    tls: TlsConnector,
}

/// A session. Dropped, its connection ends, and with it whatever was not committed.
pub(super) struct Session {
    pub(super) client: Client,
    carrier: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// Any stream to a server.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Connector {
    /// For sessions by the name of `holder`, so that they can be told from another parent's.
    pub(crate) fn new(settings: &PostgresSettings, holder: &str) -> Result<Self, PostgresError> {
        let mut address = settings.address.clone();
        if let Some(path) = &settings.password_file {
            let password = std::fs::read_to_string(path)
                .map_err(|source| PostgresError::PasswordFile { path: path.clone(), source })?;
            address.set_password(password.trim_end_matches(['\r', '\n']).as_bytes());
        }
        let (mut config, servers) = address.into_parts();
        config.application_name(application_name(holder));
        let tls = TlsConnector::from(Arc::new(tls_config(settings.ca.as_deref())?));
        Ok(Self { config, servers: servers.into(), tls })
    }

    /// A session with the first of the servers that takes one and can write.
    pub(super) async fn connect(&self) -> Result<Session, PostgresError> {
        let mut last = None;
        for server in self.servers.iter() {
            let connecting = self.connect_to(server);
            let limit = Duration::from_millis(STORE_CONNECT_TIMEOUT_MS);
            let error = match timeout(limit, connecting).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => error,
                Err(_) => {
                    PostgresError::Dial { server: server.to_string(), source: io::ErrorKind::TimedOut.into() }
                }
            };
            debug!(%server, %error, "no session with this server");
            last = Some(error);
        }
        // An address names one server at least.
        Err(last.unwrap_or(PostgresError::Unexpected { what: "no server to connect to" }))
    }

    async fn connect_to(&self, server: &Server) -> Result<Session, PostgresError> {
        let stream = self.dial(server).await.map_err(|source| {
            let server = server.to_string();
            PostgresError::Dial { server, source }
        })?;
        let (client, connection) = self.config.connect_raw(stream, NoTls).await?;
        let carrier = tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a session with the database ended");
            }
        });
        let session = Session { client, carrier };
        session.prepare().await?;
        Ok(session)
    }

    async fn dial(&self, server: &Server) -> io::Result<Box<dyn Wire>> {
        match server {
            Server::Unix(folder, port) => {
                Ok(Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?))
            }
            Server::Tcp { host, port, tls } => {
                let mut stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                if !tls {
                    return Ok(Box::new(stream));
                }
                // The server answers one byte to the request, and the next byte either way is TLS's: nothing that was
                // sent in plaintext is taken for more.
                stream.write_all(&TLS_REQUEST).await?;
                if stream.read_u8().await? != b'S' {
                    return Err(io::Error::other("the server speaks no TLS, and sslmode demands it"));
                }
                let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                Ok(Box::new(self.tls.connect(name, stream).await?))
            }
        }
    }
}

/// By which a server's list of sessions tells whose each is.
pub(super) fn application_name(holder: &str) -> String {
    format!("r3e-parent {holder}")
}

/// Length and code of the message that asks for TLS (PostgreSQL documentation, "Message Formats", `SSLRequest`).
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

fn tls_config(ca: Option<&Path>) -> Result<ClientConfig, PostgresError> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unusable = |reason: String| PostgresError::Ca { path: path.into(), reason };
            let found = CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unusable("it holds no certificate".into()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| PostgresError::Tls { reason: error.to_string() })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

impl Session {
    /// Sets what a store needs of its session, and looks whether the server can be relied on.
    async fn prepare(&self) -> Result<(), PostgresError> {
        // No statement timeout: it would end the wait for a synchronous replica with a mere warning, and a commit that
        // is not yet where it must be would look durable. The client's own timeout ends the session instead.
        let settings = format!(
            "SET synchronous_commit = on; SET search_path = pg_catalog; SET statement_timeout = 0; \
             SET default_transaction_isolation = 'read committed'; SET lock_timeout = {STORE_LOCK_TIMEOUT_MS}; \
             SET idle_in_transaction_session_timeout = {IDLE_TRANSACTION_TIMEOUT_MS}"
        );
        self.client.batch_execute(&settings).await?;
        let row = self
            .client
            .query_one(
                "SELECT current_setting('server_version_num')::int4, current_setting('synchronous_commit'), \
                 current_setting('fsync'), current_setting('full_page_writes'), pg_is_in_recovery(), \
                 current_setting('default_transaction_read_only')",
                &[],
            )
            .await?;
        let version: i32 = row.try_get(0)?;
        let is =
            |column: usize| -> Result<bool, PostgresError> { Ok(row.try_get::<_, &str>(column)? == "on") };
        if version < MIN_SERVER_VERSION {
            return Err(PostgresError::TooOld { version });
        }
        for (column, setting) in [(1, "synchronous_commit"), (2, "fsync")] {
            if !is(column)? {
                return Err(PostgresError::NotDurable { setting });
            }
        }
        if !is(3)? {
            warn!(
                "the database server runs with full_page_writes=off: unless its file system writes whole pages, a crash \
                 loses records"
            );
        }
        if row.try_get(4)? || is(5)? {
            return Err(PostgresError::ReadOnly);
        }
        Ok(())
    }
}
