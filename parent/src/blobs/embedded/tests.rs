//! The embedded store by itself.

use std::collections::BTreeMap;
use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use r3e_proto::limits::MAX_BLOB_BYTES;

use super::*;
use crate::limits::JOURNAL_FILE_BYTES;

fn name(n: u16) -> BlobName {
    let mut name = [0; 32];
    name[..2].copy_from_slice(&n.to_be_bytes());
    name
}

fn commit(expected: Option<&[u8]>, head: &[u8]) -> Commit {
    Commit { expected: expected.map(digest), head: head.to_vec(), puts: Vec::new(), deletes: Vec::new() }
}

fn all(store: &mut Embedded) -> Vec<(BlobName, Vec<u8>)> {
    let mut records = Vec::new();
    loop {
        let page = store.list(records.last().map(|(name, _)| name)).unwrap();
        records.extend(page.records);
        if !page.more {
            return records;
        }
    }
}

#[test]
fn only_the_commit_that_follows_the_head_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    assert_eq!(store.head().unwrap(), None);
    let put = |mut commit: Commit| {
        commit.puts.push((name(1), commit.head.clone()));
        commit
    };
    assert_eq!(store.apply(put(commit(Some(b""), b"x"))).unwrap(), Applied::Conflict);
    assert_eq!(store.apply(put(commit(None, b"one"))).unwrap(), Applied::Written);
    for wrong in [None, Some(&b"two"[..]), Some(b"on"), Some(b"")] {
        assert_eq!(store.apply(put(commit(wrong, b"x"))).unwrap(), Applied::Conflict);
        assert_eq!(store.read(&name(1)).unwrap().unwrap(), b"one");
        assert_eq!(store.head().unwrap().unwrap(), b"one");
    }
    assert_eq!(store.apply(put(commit(Some(b"one"), b"two"))).unwrap(), Applied::Written);
    assert_eq!(store.apply(put(commit(Some(b"one"), b"three"))).unwrap(), Applied::Conflict);
    assert_eq!(store.read(&name(1)).unwrap().unwrap(), b"two");
}

#[test]
fn a_name_twice_in_one_commit_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    let mut twice = commit(None, b"h");
    twice.puts = vec![(name(1), vec![1]), (name(2), vec![2]), (name(1), vec![3])];
    assert!(matches!(store.apply(twice), Err(StoreError::Twice)));
    let mut both = commit(None, b"h");
    both.puts = vec![(name(1), vec![1])];
    both.deletes = vec![name(1)];
    assert!(matches!(store.apply(both), Err(StoreError::Twice)));
    assert!(all(&mut store).is_empty());
    assert_eq!(store.head().unwrap(), None);
    assert!(!store.is_stopped(), "a bad commit is the enclave's fault, not the disk's");
}

#[test]
fn pages_keep_to_both_limits() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    let mut many = commit(None, b"1");
    many.puts = (0..MAX_LIST_RECORDS).map(|n| (name(n.try_into().unwrap()), vec![1])).collect();
    store.apply(many).unwrap();
    let page = store.list(None).unwrap();
    assert_eq!((page.records.len(), page.more), (MAX_LIST_RECORDS, false));
    let mut one_more = commit(Some(b"1"), b"2");
    one_more.puts = vec![(name(u16::MAX), vec![1])];
    store.apply(one_more).unwrap();
    let page = store.list(None).unwrap();
    assert_eq!((page.records.len(), page.more), (MAX_LIST_RECORDS, true));
    let rest = store.list(page.records.last().map(|(name, _)| name)).unwrap();
    assert_eq!((rest.records.len(), rest.more), (1, false));

    let large = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(large.path()).unwrap();
    let mut three = commit(None, b"1");
    three.puts = (0..3).map(|n| (name(n), vec![0; MAX_BLOB_BYTES])).collect();
    store.apply(three).unwrap();
    let page = store.list(None).unwrap();
    assert_eq!((page.records.len(), page.more), (MAX_LIST_BYTES / MAX_BLOB_BYTES, true));
    assert_eq!(all(&mut store).len(), 3);
}

#[test]
fn the_slot_is_written_over_the_value_that_stands_and_over_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    assert_eq!(store.slot().unwrap(), None);
    assert_eq!(store.write_slot(Some(digest(b"")), b"x".to_vec()).unwrap(), Applied::Conflict);
    assert_eq!(store.write_slot(None, b"one".to_vec()).unwrap(), Applied::Written);
    assert_eq!(store.write_slot(None, b"x".to_vec()).unwrap(), Applied::Conflict);
    assert_eq!(store.write_slot(Some(digest(b"one")), b"two".to_vec()).unwrap(), Applied::Written);
    assert_eq!(store.write_slot(Some(digest(b"one")), b"x".to_vec()).unwrap(), Applied::Conflict);
    // A commit leaves it as it is, and it leaves the head and the records as they are.
    let mut first = commit(None, b"head");
    first.puts = vec![(name(1), vec![1])];
    assert_eq!(store.apply(first).unwrap(), Applied::Written);
    assert_eq!(store.write_slot(Some(digest(b"two")), Vec::new()).unwrap(), Applied::Written);
    store.sync().unwrap();
    drop(store);
    let mut store = Embedded::open(folder.path()).unwrap();
    assert_eq!(store.slot().unwrap(), Some(Vec::new()));
    assert_eq!(store.head().unwrap(), Some(b"head".to_vec()));
    assert_eq!(all(&mut store), [(name(1), vec![1])]);
}

/// Every file below `from`, as it is now, below `to`, where nothing is yet.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).map(drop).unwrap();
        }
    }
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

