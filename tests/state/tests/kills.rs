//! A real `r3e-parent`, killed without warning while it commits, again and again: what was acknowledged is there
//! afterwards, and what was not is there whole or not at all.
//!
//! `R3E_STATE_KILLS` sets how many kills (25).

#![expect(clippy::unwrap_used, reason = "what fails here fails the test, and says where")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use r3e_e2e::process::{Process, tail};
use r3e_e2e::programs::program;
use r3e_keys::RootSecret;
use r3e_proto::host::BLOB_PORT;
use r3e_store::{Namespace, Options, ParentBlobs, Store, StoreError, StoreKeys, Write};
use r3e_transport::{EnclaveTransport, Endpoint};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

/// Records that one batch writes together.
const TOGETHER: u8 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_is_killed_loses_no_commit() {
    let kills = std::env::var("R3E_STATE_KILLS").ok().map_or(25, |count| count.parse::<u64>().unwrap());
    let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
    fs::write(folder.path().join("configuration"), "test").unwrap();
    let mut parent = start(folder.path());
    let mut store = open(folder.path()).await;
    let (mut stands, mut held) = (0, BTreeMap::new());
    for kill in 0..kills {
        // One batch after the other, until one meets the end of the parent.
        let acknowledged = Arc::new(AtomicU64::new(stands));
        let writer = tokio::spawn({
            let (store, acknowledged) = (store.clone(), Arc::clone(&acknowledged));
            async move {
                for value in stands + 1.. {
                    // A busy machine may take longer to start a parent than a commit waits for one.
                    while let Err(error) = write(&store, value).await {
                        assert!(error.may_pass(), "{error}");
                    }
                    acknowledged.store(value, Ordering::SeqCst);
                }
            }
        });
        // From at once, in the middle of the first commit, to some commits later.
        sleep(Duration::from_micros(kill * 977 % 20_000)).await;
        parent.kill();
        // In one of three cases the enclave ends too; in the others it lives on, finds the parent again and settles what
        // it had sent.
        if kill % 3 == 0 {
            writer.abort();
        }
        parent = start(folder.path());
        if kill % 3 != 0 {
            let before = acknowledged.load(Ordering::SeqCst);
            let deadline = Instant::now() + Duration::from_mins(1);
            while acknowledged.load(Ordering::SeqCst) == before {
                assert!(!writer.is_finished() && Instant::now() < deadline, "the writer does not go on");
                sleep(Duration::from_millis(1)).await;
            }
            writer.abort();
        }
        assert!(writer.await.is_err_and(|ended| ended.is_cancelled()), "the writer failed");
        drop(store);
        store = open(folder.path()).await;
        held = read(&store).await;
        let values: Vec<u64> = held.values().copied().collect();
        assert!(
            values.windows(2).all(|two| two[0] == two[1]),
            "kill {kill}: a batch stands by half: {held:?}\n{}",
            tail(&folder.path().join("parent.log"))
        );
        let least = acknowledged.load(Ordering::SeqCst);
        let found = values.first().copied().unwrap_or(0);
        // The last one may stand without having been acknowledged.
        assert!(
            (least..=least + 1).contains(&found),
            "kill {kill}: {found} stands, {least} was acknowledged"
        );
        stands = found;
    }
    println!("{kills} kills, {stands} commits that stand, the last {held:?}");
    assert!(stands >= kills / 2, "{stands} commits in {kills} kills: the writer did not get to write");
    store.audit().await.unwrap();
}

fn start(folder: &Path) -> Process {
    let path = |name: &str| folder.join(name).into_os_string();
    let mut enclave = std::ffi::OsString::from("unix:");
    enclave.push(path("enclave.sock"));
    let arguments = [
        "serve".into(),
        "--listen".into(),
        "127.0.0.1:0".into(),
        "--enclave".into(),
        enclave,
        "--data".into(),
        path("data"),
        "--configuration".into(),
        path("configuration"),
    ];
    Process::start("r3e-parent", &program("r3e-parent"), arguments, &folder.join("parent.log"))
}

/// Opens the store, once the parent is there.
async fn open(folder: &Path) -> Store {
    let deadline = Instant::now() + Duration::from_mins(1);
    let transport = EnclaveTransport::new(Endpoint::Unix { path: folder.join("enclave.sock") });
    loop {
        let keys = StoreKeys::derive(&RootSecret::from_recovered(&Zeroizing::new([1; 32]))).unwrap();
        let blobs = Arc::new(ParentBlobs::new(transport.clone(), BLOB_PORT));
        // Checkpoints all the time, so that kills fall into them too.
        let options = Options { min_tail: 8, page_bytes: 200, ..Options::default() };
        match Store::open(blobs, keys, options).await {
            Ok(store) => return store,
            Err(StoreError::Unavailable(error)) => {
                let log = tail(&folder.join("parent.log"));
                assert!(Instant::now() < deadline, "no parent: {error}\n{log}");
                sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn write(store: &Store, value: u64) -> Result<(), StoreError> {
    let put = |key: u8| Write::put(&space(), &format!("k{key}"), value.to_be_bytes().to_vec());
    store.batch((0..TOGETHER).map(put).collect()).await.map(|_| ())
}

async fn read(store: &Store) -> BTreeMap<u8, u64> {
    let mut held = BTreeMap::new();
    for key in 0..TOGETHER {
        if let Some(record) = store.get(&space(), &format!("k{key}")).await.unwrap() {
            held.insert(key, u64::from_be_bytes(record.value.as_bytes().try_into().unwrap()));
        }
    }
    held
}

fn space() -> Namespace {
    Namespace::of_appliance("kills").unwrap()
}
