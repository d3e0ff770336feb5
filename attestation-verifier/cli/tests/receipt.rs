//! Receipts as an auditor verifies them: genuine ones, and what an attacker would hand over instead.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

#[path = "../../tests/generator/mod.rs"]
mod generator;
mod pem;

use std::{fs, path::PathBuf, process::Command};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use generator::{Spec, bytes, int, pcr};
use pem::pem;
use r3e_proto::{
    api::functions::Usage,
    channel::{
        binding::{configuration_digest, pcr_extended_once},
        statement::Statement,
    },
    receipt::{Bundle, Receipt},
};
use serde_json::Value as Json;

const CONFIGURATION: &[u8] = b"[operator]";

/// An appliance's report key, a receipt of its own, and the document that attests the key.
struct World {
    folder: tempfile::TempDir,
    key: Ed25519KeyPair,
    bundle: Bundle,
    root: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Ed25519KeyPair::generate().unwrap();
        let statement = Statement::ReportKey { public_key: key.public_key().as_ref().try_into().unwrap() };
        let (document, root) = attested(&statement, CONFIGURATION);
        let bundle = Bundle { receipt: receipt().sign(|message| sign(&key, message)), document };
        let path = folder.path().join("root.pem");
        fs::write(&path, root).unwrap();
        Self { folder, key, bundle, root: path }
    }

    fn verify(&self, bundle: &[u8], more: &[&str]) -> (i32, Json) {
        let file = self.folder.path().join("receipt");
        fs::write(&file, bundle).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_r3e-verify"));
        command.env_clear().arg("receipt").arg(&file).arg("--json").arg("--test-root").arg(&self.root);
        for index in 0..3 {
            command.arg(format!("--pcr={index}={}", hex::encode(pcr(index))));
        }
        let output = command.args(more).output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report)
    }

    fn rejected(&self, bundle: &Bundle, more: &[&str], reason: &str) {
        let (status, report) = self.verify(&bundle.encode(), more);
        assert_eq!((status, report["reason"].as_str()), (1, Some(reason)), "{report:#}");
        assert_eq!(report["accepted"], Json::Bool(false));
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn sign(key: &Ed25519KeyPair, message: &[u8]) -> [u8; 64] {
    key.sign(message).as_ref().try_into().unwrap()
}

fn receipt() -> Receipt {
    Receipt {
        invocation: [1; 16],
        tenant: [2; 16],
        function: "price".into(),
        version: [3; 32],
        input: [4; 32],
        outcome: "ok".into(),
        output: [5; 32],
        log: [6; 32],
        usage: Usage { cpu_us: 1200, ..Usage::default() },
        sequence: 42,
        time_ms: generator::NOW_MS,
        configuration: configuration_digest(CONFIGURATION),
    }
}

/// A document with this statement, of an appliance with this configuration, and the root it is under.
fn attested(statement: &Statement, configuration: &[u8]) -> (Vec<u8>, String) {
    let mut spec = Spec::valid();
    spec.set("user_data", bytes(&statement.encode()));
    spec.set_pcr(int(16), bytes(&pcr_extended_once(&configuration_digest(configuration))));
    let certificates = generator::certificate::build(&spec.certs);
    let root = pem(&certificates[0]);
    (spec.build_from(certificates), root)
}

#[test]
fn a_genuine_receipt_is_accepted_long_after_its_certificates_expired() {
    let world = World::new();
    let (status, report) = world.verify(&world.bundle.encode(), &[]);
    assert_eq!((status, report["reason"].as_str()), (0, Some("accepted")), "{report:#}");
    assert_eq!(report["receipt"]["function"], "price");
    assert_eq!(report["receipt"]["sequence"], 42);
    assert_eq!(report["root"], "unsafe_test");
}

#[test]
fn at_a_time_of_the_verifiers_choice_certificates_expire() {
    let world = World::new();
    world.rejected(&world.bundle, &["--at", "1900000000"], "expired");
}

#[test]
fn the_policy_is_the_documents() {
    let world = World::new();
    let other = format!("--pcr=4={}", "ab".repeat(48));
    world.rejected(&world.bundle, &[&other], "pcr_mismatch");
    let file = world.file("bundle", &world.bundle.encode());
    let bare =
        Command::new(env!("CARGO_BIN_EXE_r3e-verify")).args(["receipt", &file, "--json"]).output().unwrap();
    let report: Json = serde_json::from_slice(&bare.stdout).unwrap();
    assert_eq!((bare.status.code(), report["reason"].as_str()), (Some(2), Some("no_policy")));
}

#[test]
fn a_document_kept_apart_takes_the_place_of_the_one_in_the_file() {
    let world = World::new();
    let apart = world.file("document", &world.bundle.document);
    let bundle = Bundle { document: b"nothing".to_vec(), ..world.bundle.clone() };
    assert_eq!(world.verify(&bundle.encode(), &["--document", &apart]).0, 0);
    world.rejected(&bundle, &[], "malformed");
}

#[test]
fn no_changed_receipt_is_accepted() {
    let world = World::new();
    let mut richer = receipt();
    richer.sequence += 1;
    let genuine = &world.bundle.receipt;
    // The signature of one receipt under the payload of another.
    let mut forged = richer.sign(|_| [0; 64]);
    let at = forged.len() - 64;
    forged[at..].copy_from_slice(&genuine[genuine.len() - 64..]);
    world.rejected(&Bundle { receipt: forged, ..world.bundle.clone() }, &[], "receipt_signature");
    // A stranger's signature.
    let stranger = Ed25519KeyPair::generate().unwrap();
    let signed = receipt().sign(|message| sign(&stranger, message));
    world.rejected(&Bundle { receipt: signed, ..world.bundle.clone() }, &[], "receipt_signature");
    // A file that broke off.
    let whole = world.bundle.encode();
    assert_eq!(world.verify(&whole[..whole.len() - 1], &[]).1["reason"], "malformed");
}

#[test]
fn a_document_with_another_statement_attests_no_key() {
    let world = World::new();
    let public_key: [u8; 32] = world.key.public_key().as_ref().try_into().unwrap();
    // A function may have its own bytes attested, the report key among them: its domain gives it away.
    let function = Statement::Function { tenant: [0; 16], version: [0; 32], data: public_key.to_vec() };
    for statement in [function, Statement::Sessions { root: [0; 48], size: 1 }] {
        let (document, root) = attested(&statement, CONFIGURATION);
        fs::write(&world.root, root).unwrap();
        world.rejected(&Bundle { document, ..world.bundle.clone() }, &[], "report_key");
    }
}

#[test]
fn receipt_and_document_must_be_of_one_configuration() {
    let world = World::new();
    let public_key = world.key.public_key().as_ref().try_into().unwrap();
    let (document, root) = attested(&Statement::ReportKey { public_key }, b"another configuration");
    fs::write(&world.root, root).unwrap();
    world.rejected(&Bundle { document, ..world.bundle.clone() }, &[], "configuration");
}
