//! Groth16's files: what is read is a key, a proof or signals in their one form, and no other statement than the one that was proved holds.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use r3e_groth16::{Proof, VerificationKey, signals_from_json, verify};

/// What snarkjs proved.
static KNOWN: LazyLock<Option<(VerificationKey, Proof, Vec<String>)>> = LazyLock::new(|| {
    let key = include_bytes!("../../../proto/groth16/tests/snarkjs/bn128/verification_key.json");
    let proof = include_bytes!("../../../proto/groth16/tests/snarkjs/bn128/proof.json");
    let signals = include_bytes!("../../../proto/groth16/tests/snarkjs/bn128/public.json");
    Some((
        VerificationKey::from_json(key).ok()?,
        Proof::from_json(proof).ok()?,
        signals_from_json(signals).ok()?,
    ))
});

fuzz_target!(|data: &[u8]| {
    let Some((key, proof, signals)) = &*KNOWN else { unreachable!() };
    if let Ok(other) = VerificationKey::from_json(data) {
        // Of another key, nothing is known; that it is one is enough.
        let _verdict = verify(&other, signals, proof);
        assert!(other.signals() <= r3e_groth16::MAX_SIGNALS);
    }
    if let Ok(other) = Proof::from_json(data) {
        // Others of the same statement can be made of a proof; of another statement none.
        let _verdict = verify(key, signals, &other);
        let another = vec!["34".to_owned(), "106".to_owned()];
        assert!(verify(key, &another, &other).is_err(), "a proof that nobody made");
    }
    if let Ok(other) = signals_from_json(data) {
        assert!(verify(key, &other, proof).is_err() || other == *signals, "another statement");
    }
});
