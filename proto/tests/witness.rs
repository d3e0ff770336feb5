//! What witnesses and the operator quorum sign, against the vectors, which a second implementation of the specification made.

#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::{Answer, Hex, Recorded};
use r3e_proto::host::lifecycle::{Reply, Request};
use r3e_proto::restore::{RestoreOrder, RestorePolicy, SignedRestoreOrder, approval_message};
use r3e_proto::witness::{Commit, ask_message, record_message, witnessed_message};
use serde_json::{Value, json};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/witness.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

#[test]
fn witnesses() {
    let v = vectors();
    let (key, report) = (PublicKey(array(&v["key"])), PublicKey(array(&v["report_key"])));
    let (nonce, binding) = (array(&v["nonce"]), array(&v["binding"]));
    let commit = Commit { sequence: v["sequence"].as_u64().unwrap(), head: array(&v["head"]) };
    for (by, message, name, signature) in [
        (&key, record_message(&key, &commit), "record", "record_signature"),
        (&key, ask_message(&key, &binding, &nonce), "ask", "ask_signature"),
        (&report, witnessed_message(&key, &nonce, Some(&commit)), "witnessed", "statement"),
        (&report, witnessed_message(&key, &nonce, None), "witnessed_none", "statement_none"),
    ] {
        assert_eq!(message, array::<48>(&v[name]), "{name}");
        assert!(verifies(by, &message, &array(&v[signature])), "{name}");
    }
    // The JSON of an answer.
    let last = json!({ "sequence": v["sequence"], "head": v["head"], "signature": v["record_signature"] });
    let answer: Answer =
        serde_json::from_value(json!({ "last": last, "statement": v["statement"] })).unwrap();
    let signature = Hex(array(&v["record_signature"]));
    assert_eq!(answer.last, Some(Recorded { sequence: commit.sequence, head: Hex(commit.head), signature }));
    assert_eq!(serde_json::to_value(&answer).unwrap()["last"], last);
}

#[test]
fn orders_to_restore() {
    let v = vectors();
    let order = RestoreOrder {
        identity: array(&v["identity"]),
        sequence: v["sequence"].as_u64().unwrap(),
        head: array(&v["head"]),
        over: v["over"].as_u64().unwrap(),
    };
    assert_eq!(order.encode(), bytes(&v["order"]));
    assert_eq!(RestoreOrder::decode(&bytes(&v["order"])), Ok(order));
    assert_eq!(approval_message(&bytes(&v["order"])), array::<48>(&v["message"]));
    let keys = v["keys"].as_array().unwrap().iter().map(|key| PublicKey(array(key))).collect();
    let policy = RestorePolicy::new(u8::try_from(v["threshold"].as_u64().unwrap()).unwrap(), keys).unwrap();
    for (group, good) in [("approved", true), ("not_approved", false)] {
        for (name, file) in v[group].as_object().unwrap() {
            let signed = SignedRestoreOrder::decode(&bytes(file)).unwrap();
            assert_eq!(signed.encode(), bytes(file), "{name}");
            assert_eq!(signed.verify(&policy, verifies).ok(), good.then_some(order), "{name}");
        }
    }
    assert_eq!(Request::RestoreOrder.encode(), bytes(&v["lifecycle_request_restore_order"]));
    let reply = Reply::RestoreOrder(bytes(&v["order"]));
    assert_eq!(reply.encode(), bytes(&v["lifecycle_reply_restore_order"]));
}
