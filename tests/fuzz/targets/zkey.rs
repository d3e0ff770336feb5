//! Groth16's binary files: a proving key, a witness, a circuit. Of what is read, a key is written as the same; and no proof is made that does not hold.
#![no_main]

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use r3e_groth16::{Proof, VerificationKey, verify};
use r3e_groth16_prover::{ProvingKey, R1cs, Witness, prove};

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// What snarkjs made: a key, and a witness for it.
static KNOWN: LazyLock<Option<(ProvingKey, Witness)>> = LazyLock::new(|| {
    let key = include_bytes!("../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.zkey");
    let witness = include_bytes!("../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.wtns");
    Some((ProvingKey::read(key, ONE).ok()?, Witness::read(witness).ok()?))
});

fn prove_and_verify(key: &ProvingKey, witness: &Witness) {
    let Ok(made) = prove(key, witness, ONE) else { return };
    let verified = VerificationKey::from_json(key.verification_key().as_bytes()).and_then(|key| {
        let proof = Proof::from_json(made.proof.as_bytes())?;
        verify(&key, &made.signals, &proof)
    });
    assert_eq!(verified, Ok(()));
}

fuzz_target!(|data: &[u8]| {
    let Some((key, witness)) = &*KNOWN else { unreachable!() };
    if let Ok(other) = ProvingKey::read(data, ONE) {
        let written = other.to_bytes();
        let again = ProvingKey::read(&written, ONE).map(|key| key.to_bytes());
        assert!(again.is_ok_and(|again| again == written), "another key than was written");
        prove_and_verify(&other, witness);
    }
    if let Ok(other) = Witness::read(data) {
        prove_and_verify(key, &other);
    }
    if let Ok(circuit) = R1cs::read(data) {
        assert!(circuit.constraints() <= r3e_groth16_prover::MAX_DOMAIN);
    }
});
