//! What a document's `user_data` says. A statement has one encoding, which the device can hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::channel::statement::{MAX_FUNCTION_DATA_BYTES, MAX_USER_DATA_BYTES, Statement};
use r3e_proto::limits::MAX_BATCH_LEAVES;

fuzz_target!(|data: &[u8]| {
    let Ok(statement) = Statement::decode(data) else { return };
    assert!(data.len() <= MAX_USER_DATA_BYTES);
    assert_eq!(statement.encode(), data, "one statement, one encoding");
    match statement {
        Statement::Sessions { size, .. } => assert!((1..=MAX_BATCH_LEAVES as u64).contains(&size)),
        Statement::Function { data, .. } => assert!(data.len() <= MAX_FUNCTION_DATA_BYTES),
        Statement::ReportKey { .. }
        | Statement::KmsRecipient { .. }
        | Statement::UnlockSetup { .. }
        | Statement::Successor { .. }
        | Statement::Oracle { .. }
        | Statement::RandomKey { .. } => {}
    }
});
