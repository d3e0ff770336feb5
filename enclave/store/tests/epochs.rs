//! Rotation: a new epoch takes over every record, in the background, whatever comes between.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use keeper::{Disk, Fault, Keeper, busy, keys, open, others_run, space, uncached, until};
use r3e_store::{Options, Store, StoreError, Summary, Tampered};

async fn filled(options: Options) -> (Arc<Keeper>, Store) {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    for index in 0..30u8 {
        store.put(&space(), &format!("k{index:02}"), vec![index; 40]).await.unwrap();
    }
    (keeper, store)
}

/// Every record has moved, and the old key is gone.
fn rotated(to: u32) -> impl Fn(&Summary) -> bool {
    move |summary| summary.epoch == to && summary.oldest_epoch == to && summary.to_reseal == 0
}

/// The epochs that sealed the records that are kept. Heads and notes, which are of no epoch, begin with another byte.
fn epochs(disk: &Disk) -> BTreeSet<u32> {
    let records = disk.records.values().filter(|blob| blob[0] == 1);
    records.map(|blob| u32::from_be_bytes(blob[1..5].try_into().unwrap())).collect()
}

async fn assert_whole(store: &Store) {
    assert_eq!(store.audit().await.unwrap().records, 30);
    for index in 0..30u8 {
        let record = store.get(&space(), &format!("k{index:02}")).await.unwrap().unwrap();
        assert_eq!((record.value.as_bytes(), record.version), ([index; 40].as_slice(), u64::from(index) + 1));
    }
}

#[tokio::test]
async fn every_record_moves_and_nothing_else_changes() {
    let (keeper, store) = filled(uncached()).await;
    let root = store.summary().root;
    assert_eq!(epochs(&keeper.disk()), BTreeSet::from([1]));
    assert_eq!(store.rotate().await.unwrap(), 2);
    until(&store, rotated(2)).await;
    assert_whole(&store).await;
    assert_ne!(store.summary().root, root, "the records were sealed anew");
    // What an epoch left behind is swept in the end.
    while epochs(&keeper.disk()) != BTreeSet::from([2]) {
        others_run().await;
    }
    // A condition on a version holds as before: the value is the same.
    store.compare_and_swap(&space(), "k00", 1, vec![0; 40]).await.unwrap();
    drop(store);
    let store = open(&keeper).await.unwrap();
    assert!(rotated(2)(&store.summary()));
    assert_eq!(store.rotate().await.unwrap(), 3);
    until(&store, rotated(3)).await;
    assert_eq!(store.audit().await.unwrap().records, 30);
}

#[tokio::test]
async fn a_crash_after_any_commit_of_a_rotation_loses_nothing_and_the_rotation_goes_on() {
    let (keeper, store) = filled(busy()).await;
    keeper.remember();
    store.rotate().await.unwrap();
    until(&store, rotated(2)).await;
    drop(store);
    let history = keeper.history();
    assert!(history.len() > 5, "{} commits", history.len());
    for disk in history {
        let keeper = Keeper::holding(disk);
        let store = Store::open(keeper, keys(1), busy()).await.unwrap();
        assert_whole(&store).await;
        until(&store, |summary| summary.epoch < 2 || rotated(2)(summary)).await;
        assert_whole(&store).await;
    }
}

#[tokio::test]
async fn writers_go_on_and_what_they_write_is_of_the_new_epoch() {
    let (keeper, store) = filled(uncached()).await;
    let shut = keeper.gate.write().await;
    let rotation = tokio::spawn({
        let store = store.clone();
        async move { store.rotate().await }
    });
    others_run().await;
    let writers: Vec<_> = (0..30u8)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move {
                let key = format!("k{index:02}");
                match index % 3 {
                    0 => store.put(&space(), &key, b"new".as_slice()).await.map(|_| ()),
                    1 => store.delete(&space(), &key).await,
                    _ => Ok(()),
                }
            })
        })
        .collect();
    others_run().await;
    drop(shut);
    assert_eq!(rotation.await.unwrap().unwrap(), 2);
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    until(&store, rotated(2)).await;
    for index in 0..30u8 {
        let record = store.get(&space(), &format!("k{index:02}")).await.unwrap();
        let expected = match index % 3 {
            0 => Some(b"new".to_vec()),
            1 => None,
            _ => Some(vec![index; 40]),
        };
        assert_eq!(record.map(|record| record.value.to_vec()), expected);
    }
}

