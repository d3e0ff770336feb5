//! The rollback witness: what is acknowledged is recorded, what is older is not opened, and an order restores.

mod keeper;
mod memory;

use std::sync::{Arc, atomic::Ordering};

use keeper::{Disk, Fault, Keeper, busy, keys, others_run, space, uncached, until};
use memory::{Memory, witnessed_by};
use r3e_store::{Options, Restore, Store, StoreError, Tampered, Witnessed};

async fn open(keeper: &Arc<Keeper>, memory: &Arc<Memory>) -> Result<Store, StoreError> {
    Store::open_witnessed(keeper.clone(), keys(1), busy(), witnessed_by(memory)).await
}

/// The same, with an order to restore.
async fn open_by(keeper: &Arc<Keeper>, memory: &Arc<Memory>, order: Restore) -> Result<Store, StoreError> {
    let witnessing = r3e_store::Witnessing { restore: Some(order), ..witnessed_by(memory) };
    Store::open_witnessed(keeper.clone(), keys(1), busy(), witnessing).await
}

fn state(store: &Store) -> Witnessed {
    Witnessed { sequence: store.sequence(), head: store.head_digest() }
}

/// What a boot says that is refused.
async fn refused(disk: Disk, memory: &Arc<Memory>) -> Tampered {
    match open(&Keeper::holding(disk), memory).await {
        Err(StoreError::Tampered(found)) => found,
        other => panic!("{other:?}"),
    }
}

async fn put(store: &Store, key: &str) -> Result<u64, StoreError> {
    store.put(&space(), key, b"value".as_slice()).await
}

#[tokio::test]
async fn every_commit_is_recorded_before_it_is_acknowledged() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open(&keeper, &memory).await.unwrap();
    assert_eq!(memory.held(), Some(state(&store)), "the boot's");
    for key in ["a", "b", "c"] {
        put(&store, key).await.unwrap();
        assert_eq!(memory.held().unwrap().sequence, state(&store).sequence);
    }
    until(&store, |summary| !summary.at_work).await;
    assert_eq!(memory.held(), Some(state(&store)));
}

#[tokio::test]
async fn nothing_is_visible_while_the_witness_has_not_confirmed() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let options = Options { commit_deadline_ms: 40, ..Options::default() };
    let store = Store::open_witnessed(keeper.clone(), keys(1), options, witnessed_by(&memory)).await.unwrap();
    put(&store, "before").await.unwrap();
    let (sequence, commits) = (store.sequence(), keeper.commits.load(Ordering::SeqCst));
    memory.unanswered.store(usize::MAX, Ordering::SeqCst);

    assert!(matches!(put(&store, "during").await, Err(StoreError::Unconfirmed)));
    assert_eq!(keeper.commits.load(Ordering::SeqCst), commits + 1, "the parent has it");
    assert_eq!(store.sequence(), sequence);
    assert_eq!(store.get(&space(), "during").await.unwrap(), None);
    assert!(store.get(&space(), "before").await.unwrap().is_some(), "reads go on");
    // Nothing more is written from here on, and nobody has to wait to be told so.
    let late = store.batch(vec![r3e_store::Write::put(&space(), "late", b"v".as_slice())]).await;
    assert!(matches!(late, Err(StoreError::Unwitnessed { .. })), "{late:?}");
    assert!(matches!(store.rotate().await, Err(StoreError::Unwitnessed { .. })));
    assert_eq!(keeper.commits.load(Ordering::SeqCst), commits + 1);

    memory.unanswered.store(0, Ordering::SeqCst);
    keeper::until_written(&store, "during").await;
    put(&store, "after").await.unwrap();
    assert_eq!(store.get(&space(), "late").await.unwrap(), None);
    assert_eq!(memory.held(), Some(state(&store)));
}

#[tokio::test]
async fn many_writers_share_one_round() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store =
        Store::open_witnessed(keeper, keys(1), Options::default(), witnessed_by(&memory)).await.unwrap();
    let before = memory.records.load(Ordering::SeqCst);
    let gate = memory.gate.write().await;
    let writers: Vec<_> = (0..100)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, &index.to_string()).await })
        })
        .collect();
    others_run().await;
    drop(gate);
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let rounds = memory.records.load(Ordering::SeqCst) - before;
    assert!(rounds <= 2, "one that was under way, and one for the rest: {rounds}");
}

