//! A method's declaration and what it is called with, as a function gives them: a text up to the first zero byte, and JSON, or what a contract gave.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_chain::evm::abi::{Method, Value};
use r3e_chain::limits::{
    MAX_ABI_BYTES, MAX_ABI_VALUES, MAX_CALL_DATA_BYTES, MAX_PARAMETERS, MAX_SIGNATURE_BYTES,
};

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    let Some(method) = str::from_utf8(&data[..end]).ok().and_then(|text| text.parse::<Method>().ok()) else {
        return;
    };
    assert!(method.parameters.len() <= MAX_PARAMETERS && method.returns.len() <= MAX_PARAMETERS);
    let (parameters, returns) = (listed(&method.parameters), listed(&method.returns));
    // Written in full it may be longer than it was, and than it may be.
    let written = format!("{}({parameters}) returns ({returns})", method.name);
    match written.parse::<Method>() {
        Ok(again) => assert_eq!(again, method, "one meaning, however it is written"),
        Err(_) => assert!(written.len() > MAX_SIGNATURE_BYTES, "{written}"),
    }
    if let Ok(values) = method.decode(rest) {
        assert_eq!(values.len(), method.returns.len());
        let (count, length) =
            values.iter().map(weight).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        assert!(count <= MAX_ABI_VALUES && length <= MAX_ABI_BYTES + 32 * count);
    }
    let Ok(arguments) = serde_json::from_slice::<Vec<serde_json::Value>>(rest) else { return };
    let Ok(call) = method.call(&arguments) else { return };
    assert!(call.len() <= 4 + MAX_CALL_DATA_BYTES && (call.len() - 4).is_multiple_of(32));
    assert_eq!(call[..4], method.selector());
    // What was written is read as the same, and written again.
    let reader = Method { returns: method.parameters.clone(), ..method.clone() };
    if let Ok(values) = reader.decode(&call[4..]) {
        let read: Vec<_> = values.iter().map(Value::to_json).collect();
        assert_eq!(method.call(&read).unwrap(), call);
    }
});

fn listed(kinds: &[r3e_chain::evm::abi::Kind]) -> String {
    kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Values, and bytes of strings, in a value.
fn weight(value: &Value) -> (usize, usize) {
    match value {
        Value::Bytes(bytes) => (1, bytes.len()),
        Value::Text(text) => (1, text.len()),
        Value::Array(values) | Value::Tuple(values) => {
            values.iter().map(weight).fold((1, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        }
        _ => (1, 0),
    }
}
