//! Range proofs: asked of the appliance, made on one's own machine, verified by somebody who has neither.

use std::os::unix::fs::PermissionsExt as _;

use r3e_client::ClientError;
use r3e_client::range_proof::verify_document;
use r3e_e2e::command::{Home, argument};
use r3e_e2e::main_job::Town;
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::zk::{HiddenNumber, Number, ProveRanges, RangeProof, VerifyProof};
use serde_json::json;

const BOUNDS: [&str; 7] = ["--min", "18", "--max", "150", "--context", "auction 7", "--json"];

#[tokio::test(flavor = "multi_thread")]
async fn a_number_stays_hidden_and_its_range_is_proved() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let alice = Home::new(&appliance, "alice");
    tenant.key().write_new(&alice.path(".config/r3e/tenant.pem")).unwrap();
    let (file, blindings) = (alice.path("proof.json"), alice.path("blindings.json"));
    let prove = |more: &[&str]| {
        let saved = ["--save", argument(&file)];
        [&["zk", "range", "prove"], &BOUNDS[..], &saved[..], more]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect()
    };
    let run = |words: Vec<String>, input: &str| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        alice.r3e_with_input(&words, input.as_bytes())
    };
    let made = run(prove(&["--save-blindings", argument(&blindings)]), "42\n").ok().json();
    assert_eq!(made["owner"], tenant.id().to_string());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(made, serde_json::from_str::<serde_json::Value>(&text).unwrap());
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&blindings).unwrap()).unwrap();
    assert!(!text.contains("\"42\"") && !text.contains(kept[0].as_str().unwrap()), "{text}");
    assert_eq!(std::fs::metadata(&blindings).unwrap().permissions().mode() & 0o777, 0o600);
    // Under another name of the same file, the blindings stay what they are.
    let (both, other_name) = (alice.path("both.json"), alice.path("./both.json"));
    let both_saved = [
        "zk",
        "range",
        "prove",
        "--min",
        "1",
        "--max",
        "50",
        "--json",
        "--save",
        argument(&other_name),
        "--save-blindings",
        argument(&both),
    ];
    alice.r3e_with_input(&both_saved, b"42").exits(2).fails_with("usage");
    let saved: Vec<String> = serde_json::from_slice(&std::fs::read(&both).unwrap()).unwrap();
    assert_eq!(saved.len(), 1);
    let shown = alice.r3e(&["zk", "range", "verify", argument(&both)]).exits(2);
    assert!(!shown.err.contains(&saved[0]), "{}", shown.err);

    // Somebody without an appliance, and without a profile of one.
    let bob = Home::new(&appliance, "bob");
    let owner = tenant.id().to_string();
    let commitment = made["claims"][0]["commitment"].as_str().unwrap();
    let expected: [&[&str]; 6] = [
        &[],
        &["--owner", &owner],
        &["--context", "auction 7"],
        &["--min", "18", "--max", "150"],
        &["--min", "10", "--max", "1000"],
        &["--commitment", commitment],
    ];
    let verify =
        |more: &[&str]| bob.r3e(&[&["zk", "range", "verify", argument(&file), "--json"], more].concat());
    for expected in expected {
        assert_eq!(verify(expected).ok().json(), json!({ "holds": true }), "{expected:?}");
    }
    let another = "0xe2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
    let unexpected: [&[&str]; 5] = [
        &["--owner", "bob"],
        &["--context", "auction 8"],
        &["--min", "19"],
        &["--max", "149"],
        &["--commitment", another],
    ];
    for unexpected in unexpected {
        verify(unexpected).exits(1).fails_with("not_proved");
    }
    std::fs::write(&file, text.replace("\"150\"", "\"151\"")).unwrap();
    verify(&[]).exits(1).fails_with("not_proved");
    std::fs::write(&file, text.replace("\"owner\"", "\"whose\"")).unwrap();
    verify(&[]).exits(2).fails_with("usage");

    // Of the same number, by the blinding that was kept, something else: to the same commitment.
    let number =
        json!({ "numbers": [{ "value": "42", "min": "40", "max": 50, "blinding": kept[0] }] }).to_string();
    let again = alice.r3e_with_input(&["zk", "range", "prove", "--json"], number.as_bytes()).ok().json();
    assert_eq!(again["proof"]["claims"][0]["commitment"], commitment);

    // Without the appliance, to which nothing is sent.
    let nowhere = ["--here", "--owner", "alice", "--address", "127.0.0.1:1"];
    let made = run(prove(&nowhere), "42").ok().json();
    assert_eq!(made["proof"]["owner"], "alice");
    verify(&["--owner", "alice"]).ok();

    let refused = run(prove(&[]), "17").exits(1);
    assert!(refused.err.contains("number 0 is outside of its range"), "{}", refused.err);
    run(prove(&nowhere), "17").exits(2).fails_with("usage");
    for secret in ["4242.5", "\"4242 \"", "-4242", "0x4242"] {
        let refused = run(prove(&[]), secret).exits(2);
        refused.fails_with("usage");
        assert!(!refused.err.contains("4242") && !refused.out.contains("4242"), "{}", refused.err);
    }
    alice.r3e_with_input(&["zk", "range", "prove", "--json"], b"42").exits(2).fails_with("usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_snarkjs_proved_is_verified_without_an_appliance() {
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/groth16/tests/snarkjs");
    let appliance = Appliance::start(Options::default()).await;
    let home = Home::new(&appliance, "alice");
    for curve in ["bn128", "bls12381"] {
        let [key, proof, public] =
            ["verification_key", "proof", "public"].map(|name| format!("{made}/{curve}/{name}.json"));
        let verify = |proof: &str, public: &str| {
            home.r3e(&[
                "zk",
                "verify",
                proof,
                "--key",
                &key,
                "--public",
                public,
                "--address",
                "127.0.0.1:1",
                "--json",
            ])
        };
        let shown = verify(&proof, &public).ok().json();
        assert_eq!(shown, json!({ "holds": true, "signals": ["33", "106"] }));
        let other = home.path("public.json");
        std::fs::write(&other, "[\"33\",\"107\"]").unwrap();
        verify(&proof, argument(&other)).exits(1).fails_with("not_proved");
        verify(&public, &public).exits(2).fails_with("usage");
        verify("/nonexistent", &public).exits(2).fails_with("io");
    }
}

