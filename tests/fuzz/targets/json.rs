//! The check of a function's output. What it accepts has bounded depth; what a JSON reader reads, it accepts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_runner_api::json::{JsonError, check};
use r3e_runner_api::limits::MAX_JSON_DEPTH;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // serde_json refuses from 128 levels on, by itself.
    let read = serde_json::from_str::<Value>(text);
    match check(text) {
        Ok(()) => {
            if let Ok(value) = read {
                assert!(levels(&value) <= MAX_JSON_DEPTH);
            }
        }
        Err(JsonError::TooDeep) => assert!(read.is_err(), "refused for its depth, but it is not deep"),
        Err(_) => assert!(read.is_err(), "refused, although it is JSON"),
    }
});

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}