#[tokio::test]
async fn a_rotation_during_a_rotation_is_refused() {
    let (keeper, store) = filled(uncached()).await;
    // Nothing can be read, so nothing can move.
    keeper.reads_lost.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(store.rotate().await.unwrap(), 2);
    assert!(matches!(store.rotate().await, Err(StoreError::Rotating { oldest: 1 })));
    assert_eq!(store.summary().to_reseal, 30);
    keeper.reads_lost.store(0, Ordering::SeqCst);
    until(&store, rotated(2)).await;
    assert_eq!(store.rotate().await.unwrap(), 3);
}

#[tokio::test]
async fn lost_answers_and_a_parent_that_is_away_only_delay_it() {
    let (keeper, store) = filled(uncached()).await;
    keeper.fail_next([Fault::LostAfter, Fault::LostBefore, Fault::Failed, Fault::LostAfter]);
    keeper.reads_lost.store(5, Ordering::SeqCst);
    store.rotate().await.unwrap();
    until(&store, rotated(2)).await;
    assert_whole(&store).await;
}

#[tokio::test]
async fn a_changed_record_is_found_when_it_would_move() {
    let (keeper, store) = filled(uncached()).await;
    keeper.edit(|disk| {
        let name = *disk.written().keys().nth(7).unwrap();
        *disk.records.get_mut(&name).unwrap().last_mut().unwrap() ^= 1;
    });
    store.rotate().await.unwrap();
    while store.tampered().is_none() {
        others_run().await;
    }
    assert_eq!(store.tampered(), Some(Tampered::RecordChanged));
}

#[tokio::test]
async fn the_old_sealing_of_a_record_is_an_older_one() {
    let (keeper, store) = filled(uncached()).await;
    let before = keeper.disk();
    store.rotate().await.unwrap();
    until(&store, rotated(2)).await;
    keeper.edit(|disk| {
        let (name, blob) = before.written().into_iter().nth(7).unwrap();
        disk.records.insert(name, blob);
    });
    let outcome = store.audit().await;
    assert!(matches!(outcome, Err(StoreError::Tampered(Tampered::RecordOlder))), "{outcome:?}");
}

#[tokio::test]
async fn so_many_sealings_begin_an_epoch_by_themselves() {
    let keeper = Keeper::new();
    let options = Options { max_sealings: 100, ..uncached() };
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    let mut seen = BTreeSet::new();
    for round in 0..200u8 {
        store.put(&space(), &format!("k{}", round % 10), vec![round]).await.unwrap();
        let summary = store.summary();
        seen.insert(summary.epoch);
        // A rotation finishes what the one before began, so that epochs do not pile up.
        assert!(summary.epoch - summary.oldest_epoch <= 1);
        assert!(summary.sealings < 250, "{summary:?}");
    }
    assert!(seen.len() >= 3, "{seen:?}");
    let last = store.summary().epoch;
    drop(store);
    // The count goes on over a boot.
    let store = Store::open(keeper, keys(1), options).await.unwrap();
    assert!(store.summary().epoch >= last);
    assert_eq!(store.audit().await.unwrap().records, 10);
}

#[tokio::test]
async fn a_store_that_is_dropped_during_a_rotation_ends() {
    let (keeper, store) = filled(uncached()).await;
    keeper.reads_lost.store(usize::MAX, Ordering::SeqCst);
    store.rotate().await.unwrap();
    others_run().await;
    drop(store);
    while Arc::strong_count(&keeper) > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