#[tokio::test]
async fn an_older_state_is_not_opened_and_neither_is_an_empty_one() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    keeper.remember();
    let store = open(&keeper, &memory).await.unwrap();
    for key in ["a", "b", "c"] {
        put(&store, key).await.unwrap();
    }
    until(&store, |summary| !summary.at_work).await;
    let last = state(&store);
    drop(store);
    let mut history = keeper.history();
    let latest = history.pop().unwrap();
    for (older, disk) in (1..).zip(history) {
        let found = refused(disk, &memory).await;
        assert!(
            matches!(found, Tampered::RolledBack { held, witnessed, .. } if held == older && witnessed == last.sequence),
            "{found}"
        );
        assert!(found.to_string().contains("restore-order"), "says what to do: {found}");
    }
    let found = refused(Disk::default(), &memory).await;
    assert!(matches!(found, Tampered::RolledBack { held: 0, .. }), "{found}");
    assert_eq!(memory.held(), Some(last), "no refused boot is recorded");
    open(&Keeper::holding(latest), &memory).await.unwrap();
}

#[tokio::test]
async fn a_commit_that_was_not_recorded_is_opened_and_recorded() {
    for lost_after in [false, true] {
        let (keeper, memory) = (Keeper::new(), Memory::new());
        let store = open(&keeper, &memory).await.unwrap();
        put(&store, "a").await.unwrap();
        until(&store, |summary| !summary.at_work).await;
        memory.stop(lost_after);
        let writer = tokio::spawn({
            let store = store.clone();
            async move { put(&store, "b").await }
        });
        others_run().await;
        assert!(!writer.is_finished());
        writer.abort();
        drop(store);
        // The enclave ended between the parent's fsync and the record, or its answer.
        let (keeper, memory) = (Keeper::holding(keeper.disk()), memory.again());
        let store = open(&keeper, &memory).await.unwrap();
        assert!(store.get(&space(), "b").await.unwrap().is_some());
        assert_eq!(memory.held(), Some(state(&store)));
    }
}

#[tokio::test]
async fn of_two_branches_one_goes_on() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open(&keeper, &memory).await.unwrap();
    put(&store, "a").await.unwrap();
    until(&store, |summary| !summary.at_work).await;
    // A copy of the latest state, given to a second enclave: nothing tells it from a restart.
    let copy = Keeper::holding(keeper.disk());
    let second = open(&copy, &memory).await.unwrap();
    let refused_write = put(&store, "b").await;
    assert!(matches!(refused_write, Err(StoreError::Tampered(Tampered::Forked { .. }))), "{refused_write:?}");
    assert!(matches!(store.get(&space(), "a").await, Err(StoreError::Tampered(_))));
    put(&second, "b").await.unwrap();
    // The branch that lost has a commit of the same sequence, and is not opened.
    let found = refused(keeper.disk(), &memory).await;
    assert!(matches!(found, Tampered::RolledBack { .. } | Tampered::Forked { .. }), "{found}");
}

#[tokio::test]
async fn a_branch_does_not_grow_above_the_witness_by_boots_that_it_is_kept_from() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open(&keeper, &memory).await.unwrap();
    put(&store, "a").await.unwrap();
    until(&store, |summary| !summary.at_work).await;
    drop(store);
    let branch = Keeper::holding(keeper.disk());
    // The parent lets the witness be asked, and keeps every record from it.
    for _ in 0..5 {
        let cut_off = memory.cut_off();
        let opened = open(&branch, &cut_off).await;
        assert!(matches!(opened, Err(StoreError::Unwitnessed { .. })), "{opened:?}");
    }
    let grown = branch.commits.load(Ordering::SeqCst);
    assert_eq!(grown, 0, "no commit is made over one that is not recorded anew");
    // Meanwhile clients are served on another.
    let store = open(&keeper, &memory).await.unwrap();
    for key in ["b", "c", "d"] {
        put(&store, key).await.unwrap();
    }
    drop(store);
    let found = refused(branch.disk(), &memory).await;
    assert!(matches!(found, Tampered::RolledBack { .. }), "{found}");
}

#[tokio::test]
async fn a_state_that_grew_without_its_witness_needs_an_order() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open(&keeper, &memory).await.unwrap();
    put(&store, "a").await.unwrap();
    until(&store, |summary| !summary.at_work).await;
    drop(store);
    let store = Store::open(keeper.clone(), keys(1), uncached()).await.unwrap();
    put(&store, "b").await.unwrap();
    let standing = state(&store);
    drop(store);
    let found = refused(keeper.disk(), &memory).await;
    assert!(matches!(found, Tampered::NotWitnessed { held, .. } if held == standing.sequence), "{found}");
    let order = Restore { state: standing, over: standing.sequence, at_ms: 7 };
    let store = open_by(&keeper, &memory, order).await.unwrap();
    assert_eq!(store.sequence(), standing.sequence + 1);
    assert!(store.get(&space(), "b").await.unwrap().is_some());
}

