//! The vectors beside this crate, written by a second implementation (`vectors/generate.py`), read by this one.

#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::functions::LogLine;
use r3e_proto::api::identity::{PublicKey, SignInRole, TenantId, sign_in_message};
use r3e_proto::channel::binding::{Role, SessionBinding, pcr_extended_once, public_binding};
use r3e_proto::channel::evidence::EvidenceReply;
use r3e_proto::channel::merkle::{Tree, root_from_path};
use r3e_proto::channel::statement::Statement;
use r3e_proto::host::blob::{Operation, Outcome, Request, Response};
use r3e_proto::host::egress::{Connect, RefusalCode, Reply};
use r3e_proto::random::Occasion;
use r3e_proto::receipt::{Bundle, Receipt, ReceiptError, log_hash};
use r3e_proto::release::{
    Change, HandoffPolicy, ImagePcrs, Measured, Release, ReleaseError, SignedRelease, approval_message,
};
use r3e_proto::unlock::message::{approve_message, init_message, seal_info, share_digest};
use r3e_proto::unlock::policy::QuorumPolicy;
use r3e_proto::unlock::setup::{AttestedSetup, Setup};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

#[test]
fn bindings() {
    for case in vectors("bindings.json").as_array().unwrap() {
        let (nonce, spki, configuration) =
            (array(&case["nonce"]), bytes(&case["spki"]), array(&case["configuration"]));
        let binding = SessionBinding {
            role: if case["role"] == "server" { Role::Server } else { Role::Client },
            nonce: &nonce,
            exporter: &array(&case["exporter"]),
            spki: &spki,
            alpn: case["alpn"].as_str().unwrap().as_bytes(),
            configuration: &configuration,
            hpke_public_key: &bytes(&case["hpke_public_key"]),
        };
        assert_eq!(binding.digest(), array::<48>(&case["binding"]));
        assert_eq!(public_binding(&nonce, &spki, &configuration), array::<48>(&case["public_binding"]));
        assert_eq!(pcr_extended_once(&configuration), array::<48>(&case["pcr16"]));
    }
}

#[test]
fn trees() {
    for case in vectors("trees.json").as_array().unwrap() {
        let bindings: Vec<[u8; 48]> = case["bindings"].as_array().unwrap().iter().map(array).collect();
        let root = array(&case["root"]);
        let tree = Tree::new(&bindings).unwrap();
        assert_eq!(tree.root(), root);
        for (index, (binding, path)) in bindings.iter().zip(case["paths"].as_array().unwrap()).enumerate() {
            let path: Vec<[u8; 48]> = path.as_array().unwrap().iter().map(array).collect();
            assert_eq!(tree.path(index).unwrap(), path);
            assert_eq!(root_from_path(binding, index as u64, tree.size(), &path), Ok(root));
        }
    }
}

