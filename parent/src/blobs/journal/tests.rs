//! The journal by itself: what was synced is found again, what was torn is not, and nothing of before is taken for it.

use proptest::prelude::*;

use super::*;

fn commit(n: u64, bytes: usize) -> Commit {
    let head = n.to_be_bytes().to_vec();
    Commit {
        expected: Some([7; 32]),
        head,
        puts: vec![([1; 32], vec![n.to_be_bytes()[7]; bytes])],
        deletes: vec![[2; 32]],
    }
}

fn written(folder: &Path, sizes: &[usize]) -> Journal {
    let (mut journal, found) = Journal::open(folder).unwrap();
    assert!(found.is_empty());
    journal.clear().unwrap();
    for (n, bytes) in sizes.iter().enumerate() {
        journal.append(&commit(n as u64, *bytes));
        journal.sync().unwrap();
    }
    journal
}

fn found(folder: &Path) -> Vec<u64> {
    let commits = Journal::open(folder).unwrap().1;
    commits.iter().map(|commit| u64::from_be_bytes(commit.head.as_slice().try_into().unwrap())).collect()
}

#[test]
fn what_was_synced_is_found_in_order_and_what_was_only_added_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = written(folder.path(), &[10, 0, 2000, 300]);
    journal.append(&commit(4, 5));
    assert_eq!(found(folder.path()), [0, 1, 2, 3]);
    journal.append(&commit(5, 5));
    journal.sync().unwrap();
    assert_eq!(found(folder.path()), [0, 1, 2, 3, 4, 5]);
    assert_eq!(Journal::open(folder.path()).unwrap().1[2], commit(2, 2000));
    journal.clear().unwrap();
    assert!(found(folder.path()).is_empty());
}

#[test]
fn a_file_keeps_its_size_and_is_written_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let size = || fs::metadata(folder.path().join(FILES[0])).unwrap().len();
    let mut journal = written(folder.path(), &[1]);
    assert_eq!(size(), JOURNAL_STEP_BYTES);
    journal.append(&commit(1, usize::try_from(JOURNAL_STEP_BYTES).unwrap()));
    journal.sync().unwrap();
    assert_eq!(size(), 2 * JOURNAL_STEP_BYTES);
    // Back at this file, it is as long as it was.
    journal.turn();
    journal.turn();
    journal.append(&commit(2, 1));
    journal.sync().unwrap();
    assert_eq!(size(), 2 * JOURNAL_STEP_BYTES);
    assert_eq!(found(folder.path()), [2]);
}

#[test]
fn a_file_that_is_begun_anew_leaves_nothing_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = written(folder.path(), &[100; 4]);
    journal.turn();
    for n in 4..6 {
        journal.append(&commit(n, 100));
        journal.sync().unwrap();
    }
    assert_eq!(found(folder.path()), [0, 1, 2, 3, 4, 5]);
    // Entries of one size: behind the new one stands a whole old one.
    journal.turn();
    journal.append(&commit(6, 100));
    journal.sync().unwrap();
    assert_eq!(found(folder.path()), [4, 5, 6]);
}

#[test]
fn the_first_write_over_an_old_file_may_be_torn_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = written(folder.path(), &[100; 4]);
    journal.turn();
    for n in 4..6 {
        journal.append(&commit(n, 100));
        journal.sync().unwrap();
    }
    let path = folder.path().join(FILES[0]);
    let old = fs::read(&path).unwrap();
    journal.turn();
    for n in 6..8 {
        journal.append(&commit(n, 150));
    }
    journal.sync().unwrap();
    let new = fs::read(&path).unwrap();
    let end = new.iter().zip(&old).rposition(|(new, old)| new != old).unwrap() + 1;
    for cut in 0..=end {
        for front in [false, true] {
            // Either end of the write may have arrived alone.
            let (one, other) = if front { (&new, &old) } else { (&old, &new) };
            fs::write(&path, [&one[..cut], &other[cut..]].concat()).unwrap();
            let found = found(folder.path());
            let all_of_it = if front { cut == end } else { cut == 0 };
            let last = *found.last().unwrap();
            assert!(found.is_sorted() && found.windows(2).all(|two| two[1] == two[0] + 1), "{found:?}");
            // The engine has what is before 4; from there on nothing may be missing.
            assert!(found.contains(&4) && last >= 5, "cut at {cut}: {found:?}");
            assert!(!all_of_it || last == 7, "cut at {cut}: {found:?}");
        }
    }
}

#[test]
fn a_whole_entry_that_is_no_commit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let body = Request { id: 0, operation: Operation::Head }.encode();
    let length = u32::try_from(body.len()).unwrap();
    let entry = [header(FIRST, length, checksum(FIRST, length, &body)).as_slice(), &body].concat();
    fs::write(folder.path().join(FILES[1]), entry).unwrap();
    assert!(matches!(Journal::open(folder.path()), Err(JournalError::Foreign { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_a_damaged_file_only_what_comes_before_the_damage_is_found(
        sizes in prop::collection::vec(0_usize..400, 1..12), at in any::<prop::sample::Index>(), bit in 0_u8..8
    ) {
        let folder = tempfile::tempdir().unwrap();
        drop(written(folder.path(), &sizes));
        let path = folder.path().join(FILES[0]);
        let mut bytes = fs::read(&path).unwrap();
        let ends: Vec<usize> = sizes.iter().enumerate().scan(0, |end, (n, size)| {
            let body = Request { id: 0, operation: Operation::Commit(commit(n as u64, *size)) }.encode();
            *end += HEADER_BYTES + body.len();
            Some(*end)
        }).collect();
        let at = at.index(*ends.last().unwrap());
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        let intact = ends.iter().take_while(|end| **end <= at).count() as u64;
        prop_assert_eq!(found(folder.path()), (0..intact).collect::<Vec<_>>());
    }

    #[test]
    fn whatever_lies_there_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILES[0]), bytes).unwrap();
        prop_assert!(Journal::open(folder.path()).unwrap().1.is_empty());
    }
}
