//! Checkpoints: what a boot costs, and that none of it is lost, whenever the enclave ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::{collections::BTreeMap, sync::atomic::Ordering};

use keeper::{Disk, Keeper, busy, keys, open, space, uncached, until};
use r3e_store::{Namespace, Options, Store, Summary, Write};

/// Everything the store holds, read one by one.
async fn contents(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let mut contents = BTreeMap::new();
    for listed in store.scan(&space(), "", None, 1000).unwrap() {
        let record = store.get(&space(), &listed.key).await.unwrap().unwrap();
        assert_eq!((record.version, record.value.len()), (listed.version, listed.bytes));
        contents.insert(listed.key, record.value.to_vec());
    }
    contents
}

#[tokio::test]
async fn a_boot_reads_the_index_and_no_value() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), Options { min_tail: 50, ..uncached() }).await.unwrap();
    for round in 0..10 {
        let writes = (0..30).map(|index| Write::put(&space(), &format!("{round}/{index}"), vec![7; 10_000]));
        store.batch(writes.collect()).await.unwrap();
    }
    until(&store, |summary| summary.checkpoint_pages > 0 && !summary.at_work).await;
    drop(store);
    let (reads, lists) = (keeper.reads.load(Ordering::SeqCst), keeper.lists.load(Ordering::SeqCst));
    let store = open(&keeper).await.unwrap();
    assert_eq!(store.records(), 300);
    // One look for a note that must not be there; the notes themselves come in lists.
    assert_eq!(keeper.reads.load(Ordering::SeqCst) - reads, 1);
    assert!(keeper.lists.load(Ordering::SeqCst) - lists <= 4);
    let audit = store.audit().await.unwrap();
    assert_eq!((audit.records, audit.bytes), (300, 3_000_000));
}

#[tokio::test]
async fn a_checkpoint_replaces_the_notes_before_it_and_what_it_replaced_is_swept() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    for round in 0..200u8 {
        store.put(&space(), &format!("k{}", round % 20), vec![round]).await.unwrap();
    }
    until(&store, |summary| !summary.at_work).await;
    let Summary { checkpoint_pages, tail, .. } = store.summary();
    assert!(checkpoint_pages > 0 && tail < 100, "{tail}");
    assert!(keeper.disk().notes().len() as u64 <= checkpoint_pages + tail, "rubbish was left");
    let expected = contents(&store).await;
    assert_eq!(expected.len(), 20);
    drop(store);
    assert_eq!(contents(&open(&keeper).await.unwrap()).await, expected);
}

/// The enclave ends after each commit in turn: in the middle of a checkpoint, of sweeping, of writers' work. What was
/// acknowledged then is there, and the next checkpoint puts the notes in order again.
#[tokio::test]
async fn a_crash_after_any_commit_loses_nothing_and_leaves_no_rubbish_for_ever() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    keeper.remember();
    let mut acknowledged = Vec::new();
    for round in 0..60u8 {
        let key = format!("k{}", round % 13);
        if round % 11 == 10 {
            store.delete(&space(), &key).await.unwrap();
        } else {
            store.put(&space(), &key, vec![round]).await.unwrap();
        }
        acknowledged.push((store.sequence(), contents(&store).await));
    }
    drop(store);
    let history = keeper.history();
    assert!(history.len() > 80, "{} commits: the store did little of its own", history.len());
    for disk in history {
        let keeper = Keeper::holding(disk);
        let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
        // The boot is a commit.
        let sequence = store.sequence() - 1;
        let expected = acknowledged.iter().rev().find(|(at, _)| *at <= sequence).map(|(_, held)| held);
        let found = contents(&store).await;
        // The commit after the last acknowledged one may stand already.
        let next = acknowledged.iter().find(|(at, _)| *at > sequence).map(|(_, held)| held);
        let before_any = BTreeMap::new();
        assert!(found == *expected.unwrap_or(&before_any) || Some(&found) == next, "at {sequence}");
        store.audit().await.unwrap();
        for round in 0..40u8 {
            store.put(&space(), &format!("k{}", round % 13), vec![round]).await.unwrap();
        }
        until(&store, |summary| !summary.at_work).await;
        let after = contents(&store).await;
        drop(store);
        let disk = keeper.disk();
        assert!(disk.notes().len() < 80, "{} notes for 13 records", disk.notes().len());
        assert_eq!(contents(&open(&keeper).await.unwrap()).await, after);
    }
}

#[tokio::test]
async fn writers_and_checkpoints_go_on_together() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    let writers: Vec<_> = (0..8u8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..50u8 {
                    let key = format!("{writer}/{}", round % 9);
                    store.put(&space(), &key, vec![writer, round]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let expected = contents(&store).await;
    assert_eq!(expected.len(), 72);
    drop(store);
    assert_eq!(contents(&open(&keeper).await.unwrap()).await, expected);
}

#[tokio::test]
async fn an_empty_store_and_many_namespaces_are_checkpointed_too() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    for tenant in 0..30 {
        let space = Namespace::of_tenant("secrets", &format!("tenant {tenant}")).unwrap();
        store.put(&space, "one", b"v".as_slice()).await.unwrap();
        store.put(&space, "two", b"v".as_slice()).await.unwrap();
    }
    until(&store, |summary| summary.checkpoint_pages > 1 && !summary.at_work).await;
    drop(store);
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    assert_eq!(store.audit().await.unwrap().records, 60);
    for tenant in 0..30 {
        let space = Namespace::of_tenant("secrets", &format!("tenant {tenant}")).unwrap();
        store.batch(vec![Write::delete(&space, "one"), Write::delete(&space, "two")]).await.unwrap();
    }
    // Nothing stands, and some more commits are worth a checkpoint of that.
    while store.summary().checkpoint_pages > 0 {
        store.put(&space(), "k", b"v".as_slice()).await.unwrap();
        store.delete(&space(), "k").await.unwrap();
    }
    until(&store, |summary| !summary.at_work).await;
    drop(store);
    let Disk { head, records } = keeper.disk();
    let store = open(&Keeper::holding(Disk { head, records })).await.unwrap();
    assert_eq!(store.records(), 0);
}
