//! A parent that is cut off from the database while its enclave has values in memory, as in production: from the moment at
//! which another parent may serve, no client gets an answer out of that memory.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "../../../parent/tests/house/postgres.rs"]
mod postgres;

use std::sync::Arc;
use std::time::Duration;

use postgres::{Network, Server, Weather, name_of};
use r3e_keys::RootSecret;
use r3e_parent::{Parent, PostgresAddress, PostgresSettings, RunningParent, Settings, StoreSettings};
use r3e_proto::host::{BLOB_PORT, CHANNEL_PORT};
use r3e_store::{Namespace, Options, ParentBlobs, Store, StoreError, StoreKeys};
use r3e_transport::{EnclaveTransport, Endpoint};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

/// For anything that must happen to happen.
const LIMIT: Duration = Duration::from_mins(1);
const LEASE_MS: u32 = 1_500;

/// A parent, and an enclave that answers each byte of a client with whether the key is revoked, as far as it knows.
struct Side {
    parent: RunningParent,
    transport: Arc<EnclaveTransport>,
    _folder: TempDir,
    enclave: JoinSet<()>,
}

impl Side {
    async fn start(url: &str, plaintext: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("configuration"), "none").unwrap();
        let enclave = Endpoint::Unix { path: path("enclave.sock") };
        let transport = Arc::new(EnclaveTransport::new(enclave.clone()));
        let mut settings =
            Settings::new("127.0.0.1:0".parse().unwrap(), enclave, path("data"), path("configuration"));
        let mut postgres = PostgresSettings::new(PostgresAddress::parse(url, plaintext).unwrap());
        postgres.lease_ms = LEASE_MS;
        settings.store = StoreSettings::from(postgres);
        let parent = Parent::start(settings).await.unwrap();
        Self { parent, transport, _folder: folder, enclave: JoinSet::new() }
    }

    /// Boots the enclave, with the cache that it has in production.
    async fn boot(&mut self) -> Store {
        let opening = async {
            loop {
                let transport = EnclaveTransport::clone(&self.transport);
                let blobs = Arc::new(ParentBlobs::new(transport, BLOB_PORT));
                let keys = StoreKeys::derive(&RootSecret::from_recovered(&Zeroizing::new([7; 32]))).unwrap();
                match Store::open(blobs, keys, Options::default()).await {
                    Ok(store) => return store,
                    Err(StoreError::Unavailable(_)) => sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let store = timeout(LIMIT, opening).await.expect("the store opens");
        let mut listener = self.transport.listen(CHANNEL_PORT).await.unwrap();
        let answers = store.clone();
        self.enclave.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok(mut client) = listener.accept().await {
                let store = answers.clone();
                clients.spawn(async move {
                    while client.read_u8().await.is_ok() {
                        let answer = if is_revoked(&store).await { b'r' } else { b'v' };
                        if client.write_all(&[answer]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        store
    }

    async fn connect(&self) -> Option<TcpStream> {
        TcpStream::connect(self.parent.local_addr()).await.ok()
    }
}

/// What a client is told; nothing where it is not served.
async fn ask(client: &mut TcpStream) -> Option<u8> {
    client.write_all(b"?").await.ok()?;
    client.read_u8().await.ok()
}

fn space() -> Namespace {
    Namespace::of_tenant("keys", "acme").unwrap()
}

async fn is_revoked(store: &Store) -> bool {
    store.get(&space(), "key").await.unwrap().unwrap().value.as_bytes() == b"revoked"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_works_nowhere_once_its_revocation_was_acknowledged() {
    let server = Server::shared();
    let url = server.database();
    let network = Network::to(&server).await;
    let mut cut_off = Side::start(&network.url(name_of(&url)), true).await;
    let old = cut_off.boot().await;
    old.put(&space(), "key", b"valid".as_slice()).await.unwrap();
    let mut client = cut_off.connect().await.unwrap();
    assert_eq!(ask(&mut client).await, Some(b'v'));
    let mut heir = Side::start(&url, false).await;
    assert!(heir.connect().await.is_none(), "one serves");

    network.turn(Weather::Stalled);
    let new = heir.boot().await;
    new.put(&space(), "key", b"revoked".as_slice()).await.unwrap();
    // The enclave that was cut off does not know, and needs its parent for nothing.
    assert!(!is_revoked(&old).await);
    // So its parent lets nobody ask it.
    let told = timeout(LIMIT, ask(&mut client)).await.expect("the connection has ended");
    assert_eq!(told, None);
    assert!(cut_off.connect().await.is_none());
    // It has the lease, and may not listen yet.
    let connecting = async {
        loop {
            match heir.connect().await {
                Some(client) => return client,
                None => sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let mut client = timeout(LIMIT, connecting).await.expect("the heir takes clients");
    assert_eq!(ask(&mut client).await, Some(b'r'));

    // Back on the network it is a standby.
    network.turn(Weather::Fair);
    sleep(Duration::from_millis(u64::from(2 * LEASE_MS))).await;
    assert!(cut_off.connect().await.is_none());
    assert_eq!(ask(&mut client).await, Some(b'r'));
}
