//! Attestation documents: the real ones, and ones signed by the keys of [`crate::pki`].

use std::sync::LazyLock;

use r3e_attestation::{AppraisalPolicy, ReferenceValues};
use r3e_cbor::{Value, encode};

use crate::pki::{AT, CHAIN, Holder, ROOT};

/// Documents that AWS Nitro Enclaves issued: name and bytes.
pub const REAL: [(&str, &[u8]); 4] = [
    ("r04", include_bytes!("../../../attestation-verifier/vectors/r04_qos_2022-07-06.bin")),
    ("r10", include_bytes!("../../../attestation-verifier/vectors/r10_evervault_2023-09-18_debug.bin")),
    ("r14", include_bytes!("../../../attestation-verifier/vectors/r14_base_2024-11-30_pk65.bin")),
    ("r19", include_bytes!("../../../attestation-verifier/vectors/r19_dstack_2025-12-25_indef.bin")),
];

/// What [`POLICY`] expects as nonce.
pub const NONCE: &[u8] = b"the nonce";
/// What [`POLICY`] expects as user data.
pub const USER_DATA: &[u8] = b"the user data";
/// What [`POLICY`] expects in each PCR: the byte that fills it.
pub const PCRS: [(u8, u8); 4] = [(0, 0xa0), (1, 0xa1), (2, 0xa2), (16, 0xb0)];
/// The age that [`POLICY`] allows.
pub const MAX_AGE_MS: u64 = 60_000;
/// The difference of clocks that [`POLICY`] allows.
pub const SKEW_MS: u64 = 1_000;

/// A policy that [`payload`] satisfies at [`AT`].
pub static POLICY: LazyLock<AppraisalPolicy> = LazyLock::new(|| {
    let [pcr0, pcr1, pcr2, _] = PCRS.map(|(_, byte)| [byte; 48]);
    AppraisalPolicy::builder()
        .trust(ROOT.clone())
        .accept_release(ReferenceValues::new("fuzz", pcr0, pcr1, pcr2).expect("a usable name"))
        .require_pcr(16, [PCRS[3].1; 48])
        .expect("PCR16 exists")
        .expect_nonce(NONCE)
        .expect_user_data(USER_DATA)
        .max_age_ms(MAX_AGE_MS)
        .clock_skew_ms(SKEW_MS)
        .build()
        .expect("a policy that pins the image")
});

/// The payload of a document that [`POLICY`] accepts.
pub fn payload() -> Vec<(Value, Value)> {
    let pcrs = PCRS.iter().map(|(index, byte)| (Value::from(*index), Value::Bytes(vec![*byte; 48])));
    vec![
        ("module_id".into(), "i-0fuzz-enc0".into()),
        ("digest".into(), "SHA384".into()),
        ("timestamp".into(), AT.as_millis().into()),
        ("pcrs".into(), Value::Map(pcrs.collect())),
        ("certificate".into(), Value::Bytes(CHAIN[2].clone())),
        ("cabundle".into(), Value::Array(CHAIN[..2].iter().cloned().map(Value::Bytes).collect())),
        ("public_key".into(), Value::Bytes(b"a public key".to_vec())),
        ("user_data".into(), Value::Bytes(USER_DATA.to_vec())),
        ("nonce".into(), Value::Bytes(NONCE.to_vec())),
    ]
}

/// The same payload with another chain.
pub fn payload_with_chain(cabundle: &[&[u8]], leaf: &[u8]) -> Vec<u8> {
    let mut fields = payload();
    for (key, value) in &mut fields {
        match key.as_text() {
            Some("certificate") => *value = Value::Bytes(leaf.to_vec()),
            Some("cabundle") => {
                *value = Value::Array(cabundle.iter().map(|der| Value::Bytes(der.to_vec())).collect());
            }
            _ => {}
        }
    }
    encode(&Value::Map(fields))
}

/// A document of whatever payload, signed by the leaf's key (RFC 9052 section 4.4).
pub fn signed(payload: &[u8]) -> Vec<u8> {
    let to_sign = ["Signature1".into(), bytes(&PROTECTED), bytes(&[]), bytes(payload)];
    with_signature(payload, &Holder::Leaf.sign_cose(&encode(&Value::Array(to_sign.into()))))
}

/// A document of whatever payload whose signature is nobody's: of the right form, and quick to make.
pub fn signed_by_nobody(payload: &[u8]) -> Vec<u8> {
    with_signature(payload, &[1; 96])
}

/// `{1: -35}`: ES384.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

fn with_signature(payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let elements = [bytes(&PROTECTED), Value::Map(vec![]), bytes(payload), bytes(signature)];
    encode(&Value::Array(elements.into()))
}

fn bytes(slice: &[u8]) -> Value {
    Value::Bytes(slice.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_accepts_the_payload() {
        let document = signed(&encode(&Value::Map(payload())));
        let accepted = r3e_attestation::appraise(&document, &POLICY, AT);
        assert_eq!(accepted.expect("accepted").matched_release(), Some("fuzz"));
    }
}
