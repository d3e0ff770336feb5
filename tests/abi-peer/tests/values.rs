//! Values that alloy encodes, as they are decoded here; and bytes that somebody changed, which both must read alike where both do.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, I256, U256, keccak256};
use proptest::prelude::*;
use r3e_chain::evm::abi::{Event, Value};
use r3e_chain::evm::{EvmAddress, Hash32, Log};
use r3e_neo::number::{Int256, Uint256};

fn kind(text: bool) -> impl Strategy<Value = DynSolType> {
    let leaf = prop_oneof![
        (1_usize..=32).prop_map(|bytes| DynSolType::Uint(8 * bytes)),
        (1_usize..=32).prop_map(|bytes| DynSolType::Int(8 * bytes)),
        Just(DynSolType::Address),
        Just(DynSolType::Bool),
        (1_usize..=32).prop_map(DynSolType::FixedBytes),
        Just(DynSolType::Bytes),
        Just(if text { DynSolType::String } else { DynSolType::Bytes }),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| DynSolType::Array(Box::new(of))),
            (inner.clone(), 1_usize..4).prop_map(|(of, count)| DynSolType::FixedArray(Box::new(of), count)),
            prop::collection::vec(inner, 1..4).prop_map(DynSolType::Tuple),
        ]
    })
}

fn value(kind: &DynSolType) -> BoxedStrategy<DynSolValue> {
    let several = |of: &DynSolType, count| prop::collection::vec(value(of), count);
    match kind.clone() {
        DynSolType::Uint(bits) => any::<[u8; 32]>()
            .prop_map(move |bytes| DynSolValue::Uint(U256::from_be_bytes(bytes) >> (256 - bits), bits))
            .boxed(),
        DynSolType::Int(bits) => any::<[u8; 32]>()
            .prop_map(move |bytes| {
                DynSolValue::Int(I256::from_raw(U256::from_be_bytes(bytes)).asr(256 - bits), bits)
            })
            .boxed(),
        DynSolType::Address => any::<[u8; 20]>().prop_map(|bytes| Address::from(bytes).into()).boxed(),
        DynSolType::Bool => any::<bool>().prop_map(DynSolValue::Bool).boxed(),
        DynSolType::FixedBytes(length) => any::<[u8; 32]>()
            .prop_map(move |mut bytes| {
                bytes[length..].fill(0);
                DynSolValue::FixedBytes(bytes.into(), length)
            })
            .boxed(),
        DynSolType::Bytes => prop::collection::vec(any::<u8>(), 0..70).prop_map(DynSolValue::Bytes).boxed(),
        DynSolType::String => ".{0,40}".prop_map(DynSolValue::String).boxed(),
        DynSolType::Array(of) => several(&of, 0..4_usize).prop_map(DynSolValue::Array).boxed(),
        DynSolType::FixedArray(of, count) => {
            several(&of, count..count + 1).prop_map(DynSolValue::FixedArray).boxed()
        }
        DynSolType::Tuple(parts) => {
            parts.iter().map(value).collect::<Vec<_>>().prop_map(DynSolValue::Tuple).boxed()
        }
        other => unreachable!("{other:?} is not made here"),
    }
}

/// Types of an event's parameters, and a value for each.
fn parameters(text: bool) -> impl Strategy<Value = (Vec<DynSolType>, Vec<DynSolValue>)> {
    prop::collection::vec(kind(text), 1..5).prop_flat_map(|kinds| {
        let values: Vec<_> = kinds.iter().map(value).collect();
        (Just(kinds), values)
    })
}

/// What alloy has, in our terms.
fn ours(value: &DynSolValue) -> Value {
    let list = |values: &[DynSolValue]| values.iter().map(ours).collect();
    match value {
        DynSolValue::Uint(number, _) => Value::Uint(Uint256(number.to_be_bytes())),
        DynSolValue::Int(number, _) => Value::Int(Int256(number.to_be_bytes())),
        DynSolValue::Address(address) => Value::Address(EvmAddress(address.into_array())),
        DynSolValue::Bool(value) => Value::Bool(*value),
        DynSolValue::FixedBytes(word, length) => Value::Bytes(word[..*length].to_vec()),
        DynSolValue::Bytes(bytes) => Value::Bytes(bytes.clone()),
        DynSolValue::String(text) => Value::Text(text.clone()),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => Value::Array(list(values)),
        DynSolValue::Tuple(values) => Value::Tuple(list(values)),
        other => unreachable!("{other:?} is not made here"),
    }
}

fn event(kinds: &[DynSolType]) -> Event {
    // Of one part, alloy writes a tuple with a comma behind it, which Solidity does not have.
    let declaration = format!("E{}", DynSolType::Tuple(kinds.to_vec()).sol_type_name()).replace(",)", ")");
    let event: Event = declaration.parse().unwrap();
    assert_eq!(event.topic().0, keccak256(&declaration).0);
    event
}

fn log(event: &Event, data: Vec<u8>) -> Log {
    let zero = Hash32([0; 32]);
    Log { address: EvmAddress([0; 20]), topics: vec![event.topic()], data, transaction: zero, index: 0 }
}

proptest! {
    #[test]
    fn what_alloy_encodes((kinds, values) in parameters(true)) {
        let event = event(&kinds);
        let expected: Vec<_> = values.iter().map(ours).collect();
        let data = DynSolValue::Tuple(values).abi_encode_params();
        prop_assert_eq!(event.decode(&log(&event, data.clone())), Ok(expected));
        // Alloy pads what it writes, so that each byte counts.
        let cut = data.get(..data.len().saturating_sub(32)).unwrap_or_default().to_vec();
        prop_assert!(data.is_empty() || event.decode(&log(&event, cut)).is_err());
    }

    /// Either may refuse what the other reads: we do not take what no compiler writes, alloy not what lies too deep.
    #[test]
    fn what_somebody_changed(
        (kinds, values) in parameters(false),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..=64), 1..4),
    ) {
        let event = event(&kinds);
        let mut data = DynSolValue::Tuple(values).abi_encode_params();
        for (at, byte) in changes {
            let at = at.index(data.len());
            data[at] = byte;
        }
        let peer = DynSolType::Tuple(kinds).abi_decode_params(&data);
        if let (Ok(read), Ok(peer)) = (event.decode(&log(&event, data)), peer) {
            prop_assert_eq!(Value::Tuple(read), ours(&peer));
        }
    }
}
