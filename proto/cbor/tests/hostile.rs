//! Inputs that mean harm: bombs, duplicates, floods. Each must end in an error, at once and in little memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use r3e_cbor::{CborError, HARD_MAX_DEPTH, Limits, MapReader, Value, decode, decode_canonical, encode};

/// Remembers the largest single allocation.
struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, that is from the system allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

const LIMITS: Limits = Limits { max_bytes: 1 << 20, max_depth: 16, max_items: 1000 };

/// `prefix`, then `count` times `unit`.
fn flood(prefix: &[u8], unit: &[u8], count: usize) -> Vec<u8> {
    [prefix, &unit.repeat(count)].concat()
}

#[test]
fn lying_lengths_and_bombs_reserve_nothing() {
    let long = |first: u8, argument: u64| [&[first][..], &argument.to_be_bytes()].concat();
    let mut bombs = Vec::new();
    for major in 2_u8..=5 {
        for argument in [u64::MAX, u64::MAX / 2 + 1, 1 << 40, 1 << 31] {
            bombs.push(long((major << 5) | 0x1b, argument));
        }
    }
    for open in [0x81, 0x9f, 0xc1, 0xbf, 0xa1, 0x5f] {
        bombs.push(vec![open; 10_000]);
    }
    bombs.push(flood(&[], &[0xa1, 0x01], 10_000));
    bombs.push(flood(&[], &long(0x9b, 1 << 16), 5_000));
    bombs.push(flood(&[0x9f], &[0x00], 500_000));
    bombs.push(flood(&[0x9f], &[0x80], 500_000));
    bombs.push(flood(&[0x5f], &[0x40], 500_000));
    bombs.push(flood(&[0xbf], &[0x00, 0x00], 250_000));
    bombs.push(flood(&long(0x9b, 500_000), &[0x00], 500_000));
    for bomb in &bombs {
        LARGEST.store(0, Ordering::Relaxed);
        let outcomes = [decode(bomb, &LIMITS), decode_canonical(bomb, &LIMITS)];
        let largest = LARGEST.load(Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_err), "{:02x?}", &bomb[..9]);
        // 1,000 items of 64 bytes, doubled once by the growth of a vector.
        assert!(largest <= 256 * 1024, "{largest} bytes at once for {:02x?}", &bomb[..9]);
    }
}

#[test]
fn limits_are_inclusive() {
    let limits = Limits { max_bytes: 4, max_depth: 2, max_items: 3 };
    assert!(decode(&[0x82, 0x01, 0x81, 0x80], &Limits { max_items: 4, max_depth: 3, ..limits }).is_ok());
    assert_eq!(
        decode(&[0x82, 0x01, 0x81, 0x80], &Limits { max_items: 3, max_depth: 3, ..limits }),
        Err(CborError::TooManyItems { at: 2, max: 3 })
    );
    assert_eq!(
        decode(&[0x82, 0x01, 0x81, 0x80], &Limits { max_items: 4, ..limits }),
        Err(CborError::TooDeep { at: 3, max: 2 })
    );
    assert_eq!(decode(&[0; 5], &limits), Err(CborError::TooLong { len: 5, max: 4 }));
}

#[test]
fn the_hard_depth_limit_holds_against_the_caller() {
    let limits = Limits { max_bytes: 1 << 20, max_depth: usize::MAX, max_items: usize::MAX };
    let mut nested = vec![0x81; HARD_MAX_DEPTH - 1];
    nested.push(0x80);
    assert!(decode(&nested, &limits).is_ok());
    nested.insert(0, 0x81);
    assert!(matches!(decode(&nested, &limits), Err(CborError::TooDeep { max: HARD_MAX_DEPTH, .. })));
}

#[test]
fn trailing_bytes_are_refused() {
    for input in [&[0x01, 0x01][..], &[0xa0, 0x00], &[0x80, 0xff], &[0xf6, 0xf6, 0xf6]] {
        assert!(matches!(decode(input, &LIMITS), Err(CborError::TrailingBytes { at: 1, .. })));
    }
}