/// From a circuit to a proof that is verified, and to what a contract takes; nothing of it asks an appliance.
#[tokio::test(flavor = "multi_thread")]
async fn a_circuit_becomes_keys_and_proofs() {
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/groth16-prover/tests/snarkjs");
    let appliance = Appliance::start(Options::default()).await;
    let home = Home::new(&appliance, "alice");
    for curve in ["bn128", "bls12381"] {
        let of = |file: &str| format!("{made}/{curve}/multiplier.{file}");
        let path = |name: &str| argument(&home.path(&format!("{curve}.{name}"))).to_owned();
        let [zkey, key, proof, public] = ["zkey", "key.json", "proof.json", "public.json"].map(path);
        let other_key = path("other.json");
        let run = |arguments: &[&str]| {
            home.r3e(&[&["zk"], arguments, &["--address", "127.0.0.1:1", "--json"]].concat())
        };
        let shown = run(&["setup", &of("r1cs"), "--save", &zkey, "--save-key", &key]).ok().json();
        assert_eq!(shown, json!({ "curve": curve, "constraints": 2, "wires": 5, "signals": 2 }));
        let exported = run(&["export-key", &zkey]).ok().json();
        assert_eq!(
            exported,
            serde_json::from_slice::<serde_json::Value>(&std::fs::read(&key).unwrap()).unwrap()
        );

        let proved = run(&["prove", &of("wtns"), "--key", &zkey, "--save", &proof, "--save-public", &public]);
        assert_eq!(proved.ok().json()["signals"], json!(["33", "106"]));
        let verify = ["verify", &proof, "--key", &key, "--public", &public];
        assert_eq!(run(&verify).ok().json()["holds"], true);
        // The keys cannot be made again, and are not written over.
        run(&["setup", &of("r1cs"), "--save", &zkey, "--save-key", &other_key]).exits(2).fails_with("io");
        let same = ["setup", &of("r1cs"), "--save", &other_key, "--save-key", &other_key];
        run(&same).exits(2).fails_with("io");
        let over_the_key = ["prove", &of("wtns"), "--key", &zkey, "--save", &zkey];
        run(&over_the_key).exits(2).fails_with("usage");
        let twice = ["prove", &of("wtns"), "--key", &zkey, "--save", &proof, "--save-public", &proof];
        run(&twice).exits(2).fails_with("usage");
        // Keys of one circuit, and not the one that is trusted.
        let trusted = ["prove", &of("wtns"), "--key", &of("zkey"), "--verification-key", &key];
        run(&trusted).exits(1).fails_with("not_proved");
        run(&["prove", &of("wtns"), "--key", &zkey, "--verification-key", &key]).ok();
        // By a key that snarkjs made, which others verify by.
        run(&["prove", &of("wtns"), "--key", &of("zkey"), "--save", &proof]).ok();
        run(&verify).exits(1).fails_with("not_proved");

        let contract = run(&["export-verifier", &key, "--name", "Multiplier"]);
        let arguments = run(&["export-arguments", &proof, "--public", &public]);
        if curve == "bn128" {
            assert!(contract.ok().json()["source"].as_str().unwrap().contains("contract Multiplier {"));
            let arguments = arguments.ok().json();
            assert_eq!(arguments[3][0], format!("0x{:064x}", 33));
        } else {
            contract.exits(2).fails_with("usage");
            arguments.exits(2).fails_with("usage");
        }
        let mut wrong = std::fs::read(of("wtns")).unwrap();
        let last = wrong.len() - 32;
        wrong[last] ^= 1;
        let other = home.path("wrong.wtns");
        std::fs::write(&other, wrong).unwrap();
        run(&["prove", argument(&other), "--key", &zkey]).exits(1).fails_with("not_proved");
        run(&["prove", &of("wtns"), "--key", &of("r1cs")]).exits(2).fails_with("usage");
        let nowhere = path("nowhere");
        run(&["setup", &of("wtns"), "--save", &nowhere, "--save-key", &nowhere]).exits(2).fails_with("usage");
    }
}

