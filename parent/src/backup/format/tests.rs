//! What is written is read, and nothing else is.

use super::*;

fn entries() -> Vec<Entry> {
    vec![
        Entry::Head(b"the head".to_vec()),
        Entry::Slot(b"wrapped".to_vec()),
        Entry::Record([1; 32], b"one".to_vec()),
        Entry::Record([2; 32], Vec::new()),
        Entry::Record([9; 32], vec![7; 3000]),
    ]
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let (mut encoder, mut bytes) = Encoder::begin(1_763_000_000);
    for entry in entries {
        bytes.extend(encoder.entry(entry));
    }
    bytes.extend(encoder.end());
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, FormatError> {
    let mut reader = Reader::begin(bytes)?;
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    assert!(reader.next_entry()?.is_none(), "the end stays the end");
    Ok(entries)
}

#[test]
fn what_is_written_is_read() {
    let some = entries();
    for kept in [&some[..], &some[..1], &some[..2], &some[1..2], &[]] {
        assert_eq!(read(&written(kept)).unwrap(), kept);
    }
    let bytes = written(&some);
    let mut reader = Reader::begin(bytes.as_slice()).unwrap();
    assert_eq!((reader.made_unix_seconds(), reader.checksum()), (1_763_000_000, None));
    while reader.next_entry().unwrap().is_some() {}
    assert_eq!(reader.records(), 3);
    assert_eq!(reader.checksum().unwrap(), bytes[bytes.len() - 32..]);
}

#[test]
fn no_byte_may_change_be_missing_or_follow() {
    let whole = written(&entries());
    for at in 0..whole.len() {
        for flip in [1, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            assert!(read(&changed).is_err(), "byte {at}");
        }
        assert!(matches!(read(&whole[..at]), Err(FormatError::CutOff)), "cut at {at}");
    }
    assert!(matches!(read(&[&whole[..], &[0]].concat()), Err(FormatError::Trailing)));
    assert!(matches!(read(&[&whole[..], &whole[..]].concat()), Err(FormatError::Trailing)));
}

#[test]
fn entries_have_one_order() {
    let some = entries();
    let (head, slot, one, two) = (&some[0], &some[1], &some[2], &some[3]);
    let refused = |entries: &[&Entry]| {
        let entries: Vec<Entry> = entries.iter().map(|entry| (*entry).clone()).collect();
        read(&written(&entries)).unwrap_err()
    };
    assert!(matches!(refused(&[slot, head]), FormatError::Order { kind: HEAD }));
    assert!(matches!(refused(&[head, head]), FormatError::Order { kind: HEAD }));
    assert!(matches!(refused(&[head, slot, slot]), FormatError::Order { kind: SLOT }));
    assert!(matches!(refused(&[head, one, slot]), FormatError::Order { kind: SLOT }));
    assert!(matches!(refused(&[head, two, one]), FormatError::Names));
    assert!(matches!(refused(&[head, one, one]), FormatError::Names));
    assert!(matches!(refused(&[one]), FormatError::NoHead));
    assert!(matches!(refused(&[slot, one]), FormatError::NoHead));
}

/// A file that is well but for one entry, whose checksum fits.
fn with_raw(entry: &[u8]) -> Vec<u8> {
    let (mut encoder, mut bytes) = Encoder::begin(0);
    bytes.extend(encoder.entry(&Entry::Head(Vec::new())));
    encoder.hash.update(entry);
    bytes.extend(entry);
    bytes.extend(encoder.end());
    bytes
}

#[test]
fn lengths_are_judged_before_anything_is_read() {
    let claims = |kind: u8, bytes: u32| {
        let mut entry = vec![kind];
        entry.extend(bytes.to_be_bytes());
        read(&with_raw(&entry)).unwrap_err()
    };
    for bytes in [0, 31, 32 + 2 * 1024 * 1024 + 1, u32::MAX] {
        assert!(matches!(claims(RECORD, bytes), FormatError::Length { kind: RECORD, .. }), "{bytes}");
    }
    assert!(matches!(claims(SLOT, 65_537), FormatError::Length { kind: SLOT, .. }));
    for bytes in [0, 7, 9] {
        assert!(matches!(claims(END, bytes), FormatError::Length { kind: END, .. }));
    }
    for kind in [4, 9, 255] {
        assert!(matches!(claims(kind, 0), FormatError::Order { .. }));
    }
    let mut miscounted = vec![END, 0, 0, 0, 8];
    miscounted.extend(1_u64.to_be_bytes());
    assert!(matches!(read(&with_raw(&miscounted)), Err(FormatError::Count { found: 0, said: 1 })));
    assert!(matches!(read(b"r3e-backup 2\n\0\0\0\0\0\0\0\0"), Err(FormatError::Magic)));
}

#[test]
fn a_file_that_was_made_anew_around_other_bytes_is_another_backup() {
    let mut other = entries();
    other[2] = Entry::Record([1; 32], b"two".to_vec());
    let (mut ours, theirs) = (written(&entries()), written(&other));
    // Records of the one under the checksum of the other.
    let end = ours.len() - 32;
    ours.splice(end.., theirs[theirs.len() - 32..].iter().copied());
    assert!(matches!(read(&ours), Err(FormatError::Checksum)));
}
