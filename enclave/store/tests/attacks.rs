//! What a hostile parent can do with records and heads, each attack by its name. A head is found at the boot, a record
//! when it is read; all are named, and close the store, but for two: what the parent invents or brings back is never met,
//! and a whole older state needs a witness.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::sync::Arc;

use keeper::{Disk, Fault, Keeper, is_note, keys, open, space, uncached};
use r3e_proto::host::blob::BlobName;
use r3e_store::{Store, StoreError, Tampered};

async fn put(store: &Store, key: &str, value: &str) {
    store.put(&space(), key, value.as_bytes()).await.unwrap();
}

/// A keeper with records `k00` to `k19`, over three pages, and no store open on it.
async fn filled() -> Arc<Keeper> {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    for index in 0..20 {
        put(&store, &format!("k{index:02}"), &format!("value {index}")).await;
    }
    keeper
}

/// The blinded name under which `key` is kept, found by what a write of it changes.
async fn name_of(keeper: &Keeper, store: &Store, key: &str) -> BlobName {
    let before = keeper.disk();
    put(store, key, "again").await;
    let after = keeper.disk();
    *after.written().iter().find(|(name, blob)| before.records.get(*name) != Some(blob)).unwrap().0
}

fn nth(disk: &Disk, index: usize) -> BlobName {
    *disk.written().keys().nth(index).unwrap()
}

async fn assert_boot_finds(keeper: &Arc<Keeper>, expected: Tampered) {
    match open(keeper).await {
        Err(StoreError::Tampered(found)) => assert_eq!(found, expected),
        other => panic!("{expected:?} expected, {other:?} found"),
    }
}

/// A boot reads no record; an audit reads all, and the store closes.
async fn assert_read_finds(keeper: &Arc<Keeper>, expected: Tampered) {
    let store = open(keeper).await.unwrap();
    let outcome = store.audit().await;
    assert!(matches!(outcome, Err(StoreError::Tampered(found)) if found == expected), "{outcome:?}");
    assert_closed(&store, expected).await;
}

/// The store has closed: nothing is served, nothing is taken, not even what was not touched.
async fn assert_closed(store: &Store, expected: Tampered) {
    assert_eq!(store.tampered(), Some(expected));
    let refused =
        |outcome: StoreError| assert!(matches!(outcome, StoreError::Tampered(found) if found == expected));
    refused(store.get(&space(), "k11").await.unwrap_err());
    refused(store.get(&space(), "never written").await.unwrap_err());
    refused(store.put(&space(), "new", b"v".as_slice()).await.unwrap_err());
    refused(store.delete(&space(), "k11").await.unwrap_err());
    refused(store.scan(&space(), "", None, 1).unwrap_err());
}