/// What is done in the image, too.
#[tokio::test(flavor = "multi_thread")]
async fn functions_prove_and_verify() {
    Town::new().await.do_proofs_job();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_proves_and_verifies_for_tenants() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let number = |value, min, max| HiddenNumber {
        value: Number(value),
        min: Number(min),
        max: Number(max),
        blinding: None,
    };
    let asked = ProveRanges { context: "a".repeat(1_024), numbers: vec![number(u64::MAX, 1, u64::MAX); 16] };
    let mut channel = tenant.channel().await;
    let made = channel.prove_ranges(&asked).await.unwrap();
    assert_eq!(verify_document(&made.proof), Ok(()));
    assert!(channel.verify_ranges(&made.proof).await.unwrap().holds);
    let file = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/groth16/tests/snarkjs/bn128");
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        serde_json::value::RawValue::from_string(text).unwrap()
    };
    let mut snark = VerifyProof {
        key: file("verification_key"),
        signals: vec!["33".to_owned(), "106".to_owned()],
        proof: file("proof"),
    };
    assert!(channel.verify_proof(&snark).await.unwrap().holds);
    snark.signals[1] = "107".to_owned();
    let verdict = channel.verify_proof(&snark).await.unwrap();
    assert!(!verdict.holds && verdict.reason.is_some(), "{verdict:?}");
    snark.key = file("proof");
    let refused = channel.verify_proof(&snark).await.unwrap_err();
    assert_eq!(refused.code(), "bad_request", "{refused}");

    let changed = RangeProof { context: "b".repeat(1_024), ..made.proof.clone() };
    let verdict = channel.verify_ranges(&changed).await.unwrap();
    assert!(!verdict.holds && verdict.reason.is_some(), "{verdict:?}");

    // Another tenant verifies it, and makes none in the first one's name.
    let bob = Tenant::admitted(&appliance, "bob").await;
    let mut theirs = bob.channel().await;
    assert!(theirs.verify_ranges(&made.proof).await.unwrap().holds);
    assert_ne!(theirs.prove_ranges(&asked).await.unwrap().proof.owner, made.proof.owner);

    let refused =
        channel.prove_ranges(&ProveRanges { context: String::new(), numbers: vec![number(3, 4, 5)] }).await;
    assert!(
        matches!(refused, Err(ClientError::Api { ref code, .. }) if code == "bad_request"),
        "{refused:?}"
    );
    let too_many = RangeProof { claims: vec![made.proof.claims[0].clone(); 17], ..made.proof };
    assert!(!channel.verify_ranges(&too_many).await.unwrap().holds);
}
