//! A state that is handed from one store to another of the same root secret: it stands still meanwhile, exactly that state
//! is opened, and of the two that could go on one does.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod keeper;
mod memory;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use keeper::{Fault, Keeper, busy, keys, open, others_run, space, until};
use memory::{Memory, witnessed_by};
use r3e_store::{
    Expected, Frozen, Options, Store, StoreError, Tampered, Witnessing, limits::MAX_QUEUED_BATCHES,
};
use tokio::{sync::oneshot, task::JoinSet, time::sleep};

async fn put(store: &Store, key: &str) -> Result<u64, StoreError> {
    store.put(&space(), key, b"value".as_slice()).await
}

async fn frozen(store: &Store) -> Expected {
    let Frozen { sequence, head } = store.freeze().await.unwrap();
    assert_eq!((sequence, head), (store.sequence(), store.head_digest()));
    Expected { sequence, head }
}

async fn open_at(keeper: &Arc<Keeper>, expected: &mut Expected) -> Result<Store, StoreError> {
    Store::open_at(keeper.clone(), keys(1), busy(), Witnessing::default(), expected).await
}

#[tokio::test]
async fn a_frozen_store_is_read_and_commits_nothing() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    put(&store, "a").await.unwrap();
    let at = frozen(&store).await;
    let commits = keeper.commits.load(Ordering::SeqCst);
    assert!(matches!(put(&store, "b").await, Err(StoreError::Frozen)));
    assert!(matches!(store.delete(&space(), "a").await, Err(StoreError::Frozen)));
    assert!(matches!(store.rotate().await, Err(StoreError::Frozen)));
    assert!(store.get(&space(), "a").await.unwrap().is_some());
    let proven = store.prove(&space(), "a").await.unwrap();
    assert_eq!(proven.sequence, at.sequence);
    assert_eq!(frozen(&store).await, at, "asked again, it says the same");
    assert_eq!(keeper.commits.load(Ordering::SeqCst), commits);

    assert_eq!(store.thaw().await.unwrap(), at.sequence + 1);
    assert_eq!(store.thaw().await.unwrap(), store.sequence(), "twice does no harm");
    put(&store, "b").await.unwrap();
}

#[tokio::test]
async fn what_was_asked_before_the_freeze_stands_and_what_comes_after_is_refused() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    // All of them wait while one commit is under way.
    let gate = keeper.gate.write().await;
    let mut tasks = Vec::new();
    for step in ["a", "b", "freeze", "c"] {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            match step {
                "freeze" => store.freeze().await.map(|frozen| frozen.sequence),
                key => put(&store, key).await,
            }
        }));
        others_run().await;
    }
    drop(gate);
    let mut ended = Vec::new();
    for task in tasks {
        ended.push(task.await.unwrap());
    }
    let [a, b, froze, c] = ended.try_into().unwrap();
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(froze.unwrap(), store.sequence());
    assert!(matches!(c, Err(StoreError::Frozen)));
    for (key, there) in [("a", true), ("b", true), ("c", false)] {
        assert_eq!(store.get(&space(), key).await.unwrap().is_some(), there, "{key}");
    }
}

#[tokio::test]
async fn whoever_gives_up_before_it_is_frozen_leaves_it_going() {
    let keeper = Keeper::new();
    let options = Options { commit_deadline_ms: 30, ..busy() };
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    let gate = keeper.gate.write().await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move { put(&store, "slow").await }
    });
    others_run().await;
    assert!(matches!(store.freeze().await, Err(StoreError::Unconfirmed)));
    drop(gate);
    assert!(matches!(writer.await.unwrap(), Ok(_) | Err(StoreError::Unconfirmed)));
    put(&store, "after").await.unwrap();
}

#[tokio::test]
async fn a_full_queue_keeps_nobody_from_freezing() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    let gate = keeper.gate.write().await;
    // More than the committer holds while it waits, and more than may wait for it.
    let mut writers = JoinSet::new();
    for number in 0..3 * MAX_QUEUED_BATCHES {
        let store = store.clone();
        writers.spawn(async move { put(&store, &format!("record-{number}")).await });
    }
    others_run().await;
    assert!(matches!(put(&store, "late").await, Err(StoreError::Busy)), "the queue is full");
    let freezing = tokio::spawn({
        let store = store.clone();
        async move { store.freeze().await }
    });
    others_run().await;
    drop(gate);
    let at = freezing.await.unwrap().unwrap();
    assert_eq!((at.sequence, at.head), (store.sequence(), store.head_digest()));
    let mut stand = 0;
    while let Some(written) = writers.join_next().await {
        match written.unwrap() {
            Ok(_) => stand += 1,
            Err(error) => assert!(matches!(error, StoreError::Busy), "{error}"),
        }
    }
    assert!(stand >= MAX_QUEUED_BATCHES, "{stand}");
    assert!(matches!(put(&store, "late").await, Err(StoreError::Frozen)));
    store.thaw().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_freezes_it_at_the_last_moment_knows_whether_it_is_frozen() {
    let keeper = Keeper::new();
    let options = Options { commit_deadline_ms: 1, ..busy() };
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    for round in 0..200 {
        let (held, is_held) = oneshot::channel();
        let gate = tokio::spawn({
            let keeper = Arc::clone(&keeper);
            async move {
                let gate = keeper.gate.write().await;
                held.send(()).unwrap();
                // Around the deadline, which a timer rounds up to whole milliseconds.
                sleep(Duration::from_millis(round % 3)).await;
                drop(gate);
            }
        });
        is_held.await.unwrap();
        let writer = tokio::spawn({
            let store = store.clone();
            async move { put(&store, "slow").await }
        });
        others_run().await;
        if store.freeze().await.is_ok() {
            store.thaw().await.unwrap();
        }
        gate.await.unwrap();
        drop(writer.await.unwrap());
        // Nobody has frozen it who does not know that.
        let deleted = store.delete(&space(), "none").await;
        assert!(!matches!(deleted, Err(StoreError::Frozen)), "round {round}");
    }
}