#[tokio::test]
async fn a_flipped_bit_anywhere_in_a_record() {
    let keeper = filled().await;
    let disk = keeper.disk();
    let name = nth(&disk, 4);
    for byte in 0..disk.records[&name].len() {
        let mut flipped = disk.clone();
        flipped.records.get_mut(&name).unwrap()[byte] ^= 1 << (byte % 8);
        // Bytes 13 to 20 say under which name the record belongs.
        let expected =
            if (13..21).contains(&byte) { Tampered::RecordSwapped } else { Tampered::RecordChanged };
        assert_read_finds(&Keeper::holding(flipped), expected).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_anywhere_in_the_head() {
    let disk = filled().await.disk();
    for byte in 0..disk.head.as_ref().unwrap().len() {
        let mut flipped = disk.clone();
        flipped.head.as_mut().unwrap()[byte] ^= 1 << (byte % 8);
        assert_boot_finds(&Keeper::holding(flipped), Tampered::HeadForeign).await;
    }
}

#[tokio::test]
async fn a_record_or_head_cut_short_or_made_longer() {
    let disk = filled().await.disk();
    let name = nth(&disk, 0);
    let record = disk.records[&name].clone();
    let head = disk.head.clone().unwrap();
    for length in [0, 1, 12, 20, 53, record.len() - 1] {
        let keeper = Keeper::holding(disk.clone());
        keeper.edit(|disk| disk.records.get_mut(&name).unwrap().truncate(length));
        assert_read_finds(&keeper, Tampered::RecordChanged).await;
        let keeper = Keeper::holding(disk.clone());
        keeper.edit(|disk| disk.head.as_mut().unwrap().truncate(length.min(head.len() - 1)));
        assert_boot_finds(&keeper, Tampered::HeadForeign).await;
    }
    let keeper = Keeper::holding(disk.clone());
    keeper.edit(|disk| disk.records.get_mut(&name).unwrap().push(0));
    assert_read_finds(&keeper, Tampered::RecordChanged).await;
}

#[tokio::test]
async fn a_dropped_record() {
    let disk = filled().await.disk();
    for index in [0, 7, 19] {
        let keeper = Keeper::holding(disk.clone());
        keeper.edit(|disk| {
            let name = nth(disk, index);
            disk.records.remove(&name);
        });
        assert_read_finds(&keeper, Tampered::RecordMissing).await;
    }
}

#[tokio::test]
async fn all_records_dropped() {
    let keeper = filled().await;
    keeper.edit(|disk| disk.records.retain(|name, _| is_note(name)));
    assert_read_finds(&keeper, Tampered::RecordMissing).await;
}

#[tokio::test]
async fn what_the_parent_invents_is_never_met() {
    let keeper = filled().await;
    keeper.edit(|disk| {
        let blob = disk.records[&nth(disk, 3)].clone();
        for invented in [[0; 32], [0x42; 32], [0xff; 32]] {
            disk.records.insert(invented, blob.clone());
        }
        let note = disk.notes().into_iter().next().unwrap();
        // A copy before the first note of commits, and one far behind the last.
        for number in [0, u64::MAX] {
            let mut name = note.0;
            name[24..].copy_from_slice(&u64::to_be_bytes(number));
            disk.records.insert(name, note.1.clone());
        }
    });
    let store = open(&keeper).await.unwrap();
    assert_eq!(store.audit().await.unwrap().records, 20);
    assert_eq!(store.records(), 20);
    assert_eq!(store.scan(&space(), "", None, 100).unwrap().len(), 20);
}

#[tokio::test]
async fn two_records_swapped() {
    let keeper = filled().await;
    keeper.edit(|disk| {
        let (one, other) = (nth(disk, 3), nth(disk, 16));
        let (first, second) = (disk.records[&one].clone(), disk.records[&other].clone());
        disk.records.insert(one, second);
        disk.records.insert(other, first);
    });
    assert_read_finds(&keeper, Tampered::RecordSwapped).await;
}

#[tokio::test]
async fn a_record_of_another_appliance() {
    let keeper = filled().await;
    let other = Keeper::new();
    let store = Store::open(other.clone(), keys(2), uncached()).await.unwrap();
    put(&store, "k00", "v").await;
    let (_, foreign) = other.disk().written().into_iter().next().unwrap();
    keeper.edit(|disk| {
        let own = nth(disk, 3);
        let mut renamed = foreign.clone();
        // With the hint of the own record's name it is no other record's of ours.
        renamed[13..21].copy_from_slice(&own[..8]);
        disk.records.insert(own, renamed);
    });
    assert_read_finds(&keeper, Tampered::RecordChanged).await;
}

#[tokio::test]
async fn an_older_version_of_a_record() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let before = keeper.disk();
    let name = name_of(&keeper, &store, "k05").await;
    drop(store);
    keeper.edit(|disk| {
        disk.records.insert(name, before.records[&name].clone());
    });
    assert_read_finds(&keeper, Tampered::RecordOlder).await;
}

#[tokio::test]
async fn a_deleted_record_brought_back_stays_deleted() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let name = name_of(&keeper, &store, "k05").await;
    let before = keeper.disk();
    store.delete(&space(), "k05").await.unwrap();
    drop(store);
    keeper.edit(|disk| drop(disk.records.insert(name, before.records[&name].clone())));
    let store = open(&keeper).await.unwrap();
    assert_eq!(store.get(&space(), "k05").await.unwrap(), None);
    assert_eq!(store.audit().await.unwrap().records, 19);
    // Written anew, it is another record than the one brought back.
    put(&store, "k05", "new").await;
    let new = keeper.disk().records[&name].clone();
    keeper.edit(|disk| drop(disk.records.insert(name, before.records[&name].clone())));
    assert_read_finds(&keeper, Tampered::RecordOlder).await;
    keeper.edit(|disk| drop(disk.records.insert(name, new)));
    open(&keeper).await.unwrap().audit().await.unwrap();
}

#[tokio::test]
async fn an_older_head_over_newer_records() {
    let keeper = filled().await;
    let old = keeper.disk().head;
    let store = open(&keeper).await.unwrap();
    put(&store, "k05", "newer").await;
    drop(store);
    keeper.edit(|disk| disk.head = old);
    assert_boot_finds(&keeper, Tampered::HeadOlderThanRecord).await;
}