/// A loss of power takes what the engine was given and did not sync: the journal has it.
#[test]
fn what_was_synced_stands_whatever_the_engine_lost() {
    let (folder, lost, place) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = Embedded::open(folder.path()).unwrap();
    let head = |n: u64| n.to_be_bytes().to_vec();
    // Far enough for both files of the journal to be begun anew.
    let (records, bytes) = (40, 256 * 1024);
    let commits = 4 * JOURNAL_FILE_BYTES / bytes as u64;
    let mut turns = 0;
    copy(folder.path(), &lost.path().join("0"));
    for n in 1..=commits {
        let mut next = commit((n > 1).then(|| head(n - 1)).as_deref(), &head(n));
        next.puts.push((name((n % records).try_into().unwrap()), vec![n.to_be_bytes()[7]; bytes]));
        store.apply(next).unwrap();
        store.sync().unwrap();
        let turning = store.journal.is_full();
        store.rest().unwrap();
        if turning {
            // What the engine has synced now is the least that it has from here on.
            turns += 1;
            copy(folder.path(), &lost.path().join(turns.to_string()));
        }
        if n % 7 != 0 && !turning {
            continue;
        }
        let at = place.path().join(n.to_string());
        copy(&lost.path().join(turns.to_string()), &at);
        for file in fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
            if is_journal(&file) {
                fs::copy(&file, at.join(file.file_name().unwrap())).unwrap();
            }
        }
        let mut again = Embedded::open(&at).unwrap();
        assert_eq!(again.head().unwrap(), Some(head(n)));
        let first = (n + 1).saturating_sub(records).max(1);
        let expected: BTreeMap<_, _> = (first..=n)
            .map(|m| (name((m % records).try_into().unwrap()), vec![m.to_be_bytes()[7]; bytes]))
            .collect();
        assert!(all(&mut again).into_iter().eq(expected), "after {n}");
        drop(again);
        fs::remove_dir_all(at).unwrap();
    }
    assert!(turns >= 3, "{turns} turns");
}

#[test]
fn the_journal_of_another_state_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, heads) in [(&one, ["a", "b"]), (&other, ["x", "y"])] {
        let mut store = Embedded::open(folder.path()).unwrap();
        store.apply(commit(None, heads[0].as_bytes())).unwrap();
        store.sync().unwrap();
        drop(store);
        // Into the engine, out of the journal.
        let mut store = Embedded::open(folder.path()).unwrap();
        store.apply(commit(Some(heads[0].as_bytes()), heads[1].as_bytes())).unwrap();
        store.sync().unwrap();
    }
    for file in fs::read_dir(one.path()).unwrap().map(|file| file.unwrap().path()) {
        if is_journal(&file) {
            fs::copy(&file, other.path().join(file.file_name().unwrap())).unwrap();
        }
    }
    assert!(matches!(Embedded::open(other.path()), Err(StoreOpenError::Apart)));
}

/// A read in the same group as a commit sees it, and neither is answered well if it cannot be made durable.
#[test]
fn a_read_behind_a_commit_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    let mut first = commit(None, b"1");
    first.puts.push((name(1), vec![1]));
    store.apply(first).unwrap();
    assert_eq!(store.read(&name(1)).unwrap(), Some(vec![1]));
    assert!(store.sync().unwrap(), "it counts as a sync all the same");
    assert!(!store.sync().unwrap());
    let mut second = commit(Some(b"1"), b"2");
    second.deletes.push(name(1));
    store.apply(second).unwrap();
    assert!(all(&mut store).is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Commit { puts: BTreeMap<u16, Vec<u8>>, deletes: Vec<u16>, follows: bool },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let puts = prop::collection::btree_map(0_u16..40, vec(any::<u8>(), 0..200), 0..12);
    let commits = (puts, vec(0_u16..40, 0..6), prop::bool::weighted(0.8));
    prop_oneof![
        12 => commits.prop_map(|(puts, deletes, follows)| Step::Commit { puts, deletes, follows }),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_store_holds_what_its_commits_say(steps in vec(step(), 1..30)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Embedded::open(folder.path()).unwrap();
        let mut model = BTreeMap::new();
        let mut head: Option<Vec<u8>> = None;
        for (turn, step) in steps.into_iter().enumerate() {
            match step {
                Step::Reopen => {
                    drop(store);
                    store = Embedded::open(folder.path()).unwrap();
                }
                Step::Commit { puts, mut deletes, follows } => {
                    deletes.retain(|n| !puts.contains_key(n));
                    deletes.sort_unstable();
                    deletes.dedup();
                    let expected = if follows { head.clone() } else { Some(b"another".to_vec()) };
                    let mut next = commit(expected.as_deref(), &turn.to_be_bytes());
                    next.puts = puts.iter().map(|(n, record)| (name(*n), record.clone())).collect();
                    next.deletes = deletes.iter().map(|n| name(*n)).collect();
                    let applied = store.apply(next).unwrap();
                    prop_assert_eq!(applied == Applied::Written, follows);
                    if follows {
                        head = Some(turn.to_be_bytes().to_vec());
                        model.extend(puts.into_iter().map(|(n, record)| (name(n), record)));
                        model.retain(|name, _| !deletes.iter().any(|n| self::name(*n) == *name));
                    }
                    store.sync().unwrap();
                    if turn % 3 == 0 {
                        store.rest().unwrap();
                    }
                }
            }
            prop_assert_eq!(store.head().unwrap(), head.clone());
            prop_assert_eq!(all(&mut store), model.clone().into_iter().collect::<Vec<_>>());
        }
    }
}
