//! The blob store's messages, both ways. Each has one encoding, and keeps every limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::host::blob::{Operation, Outcome, Request, Response};
use r3e_proto::limits::{
    MAX_BLOB_BYTES, MAX_COMMIT_RECORDS, MAX_HEAD_BYTES, MAX_LIST_RECORDS, MAX_SLOT_BYTES,
};

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(request.encode(), data, "one request, one encoding");
        match request.operation {
            Operation::Commit(commit) => {
                assert!(commit.head.len() <= MAX_HEAD_BYTES);
                assert!(commit.puts.len() + commit.deletes.len() <= MAX_COMMIT_RECORDS);
                assert!(commit.puts.iter().all(|(_, blob)| blob.len() <= MAX_BLOB_BYTES));
            }
            Operation::SlotWrite { value, .. } => assert!(value.len() <= MAX_SLOT_BYTES),
            _ => {}
        }
    }
    if let Ok(response) = Response::decode(data) {
        assert_eq!(response.encode(), data, "one response, one encoding");
        match response.outcome {
            Outcome::Head(Some(head)) => assert!(head.len() <= MAX_HEAD_BYTES),
            Outcome::Slot(Some(value)) => assert!(value.len() <= MAX_SLOT_BYTES),
            Outcome::Read(Some(blob)) => assert!(blob.len() <= MAX_BLOB_BYTES),
            Outcome::List { records, .. } => assert!(records.len() <= MAX_LIST_RECORDS),
            _ => {}
        }
    }
});