#[tokio::test]
async fn an_older_head_over_fewer_records() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let old = keeper.disk();
    store.delete(&space(), "k05").await.unwrap();
    drop(store);
    keeper.edit(|disk| disk.head.clone_from(&old.head));
    assert_boot_finds(&keeper, Tampered::HeadOlderThanRecord).await;
    // Without the note of the deletion the boot finds nothing amiss, and the reader a record missing.
    keeper.edit(|disk| disk.records.retain(|name, _| !is_note(name) || old.records.contains_key(name)));
    assert_read_finds(&keeper, Tampered::RecordMissing).await;
}

#[tokio::test]
async fn an_older_head_and_notes_over_a_newer_record() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let old = keeper.disk();
    put(&store, "k05", "newer").await;
    drop(store);
    keeper.edit(|disk| {
        disk.head = old.head;
        disk.records.retain(|name, _| old.records.contains_key(name));
    });
    assert_read_finds(&keeper, Tampered::HeadOlderThanRecord).await;
}

#[tokio::test]
async fn no_head_over_records() {
    let keeper = filled().await;
    keeper.edit(|disk| disk.head = None);
    assert_boot_finds(&keeper, Tampered::HeadMissing).await;
}

#[tokio::test]
async fn the_head_of_another_appliance_or_of_another_root_secret() {
    let keeper = filled().await;
    let other = Keeper::new();
    Store::open(other.clone(), keys(2), uncached()).await.unwrap();
    let foreign = other.disk().head;
    let store = open(&keeper).await.unwrap();
    keeper.edit(|disk| disk.head.clone_from(&foreign));
    assert!(store.put(&space(), "k", b"v".as_slice()).await.is_err());
    assert_closed(&store, Tampered::HeadForeign).await;
    assert_boot_finds(&keeper, Tampered::HeadForeign).await;

    let wrong_root = Store::open(filled().await, keys(2), uncached()).await;
    assert!(matches!(wrong_root, Err(StoreError::Tampered(Tampered::HeadForeign))));
}

#[tokio::test]
async fn a_head_in_the_place_of_a_record_and_a_record_in_the_place_of_the_head() {
    let disk = filled().await.disk();
    let keeper = Keeper::holding(disk.clone());
    keeper.edit(|disk| {
        let (name, head) = (nth(disk, 0), disk.head.clone().unwrap());
        disk.records.insert(name, head);
    });
    assert_read_finds(&keeper, Tampered::RecordSwapped).await;
    let keeper = Keeper::holding(disk);
    keeper.edit(|disk| disk.head = disk.records.values().next().cloned());
    assert_boot_finds(&keeper, Tampered::HeadForeign).await;
}

#[tokio::test]
async fn a_read_answered_with_something_else() {
    type Attack = fn(&mut Disk, BlobName, &Disk);
    let attacks: [(Attack, Tampered); 5] = [
        (
            |disk, name, _| *disk.records.get_mut(&name).unwrap().last_mut().unwrap() ^= 1,
            Tampered::RecordChanged,
        ),
        (|disk, name, _| drop(disk.records.remove(&name)), Tampered::RecordMissing),
        (
            |disk, name, old| drop(disk.records.insert(name, old.records[&name].clone())),
            Tampered::RecordOlder,
        ),
        (
            |disk, name, _| {
                let other = disk.written().into_iter().find(|(other, _)| *other != name).unwrap().1;
                disk.records.insert(name, other);
            },
            Tampered::RecordSwapped,
        ),
        (|disk, name, _| disk.records.get_mut(&name).unwrap().clear(), Tampered::RecordChanged),
    ];
    for (attack, expected) in attacks {
        let keeper = filled().await;
        let store = open(&keeper).await.unwrap();
        let old = keeper.disk();
        let name = name_of(&keeper, &store, "k05").await;
        assert!(store.get(&space(), "k05").await.unwrap().is_some());
        keeper.edit(|disk| attack(disk, name, &old));
        let outcome = store.get(&space(), "k05").await;
        assert!(matches!(outcome, Err(StoreError::Tampered(found)) if found == expected), "{outcome:?}");
        assert_closed(&store, expected).await;
    }
}

