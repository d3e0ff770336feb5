//! The blob store's large messages, which are read and written without a tree of values: the same bytes, and the same
//! verdicts, as with one.

use r3e_cbor::{Limits, Value, decode_canonical, encode};
use r3e_proto::host::blob::{BlobName, Commit, Operation, Outcome, Request, Response};
use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_COMMIT_RECORDS, MAX_HEAD_BYTES, MAX_LIST_RECORDS};

fn name(n: usize) -> BlobName {
    let mut name = [0; 32];
    name[..8].copy_from_slice(&n.to_be_bytes());
    name
}

fn commit(puts: usize, bytes: usize, deletes: usize, follows: bool) -> Commit {
    Commit {
        expected: follows.then_some([9; 32]),
        head: vec![5; bytes % 40],
        puts: (0..puts).map(|n| (name(n), vec![7; bytes + n])).collect(),
        deletes: (0..deletes).map(|n| name(puts + n)).collect(),
    }
}

fn request(commit: Commit) -> Vec<u8> {
    Request { id: 77, operation: Operation::Commit(commit) }.encode()
}

fn records(records: &[(BlobName, Vec<u8>)]) -> Value {
    let pair = |(name, blob): &(BlobName, Vec<u8>)| {
        Value::Array(vec![Value::Bytes(name.to_vec()), Value::Bytes(blob.clone())])
    };
    Value::Array(records.iter().map(pair).collect())
}

#[test]
fn a_commit_is_what_the_encoder_of_values_makes_of_it() {
    for commit in [
        commit(0, 0, 0, false),
        commit(1, 23, 0, true),
        commit(3, 255, 2, true),
        commit(30, 70_000, 25, false),
    ] {
        let mut fields = vec![(0, Value::from(77)), (1, Value::from(4))];
        fields.extend(commit.expected.map(|expected| (2, Value::Bytes(expected.to_vec()))));
        fields.push((3, Value::Bytes(commit.head.clone())));
        fields.push((4, records(&commit.puts)));
        let deletes = commit.deletes.iter().map(|name| Value::Bytes(name.to_vec()));
        fields.push((5, Value::Array(deletes.collect())));
        let value = Value::Map(fields.into_iter().map(|(key, value)| (Value::from(key), value)).collect());
        let body = request(commit.clone());
        assert_eq!(body, encode(&value));
        assert_eq!(Request::decode(&body).unwrap(), Request { id: 77, operation: Operation::Commit(commit) });
    }
}

#[test]
fn a_page_is_what_the_encoder_of_values_makes_of_it() {
    for (count, more) in [(0, false), (1, true), (300, false)] {
        let page: Vec<_> = (0..count).map(|n| (name(n), vec![1; n])).collect();
        let fields =
            [(0, Value::from(u64::MAX)), (1, Value::from(3)), (2, records(&page)), (3, Value::from(more))];
        let value = Value::Map(fields.map(|(key, value)| (Value::from(key), value)).to_vec());
        let response = Response { id: u64::MAX, outcome: Outcome::List { records: page, more } };
        assert_eq!(response.encode(), encode(&value));
        assert_eq!(Response::decode(&encode(&value)).unwrap(), response);
    }
}

/// Whatever is done to one byte: what is taken has one encoding, and is what a strict decoder of values takes.
#[test]
fn no_byte_can_be_changed_into_a_second_encoding() {
    let body = request(commit(2, 30, 1, true));
    let limits = Limits { max_bytes: 1 << 20, max_depth: 8, max_items: 1 << 10 };
    let (mut taken, mut refused) = (0, 0);
    for at in 0..body.len() {
        for byte in 0..=u8::MAX {
            let mut changed = body.clone();
            changed[at] = byte;
            match Request::decode(&changed) {
                Ok(request) => {
                    taken += 1;
                    assert_eq!(request.encode(), changed, "byte {at} = {byte:#x}");
                    assert!(decode_canonical(&changed, &limits).is_ok());
                }
                Err(_) => refused += 1,
            }
        }
        assert!(Request::decode(&body[..at]).is_err());
    }
    assert!(taken > 0 && refused > 0);
    assert!(Request::decode(&[body.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn every_limit_holds() {
    let taken = |commit: Commit| Request::decode(&request(commit)).is_ok();
    assert!(taken(commit(MAX_COMMIT_RECORDS - 1, 1, 1, true)));
    assert!(!taken(commit(MAX_COMMIT_RECORDS, 1, 1, true)));
    assert!(!taken(commit(0, 1, MAX_COMMIT_RECORDS + 1, true)));
    assert!(taken(Commit { head: vec![0; MAX_HEAD_BYTES], ..commit(0, 0, 0, false) }));
    assert!(!taken(Commit { head: vec![0; MAX_HEAD_BYTES + 1], ..commit(0, 0, 0, false) }));
    assert!(taken(Commit { puts: vec![(name(1), vec![0; MAX_BLOB_BYTES])], ..commit(0, 0, 0, false) }));
    assert!(!taken(Commit { puts: vec![(name(1), vec![0; MAX_BLOB_BYTES + 1])], ..commit(0, 0, 0, false) }));
    let page = |count: usize, bytes: usize| {
        let records = (0..count).map(|n| (name(n), vec![0; bytes])).collect();
        Response::decode(&Response { id: 1, outcome: Outcome::List { records, more: true } }.encode()).is_ok()
    };
    assert!(page(MAX_LIST_RECORDS, 1) && !page(MAX_LIST_RECORDS + 1, 1));
    assert!(page(1, MAX_BLOB_BYTES) && !page(1, MAX_BLOB_BYTES + 1));
    // Four times the largest blob is more than a frame.
    assert!(!page(4, MAX_BLOB_BYTES));
}

#[test]
fn counts_and_lengths_that_lie_take_no_memory() {
    // An array, then a byte string, of 2^32 - 1 in a message of a few bytes.
    for claim in [&[0x9a, 0xff, 0xff, 0xff, 0xff][..], &[0x81, 0x82, 0x5a, 0xff, 0xff, 0xff, 0xff]] {
        let body = [&[0xa5, 0x00, 0x01, 0x01, 0x04, 0x03, 0x41, 0x00, 0x04], claim].concat();
        assert!(Request::decode(&body).is_err());
    }
}
