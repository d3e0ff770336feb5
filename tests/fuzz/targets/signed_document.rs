//! Payloads under a valid signature and chain. Whether one is accepted must follow from its content, computed
//! here a second time from what `inspect` shows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_attestation::{Inspection, appraise, inspect};
use r3e_cbor::{Limits, Value, decode, encode};
use r3e_fuzz::documents::{MAX_AGE_MS, NONCE, PCRS, POLICY, SKEW_MS, USER_DATA, payload, signed};
use r3e_fuzz::pki::AT;

const LIMITS: Limits = Limits { max_bytes: 12 * 1024, max_depth: 8, max_items: 1024 };

fuzz_target!(|data: &[u8]| {
    let document = signed(&with_genuine_chain(data));
    let appraised = appraise(&document, &POLICY, AT);
    match inspect(&document) {
        Ok(seen) => assert_eq!(appraised.is_ok(), satisfies(&seen), "{:?}", appraised.err()),
        Err(_) => assert!(appraised.is_err(), "accepted, although it cannot even be read"),
    }
});

/// The input with the certificates of the test chain in it, if it is a map; else as it is.
fn with_genuine_chain(data: &[u8]) -> Vec<u8> {
    let Ok(Value::Map(mut fields)) = decode(data, &LIMITS) else { return data.to_vec() };
    let is_chain = |key: &Value| matches!(key.as_text(), Some("certificate" | "cabundle"));
    fields.retain(|(key, _)| !is_chain(key));
    fields.extend(payload().into_iter().filter(|(key, _)| is_chain(key)));
    encode(&Value::Map(fields))
}

fn satisfies(seen: &Inspection) -> bool {
    let (made, now) = (u128::from(seen.timestamp().as_millis()), u128::from(AT.as_millis()));
    let (age, skew) = (u128::from(MAX_AGE_MS), u128::from(SKEW_MS));
    let measured = PCRS.iter().all(|(index, byte)| seen.pcrs().get(index) == Some(&[*byte; 48]));
    !seen.is_debug()
        && measured
        && made <= now + skew
        && now <= made + age + skew
        && seen.nonce() == Some(NONCE)
        && seen.user_data() == Some(USER_DATA)
}
