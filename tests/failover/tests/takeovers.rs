//! Two parents, one lease, one sealed store, and writers that go on while the lease is taken from one parent by the other,
//! again and again: no write that was acknowledged is lost, none is done twice, and whoever lost the lease writes nothing.
//!
//! `R3E_TAKEOVERS` sets how often (50).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "../../../parent/tests/house/postgres.rs"]
mod postgres;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postgres::{Server, name_of};
use r3e_keys::RootSecret;
use r3e_parent::{
    Parent, PostgresAddress, PostgresSettings, RunningParent, Settings, StatusFormat, StoreSettings,
    order_takeover, query_status,
};
use r3e_proto::host::BLOB_PORT;
use r3e_store::{Namespace, Options, ParentBlobs, Store, StoreError, StoreKeys};
use r3e_transport::{EnclaveTransport, Endpoint};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use zeroize::Zeroizing;

const WRITERS: usize = 8;
/// For anything that must happen to happen.
const LIMIT: Duration = Duration::from_mins(1);

/// A parent with its enclave's socket.
struct Side {
    parent: RunningParent,
    folder: TempDir,
}

impl Side {
    async fn start(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("configuration"), "none").unwrap();
        let enclave = Endpoint::Unix { path: path("enclave.sock") };
        let mut settings =
            Settings::new("127.0.0.1:0".parse().unwrap(), enclave, path("data"), path("configuration"));
        let mut postgres = PostgresSettings::new(PostgresAddress::parse(url, false).unwrap());
        // Nobody loses it but by force.
        postgres.lease_ms = 600_000;
        settings.store = StoreSettings::from(postgres);
        Self { parent: Parent::start(settings).await.unwrap(), folder }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// The sealed store through this parent, as an enclave that boots opens it.
    async fn open(&self) -> Store {
        let opening = async {
            loop {
                let transport = EnclaveTransport::new(Endpoint::Unix { path: socket(self.folder.path()) });
                let blobs = Arc::new(ParentBlobs::new(transport, BLOB_PORT));
                let root = RootSecret::from_recovered(&Zeroizing::new([7; 32]));
                let keys = StoreKeys::derive(&root).unwrap();
                let options = Options { cache_bytes: 0, commit_deadline_ms: 500, ..Options::default() };
                match Store::open(blobs, keys, options).await {
                    Ok(store) => return store,
                    Err(StoreError::Unavailable(_)) => sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        timeout(LIMIT, opening).await.expect("the store opens")
    }

    async fn number(&self, group: &str, name: &str) -> u64 {
        let status = query_status(&self.data(), StatusFormat::Json).await.unwrap();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        status[group][name].as_u64().unwrap()
    }
}

fn socket(folder: &Path) -> std::path::PathBuf {
    folder.join("enclave.sock")
}

/// A writer's own record: it counts up, and both numbers only rise.
#[derive(Debug, Default)]
struct Counted {
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

fn space() -> Namespace {
    Namespace::of_tenant("failover", "acme").unwrap()
}

/// What a record holds, and its version.
async fn look(store: &Store, key: &str) -> Result<(u64, u64), StoreError> {
    let Some(record) = store.get(&space(), key).await? else { return Ok((0, 0)) };
    let value = u64::from_be_bytes(record.value.as_bytes().try_into().unwrap());
    Ok((value, record.version))
}

/// Every counter holds what was acknowledged last, or what was on its way; and all were written as often as they have
/// counted: versions number the writes of the whole store, so the last one's number is how many there were.
async fn check(store: &Store, all: &[(String, Arc<Counted>)]) -> u64 {
    let (mut total, mut found) = (0, Vec::new());
    for (key, counted) in all {
        let (least, most) =
            (counted.acknowledged.load(Ordering::SeqCst), counted.sent.load(Ordering::SeqCst));
        let (value, version) = look(store, key).await.unwrap();
        assert!((least..=most).contains(&value), "{key}: {least} <= {value} <= {most}");
        total += value;
        found.push((version, value));
    }
    let last_version = found.iter().map(|(version, _)| *version).max().unwrap_or(0);
    assert_eq!(last_version, total, "versions and values: {found:?}");
    total
}

/// Counts its record up for ever, through whichever store stands. A write says over which version it goes, so after one of
/// which nothing is known it may look and go on.
async fn count_up(key: String, counted: Arc<Counted>, mut stores: watch::Receiver<Store>) {
    loop {
        let store = stores.borrow_and_update().clone();
        if let Ok((mut value, mut version)) = look(&store, &key).await {
            let (least, most) =
                (counted.acknowledged.load(Ordering::SeqCst), counted.sent.load(Ordering::SeqCst));
            assert!((least..=most).contains(&value), "{key}: {least} <= {value} <= {most}");
            while let Ok(written) = write_over(&store, &key, version, value + 1, &counted).await {
                (value, version) = (value + 1, written);
                counted.acknowledged.store(value, Ordering::SeqCst);
                if stores.has_changed().unwrap_or(false) {
                    break;
                }
            }
        }
        let _ = timeout(Duration::from_millis(20), stores.changed()).await;
    }
}

async fn write_over(
    store: &Store,
    key: &str,
    version: u64,
    value: u64,
    counted: &Counted,
) -> Result<u64, StoreError> {
    counted.sent.store(value, Ordering::SeqCst);
    let bytes = value.to_be_bytes().to_vec();
    match version {
        0 => store.put_if_absent(&space(), key, bytes).await,
        version => store.compare_and_swap(&space(), key, version, bytes).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_forced_takeovers_lose_no_write_and_double_none() {
    let takeovers: usize = std::env::var("R3E_TAKEOVERS").map_or(50, |text| text.parse().expect("a number"));
    let server = Server::start(&[]);
    let url = server.database();
    let sides = [Side::start(&url).await, Side::start(&url).await];
    let (stores, seen) = watch::channel(sides[0].open().await);
    let all: Vec<_> = (0..WRITERS).map(|n| (format!("counter {n}"), Arc::new(Counted::default()))).collect();
    let mut writers = JoinSet::new();
    for (key, counted) in &all {
        writers.spawn(count_up(key.clone(), Arc::clone(counted), seen.clone()));
    }
    drop(seen);

    let acknowledged =
        || all.iter().map(|(_, counted)| counted.acknowledged.load(Ordering::SeqCst)).sum::<u64>();
    let mut late = JoinSet::new();
    let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
    for turn in 1..=takeovers {
        let before = acknowledged();
        let progress = async {
            while acknowledged() < before + WRITERS as u64 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LIMIT, progress).await.expect("writers get on between takeovers");
        let (heir, zombie) = (&sides[turn % 2], stores.borrow().clone());
        let taking = Instant::now();
        let epoch = order_takeover(&heir.data()).await.unwrap();
        assert_eq!(epoch, turn as u64 + 1);
        // The one that lost the lease is asked at once, while it may not know.
        late.spawn(async move { zombie.put(&space(), "zombie", b"alive".to_vec()).await.is_ok() });
        let store = heir.open().await;
        assert!(store.get(&space(), "zombie").await.unwrap().is_none(), "a zombie has written");
        // Whoever writes has a store of the old parent's, and writes nothing.
        check(&store, &all).await;
        stores.send_replace(store);
        slowest = slowest.max(taking.elapsed());
        assert!(writers.try_join_next().is_none(), "a writer stopped");
    }
    writers.shutdown().await;
    let promised = acknowledged();
    drop(stores);
    while let Some(acknowledged) = late.join_next().await {
        assert!(!acknowledged.unwrap(), "a write through a parent without the lease was acknowledged");
    }
    println!(
        "{takeovers} takeovers in {:.1} s, the slowest {} ms; {promised} acknowledged writes, none lost, none twice",
        begun.elapsed().as_secs_f64(),
        slowest.as_millis()
    );

    let last = &sides[takeovers % 2];
    let store = last.open().await;
    let total = check(&store, &all).await;
    assert!(total >= promised && total <= promised + WRITERS as u64);
    assert_eq!(server.sql(name_of(&url), "SELECT epoch FROM r3e.store"), (takeovers + 1).to_string());
    let taken =
        last.number("lease", "taken").await + sides[(takeovers + 1) % 2].number("lease", "taken").await;
    assert_eq!(taken, takeovers as u64 + 1);
    drop(store);
    for side in sides {
        side.parent.shutdown().await;
    }
}
