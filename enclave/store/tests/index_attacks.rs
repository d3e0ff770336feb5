//! What a hostile parent can do with what a boot reads: the pages of the checkpoint and the notes of commits, and the
//! listings that they come in. All of it is found at the boot.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::{collections::BTreeMap, sync::Arc};

use keeper::{Disk, Keeper, busy, keys, open, space, until};
use r3e_proto::host::blob::BlobName;
use r3e_store::{Page, Store, StoreError, Tampered};

/// A checkpoint of several pages, and a tail of some commits behind it; nothing is left to be swept.
async fn filled() -> (Disk, Notes) {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    for index in 0..40 {
        store.put(&space(), &format!("k{index:02}"), b"v".as_slice()).await.unwrap();
    }
    until(&store, |summary| summary.checkpoint_pages > 4 && !summary.at_work).await;
    drop(store);
    // Without the eagerness: the checkpoint stays, the tail grows.
    let store = open(&keeper).await.unwrap();
    for index in 0..4 {
        store.put(&space(), &format!("k{index:02}"), b"w".as_slice()).await.unwrap();
    }
    let disk = keeper.disk();
    let notes = Notes::of(&disk, store.sequence());
    assert!(notes.pages.len() > 4 && notes.tail.len() > 4, "{notes:?}");
    assert_eq!(store.summary().checkpoint_pages, notes.pages.len() as u64);
    (disk, notes)
}

/// The names of what the store keeps for itself.
#[derive(Debug)]
struct Notes {
    pages: Vec<BlobName>,
    tail: Vec<BlobName>,
}

impl Notes {
    /// The notes of commits are numbered by sequence, so theirs is the kind with the number of the last commit.
    fn of(disk: &Disk, sequence: u64) -> Self {
        let mut kinds = BTreeMap::<[u8; 24], Vec<BlobName>>::new();
        for name in disk.notes().into_keys() {
            kinds.entry(name[..24].try_into().unwrap()).or_default().push(name);
        }
        let is_tail = |names: &Vec<BlobName>| names.iter().any(|name| name[24..] == sequence.to_be_bytes());
        let (tail, pages): (Vec<_>, Vec<_>) = kinds.into_values().partition(is_tail);
        Self { pages: pages.concat(), tail: tail.concat() }
    }
}

async fn assert_boot_finds(keeper: &Arc<Keeper>, expected: Tampered) {
    match open(keeper).await {
        Err(StoreError::Tampered(found)) => assert_eq!(found, expected),
        other => panic!("{expected:?} expected, {other:?} found"),
    }
}

async fn assert_change_finds(disk: &Disk, change: impl FnOnce(&mut Disk), expected: Tampered) {
    let mut changed = disk.clone();
    change(&mut changed);
    assert_ne!(changed, *disk);
    assert_boot_finds(&Keeper::holding(changed), expected).await;
}

#[tokio::test]
async fn each_page_and_each_note_flipped_cut_or_dropped() {
    let (disk, Notes { pages, tail }) = filled().await;
    let kinds = [
        (pages, Tampered::CheckpointChanged, Tampered::CheckpointMissing),
        (tail, Tampered::TailChanged, Tampered::TailMissing),
    ];
    for (names, changed, missing) in kinds {
        for name in names {
            let len = disk.records[&name].len();
            for byte in (0..len).step_by(7) {
                let flip = |disk: &mut Disk| disk.records.get_mut(&name).unwrap()[byte] ^= 1 << (byte % 8);
                assert_change_finds(&disk, flip, changed).await;
            }
            for kept in [0, 1, 36, len - 1] {
                let cut = |disk: &mut Disk| disk.records.get_mut(&name).unwrap().truncate(kept);
                assert_change_finds(&disk, cut, changed).await;
            }
            assert_change_finds(&disk, |disk| disk.records.get_mut(&name).unwrap().push(0), changed).await;
            assert_change_finds(&disk, |disk| drop(disk.records.remove(&name)), missing).await;
        }
    }
}