#[tokio::test]
async fn an_order_restores_exactly_the_state_that_it_names_and_once() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open(&keeper, &memory).await.unwrap();
    put(&store, "a").await.unwrap();
    until(&store, |summary| !summary.at_work).await;
    let (backup, named) = (keeper.disk(), state(&store));
    for key in ["b", "c", "d", "e", "f", "g", "h", "i"] {
        put(&store, key).await.unwrap();
    }
    until(&store, |summary| !summary.at_work).await;
    let last = state(&store);
    drop(store);

    let order = Restore { state: named, over: last.sequence, at_ms: 1_234 };
    let wrong = [
        Restore { over: last.sequence - 1, ..order },
        Restore { over: last.sequence + 1, ..order },
        Restore { over: u64::MAX, ..order },
        Restore { state: Witnessed { sequence: named.sequence + 1, ..named }, ..order },
        Restore { state: Witnessed { head: [9; 32], ..named }, ..order },
        Restore { state: last, ..order },
    ];
    for order in wrong {
        let opened = open_by(&Keeper::holding(backup.clone()), &memory, order).await;
        assert!(matches!(opened, Err(StoreError::Tampered(Tampered::RolledBack { .. }))), "{order:?}");
    }
    let empty = open_by(&Keeper::new(), &memory, order).await;
    assert!(matches!(empty, Err(StoreError::Tampered(Tampered::RolledBack { .. }))));

    // The first try ends before its commit is recorded; the next one goes on from there without the order.
    let restored = Keeper::holding(backup.clone());
    let cut_off = memory.cut_off();
    assert!(matches!(open_by(&restored, &cut_off, order).await, Err(StoreError::Unwitnessed { .. })));
    let store = open(&restored, &memory).await.unwrap();
    assert_eq!(store.sequence(), last.sequence + 2, "above all that was seen");
    let said = store.summary().restored.unwrap();
    assert_eq!((said.from, said.over, said.at_ms), (named.sequence, last.sequence, 1_234));
    assert!(store.get(&space(), "a").await.unwrap().is_some());
    assert_eq!(store.get(&space(), "b").await.unwrap(), None);

    // It goes on like any other: checkpoints, a new epoch, restarts.
    for round in 0..20 {
        put(&store, &format!("{round}")).await.unwrap();
    }
    store.rotate().await.unwrap();
    until(&store, |summary| !summary.at_work && summary.oldest_epoch == summary.epoch).await;
    drop(store);
    let store = open(&restored, &memory).await.unwrap();
    assert_eq!(store.records(), 21);
    assert_eq!(store.summary().restored, Some(said));
    store.audit().await.unwrap();
    drop(store);

    // The same order again, for the same state, is one for a witness that has moved on.
    let again = open_by(&Keeper::holding(backup), &memory, order).await;
    assert!(matches!(again, Err(StoreError::Tampered(Tampered::RolledBack { .. }))));
    // And a second restore adds to the first.
    let (backup, named) = (restored.disk(), memory.held().unwrap());
    let store = open(&restored, &memory).await.unwrap();
    put(&store, "later").await.unwrap();
    until(&store, |summary| !summary.at_work).await;
    drop(store);
    let over = memory.held().unwrap().sequence;
    let order = Restore { state: named, over, at_ms: 5_678 };
    let restored = Keeper::holding(backup);
    let store = open_by(&restored, &memory, order).await.unwrap();
    assert_eq!(store.sequence(), over + 1);
    drop(store);
    let store = open(&restored, &memory).await.unwrap();
    assert_eq!(store.get(&space(), "later").await.unwrap(), None);
    store.audit().await.unwrap();
}

#[tokio::test]
async fn a_witness_that_does_not_answer_opens_nothing() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    open(&keeper, &memory).await.unwrap();
    let before = keeper.disk();
    memory.unanswered.store(usize::MAX, Ordering::SeqCst);
    let opened = open(&keeper, &memory).await;
    assert!(matches!(opened, Err(StoreError::Unwitnessed { .. })), "{opened:?}");
    assert_eq!(keeper.disk(), before, "and nothing was committed");
}

#[tokio::test]
async fn the_answers_of_parent_and_witness_are_lost_together() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open(&keeper, &memory).await.unwrap();
    keeper.fail_next([Fault::LostAfter, Fault::LostBefore]);
    memory.unanswered.store(3, Ordering::SeqCst);
    put(&store, "a").await.unwrap();
    put(&store, "b").await.unwrap();
    assert_eq!(memory.held().map(|held| held.sequence), Some(store.sequence()));
}
