//! Properties: what we encode we decode, canonical means unique, and ciborium's own decoder, written by
//! others, agrees with ours about every input that ours accepts.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use proptest::prelude::*;
use r3e_cbor::{Limits, Value, decode, decode_canonical, encode};

const LIMITS: Limits = Limits { max_bytes: 1 << 16, max_depth: 16, max_items: 4096 };

/// Any value of ours; map keys are made unique.
fn any_value() -> impl Strategy<Value = Value> {
    let integer =
        prop_oneof![any::<u64>().prop_map(i128::from), any::<i64>().prop_map(i128::from), -300_i128..300];
    let leaf = prop_oneof![
        integer.prop_map(|integer| Value::Integer(integer.try_into().unwrap())),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        ".{0,30}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        prop_oneof![any::<f64>(), any::<f32>().prop_map(f64::from), (-99_i8..99).prop_map(f64::from)]
            .prop_filter("NaN is not equal to itself", |float| !float.is_nan())
            .prop_map(Value::Float),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..8).prop_map(|mut entries| {
                entries.sort_by_key(|(key, _)| encode(key));
                entries.dedup_by_key(|(key, _)| encode(key));
                Value::Map(entries)
            }),
            (4_u64.., inner).prop_map(|(tag, inner)| Value::Tag(tag, Box::new(inner))),
        ]
    })
}

/// Bytes that look like CBOR: heads are frequent, lengths are small.
fn cbor_like() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => any::<u8>(),
        6 => (0_u8..8, 0_u8..6).prop_map(|(major, info)| (major << 5) | info),
        1 => Just(0xff_u8),
        1 => (2_u8..6).prop_map(|major| (major << 5) | 0x1f),
    ];
    proptest::collection::vec(byte, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn encode_then_decode(value in any_value()) {
        let encoded = encode(&value);
        prop_assert_eq!(decode_canonical(&encoded, &LIMITS), Ok(value.clone()));
        prop_assert_eq!(decode(&encoded, &LIMITS), Ok(value.clone()));
        // ciborium writes what it is given; ours is sorted already, so the bytes must be the same.
        let mut theirs = Vec::new();
        ciborium::into_writer(&value, &mut theirs).unwrap();
        prop_assert_eq!(encoded, theirs);
    }

    #[test]
    fn a_cut_or_lengthened_input_is_refused(value in any_value(), cut in any::<prop::sample::Index>()) {
        let mut encoded = encode(&value);
        let cut = cut.index(encoded.len());
        prop_assert!(decode(&encoded[..cut], &LIMITS).is_err());
        encoded.push(0);
        prop_assert!(decode(&encoded, &LIMITS).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn canonical_means_one_encoding(input in cbor_like()) {
        if let Ok(value) = decode_canonical(&input, &LIMITS) {
            prop_assert_eq!(encode(&value), input.clone());
            prop_assert!(decode(&input, &LIMITS).is_ok());
        }
    }

    #[test]
    fn what_ours_accepts_ciborium_reads_alike(input in cbor_like()) {
        if let Ok(ours) = decode(&input, &LIMITS) {
            let theirs: Value = ciborium::from_reader(input.as_slice()).unwrap();
            prop_assert_eq!(encode(&ours), encode(&theirs));
        }
    }
}