#[tokio::test]
async fn a_rolled_back_head_under_a_running_store() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let old = keeper.disk();
    put(&store, "k05", "newer").await;
    let committed = store.sequence();
    keeper.edit(|disk| *disk = old);
    assert!(store.put(&space(), "k06", b"v".as_slice()).await.is_err());
    assert_closed(&store, Tampered::HeadRolledBack { found: committed - 1, committed }).await;
}

#[tokio::test]
async fn a_removed_head_under_a_running_store() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    keeper.edit(|disk| disk.head = None);
    assert!(store.put(&space(), "k06", b"v".as_slice()).await.is_err());
    assert_closed(&store, Tampered::HeadMissing).await;
}

#[tokio::test]
async fn a_forked_head_under_a_running_store() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    // The same appliance, started on a copy of the state, goes its own way.
    let copy = Keeper::holding(keeper.disk());
    let twin = open(&copy).await.unwrap();
    put(&twin, "k05", "of the twin").await;
    let committed = store.sequence();
    keeper.edit(|disk| *disk = copy.disk());
    assert!(store.put(&space(), "k06", b"v".as_slice()).await.is_err());
    assert_closed(&store, Tampered::HeadForked { found: twin.sequence(), committed }).await;
}

#[tokio::test]
async fn a_second_enclave_on_the_same_state_stops_the_first() {
    let keeper = filled().await;
    let first = open(&keeper).await.unwrap();
    let committed = first.sequence();
    let second = open(&keeper).await.unwrap();
    assert!(first.put(&space(), "k06", b"v".as_slice()).await.is_err());
    assert_closed(&first, Tampered::HeadForked { found: second.sequence(), committed }).await;
    put(&second, "k06", "v").await;
}

#[tokio::test]
async fn a_commit_that_was_confirmed_and_not_done_is_seen_by_the_next_commit() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    keeper.fail_next([Fault::Lie]);
    put(&store, "k05", "lost").await;
    let committed = store.sequence();
    assert!(store.put(&space(), "k06", b"v".as_slice()).await.is_err());
    assert_closed(&store, Tampered::HeadRolledBack { found: committed - 1, committed }).await;
}

#[tokio::test]
async fn a_commit_that_was_confirmed_and_not_done_is_seen_by_the_next_read() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    keeper.fail_next([Fault::Lie]);
    put(&store, "k05", "lost").await;
    assert!(store.get(&space(), "k05").await.is_err());
    assert_closed(&store, Tampered::RecordOlder).await;
}

#[tokio::test]
async fn a_commit_done_by_half_is_seen_at_the_next_boot() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let before = keeper.disk();
    put(&store, "k05", "newer").await;
    drop(store);
    let after = keeper.disk();
    // The head alone; the records alone; the head and the note without the record.
    let with = |head: &Disk, records| Keeper::holding(Disk { head: head.head.clone(), records });
    assert_boot_finds(&with(&after, before.records.clone()), Tampered::TailMissing).await;
    assert_boot_finds(&with(&before, after.records.clone()), Tampered::HeadOlderThanRecord).await;
    let mut halved = after.records.clone();
    halved.extend(before.written());
    assert_read_finds(&with(&after, halved), Tampered::RecordOlder).await;
}

#[tokio::test]
async fn a_commit_of_the_process_before_that_arrives_late_is_refused() {
    let keeper = filled().await;
    let old = open(&keeper).await.unwrap();
    let committed = old.sequence();
    let new = open(&keeper).await.unwrap();
    let value = new.get(&space(), "k05").await.unwrap();
    // The old process is still there, and its commit comes now.
    let late = old.put(&space(), "k05", b"late".as_slice()).await;
    let expected = Tampered::HeadForked { found: new.sequence(), committed };
    assert!(matches!(late, Err(StoreError::Tampered(found)) if found == expected));
    assert_eq!(new.get(&space(), "k05").await.unwrap(), value);
    put(&new, "k05", "v").await;
}

#[tokio::test]
async fn a_whole_older_state_boots_and_only_its_sequence_tells() {
    let keeper = filled().await;
    let old = keeper.disk();
    let store = open(&keeper).await.unwrap();
    put(&store, "k05", "newer").await;
    let witnessed = (store.sequence(), store.head_digest());
    drop(store);
    keeper.edit(|disk| *disk = old);
    let store = open(&keeper).await.unwrap();
    assert_eq!(store.tampered(), None);
    assert!(store.sequence() < witnessed.0);
    // Even when it has caught up, it is another history.
    while store.sequence() < witnessed.0 {
        put(&store, "k05", "rewritten").await;
    }
    assert_ne!(store.head_digest(), witnessed.1);
}
