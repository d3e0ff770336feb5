//! The examples of RFC 8949 appendix A, and the badly formed ones of its appendix F.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use r3e_cbor::{CborError, Limits, Value, decode, decode_canonical, encode};

const LIMITS: Limits = Limits { max_bytes: 1024, max_depth: 8, max_items: 256 };

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn int(value: i128) -> Value {
    Value::Integer(value.try_into().unwrap())
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn ints(range: std::ops::RangeInclusive<i128>) -> Value {
    Value::Array(range.map(int).collect())
}

/// Deterministically encoded examples: decode to the value, and encode back to the same bytes.
#[test]
fn deterministic_examples() {
    let one_to_25 = "98190102030405060708090a0b0c0d0e0f101112131415161718181819";
    let examples = [
        ("00", int(0)),
        ("01", int(1)),
        ("0a", int(10)),
        ("17", int(23)),
        ("1818", int(24)),
        ("1819", int(25)),
        ("1864", int(100)),
        ("1903e8", int(1000)),
        ("1a000f4240", int(1_000_000)),
        ("1b000000e8d4a51000", int(1_000_000_000_000)),
        ("1bffffffffffffffff", int(18_446_744_073_709_551_615)),
        ("3bffffffffffffffff", int(-18_446_744_073_709_551_616)),
        ("20", int(-1)),
        ("29", int(-10)),
        ("3863", int(-100)),
        ("3903e7", int(-1000)),
        ("f90000", Value::Float(0.0)),
        ("f93c00", Value::Float(1.0)),
        ("fb3ff199999999999a", Value::Float(1.1)),
        ("f93e00", Value::Float(1.5)),
        ("f97bff", Value::Float(65504.0)),
        ("fa47c35000", Value::Float(100_000.0)),
        ("fa7f7fffff", Value::Float(3.402_823_466_385_288_6e+38)),
        ("fb7e37e43c8800759c", Value::Float(1.0e+300)),
        ("f90001", Value::Float(5.960_464_477_539_063e-8)),
        ("f90400", Value::Float(0.000_061_035_156_25)),
        ("f9c400", Value::Float(-4.0)),
        ("fbc010666666666666", Value::Float(-4.1)),
        ("f97c00", Value::Float(f64::INFINITY)),
        ("f9fc00", Value::Float(f64::NEG_INFINITY)),
        ("f4", Value::Bool(false)),
        ("f5", Value::Bool(true)),
        ("f6", Value::Null),
        (
            "c074323031332d30332d32315432303a30343a30305a",
            Value::Tag(0, Box::new(text("2013-03-21T20:04:00Z"))),
        ),
        ("c11a514b67b0", Value::Tag(1, Box::new(int(1_363_896_240)))),
        ("d74401020304", Value::Tag(23, Box::new(Value::Bytes(vec![1, 2, 3, 4])))),
        ("d818456449455446", Value::Tag(24, Box::new(Value::Bytes(b"dIETF".to_vec())))),
        ("40", Value::Bytes(vec![])),
        ("4401020304", Value::Bytes(vec![1, 2, 3, 4])),
        ("60", text("")),
        ("6161", text("a")),
        ("6449455446", text("IETF")),
        ("62225c", text("\"\\")),
        ("62c3bc", text("\u{fc}")),
        ("63e6b0b4", text("\u{6c34}")),
        ("64f0908591", text("\u{10151}")),
        ("80", Value::Array(vec![])),
        ("83010203", ints(1..=3)),
        ("8301820203820405", Value::Array(vec![int(1), ints(2..=3), ints(4..=5)])),
        (one_to_25, ints(1..=25)),
        ("a0", Value::Map(vec![])),
        ("a201020304", Value::Map(vec![(int(1), int(2)), (int(3), int(4))])),
        ("a26161016162820203", Value::Map(vec![(text("a"), int(1)), (text("b"), ints(2..=3))])),
        ("826161a161626163", Value::Array(vec![text("a"), Value::Map(vec![(text("b"), text("c"))])])),
    ];
    for (hex, value) in examples {
        assert_eq!(decode_canonical(&bytes(hex), &LIMITS).as_ref(), Ok(&value), "{hex}");
        assert_eq!(decode(&bytes(hex), &LIMITS).as_ref(), Ok(&value), "{hex}");
        assert_eq!(encode(&value), bytes(hex), "{hex}");
    }
}

/// Well-formed examples that are not deterministic: read by `decode`, refused by `decode_canonical`.
#[test]
fn other_well_formed_examples() {
    let examples = [
        ("fa7f800000", Value::Float(f64::INFINITY)),
        ("fb7ff0000000000000", Value::Float(f64::INFINITY)),
        ("fb3ff0000000000000", Value::Float(1.0)),
        ("1800", int(0)),
        ("190017", int(23)),
        ("1a00000100", int(256)),
        ("1b0000000000000001", int(1)),
        ("3800", int(-1)),
        ("580101", Value::Bytes(vec![1])),
        ("780161", text("a")),
        ("980101", ints(1..=1)),
        ("b8010102", Value::Map(vec![(int(1), int(2))])),
        ("d80101", Value::Tag(1, Box::new(int(1)))),
        ("5f42010243030405ff", Value::Bytes(vec![1, 2, 3, 4, 5])),
        ("5fff", Value::Bytes(vec![])),
        ("7f657374726561646d696e67ff", text("streaming")),
        ("9fff", Value::Array(vec![])),
        ("9f018202039f0405ffff", Value::Array(vec![int(1), ints(2..=3), ints(4..=5)])),
        ("83018202039f0405ff", Value::Array(vec![int(1), ints(2..=3), ints(4..=5)])),
        ("bf61610161629f0203ffff", Value::Map(vec![(text("a"), int(1)), (text("b"), ints(2..=3))])),
        (
            "bf6346756ef563416d7421ff",
            Value::Map(vec![(text("Fun"), Value::Bool(true)), (text("Amt"), int(-2))]),
        ),
        ("a203040102", Value::Map(vec![(int(3), int(4)), (int(1), int(2))])),
    ];
    for (hex, value) in examples {
        let input = bytes(hex);
        assert_eq!(decode(&input, &LIMITS).as_ref(), Ok(&value), "{hex}");
        assert!(
            matches!(decode_canonical(&input, &LIMITS), Err(CborError::NotCanonical { .. })),
            "{hex}: {:?}",
            decode_canonical(&input, &LIMITS)
        );
    }
}

#[test]
fn not_a_number_has_one_deterministic_form() {
    for hex in ["f97e00", "fa7fc00000", "fb7ff8000000000000", "f97e01"] {
        let Ok(Value::Float(value)) = decode(&bytes(hex), &LIMITS) else { panic!("{hex}") };
        assert!(value.is_nan());
        assert_eq!(decode_canonical(&bytes(hex), &LIMITS).is_ok(), hex == "f97e00", "{hex}");
        assert_eq!(encode(&Value::Float(value)), bytes("f97e00"));
    }
}

#[test]
fn kinds_without_a_value_of_their_own_are_refused() {
    for hex in ["f7", "f0", "f820", "f8ff", "c249010000000000000000", "c349010000000000000000", "c24105"] {
        assert!(matches!(decode(&bytes(hex), &LIMITS), Err(CborError::Unsupported { .. })), "{hex}");
        assert!(
            matches!(decode_canonical(&bytes(hex), &LIMITS), Err(CborError::Unsupported { .. })),
            "{hex}"
        );
    }
}

/// RFC 8949 appendix F: inputs that end too early.
#[test]
fn truncated_examples() {
    let truncated = [
        "",
        "18",
        "19",
        "1a",
        "1b",
        "1901",
        "1a0102",
        "1b01020304050607",
        "38",
        "58",
        "78",
        "98",
        "9a01ff00",
        "b8",
        "d8",
        "f8",
        "f900",
        "fa0000",
        "fb000000",
        "41",
        "61",
        "5affffffff00",
        "5bffffffffffffffff010203",
        "7affffffff00",
        "7b7fffffffffffffff010203",
        "81",
        "818181818181818181",
        "8200",
        "a1",
        "a20102",
        "a100",
        "a2000000",
        "c0",
        "5f4100",
        "7f6100",
        "9f",
        "9f0102",
        "bf",
        "bf01020102",
        "819f",
        "9f8000",
        "9f9f9f9f9fffffffff",
        "9f819f819f9fffffff",
    ];
    for hex in truncated {
        let result = decode(&bytes(hex), &LIMITS);
        assert!(
            matches!(result, Err(CborError::Truncated { .. } | CborError::TooDeep { .. })),
            "{hex}: {result:?}"
        );
    }
}

/// RFC 8949 appendix F: inputs that break the syntax.
#[test]
fn badly_formed_syntax_examples() {
    let malformed = [
        "1c",
        "1d",
        "1e",
        "3c",
        "3d",
        "3e",
        "5c",
        "5d",
        "5e",
        "7c",
        "7d",
        "7e",
        "9c",
        "9d",
        "9e",
        "bc",
        "bd",
        "be",
        "dc",
        "dd",
        "de",
        "fc",
        "fd",
        "fe",
        "f800",
        "f801",
        "f818",
        "f81f",
        "5f00ff",
        "5f21ff",
        "5f6100ff",
        "5f80ff",
        "5fa0ff",
        "5fc000ff",
        "5fe0ff",
        "7f4100ff",
        "5f5f4100ffff",
        "7f7f6100ffff",
        "ff",
        "81ff",
        "8200ff",
        "a1ff",
        "a1ff00",
        "a100ff",
        "a20000ff",
        "9f81ff",
        "9f829f819f9fffffffff",
        "bf00ff",
        "bf000000ff",
        "1f",
        "3f",
        "df",
        "61ff",
        "7f61c3ff",
        "7f61c361bcff",
    ];
    for hex in malformed {
        let result = decode(&bytes(hex), &LIMITS);
        assert!(
            matches!(result, Err(CborError::Malformed { .. } | CborError::Truncated { .. })),
            "{hex}: {result:?}"
        );
    }
}
