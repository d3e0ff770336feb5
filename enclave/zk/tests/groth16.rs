//! Groth16 proofs verified by the program that verifies them, in its box.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::path::PathBuf;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::zk::VerifyProof;
use r3e_zk::limits::{MAX_GROTH16_PROOF_BYTES, MAX_SIGNAL_BYTES, MAX_SIGNALS, MAX_VERIFICATION_KEY_BYTES};
use r3e_zk::{Zk, ZkError};
use serde_json::value::RawValue;
use serde_json::{Value, json};

const TENANT: TenantId = TenantId([7; 16]);

/// Beside `r3e-prover`, which `cargo build -p r3e-prover` puts two directories above a test program.
fn zk() -> Zk {
    let path: PathBuf =
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("r3e-runner");
    assert!(path.with_file_name("r3e-prover").exists(), "build it first: cargo build -p r3e-prover");
    Zk::open_beside(&path).unwrap()
}

type Change<'a> = &'a dyn Fn(&mut VerifyProof);

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn file(curve: &str, name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/groth16/tests/snarkjs");
    serde_json::from_slice(&std::fs::read(format!("{folder}/{curve}/{name}.json")).unwrap()).unwrap()
}

fn asked(curve: &str) -> VerifyProof {
    VerifyProof {
        key: raw(&file(curve, "verification_key")),
        signals: serde_json::from_value(file(curve, "public")).unwrap(),
        proof: raw(&file(curve, "proof")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_snarkjs_proved_holds_and_nothing_else() {
    let zk = zk();
    for curve in ["bn128", "bls12381"] {
        let verdict = zk.verify_proof(TENANT, asked(curve)).await.unwrap();
        assert!(verdict.holds && verdict.reason.is_none(), "{verdict:?}");
        let forgeries: [fn(&mut VerifyProof); 7] = [
            |asked| asked.proof = raw(&json!({})),
            |asked| asked.signals.swap(0, 1),
            |asked| asked.signals[0].insert(0, '0'),
            |asked| drop(asked.signals.pop()),
            |asked| asked.signals.push("1".to_owned()),
            |asked| asked.signals[1] = "9".repeat(80),
            |asked| {
                let mut proof: Value = serde_json::from_str(asked.proof.get()).unwrap();
                proof["pi_a"] = proof["pi_c"].clone();
                asked.proof = raw(&proof);
            },
        ];
        for (at, change) in forgeries.into_iter().enumerate() {
            let mut changed = asked(curve);
            change(&mut changed);
            let verdict = zk.verify_proof(TENANT, changed).await.unwrap();
            assert!(!verdict.holds && verdict.reason.is_some(), "{at}: {verdict:?}");
        }
    }
    let mut mixed = asked("bn128");
    mixed.proof = asked("bls12381").proof;
    assert!(!zk.verify_proof(TENANT, mixed).await.unwrap().holds);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_none_of_it_is_refused() {
    let zk = zk();
    let long = |bytes: usize| raw(&json!("x".repeat(bytes)));
    let mut forgeable = file("bn128", "verification_key");
    forgeable["vk_delta_2"] = forgeable["vk_gamma_2"].clone();
    let wrongs: [(&str, Change); 9] = [
        ("a key that is none", &|asked| asked.key = raw(&json!([]))),
        ("one that proves anything", &|asked| asked.key = raw(&forgeable)),
        ("a key with a long name in it", &|asked| asked.key = raw(&json!({ "x".repeat(100_000): 1 }))),
        ("a key that is a long text", &|asked| asked.key = raw(&json!("x".repeat(100_000)))),
        ("a signal that is no number", &|asked| asked.signals[0] = "\u{1}".repeat(80)),
        ("a long key", &|asked| asked.key = long(MAX_VERIFICATION_KEY_BYTES - 1)),
        ("a long proof", &|asked| asked.proof = long(MAX_GROTH16_PROOF_BYTES - 1)),
        ("many signals", &|asked| asked.signals = vec!["1".to_owned(); MAX_SIGNALS + 1]),
        ("a long signal", &|asked| asked.signals[0] = "1".repeat(MAX_SIGNAL_BYTES + 1)),
    ];
    for (what, change) in wrongs {
        let mut changed = asked("bn128");
        change(&mut changed);
        let refused = zk.verify_proof(TENANT, changed).await;
        let Err(ZkError::Refused(why)) = &refused else { panic!("{what}: {refused:?}") };
        assert!(why.len() < 1_000, "{what}: {why}");
    }
}

/// As many signals as a key has room for, over the curve whose points are longest to check.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_keys_are_verified_by() {
    let zk = zk();
    for (curve, signals) in [("bn128", MAX_SIGNALS), ("bls12381", 1_000)] {
        let mut long = asked(curve);
        let mut key = file(curve, "verification_key");
        let point = key["IC"][0].clone();
        key["IC"] = Value::Array(vec![point; signals + 1]);
        key["nPublic"] = json!(signals);
        (long.key, long.signals) = (raw(&key), vec!["9".repeat(76); signals]);
        assert!(long.key.get().len() > MAX_VERIFICATION_KEY_BYTES / 2, "{}", long.key.get().len());
        let verdict = zk.verify_proof(TENANT, long).await.unwrap();
        assert_eq!(verdict.reason.as_deref(), Some("the proof does not hold for this key and these signals"));
    }
}

/// What of it the service says before anybody is asked, and what it takes.
#[test]
fn limits_are_those_of_the_proofs() {
    assert_eq!(MAX_GROTH16_PROOF_BYTES, r3e_groth16::MAX_PROOF_BYTES);
    const { assert!(MAX_VERIFICATION_KEY_BYTES <= r3e_groth16::MAX_KEY_BYTES) };
    const { assert!(MAX_SIGNALS <= r3e_groth16::MAX_SIGNALS) };
}
