//! The deterministic encoder (RFC 8949 section 4.2.1): definite lengths, shortest heads, map keys sorted
//! bytewise by their encoding. Knows nothing of limits: it writes what our own code built.

use ciborium::Value;

use crate::float::{Shortest, shortest};

/// The deterministic encoding of `value`. Two equal values give the same bytes, whatever the order in which
/// their maps were filled.
///
/// A map that holds a key twice is written as it is; [`crate::decode`] refuses the result.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Integer(integer) => match u64::try_from(*integer) {
            Ok(positive) => head(0, positive, out),
            Err(_) => head(1, negative_argument(i128::from(*integer)), out),
        },
        Value::Bytes(bytes) => {
            head(2, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => {
            head(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, out);
            for item in items {
                write(item, out);
            }
        }
        Value::Map(entries) => write_map(entries, out),
        Value::Tag(tag, inner) => {
            head(6, *tag, out);
            write(inner, out);
        }
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Null => out.push(0xf6),
        Value::Float(float) => write_float(*float, out),
        _ => unreachable!("ciborium 0.2 has no other kind of value"),
    }
}

fn write_map(entries: &[(Value, Value)], out: &mut Vec<u8>) {
    head(5, entries.len() as u64, out);
    let mut sorted: Vec<(Vec<u8>, &Value)> =
        entries.iter().map(|(key, value)| (encode(key), value)).collect();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    for (key, value) in sorted {
        out.extend_from_slice(&key);
        write(value, out);
    }
}

fn write_float(float: f64, out: &mut Vec<u8>) {
    match shortest(float) {
        Shortest::Half(bits) => {
            out.push(0xf9);
            out.extend_from_slice(&bits.to_be_bytes());
        }
        Shortest::Single(bits) => {
            out.push(0xfa);
            out.extend_from_slice(&bits.to_be_bytes());
        }
        Shortest::Double(bits) => {
            out.push(0xfb);
            out.extend_from_slice(&bits.to_be_bytes());
        }
    }
}

/// A negative integer `-1 - n` is written as major type 1 with argument `n`. The type of the integer keeps it
/// within -2^64..=-1, so `n` fits.
fn negative_argument(negative: i128) -> u64 {
    u64::try_from(-1 - negative).unwrap_or(u64::MAX)
}

/// Writes the shortest head for `major` with `argument`.
pub(crate) fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    if let Ok(byte) = u8::try_from(argument) {
        if byte < 24 {
            out.push(major | byte);
        } else {
            out.extend_from_slice(&[major | 0x18, byte]);
        }
    } else if let Ok(short) = u16::try_from(argument) {
        out.push(major | 0x19);
        out.extend_from_slice(&short.to_be_bytes());
    } else if let Ok(word) = u32::try_from(argument) {
        out.push(major | 0x1a);
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        out.push(major | 0x1b);
        out.extend_from_slice(&argument.to_be_bytes());
    }
}
