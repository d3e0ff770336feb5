//! The strict CBOR decoder. What it accepts must be within the limits asked for, must encode to a form that it
//! accepts as deterministic, and must be what a second decoder reads.
#![no_main]

use ciborium::Value;
use libfuzzer_sys::fuzz_target;
use r3e_cbor::{Limits, decode, decode_canonical, encode};

fuzz_target!(|data: &[u8]| {
    let Some((&[depth, items], input)) = data.split_first_chunk::<2>() else { return };
    let limits =
        Limits { max_bytes: 8 * 1024, max_depth: usize::from(depth), max_items: usize::from(items) * 16 };
    let any = decode(input, &limits);
    let canonical = decode_canonical(input, &limits);
    if let Ok(value) = &canonical {
        assert_eq!(encode(value), input, "one value, one encoding");
        assert!(any.is_ok(), "what is deterministic is well-formed");
    }
    let Ok(value) = any else { return };
    assert!(input.len() <= limits.max_bytes);
    assert!(levels(&value) <= limits.max_depth.min(r3e_cbor::HARD_MAX_DEPTH));
    assert!(count(&value) <= limits.max_items);

    let encoded = encode(&value);
    // An indefinite length may be shorter than a definite one, by as much as nine bytes an item.
    let wider = Limits { max_bytes: 9 * limits.max_bytes, ..limits };
    let again = decode_canonical(&encoded, &wider).expect("the encoder writes what the strict decoder reads");
    assert_eq!(encode(&again), encoded);

    let peer: Value = ciborium::from_reader(input).expect("a second decoder reads what ours accepts");
    assert_eq!(encode(&peer), encoded, "and reads the same");
});

/// How deep arrays, maps and tags lie within each other.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Map(entries) => {
            1 + entries.iter().map(|(key, value)| levels(key).max(levels(value))).max().unwrap_or(0)
        }
        Value::Tag(_, inner) => 1 + levels(inner),
        _ => 0,
    }
}

/// How many items there are in all.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(entries) => {
            1 + entries.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>()
        }
        Value::Tag(_, inner) => 1 + count(inner),
        _ => 1,
    }
}
