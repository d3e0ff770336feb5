//! `r3e operator restore-order` from outside: from hand to hand until enough have signed, and what is refused. No appliance is
//! needed.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::restore::{RestoreOrder, RestorePolicy, SignedRestoreOrder};
use serde_json::Value;
use tempfile::TempDir;

/// A folder in which the tool runs, with a home of its own.
struct Folder(TempDir);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What it prints, if it ends with this code: the result, or the error.
    fn expect(&self, code: i32, arguments: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_r3e"))
            .args(["--json", "operator"])
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        serde_json::from_str(&out).unwrap()
    }

    fn order(&self) -> SignedRestoreOrder {
        SignedRestoreOrder::decode(&std::fs::read(self.path("order.cbor")).unwrap()).unwrap()
    }

    fn new_order(&self, code: i32, sequence: &str, over: &str) -> Value {
        let (identity, head) = ("11".repeat(32), "22".repeat(32));
        let numbers = ["--sequence", sequence, "--over", over, "--out", "order.cbor"];
        let digests = ["restore-order", "new", "--identity", &identity, "--head", &head];
        self.expect(code, &[&digests[..], &numbers].concat())
    }
}

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

#[test]
fn an_order_goes_from_hand_to_hand_until_enough_have_signed() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let keys: Vec<PublicKey> = ["alice.pem", "bob.pem", "carol.pem"]
        .iter()
        .map(|file| {
            let made = folder.expect(0, &["keygen", "--out", file]);
            made["public_key"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    let policy = RestorePolicy::new(2, keys.clone()).unwrap();
    let written = folder.new_order(0, "40", "99");
    assert_eq!((written["sequence"].as_u64(), written["over"].as_u64()), (Some(40), Some(99)));
    let sign = |file| ["restore-order", "sign", "order.cbor", "--yes", "--restore-key", file];
    folder.expect(0, &sign("alice.pem"));
    assert!(folder.order().verify(&policy, verifies).is_err(), "one is not enough");
    let again = folder.expect(2, &sign("alice.pem"));
    assert_eq!(again["error"]["code"], "restore_order_already_signed");
    let shown = folder.expect(0, &sign("carol.pem"));
    let signers: Vec<_> = [&keys[0], &keys[2]].iter().map(ToString::to_string).collect();
    assert_eq!(shown["keys"], serde_json::json!(signers));
    let order = RestoreOrder { identity: [0x11; 32], sequence: 40, head: [0x22; 32], over: 99 };
    assert_eq!(folder.order().verify(&policy, verifies), Ok(order));
    assert_eq!(folder.expect(0, &["restore-order", "show", "order.cbor"]), shown);
}

#[test]
fn nothing_is_signed_unasked_written_over_or_made_up() {
    let folder = Folder(tempfile::tempdir().unwrap());
    folder.expect(0, &["keygen", "--out", "alice.pem"]);
    // It would give up nothing, or names no state.
    folder.new_order(2, "40", "39");
    folder.new_order(2, "0", "0");
    assert!(!folder.path("order.cbor").exists());
    folder.new_order(0, "40", "99");
    let before = std::fs::read(folder.path("order.cbor")).unwrap();
    folder.new_order(2, "41", "99");
    // Without a terminal, and without the word.
    folder.expect(2, &["restore-order", "sign", "order.cbor", "--restore-key", "alice.pem"]);
    assert_eq!(std::fs::read(folder.path("order.cbor")).unwrap(), before);
    for (name, bytes) in [("empty", vec![]), ("cut", before[..50].to_vec()), ("long", vec![0x80; 5_000])] {
        std::fs::write(folder.path(name), bytes).unwrap();
        folder.expect(2, &["restore-order", "show", name]);
    }
}
