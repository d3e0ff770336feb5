//! What a node of a chain answers, and what contracts say in it. The first byte says how it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_chain::evm::abi::{Event, Value as Decoded};
use r3e_chain::evm::{
    Bloom, EvmAddress, Hash32, Header, Log, LogFilter, read_block, read_logs, read_receipt,
};
use r3e_chain::follow::Cursor;
use r3e_chain::limits::{MAX_ABI_BYTES, MAX_ABI_VALUES, MAX_ITEM_BYTES, MAX_ITEM_COUNT, MAX_NOTIFICATIONS};
use r3e_chain::neo::{Item, read_application_log, read_block as read_neo_block};
use r3e_chain::rpc::{JsonError, JsonLimits, Posted, read_answer, read_json};
use r3e_neo::Hash256;
use serde_json::Value;

const LIMITS: JsonLimits = JsonLimits::of_bytes(16 * 1024);

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 4 {
        0 => json(bytes),
        1 => answer(bytes),
        2 => data_of_a_log(bytes),
        _ => cursor(bytes),
    }
});

/// What is read is what another reader reads.
fn json(bytes: &[u8]) {
    let posted = Posted { status: 200, body: bytes.to_vec() };
    let _ = read_answer(&posted, 1, &LIMITS);
    let plain = serde_json::from_slice::<Value>(bytes);
    match read_json(bytes, &LIMITS) {
        Ok(value) => assert_eq!(value, plain.unwrap()),
        Err(JsonError::Malformed) => assert!(plain.is_err()),
        Err(_) => {}
    }
}

/// One text as everything that an answer may be.
fn answer(bytes: &[u8]) {
    let Ok(value) = read_json(bytes, &LIMITS) else { return };
    if let Ok(item) = Item::read(&value) {
        let (items, length) = size(&item);
        assert!(items <= MAX_ITEM_COUNT && length <= MAX_ITEM_BYTES);
        assert_eq!(Item::read(&item.to_json()), Ok(item));
    }
    let transaction = value.get("txid").and_then(Value::as_str).and_then(|hash| hash.parse().ok());
    if let Ok(executions) = read_application_log(&value, transaction.unwrap_or(Hash256([0; 32]))) {
        for one in executions {
            assert!(one.notifications.len() <= MAX_NOTIFICATIONS);
            assert!(one.halted || one.notifications.is_empty());
        }
    }
    if let Ok(block) = read_neo_block(&value, 100) {
        assert_eq!(block.header.index, 100);
    }
    if let Ok(header) = read_block(&value, 2) {
        assert_eq!(header.number, 2);
    }
    let hash = value.get("transactionHash").and_then(Value::as_str).and_then(|hash| hash.parse().ok());
    let hash = hash.unwrap_or(Hash32([0; 32]));
    if let Ok(Some(receipt)) = read_receipt(&value, hash) {
        assert_eq!(receipt.transaction, hash);
    }
    let wanted = LogFilter { address: EvmAddress([0x11; 20]), topic: Hash32([0x22; 32]) };
    let header = Header {
        hash: Hash32([0x33; 32]),
        parent: Hash32([0; 32]),
        number: 2,
        timestamp_s: 0,
        bloom: Bloom([0xff; 256]),
        base_fee: None,
    };
    if let Ok(logs) = read_logs(&value, &header, &wanted) {
        assert!(logs.iter().all(|log| log.address == wanted.address && log.topics[0] == wanted.topic));
        assert!(logs.is_sorted_by_key(|log| log.index));
    }
}

/// A declaration up to the first zero byte, and data behind it.
fn data_of_a_log(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let Some(event) = str::from_utf8(&bytes[..end]).ok().and_then(|text| text.parse::<Event>().ok()) else {
        return;
    };
    let indexed = event.parameters.iter().filter(|parameter| parameter.indexed).count();
    let mut topics = vec![event.topic()];
    topics.resize(1 + indexed, Hash32([0; 32]));
    let log = Log {
        address: EvmAddress([0; 20]),
        topics,
        data: bytes.get(end + 1..).unwrap_or_default().to_vec(),
        transaction: Hash32([0; 32]),
        index: 0,
    };
    if let Ok(values) = event.decode(&log) {
        assert_eq!(values.len(), event.parameters.len());
        let (count, length) =
            values.iter().map(weight).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        assert!(count <= MAX_ABI_VALUES + indexed && length <= MAX_ABI_BYTES + 32 * count);
    }
}

fn cursor(bytes: &[u8]) {
    let Some(cursor) = str::from_utf8(bytes).ok().and_then(|text| Cursor::from_text(text).ok()) else {
        return;
    };
    assert_eq!(Cursor::from_text(&cursor.to_text()), Ok(cursor));
}

/// Items, and bytes of strings, in an item.
fn size(item: &Item) -> (usize, usize) {
    let sum = |sum: (usize, usize), one: (usize, usize)| (sum.0 + one.0, sum.1 + one.1);
    match item {
        Item::Bytes(bytes) | Item::Buffer(bytes) => (1, bytes.len()),
        Item::Array(items) | Item::Struct(items) => items.iter().map(size).fold((1, 0), sum),
        Item::Map(members) => {
            members.iter().map(|(key, value)| sum(size(key), size(value))).fold((1, 0), sum)
        }
        _ => (1, 0),
    }
}

/// Values, and bytes of strings, in a value.
fn weight(value: &Decoded) -> (usize, usize) {
    match value {
        Decoded::Bytes(bytes) => (1, bytes.len()),
        Decoded::Text(text) => (1, text.len()),
        Decoded::Array(values) | Decoded::Tuple(values) => {
            values.iter().map(weight).fold((1, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        }
        _ => (1, 0),
    }
}