#[test]
fn duplicate_keys_are_refused_in_every_encoding_and_depth() {
    let duplicates: &[&[u8]] = &[
        &[0xa2, 0x01, 0x02, 0x01, 0x03],
        &[0xa2, 0x01, 0x02, 0x18, 0x01, 0x03],
        &[0xa2, 0x18, 0x01, 0x02, 0x1a, 0, 0, 0, 1, 0x03],
        &[0xa2, 0x61, b'a', 0x02, 0x7f, 0x61, b'a', 0xff, 0x03],
        &[0xbf, 0x61, b'a', 0x02, 0x78, 0x01, b'a', 0x03, 0xff],
        &[0xa2, 0x80, 0x02, 0x9f, 0xff, 0x03],
        &[0xa2, 0xf9, 0x3c, 0x00, 0x02, 0xfa, 0x3f, 0x80, 0, 0, 0x03],
        &[0xa2, 0xf9, 0x7e, 0x00, 0x02, 0xf9, 0x7e, 0x01, 0x03],
        &[0xa2, 0xa2, 0x01, 0x02, 0x03, 0x04, 0x00, 0xa2, 0x03, 0x04, 0x01, 0x02, 0x00],
        &[0x81, 0xa1, 0x00, 0xa3, 0x01, 0x01, 0x02, 0x02, 0x01, 0x03],
        &[0xa1, 0xa2, 0x01, 0x01, 0x01, 0x01, 0x00],
    ];
    for input in duplicates {
        assert!(matches!(decode(input, &LIMITS), Err(CborError::DuplicateKey { .. })), "{input:02x?}");
        assert!(decode_canonical(input, &LIMITS).is_err(), "{input:02x?}");
    }
    assert_eq!(decode_canonical(duplicates[0], &LIMITS), Err(CborError::DuplicateKey { at: 0 }));
    // Different types are different keys.
    assert!(decode(&[0xa3, 0x01, 0x00, 0x61, b'1', 0x00, 0x41, b'1', 0x00], &LIMITS).is_ok());
    assert!(decode(&[0xa2, 0x00, 0x00, 0xf9, 0x00, 0x00, 0x00], &LIMITS).is_ok());
}

#[test]
fn keys_sort_by_their_encoding() {
    let value = Value::Map(
        [
            Value::Text("aa".into()),
            Value::Text("b".into()),
            Value::Integer((-1).into()),
            Value::Integer(100.into()),
        ]
        .into_iter()
        .map(|key| (key, Value::Null))
        .collect(),
    );
    // RFC 8949 section 4.2.1: 100 before -1 before "b" before "aa".
    let encoded = encode(&value);
    assert_eq!(encoded, b"\xa4\x18\x64\xf6\x20\xf6\x61b\xf6\x62aa\xf6");
    assert!(decode_canonical(&encoded, &LIMITS).is_ok());
}

#[test]
fn map_errors_name_the_field() {
    let map = || {
        let entries = [
            (Value::Integer(1.into()), Value::Bytes(vec![1, 2])),
            (Value::Text("n".into()), Value::Null),
            (Value::Text("x\n".repeat(500)), Value::Bool(true)),
        ];
        MapReader::new("claims", Value::Map(entries.into())).unwrap()
    };
    let shown = |error: CborError| error.to_string();
    assert_eq!(shown(map().required::<String>(1).unwrap_err()), "claims: the field 1 is not text");
    assert_eq!(shown(map().required::<u64>("id").unwrap_err()), "claims: the field \"id\" is missing");
    assert_eq!(
        shown(map().optional::<u8>("n").unwrap_err()),
        "claims: the field \"n\" is not an integer in 0..2^8"
    );
    assert!(map().required::<[u8; 3]>(1).is_err());
    assert_eq!(shown(MapReader::new("claims", Value::Null).unwrap_err()), "claims: the value is not a map");
    let mut read = map();
    assert_eq!(read.required::<[u8; 2]>(1), Ok([1, 2]));
    assert_eq!(read.nullable::<String>("n"), Ok(None));
    assert_eq!(read.optional::<u64>("absent"), Ok(None));
    let unknown = shown(read.finish().unwrap_err());
    assert!(unknown.starts_with("claims: the field \"x\\nx\\n") && unknown.len() < 128, "{unknown}");
}

#[test]
fn integers_keep_their_range() {
    for (value, fits) in [(255_i64, true), (256, false), (-1, false)] {
        let entries = vec![(Value::Integer(1.into()), Value::Integer(value.into()))];
        let mut map = MapReader::new("m", Value::Map(entries)).unwrap();
        assert_eq!(map.required::<u8>(1).is_ok(), fits, "{value}");
    }
}