#[tokio::test]
async fn the_successor_opens_what_was_handed_over_and_the_other_finds_out() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    for key in ["a", "b", "c"] {
        put(&store, key).await.unwrap();
    }
    let mut expected = frozen(&store).await;
    let successor = open_at(&keeper, &mut expected).await.unwrap();
    assert!(successor.get(&space(), "c").await.unwrap().is_some());
    put(&successor, "d").await.unwrap();
    assert!(store.get(&space(), "a").await.unwrap().is_some(), "until it asks, it may be read");
    assert!(matches!(store.thaw().await, Err(StoreError::Tampered(Tampered::HeadForked { .. }))));
    assert!(matches!(put(&store, "e").await, Err(StoreError::Tampered(_))));
    put(&successor, "e").await.unwrap();
}

#[tokio::test]
async fn whoever_goes_on_first_keeps_the_successor_out() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    put(&store, "a").await.unwrap();
    let mut expected = frozen(&store).await;
    let at = expected;
    store.thaw().await.unwrap();
    let refused = open_at(&keeper, &mut expected).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherHead { sequence } if sequence == at.sequence));
    assert_eq!(expected, at);
    put(&store, "b").await.unwrap();
}

#[tokio::test]
async fn whoever_commits_while_the_successor_reads_keeps_it_out() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    put(&store, "a").await.unwrap();
    let mut expected = frozen(&store).await;
    let gate = keeper.gate.write().await;
    // It has read all there is, and its commit waits at the gate.
    let opening = tokio::spawn({
        let keeper = keeper.clone();
        async move { open_at(&keeper, &mut expected).await }
    });
    others_run().await;
    let before = keeper.disk();
    let going_on = tokio::spawn({
        let store = store.clone();
        async move { store.thaw().await }
    });
    others_run().await;
    assert_eq!(keeper.disk(), before);
    drop(gate);
    let (opened, thawed) = (opening.await.unwrap(), going_on.await.unwrap());
    match (&opened, &thawed) {
        (Ok(_), Err(StoreError::Tampered(Tampered::HeadForked { .. })))
        | (Err(StoreError::OtherHead { .. }), Ok(_)) => {}
        both => panic!("one goes on: {both:?}"),
    }
}

#[tokio::test]
async fn no_other_state_is_opened() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    put(&store, "a").await.unwrap();
    let older = keeper.disk();
    put(&store, "b").await.unwrap();
    let expected = frozen(&store).await;
    let other = {
        let keeper = Keeper::new();
        put(&open(&keeper).await.unwrap(), "a").await.unwrap();
        keeper.disk()
    };
    for (case, disk) in [("an older one", older), ("another", other), ("none", keeper::Disk::default())] {
        let mut wanted = expected;
        let refused = open_at(&Keeper::holding(disk), &mut wanted).await.unwrap_err();
        assert!(matches!(refused, StoreError::OtherHead { .. }), "{case}: {refused}");
        assert_eq!(wanted, expected, "{case}");
    }
    // Under another root secret the head is the right one, and does not open.
    let mut wanted = expected;
    let blobs = Keeper::holding(keeper.disk());
    let refused = Store::open_at(blobs, keys(2), busy(), Witnessing::default(), &mut wanted).await;
    assert!(matches!(refused, Err(StoreError::Tampered(Tampered::HeadForeign))));
}

#[tokio::test]
async fn an_opening_whose_answers_are_lost_is_still_one_opening() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Failed, Fault::FalseConflict] {
        let keeper = Keeper::new();
        let store = open(&keeper).await.unwrap();
        put(&store, "a").await.unwrap();
        let mut expected = frozen(&store).await;
        let before = expected.sequence;
        keeper.fail_next([fault; 6]);
        let successor = open_at(&keeper, &mut expected).await.unwrap();
        assert_eq!(expected.head, successor.head_digest(), "{fault:?}");
        assert_eq!(expected.sequence, before + 1, "{fault:?}");
        put(&successor, "b").await.unwrap();
    }
}

#[tokio::test]
async fn an_opening_that_the_witness_did_not_confirm_is_tried_again() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let open = Store::open_witnessed(keeper.clone(), keys(1), busy(), witnessed_by(&memory));
    let store = open.await.unwrap();
    put(&store, "a").await.unwrap();
    until(&store, |summary| !summary.at_work).await;
    let mut expected = frozen(&store).await;
    let at = expected;
    let by = witnessed_by(&memory.cut_off());
    let refused = Store::open_at(keeper.clone(), keys(1), busy(), by, &mut expected).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unwitnessed { .. }), "{refused}");
    assert!(expected.sequence >= at.sequence);
    let by = witnessed_by(&memory.again());
    let successor = Store::open_at(keeper.clone(), keys(1), busy(), by, &mut expected).await.unwrap();
    put(&successor, "b").await.unwrap();
    assert!(matches!(store.thaw().await, Err(StoreError::Tampered(_))));
}

#[tokio::test]
async fn records_go_on_moving_to_their_epoch_after_a_thaw() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    for number in 0..40 {
        put(&store, &format!("record-{number}")).await.unwrap();
    }
    let epoch = store.rotate().await.unwrap();
    frozen(&store).await;
    store.thaw().await.unwrap();
    until(&store, |summary| summary.oldest_epoch == epoch && !summary.at_work).await;
}
