//! A commit whose answer is lost, both ways and repeatedly: it is applied exactly once, and the writer learns it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use keeper::{Fault, Keeper, keys, open, others_run, space, uncached, until_written};
use r3e_store::{Options, Store, StoreError, Tampered, Write};

/// One write through `faults`, with `heads_lost` unanswered questions after the first; what stands afterwards.
async fn write_through(faults: &[Fault], heads_lost: usize) {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "k", b"before".as_slice()).await.unwrap();
    let (sequence, commits) = (store.sequence(), keeper.commits.load(Ordering::SeqCst));
    keeper.fail_next(faults.iter().copied());
    keeper.heads_lost.store(heads_lost, Ordering::SeqCst);

    let version = store.put(&space(), "k", b"after".as_slice()).await.unwrap();
    assert_eq!(store.sequence(), sequence + 1, "{faults:?}: one commit for the store");
    assert_eq!(keeper.commits.load(Ordering::SeqCst), commits + 1, "{faults:?}: and one for the keeper");
    let record = store.get(&space(), "k").await.unwrap().unwrap();
    assert_eq!((record.value.as_bytes(), record.version), (b"after".as_slice(), version));
    drop(store);
    let store = open(&keeper).await.unwrap();
    assert_eq!(store.get(&space(), "k").await.unwrap().unwrap(), record);
}

#[tokio::test]
async fn the_commit_is_lost_on_its_way() {
    write_through(&[Fault::LostBefore], 0).await;
    write_through(&[Fault::LostBefore; 4], 0).await;
}

#[tokio::test]
async fn the_answer_is_lost_on_its_way() {
    write_through(&[Fault::LostAfter], 0).await;
}

#[tokio::test]
async fn the_head_cannot_be_asked_for_a_while_either() {
    write_through(&[Fault::LostBefore], 3).await;
    write_through(&[Fault::LostAfter], 3).await;
}

#[tokio::test]
async fn the_keeper_fails_or_denies_and_then_works() {
    write_through(&[Fault::Failed, Fault::Failed], 0).await;
    write_through(&[Fault::FalseConflict], 0).await;
    write_through(&[Fault::LostBefore, Fault::Failed, Fault::FalseConflict, Fault::LostAfter], 1).await;
}

#[tokio::test]
async fn many_writers_wait_through_an_outage() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    keeper.fail_next([Fault::LostBefore]);
    keeper.heads_lost.store(4, Ordering::SeqCst);
    let writers: Vec<_> = (0..50)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&space(), &index.to_string(), b"v".as_slice()).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(open(&keeper).await.unwrap().records(), 50);
}

#[tokio::test]
async fn an_outage_longer_than_a_writer_waits_is_unconfirmed_and_settled_later() {
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        let keeper = Keeper::new();
        let options = Options { commit_deadline_ms: 30, ..uncached() };
        let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
        keeper.fail_next([fault]);
        keeper.heads_lost.store(usize::MAX, Ordering::SeqCst);
        assert!(matches!(store.put(&space(), "k", b"v".as_slice()).await, Err(StoreError::Unconfirmed)));
        assert_eq!(store.get(&space(), "k").await.unwrap(), None, "what is not known to stand is not shown");
        keeper.heads_lost.store(0, Ordering::SeqCst);
        until_written(&store, "k").await;
    }
}

#[tokio::test]
async fn after_a_lost_answer_a_foreign_head_is_not_taken_for_success() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "k", b"v".as_slice()).await.unwrap();
    let copy = Keeper::holding(keeper.disk());
    let twin = open(&copy).await.unwrap();
    keeper.fail_next([Fault::LostBefore]);
    keeper.edit(|disk| *disk = copy.disk());
    let expected = Tampered::HeadForked { found: twin.sequence(), committed: store.sequence() };
    let outcome = store.put(&space(), "k", b"w".as_slice()).await;
    assert!(matches!(outcome, Err(StoreError::Tampered(found)) if found == expected));
}

#[tokio::test]
async fn a_store_that_is_dropped_during_an_outage_ends() {
    let keeper = Keeper::new();
    let options = Options { commit_deadline_ms: 30, ..uncached() };
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    keeper.fail_next([Fault::LostBefore]);
    keeper.heads_lost.store(usize::MAX, Ordering::SeqCst);
    store.put(&space(), "k", b"v".as_slice()).await.unwrap_err();
    drop(store);
    // The committer holds the keeper; when it ends, only this handle is left.
    for _ in 0..300 {
        if Arc::strong_count(&keeper) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the committer goes on for nobody");
}

/// The keeper has the new blob, the store does not know it yet: a read that meets it waits, and is no alarm.
#[tokio::test]
async fn a_read_between_the_commit_and_its_answer_waits_for_the_answer() {
    for deleted in [false, true] {
        let keeper = Keeper::new();
        let store = open(&keeper).await.unwrap();
        store.put(&space(), "k", b"before".as_slice()).await.unwrap();
        keeper.fail_next([Fault::LostAfter]);
        keeper.heads_lost.store(usize::MAX, Ordering::SeqCst);
        let write = if deleted {
            Write::delete(&space(), "k")
        } else {
            Write::put(&space(), "k", b"after".as_slice())
        };
        let writer = tokio::spawn({
            let store = store.clone();
            async move { store.batch(vec![write]).await }
        });
        others_run().await;
        assert!(keeper.has_no_faults_left());
        let reader = tokio::spawn({
            let store = store.clone();
            async move { store.get(&space(), "k").await }
        });
        others_run().await;
        assert!(!reader.is_finished());
        keeper.heads_lost.store(0, Ordering::SeqCst);
        writer.await.unwrap().unwrap();
        let record = reader.await.unwrap().unwrap();
        let expected = (!deleted).then_some(b"after".as_slice());
        assert_eq!(record.as_ref().map(|record| record.value.as_bytes()), expected);
        assert_eq!(store.tampered(), None);
    }
}
