//! What a hostile parent can do with the blobs, each attack by its name. All are found, named, and close the store,
//! but for one, which the last test shows: a whole older state needs a witness.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::sync::Arc;

use keeper::{Disk, Fault, Keeper, keys, open, space, uncached};
use r3e_proto::host::blob::BlobName;
use r3e_store::{Page, Store, StoreError, Tampered};

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
    *after.records.iter().find(|(name, blob)| before.records.get(*name) != Some(blob)).unwrap().0
}

fn nth(disk: &Disk, index: usize) -> BlobName {
    *disk.records.keys().nth(index).unwrap()
}

async fn assert_boot_finds(keeper: &Arc<Keeper>, expected: Tampered) {
    match open(keeper).await {
        Err(StoreError::Tampered(found)) => assert_eq!(found, expected),
        other => panic!("{expected:?} expected, {other:?} found"),
    }
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
        assert_boot_finds(&Keeper::holding(flipped), expected).await;
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
        assert_boot_finds(&keeper, Tampered::RecordChanged).await;
        let keeper = Keeper::holding(disk.clone());
        keeper.edit(|disk| disk.head.as_mut().unwrap().truncate(length.min(head.len() - 1)));
        assert_boot_finds(&keeper, Tampered::HeadForeign).await;
    }
    let keeper = Keeper::holding(disk.clone());
    keeper.edit(|disk| disk.records.get_mut(&name).unwrap().push(0));
    assert_boot_finds(&keeper, Tampered::RecordChanged).await;
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
        assert_boot_finds(&keeper, Tampered::RecordMissing).await;
    }
}

#[tokio::test]
async fn all_records_dropped() {
    let keeper = filled().await;
    keeper.edit(|disk| disk.records.clear());
    assert_boot_finds(&keeper, Tampered::RecordMissing).await;
}

#[tokio::test]
async fn a_record_copied_under_another_name() {
    let keeper = filled().await;
    keeper.edit(|disk| {
        let blob = disk.records[&nth(disk, 3)].clone();
        disk.records.insert([0x42; 32], blob);
    });
    assert_boot_finds(&keeper, Tampered::RecordSwapped).await;
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
    assert_boot_finds(&keeper, Tampered::RecordSwapped).await;
}

#[tokio::test]
async fn a_record_of_another_appliance() {
    let keeper = filled().await;
    let other = Keeper::new();
    let store = Store::open(other.clone(), keys(2), uncached()).await.unwrap();
    put(&store, "k00", "v").await;
    let (name, blob) = other.disk().records.into_iter().next().unwrap();
    keeper.edit(|disk| {
        disk.records.insert(name, blob);
    });
    assert_boot_finds(&keeper, Tampered::RecordChanged).await;
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
    assert_boot_finds(&keeper, Tampered::RecordOlder).await;
}

#[tokio::test]
async fn a_deleted_record_brought_back() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let before = keeper.disk();
    store.delete(&space(), "k05").await.unwrap();
    drop(store);
    keeper.edit(|disk| disk.records = before.records.clone());
    assert_boot_finds(&keeper, Tampered::RecordExtra).await;
}

#[tokio::test]
async fn a_deleted_record_brought_back_in_place_of_another() {
    let keeper = filled().await;
    let store = open(&keeper).await.unwrap();
    let before = keeper.disk();
    store.delete(&space(), "k05").await.unwrap();
    drop(store);
    keeper.edit(|disk| {
        let standing = nth(disk, 0);
        disk.records = before.records.clone();
        disk.records.remove(&standing);
    });
    assert_boot_finds(&keeper, Tampered::RecordOlder).await;
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
    let old = keeper.disk().head;
    let store = open(&keeper).await.unwrap();
    store.delete(&space(), "k05").await.unwrap();
    drop(store);
    keeper.edit(|disk| disk.head = old);
    assert_boot_finds(&keeper, Tampered::RecordMissing).await;
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
    assert!(matches!(open(&keeper).await, Err(StoreError::Tampered(_))));
    let keeper = Keeper::holding(disk);
    keeper.edit(|disk| disk.head = disk.records.values().next().cloned());
    assert_boot_finds(&keeper, Tampered::HeadForeign).await;
}

#[tokio::test]
async fn a_truncated_page() {
    let keeper = filled().await;
    keeper.answer_lists_with(|after, mut page| {
        if after.is_some() {
            page.records.pop();
        }
        page
    });
    assert_boot_finds(&keeper, Tampered::RecordMissing).await;
}

#[tokio::test]
async fn a_list_that_ends_early() {
    let keeper = filled().await;
    keeper.answer_lists_with(|_, page| Page { more: false, ..page });
    assert_boot_finds(&keeper, Tampered::RecordMissing).await;
}

#[tokio::test]
async fn a_reordered_page() {
    let keeper = filled().await;
    keeper.answer_lists_with(|_, mut page| {
        page.records.reverse();
        page
    });
    assert_boot_finds(&keeper, Tampered::ListUnordered).await;
}

#[tokio::test]
async fn a_record_listed_twice_in_a_page() {
    let keeper = filled().await;
    keeper.answer_lists_with(|_, mut page| {
        if let Some(first) = page.records.first().cloned() {
            page.records.insert(0, first);
        }
        page
    });
    assert_boot_finds(&keeper, Tampered::RecordDuplicated).await;
}

#[tokio::test]
async fn the_same_page_again_and_again() {
    let keeper = filled().await;
    let first = std::sync::Mutex::new(None);
    keeper.answer_lists_with(move |_, page| first.lock().unwrap().get_or_insert(page).clone());
    assert_boot_finds(&keeper, Tampered::RecordDuplicated).await;
}

#[tokio::test]
async fn a_list_without_end() {
    let keeper = filled().await;
    keeper.answer_lists_with(|_, page| Page { more: true, ..page });
    assert_boot_finds(&keeper, Tampered::ListUnordered).await;
}

#[tokio::test]
async fn pages_in_another_order() {
    let keeper = filled().await;
    let names: Vec<_> = keeper.disk().records.into_iter().collect();
    // The last page first, then the first one.
    keeper.answer_lists_with(move |after, _| match after {
        None => Page { records: names[14..].to_vec(), more: true },
        Some(_) => Page { records: names[..7].to_vec(), more: false },
    });
    assert_boot_finds(&keeper, Tampered::ListUnordered).await;
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
                let other = disk.records.iter().find(|(other, _)| **other != name).unwrap().1.clone();
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
    // The head without the record, and the record without the head.
    assert_boot_finds(
        &Keeper::holding(Disk { head: after.head, records: before.records }),
        Tampered::RecordOlder,
    )
    .await;
    assert_boot_finds(
        &Keeper::holding(Disk { head: before.head, records: after.records }),
        Tampered::HeadOlderThanRecord,
    )
    .await;
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
