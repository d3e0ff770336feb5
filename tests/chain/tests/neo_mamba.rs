//! A thousand transactions at random, written and signed here, as another implementation reads, names and verifies them; and as many of its own.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../../../enclave/chain/tests/random_neo/mod.rs"]
mod random_neo;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use r3e_neo::{
    Attribute, PublicKey, Signer, Transaction, Witness, hash160, multi_verification_script, sign_data,
    verification_script,
};
use random_neo::signer;
use serde_json::{Value, json};

const COUNT: usize = 1_000;

/// Somebody, who has the one account by one key, and others with friends.
fn key(number: u8) -> (SigningKey, PublicKey) {
    let key = SigningKey::from_slice(&[number; 32]).unwrap();
    let public = PublicKey(key.verifying_key().to_sec1_point(true).as_bytes().try_into().unwrap());
    (key, public)
}

/// Whose signature one signer's is: how many of these are needed.
fn account() -> impl Strategy<Value = (usize, Vec<u8>)> {
    proptest::collection::btree_set(1_u8..=16, 1..=7)
        .prop_flat_map(|keys| (1..=keys.len(), Just(keys.into_iter().collect::<Vec<_>>()).prop_shuffle()))
}

fn witness(threshold: usize, keys: &[u8], message: &[u8], alone: bool) -> (Vec<u8>, Witness) {
    let pairs: Vec<_> = keys.iter().map(|number| key(*number)).collect();
    let signed = |(key, public): &(SigningKey, PublicKey)| {
        let signature: Signature = key.sign(message);
        (*public, <[u8; 64]>::from(signature.to_bytes()))
    };
    if alone {
        let (public, signature) = signed(&pairs[0]);
        return (verification_script(&public), Witness::of_signature(&public, &signature));
    }
    let all: Vec<PublicKey> = pairs.iter().map(|(_, public)| *public).collect();
    let signatures: Vec<_> = pairs.iter().take(threshold).map(signed).collect();
    let script = multi_verification_script(threshold, &all).unwrap();
    (script, Witness::of_signatures(threshold, &all, &signatures).unwrap())
}

/// What neo-mamba knows: it has no words for the chain's newer attributes.
fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let result = proptest::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        Just(Vec::new()),
        Just(vec![Attribute::HighPriority]),
        (any::<u64>(), result).prop_map(|(id, result)| vec![Attribute::OracleResponse {
            id,
            code: 0,
            result
        }]),
    ]
}

/// A transaction as it is told to the other implementation.
fn transaction() -> impl Strategy<Value = Value> {
    let keys = (1_u8..=16).prop_map(|number| key(number).1).boxed();
    let signers = proptest::collection::vec((account(), any::<bool>(), signer(keys)), 1..4);
    let script = proptest::collection::vec(any::<u8>(), 1..600);
    let numbers = (any::<u32>(), any::<u32>(), 0..i64::MAX / 2, 0..i64::MAX / 2, any::<u32>());
    (numbers, signers, attributes(), script).prop_filter_map("one account twice", |made| {
        let ((magic, nonce, system_fee, network_fee, valid_until_block), signers, attributes, script) = made;
        let mut transaction = Transaction {
            nonce,
            system_fee,
            network_fee,
            valid_until_block,
            signers: Vec::new(),
            attributes,
            script,
            witnesses: Vec::new(),
        };
        for ((threshold, keys), alone, signer) in &signers {
            let (script, _) = witness(*threshold, keys, b"", *alone);
            transaction.signers.push(Signer { account: hash160(&script), ..signer.clone() });
        }
        let hash = transaction.hash().ok()?;
        let message = sign_data(magic, hash);
        let signed = |((threshold, keys), alone, _): &((usize, Vec<u8>), bool, Signer)| {
            witness(*threshold, keys, &message, *alone).1
        };
        transaction.witnesses = signers.iter().map(signed).collect();
        let accounts: Vec<_> = transaction.signers.iter().map(|signer| signer.account.to_string()).collect();
        Some(json!({
            "bytes": hex(&transaction.encode().unwrap()), "hash": hash.to_string(), "magic": magic, "nonce": nonce,
            "system_fee": system_fee, "network_fee": network_fee, "valid_until_block": valid_until_block,
            "script": hex(&transaction.script), "accounts": accounts,
        }))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The other implementation, with these arguments: what it prints.
fn mamba(arguments: &[&str]) -> String {
    let python = PathBuf::from(
        std::env::var("R3E_TEST_MAMBA").expect("R3E_TEST_MAMBA: tests/chain/setup-mamba prints it"),
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("neo-check.py");
    let ran = Command::new(python.join("bin/python")).arg(script).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
#[ignore = "needs neo-mamba: R3E_TEST_MAMBA, see tests/chain/setup-mamba"]
fn what_is_written_here_is_what_another_implementation_reads() {
    let (mut runner, one) = (TestRunner::deterministic(), transaction());
    let lines: Vec<String> =
        (0..COUNT).map(|_| one.new_tree(&mut runner).unwrap().current().to_string()).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("transactions");
    std::fs::write(&file, lines.join("\n")).unwrap();
    assert_eq!(mamba(&["check", file.to_str().unwrap()]).trim(), COUNT.to_string());

    // It is not deaf: a signature of another network's, and a fee that was changed.
    for (name, changed) in [("magic", json!(0)), ("network_fee", json!(-1))] {
        let mut wrong: Value = serde_json::from_str(&lines[0]).unwrap();
        wrong[name] = changed;
        std::fs::write(&file, wrong.to_string()).unwrap();
        let said = std::panic::catch_unwind(|| mamba(&["check", file.to_str().unwrap()]));
        assert!(said.is_err(), "{name}");
    }
}

#[test]
#[ignore = "needs neo-mamba: R3E_TEST_MAMBA, see tests/chain/setup-mamba"]
fn what_another_implementation_writes_is_read_here() {
    let told = mamba(&["make", &COUNT.to_string()]);
    let mut count = 0;
    for line in told.lines() {
        let one: Value = serde_json::from_str(line).unwrap();
        let text = one["bytes"].as_str().unwrap();
        let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..text.len()).step_by(2).map(digits).collect();
        let read = Transaction::decode(&bytes).unwrap();
        assert_eq!(read.encode().unwrap(), bytes);
        assert_eq!(json!(read.hash().unwrap().to_string()), one["hash"]);
        assert_eq!(
            (json!(read.nonce), json!(hex(&read.script))),
            (one["nonce"].clone(), one["script"].clone())
        );
        count += 1;
    }
    assert_eq!(count, COUNT);
}