#[tokio::test]
async fn pages_and_notes_in_each_others_place() {
    let (disk, Notes { pages, tail }) = filled().await;
    let kinds = [(&pages, &tail, Tampered::CheckpointChanged), (&tail, &pages, Tampered::TailChanged)];
    for (names, others, expected) in kinds {
        let [first, second] = names[..2] else { panic!("too few") };
        let swap = |disk: &mut Disk| {
            let (one, other) = (disk.records[&first].clone(), disk.records[&second].clone());
            disk.records.extend([(first, other), (second, one)]);
        };
        assert_change_finds(&disk, swap, expected).await;
        let copy = |disk: &mut Disk| drop(disk.records.insert(second, disk.records[&first].clone()));
        assert_change_finds(&disk, copy, expected).await;
        let of_the_other_kind =
            |disk: &mut Disk| drop(disk.records.insert(first, disk.records[&others[0]].clone()));
        assert_change_finds(&disk, of_the_other_kind, expected).await;
        let a_record = |disk: &mut Disk| {
            let record = disk.written().into_values().next().unwrap();
            disk.records.insert(first, record);
        };
        assert_change_finds(&disk, a_record, expected).await;
        let the_head = |disk: &mut Disk| drop(disk.records.insert(first, disk.head.clone().unwrap()));
        assert_change_finds(&disk, the_head, expected).await;
    }
}

#[tokio::test]
async fn pages_and_notes_of_another_appliance() {
    let (disk, Notes { pages, tail }) = filled().await;
    let foreign = Keeper::new();
    Store::open(foreign.clone(), keys(2), busy()).await.unwrap();
    let note = foreign.disk().notes().into_values().next().unwrap();
    for (name, expected) in [(pages[0], Tampered::CheckpointChanged), (tail[0], Tampered::TailChanged)] {
        assert_change_finds(&disk, |disk| drop(disk.records.insert(name, note.clone())), expected).await;
    }
}

/// The same state goes on twice, in two ways. Each history has a note or a page of the same number, both genuine.
#[tokio::test]
async fn a_page_or_a_note_of_another_history_of_the_same_appliance() {
    let (start, _) = filled().await;
    let go_on = async |value: &'static str| {
        let keeper = Keeper::holding(start.clone());
        let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
        for index in 0..40 {
            store.put(&space(), &format!("k{index:02}"), value.as_bytes()).await.unwrap();
        }
        // The next checkpoint has pages of its own, which have the same numbers in either history.
        until(&store, |summary| !summary.at_work).await;
        drop(store);
        let store = open(&keeper).await.unwrap();
        store.put(&space(), "last", value.as_bytes()).await.unwrap();
        (keeper.disk(), store.sequence())
    };
    let ((one, sequence), (other, _)) = (go_on("one").await, go_on("other").await);
    let notes = Notes::of(&one, sequence);
    let mut tried = 0;
    for name in notes.pages.iter().chain(&notes.tail) {
        // Sealed anew in each history, so never the same bytes; the content may be the same, and is harmless then.
        let Some(genuine) = other.records.get(name) else { continue };
        let mut mixed = one.clone();
        mixed.records.insert(*name, genuine.clone());
        match open(&Keeper::holding(mixed)).await {
            Err(StoreError::Tampered(found)) => {
                assert_eq!(found, Tampered::IndexOlder);
                tried += 1;
            }
            Ok(store) => assert_eq!(store.audit().await.unwrap().records, 41),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(tried >= 2, "{tried} notes told");
}

#[tokio::test]
async fn false_listings() {
    type Lie = fn(&mut Page);
    let lies: [(Lie, Tampered); 6] = [
        (|page| page.records.reverse(), Tampered::ListUnordered),
        (|page| page.records.insert(0, page.records[0].clone()), Tampered::ListUnordered),
        (
            |page| {
                page.records.clear();
                page.more = true;
            },
            Tampered::ListUnordered,
        ),
        (|page| drop(page.records.remove(0)), Tampered::CheckpointMissing),
        (
            |page| {
                page.records.truncate(1);
                page.more = false;
            },
            Tampered::CheckpointMissing,
        ),
        (
            |page| {
                page.records.clear();
                page.more = false;
            },
            Tampered::CheckpointMissing,
        ),
    ];
    let (disk, _) = filled().await;
    for (lie, expected) in lies {
        let keeper = Keeper::holding(disk.clone());
        keeper.answer_lists_with(move |_, mut page| {
            lie(&mut page);
            page
        });
        assert_boot_finds(&keeper, expected).await;
    }
    let keeper = Keeper::holding(disk.clone());
    let first = std::sync::Mutex::new(None);
    keeper.answer_lists_with(move |_, page| first.lock().unwrap().get_or_insert(page).clone());
    assert_boot_finds(&keeper, Tampered::ListUnordered).await;
    // A list that goes on behind what is asked for is read no further.
    let keeper = Keeper::holding(disk);
    keeper.answer_lists_with(|_, page| Page { more: true, ..page });
    open(&keeper).await.unwrap().audit().await.unwrap();
}