/// Reads a message and writes it again: the same bytes, and no shorter or longer ones are read.
fn round_trip<T, E>(
    message: &Value,
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> T
where
    E: std::fmt::Debug,
{
    let encoded = bytes(message);
    let decoded = decode(&encoded).unwrap();
    assert_eq!(encode(&decoded), encoded);
    assert!(decode(&encoded[..encoded.len() - 1]).is_err());
    assert!(decode(&[encoded.as_slice(), &[0]].concat()).is_err());
    decoded
}

#[test]
fn messages() {
    let all = vectors("messages.json");
    for name in ["evidence", "unavailable"] {
        round_trip(&all[name], EvidenceReply::decode, EvidenceReply::encode);
    }
    for name in [
        "statement_sessions",
        "statement_report_key",
        "statement_function",
        "statement_unlock_setup",
        "statement_oracle",
        "statement_random_key",
    ] {
        round_trip(&all[name], Statement::decode, Statement::encode);
    }
    for name in ["random_seed", "random_function_seed", "random_invocation", "random_job"] {
        round_trip(&all[name], Occasion::decode, Occasion::encode);
    }
    for (name, message) in all.as_object().unwrap() {
        if name.starts_with("request_") {
            round_trip(message, Request::decode, Request::encode);
        }
        if name.starts_with("response_") {
            round_trip(message, Response::decode, Response::encode);
        }
    }
    let failed = round_trip(&all["response_failed"], Response::decode, Response::encode);
    assert_eq!(failed, Response { id: 6, outcome: Outcome::Failed("disk full".into()) });
    let slot = round_trip(&all["request_slot_write_first"], Request::decode, Request::encode);
    let write = Operation::SlotWrite { expected: None, value: b"wrapped".to_vec() };
    assert_eq!(slot, Request { id: 6, operation: write });
    let slot = round_trip(&all["response_slot"], Response::decode, Response::encode);
    assert_eq!(slot, Response { id: 8, outcome: Outcome::Slot(Some(b"wrapped".to_vec())) });
    let connect = round_trip(&all["egress_connect"], Connect::decode, Connect::encode);
    assert_eq!(connect, Connect { host: "api.example.com".into(), port: 443 });
    assert_eq!(round_trip(&all["egress_connected"], Reply::decode, Reply::encode), Reply::Connected);
    let refused = round_trip(&all["egress_refused"], Reply::decode, Reply::encode);
    assert_eq!(refused, Reply::Refused { code: RefusalCode::NotPublic, message: "10.0.0.1".into() });
}

#[test]
fn receipts() {
    let case = vectors("receipt.json");
    let (key, signed) = (bytes(&case["public_key"]), bytes(&case["signed"]));
    let verify = |message: &[u8], signature: &[u8]| {
        UnparsedPublicKey::new(&ED25519, &key).verify(message, signature).is_ok()
    };
    let receipt = Receipt::verify(&signed, verify).unwrap();
    assert_eq!((receipt.function.as_str(), receipt.outcome.as_str(), receipt.sequence), ("price", "ok", 42));
    assert_eq!(receipt.usage.bytes_out, 311);
    let line = |line: &Value| LogLine {
        level: line[0].as_str().unwrap().into(),
        text: line[1].as_str().unwrap().into(),
    };
    let log: Vec<LogLine> = case["log"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(receipt.log, log_hash(&log, true));
    let bundle = round_trip(&case["bundle"], Bundle::decode, Bundle::encode);
    assert_eq!(bundle.receipt, signed);

    for at in 0..signed.len() {
        let mut changed = signed.clone();
        changed[at] ^= 1;
        assert!(Receipt::verify(&changed, verify).is_err(), "byte {at}");
    }
    assert_eq!(Receipt::verify(&signed, |_, _| false), Err(ReceiptError::Signature));
}

#[test]
fn unlocking() {
    let case = vectors("unlock.json");
    let policy = round_trip(&case["policy"], QuorumPolicy::decode, QuorumPolicy::encode);
    assert_eq!(policy.digest(), array::<48>(&case["policy_digest"]));
    assert_eq!((policy.threshold(), policy.members().len()), (2, 3));
    let setup = round_trip(&case["setup"], Setup::decode, Setup::encode);
    assert_eq!((setup.digest(), &setup.policy), (array::<48>(&case["setup_digest"]), &policy));
    assert_eq!(setup.commitment, array::<32>(&case["commitment"]));
    let attested = round_trip(&case["attested_setup"], AttestedSetup::decode, AttestedSetup::encode);
    assert_eq!(attested.setup, setup.encode());

    let binding = array(&case["binding"]);
    let init = init_message(&binding, &policy.digest());
    assert_eq!(init, array::<48>(&case["init"]));
    let signed = |index: usize, message: &[u8], signature: &Value| {
        let key = UnparsedPublicKey::new(&ED25519, policy.members()[index].signing_key);
        key.verify(message, &bytes(signature)).is_ok()
    };
    assert!(signed(0, &init, &case["init_signature"]));
    let shares = case["shares"].as_array().unwrap();
    for ((index, member), share) in policy.indexed().zip(shares) {
        let digest = share_digest(&setup.id, index, &array(&share["share"]));
        assert_eq!(digest, array::<48>(&share["digest"]));
        assert_eq!(setup.share(index).unwrap().digest, digest);
        assert_eq!(seal_info(&setup.id, &member.name, index), array::<48>(&share["info"]));
        let message = approve_message(&binding, &setup.digest(), &digest);
        assert_eq!(message, array::<48>(&share["approve"]));
        assert!(signed(usize::from(index) - 1, &message, &share["approve_signature"]));
    }
}

#[test]
fn releases() {
    let case = vectors("release.json");
    let release = round_trip(&case["manifest"], Release::decode, Release::encode);
    let image = |pcrs: &Value| -> ImagePcrs { std::array::from_fn(|index| array(&pcrs[index])) };
    assert_eq!(release.version().to_string(), case["version"].as_str().unwrap());
    assert_eq!(release.minimum_sequence(), case["minimum_sequence"].as_u64().unwrap());
    assert_eq!(*release.pcrs(), image(&case["pcrs"]));
    let predecessors: Vec<_> = case["predecessors"].as_array().unwrap().iter().map(image).collect();
    assert_eq!(release.predecessors(), predecessors);
    let measured = |it: &Value, at| Measured { configuration: array(&it[at]), unlock: array(&it[at + 1]) };
    let change = |it: &Value| Change { from: measured(it, 0), to: measured(it, 2) };
    let changes: Vec<_> = case["changes"].as_array().unwrap().iter().map(change).collect();
    assert_eq!(release.changes(), changes);
    assert_eq!(release.appliance(), Some(&array(&case["appliance"])));
    let any = round_trip(&case["for_any_appliance"], Release::decode, Release::encode);
    assert_eq!((any.appliance(), any.changes()), (None, &[][..]));
    for (name, refused) in case["refused"].as_object().unwrap() {
        let bytes = hex::decode(refused.as_str().unwrap()).unwrap();
        assert!(Release::decode(&bytes).is_err(), "{name}");
    }
    assert_eq!(approval_message(&release.encode()), array::<48>(&case["message"]));

    let keys: Vec<_> = case["keys"].as_array().unwrap().iter().map(|key| PublicKey(array(key))).collect();
    let policy =
        HandoffPolicy::new(u8::try_from(case["threshold"].as_u64().unwrap()).unwrap(), keys).unwrap();
    let ed25519 = |key: &PublicKey, message: &[u8], signature: &[u8; 64]| {
        UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
    };
    for (name, file) in case["approved"].as_object().unwrap() {
        let signed = round_trip(file, SignedRelease::decode, SignedRelease::encode);
        assert_eq!(signed.verify(&policy, ed25519).as_ref(), Ok(&release), "{name}");
    }
    for (name, file) in case["not_approved"].as_object().unwrap() {
        let signed = round_trip(file, SignedRelease::decode, SignedRelease::encode);
        let refused = signed.verify(&policy, ed25519);
        assert!(matches!(refused, Err(ReleaseError::NotApproved { .. })), "{name}: {refused:?}");
    }
    for key in case["unusable_keys"].as_array().unwrap() {
        assert!(HandoffPolicy::new(1, vec![PublicKey(array(key))]).is_err(), "{key}");
    }
}

#[test]
fn signing_in() {
    for case in vectors("sign-in.json").as_array().unwrap() {
        let key = PublicKey(array(&case["public_key"]));
        let role = if case["role"] == "operator" { SignInRole::Operator } else { SignInRole::Tenant };
        let message = sign_in_message(role, &array(&case["binding"]), &key);
        assert_eq!(message, array::<48>(&case["message"]));
        UnparsedPublicKey::new(&ED25519, key.0).verify(&message, &bytes(&case["signature"])).unwrap();
        assert_eq!(TenantId::of(&key).to_string(), case["tenant"].as_str().unwrap());
    }
}
