//! The witness between commits: a store that commits nothing learns that another went on from its state, and reads nothing
//! once the witness has been kept away from it for too long.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;
mod memory;

use std::{sync::Arc, time::Duration};

use keeper::{Keeper, keys, others_run, space};
use memory::{Memory, witnessed_by};
use r3e_store::{Options, Store, StoreError, Tampered, Witnessed, Write};
use tokio::time::{sleep, timeout};

/// For what comes by itself.
const LIMIT: Duration = Duration::from_secs(20);

async fn open(memory: &Arc<Memory>, witness_watch_ms: u64, max_stale_ms: u64) -> Store {
    let options = Options { witness_watch_ms, max_stale_ms, ..Options::default() };
    let store = Store::open_witnessed(Keeper::new(), keys(1), options, witnessed_by(memory)).await.unwrap();
    store.put(&space(), "a", b"value".as_slice()).await.unwrap();
    store
}

/// What another enclave would have made of the state, so many commits later.
fn other(store: &Store, later: u64) -> Witnessed {
    Witnessed { sequence: store.sequence() + later, head: [9; 32] }
}

async fn read(store: &Store) -> Result<(), StoreError> {
    store.get(&space(), "a").await.map(drop)
}

#[tokio::test]
async fn a_branch_is_noticed_without_a_write() {
    for (later, told) in [(0, false), (1, false), (7, false), (0, true), (1, true), (7, true)] {
        let memory = Memory::new();
        // What the witness finds out by itself is heard long before it would be asked.
        let store = open(&memory, if told { 3_600_000 } else { 10 }, 3_600_000).await;
        let branch = other(&store, later);
        if told {
            memory.tell(branch);
        } else {
            memory.hold(branch);
        }
        let found = timeout(LIMIT, store.until_tampered()).await.expect("the branch was not noticed");
        match found {
            Tampered::Forked { sequence } => assert_eq!((later, sequence), (0, branch.sequence)),
            Tampered::RolledBack { witnessed, .. } => assert_eq!(witnessed, branch.sequence),
            found => panic!("{found}"),
        }
        assert!(matches!(read(&store).await, Err(StoreError::Tampered(_))));
        let written = store.put(&space(), "b", b"value".as_slice()).await;
        assert!(matches!(written, Err(StoreError::Tampered(_))), "{written:?}");
    }
}

#[tokio::test]
async fn nothing_is_read_once_the_witness_was_kept_away_for_too_long() {
    let memory = Memory::new();
    let store = open(&memory, 10, 2_000).await;
    // As long as it confirms, an idle store is read for ever.
    sleep(Duration::from_secs(3)).await;
    read(&store).await.unwrap();
    memory.stop(false);
    let stale = async {
        while read(&store).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, stale).await.expect("reads go on without the witness");
    let refused = |result: Result<(), StoreError>| match result {
        Err(error) if !error.may_pass() => panic!("who waits for it would give up: {error}"),
        Err(StoreError::Stale { reason, .. }) => assert_eq!(reason, "nobody answers"),
        other => panic!("{other:?}"),
    };
    refused(read(&store).await);
    refused(store.get(&space(), "not there").await.map(drop));
    refused(store.scan(&space(), "", None, 10).map(drop));
    refused(store.prove(&space(), "a").await.map(drop));
    refused(store.current());
    // Neither does a write tell anything that needs no commit: one under a condition, or of what is there already.
    let untrue = Write::put(&space(), "a", b"other".as_slice()).if_absent();
    refused(store.batch(vec![untrue]).await.map(drop));
    refused(store.delete(&space(), "not there").await);

    // It comes back by itself, and nothing was closed by it.
    memory.go_on();
    let again = async {
        while read(&store).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, again).await.expect("reads do not go on with the witness");
    store.put(&space(), "b", b"value".as_slice()).await.unwrap();
}

#[tokio::test]
async fn what_comes_late_from_the_parent_is_not_told() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let options = Options { witness_watch_ms: 10, max_stale_ms: 2_000, cache_bytes: 0, ..Options::default() };
    let store = Store::open_witnessed(keeper.clone(), keys(1), options, witnessed_by(&memory)).await.unwrap();
    store.put(&space(), "a", b"value".as_slice()).await.unwrap();
    // The parent holds its answer back, and the witness is kept away meanwhile.
    let silenced = memory.clone();
    keeper.answer_reads_with(move |_, blob| {
        silenced.stop(false);
        std::thread::sleep(Duration::from_millis(2_500));
        blob
    });
    let late = read(&store).await;
    assert!(matches!(late, Err(StoreError::Stale { .. })), "{late:?}");
}

#[tokio::test]
async fn looks_and_commits_are_not_taken_for_two_branches() {
    let memory = Memory::new();
    let store = open(&memory, 0, 3_600_000).await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for index in 0..50 {
                    store.put(&space(), &format!("{writer} {index}"), b"value".as_slice()).await.unwrap();
                    others_run().await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.tampered(), None);
    assert_eq!(memory.held().map(|held| held.sequence), Some(store.sequence()));
}

#[tokio::test]
async fn a_successors_commits_are_no_branch_until_the_state_comes_back() {
    for told in [false, true] {
        let memory = Memory::new();
        let store = open(&memory, 5, 3_600_000).await;
        let frozen = store.freeze().await.unwrap();
        let successors = Witnessed { sequence: frozen.sequence + 1, head: [9; 32] };
        if told {
            memory.tell(successors);
        } else {
            memory.hold(successors);
        }
        sleep(Duration::from_millis(50)).await;
        assert_eq!(store.tampered(), None);
        read(&store).await.unwrap();
        // The parent shows each its own.
        let thawed = store.thaw().await;
        let found = timeout(LIMIT, store.until_tampered()).await.expect("nothing was noticed");
        assert!(matches!(found, Tampered::Forked { .. } | Tampered::RolledBack { .. }), "{found}");
        assert_eq!(thawed.is_err(), !told, "{thawed:?}");
        assert!(matches!(read(&store).await, Err(StoreError::Tampered(_))));
    }
}
