//! Signed answers as a relying party verifies them: genuine ones, and what an attacker would hand over instead.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

mod attested;
#[path = "../../tests/generator/mod.rs"]
mod generator;
mod pem;

use std::{fs, path::PathBuf};

use attested::{attested, verdict};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use r3e_proto::{
    api::{
        data::{ObservationSignature, SignedObservation},
        feeds::Target,
        identity::TenantId,
        wallets::{EvmAddress, Hash32, HexBytes, keccak256},
    },
    channel::statement::Statement,
    observation::{Observation, request_hash},
};
use serde_json::{Value as Json, json};

const EVM: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const NEO: &str = "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf";
const TENANT: TenantId = TenantId([7; 16]);
const URL: &str = "https://api.example.com/v1/rate?of=EUR";
const BODY: &str = r#"{"rate":1.0830}"#;
const OBSERVED_S: u64 = 1_763_000_000;

struct Keys {
    evm: k256::ecdsa::SigningKey,
    neo: p256::ecdsa::SigningKey,
}

impl Keys {
    fn of(seed: u8) -> Self {
        Self {
            evm: k256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
            neo: p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
        }
    }

    fn address(&self) -> EvmAddress {
        let hash = keccak256(&[&self.evm.verifying_key().to_sec1_point(false).as_bytes()[1..]]);
        EvmAddress(hash[12..].try_into().unwrap())
    }

    fn point(&self) -> [u8; 33] {
        self.neo.verifying_key().to_sec1_point(true).as_bytes().try_into().unwrap()
    }

    fn statement(&self) -> Statement {
        Statement::Oracle { tenant: TENANT.0, evm: self.address().0, neo: self.point() }
    }

    fn sign(&self, target: Option<&str>, observation: &Observation) -> ObservationSignature {
        let target: Option<Target> = target.map(|target| target.parse().unwrap());
        let digest = observation.digest(target.as_ref()).unwrap();
        let (signer, signature) = match target {
            None | Some(Target::Evm(_)) => {
                let (signature, recovery) = self.evm.sign_prehash_recoverable(&digest);
                let v = 27 + u8::from(recovery.is_y_odd());
                (self.address().to_string(), [signature.to_bytes().as_slice(), &[v]].concat())
            }
            Some(Target::Neo(_)) => {
                let signature: p256::ecdsa::Signature = self.neo.sign_prehash(&digest).unwrap();
                (HexBytes(self.point().to_vec()).to_string(), signature.to_bytes().to_vec())
            }
        };
        ObservationSignature { target, digest: Hash32(digest), signer, signature: HexBytes(signature) }
    }
}

fn sha256(bytes: &[u8]) -> Hash32 {
    Hash32(digest(&SHA256, bytes).as_ref().try_into().unwrap())
}

fn observation() -> Observation {
    Observation {
        function: "rates".to_owned(),
        url: URL.to_owned(),
        path: "rate".to_owned(),
        value: "1.0830".to_owned(),
        status: 200,
        observed_at_s: OBSERVED_S,
        certificate: Hash32([1; 32]),
        response_hash: sha256(BODY.as_bytes()),
        request_hash: request_hash("GET", URL, [("x-key", &b"sesame"[..])]),
    }
}

/// An appliance's oracle, an answer of its, and the document that attests its keys.
struct World {
    folder: tempfile::TempDir,
    root: PathBuf,
    keys: Keys,
    signed: SignedObservation,
}

impl World {
    fn of(observation: Observation, targets: &[Option<&str>]) -> Self {
        let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::of(3));
        let (document, root) = attested(&keys.statement());
        let path = folder.path().join("root.pem");
        fs::write(&path, root).unwrap();
        let signatures = targets.iter().map(|target| keys.sign(*target, &observation)).collect();
        let signed = SignedObservation {
            body: Some(BODY.to_owned()),
            document: Some(STANDARD.encode(document)),
            ..SignedObservation::new(TENANT, observation, signatures)
        };
        Self { folder, root: path, keys, signed }
    }

    fn new() -> Self {
        Self::of(observation(), &[Some(EVM), Some(NEO)])
    }

    fn verify(&self, content: &Json, more: &[&str]) -> (i32, Json) {
        let mut all = more.to_vec();
        if !more.contains(&"--certificate") {
            all.push("--any-certificate");
        }
        verdict("data", self.folder.path(), content, &self.root, &all)
    }

    fn rejected(&self, signed: &SignedObservation, more: &[&str], reason: &str) {
        let (status, verdict) = self.verify(&json!(signed), more);
        assert_eq!((status, verdict["reason"].as_str()), (1, Some(reason)), "{verdict:#}");
    }
}

#[test]
fn a_genuine_answer_is_accepted_with_all_that_is_asked_of_it() {
    let (tenant, certificate) = (TENANT.to_string(), format!("0x{}", "01".repeat(32)));
    let asked = [
        "--tenant",
        &tenant,
        "--function",
        "rates",
        "--url",
        URL,
        "--path",
        "rate",
        "--header",
        "X-Key: sesame",
        "--certificate",
        &certificate,
    ];
    let world = World::new();
    for more in [&[][..], &asked, &["--target", EVM, "--target", NEO]] {
        let (status, verdict) = world.verify(&json!(world.signed), more);
        assert_eq!((status, verdict["reason"].as_str()), (0, Some("accepted")), "{verdict:#}");
        assert_eq!(
            (&verdict["data"]["value"], &verdict["data"]["has_body"]),
            (&json!("1.0830"), &json!(true))
        );
        assert_eq!(verdict["data"]["targets"], json!([EVM, NEO]));
    }
    // Bound to no chain, without a body, and with one that is no text.
    let unbound = World::of(observation(), &[None]);
    let bare = SignedObservation { body: None, ..unbound.signed.clone() };
    let encoded = SignedObservation { body_base64: Some(STANDARD.encode(BODY)), ..bare.clone() };
    for signed in [&unbound.signed, &bare, &encoded] {
        let (status, verdict) = unbound.verify(&json!(signed), &asked);
        assert_eq!((status, &verdict["data"]["targets"]), (0, &json!(["no chain in particular"])));
    }
    unbound.rejected(&unbound.signed, &["--target", EVM], "target");
    let without = SignedObservation { document: None, ..unbound.signed.clone() };
    let (status, verdict) = unbound.verify(&json!(without), &[]);
    assert_eq!((status, verdict["reason"].as_str()), (2, Some("no_document")));
    let apart = unbound.folder.path().join("document");
    fs::write(&apart, STANDARD.decode(unbound.signed.document.clone().unwrap()).unwrap()).unwrap();
    assert_eq!(unbound.verify(&json!(without), &["--document", apart.to_str().unwrap()]).0, 0);
}

#[test]
fn what_was_asked_for_must_be_what_is_signed() {
    let world = World::new();
    let other_target = EVM.replace("155:1:", "155:138:");
    let certificate = format!("0x{}", "02".repeat(32));
    for (more, reason) in [
        (["--tenant", &"00".repeat(16)], "tenant"),
        (["--url", "https://api.example.com/v1/rate?of=USD"], "url"),
        (["--path", "other"], "path"),
        (["--header", "X-Key: other"], "headers"),
        (["--certificate", &certificate], "certificate"),
        (["--target", &other_target], "target"),
    ] {
        world.rejected(&world.signed, &more, reason);
    }
    world.rejected(&world.signed, &["--tenant", &TENANT.to_string(), "--function", "other"], "function");
    world.rejected(&world.signed, &["--no-headers"], "headers");
    world.rejected(&world.signed, &["--header", "X-Key: sesame", "--header", "accept: a"], "headers");
    let plain = Observation { request_hash: request_hash("GET", URL, []), ..observation() };
    let plain = World::of(plain, &[None]);
    assert_eq!(plain.verify(&json!(plain.signed), &["--no-headers"]).0, 0);
}

#[test]
fn an_answer_is_as_young_as_asked_for() {
    // As old as the document that attests the keys, which is appraised at the same time.
    let spec_s = generator::NOW_MS / 1_000;
    let world = World::of(Observation { observed_at_s: spec_s, ..observation() }, &[None]);
    let at = |at_s: u64, max: &str| {
        let at = at_s.to_string();
        let (status, verdict) = world.verify(&json!(world.signed), &["--at", &at, "--max-age-ms", max]);
        (status, verdict["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(at(spec_s + 60, "60000"), (0, "accepted".to_owned()));
    assert_eq!(at(spec_s + 61, "60000"), (1, "time".to_owned()));
    let ahead = World::of(Observation { observed_at_s: spec_s + 3_600, ..observation() }, &[None]);
    let now = (spec_s + 60).to_string();
    ahead.rejected(&ahead.signed, &["--at", &now, "--max-age-ms", "60000"], "time");
}

#[test]
fn no_changed_answer_is_accepted() {
    let world = World::new();
    let genuine = || world.signed.clone();
    let changed = [
        SignedObservation { function: "other".into(), ..genuine() },
        SignedObservation { url: "https://api.example.com/".into(), ..genuine() },
        SignedObservation { path: "rat".into(), ..genuine() },
        SignedObservation { value: "1.0831".into(), ..genuine() },
        SignedObservation { status: 201, ..genuine() },
        SignedObservation { observed_at_s: OBSERVED_S + 1, ..genuine() },
        SignedObservation { certificate: Hash32([2; 32]), ..genuine() },
        SignedObservation { response_hash: Hash32([2; 32]), ..genuine() },
        SignedObservation { request_hash: Hash32([2; 32]), ..genuine() },
    ];
    for mut one in changed {
        world.rejected(&one, &[], "data_signature");
        // Digests made to fit.
        let changed = one.observation();
        for signature in &mut one.signatures {
            signature.digest = Hash32(changed.digest(signature.target.as_ref()).unwrap());
        }
        world.rejected(&one, &[], "data_signature");
    }
    world.rejected(&SignedObservation { tenant: TenantId([8; 16]), ..genuine() }, &[], "tenant");
    world.rejected(&SignedObservation { signatures: Vec::new(), ..genuine() }, &[], "no_signature");
    // One signature that does not hold beside one that does.
    let stranger = Keys::of(4);
    for (at, target) in [EVM, NEO].into_iter().enumerate() {
        let mut mixed = genuine();
        mixed.signatures[at] = stranger.sign(Some(target), &observation());
        world.rejected(&mixed, &[], "data_signature");
        mixed.signatures[at].signer.clone_from(&genuine().signatures[at].signer);
        world.rejected(&mixed, &[], "data_signature");
    }
    // Of the right key, for another contract, and for none.
    let mut moved = genuine();
    moved.signatures[0].target = Some(EVM.replace("155:1:", "155:2:").parse().unwrap());
    world.rejected(&moved, &[], "data_signature");
    moved.signatures[0].target = None;
    world.rejected(&moved, &[], "data_signature");
    for wrong in [vec![], vec![0; 65], vec![1; 64]] {
        let mut broken = genuine();
        broken.signatures[0].signature = HexBytes(wrong);
        world.rejected(&broken, &[], "data_signature");
    }
}

#[test]
fn a_body_is_the_answered_one() {
    let world = World::new();
    let with = |body: Option<&str>, body_base64: Option<&str>| SignedObservation {
        body: body.map(str::to_owned),
        body_base64: body_base64.map(str::to_owned),
        ..world.signed.clone()
    };
    let encoded = STANDARD.encode(BODY);
    for changed in [
        with(Some(r#"{"rate":1.0831}"#), None),
        with(Some(""), None),
        with(None, Some("AAAA")),
        with(None, Some("no base64")),
        with(Some(BODY), Some(&encoded)),
    ] {
        world.rejected(&changed, &[], "body");
    }
}

#[test]
fn what_is_no_answer_is_malformed() {
    let world = World::new();
    let genuine = || world.signed.clone();
    for malformed in [
        SignedObservation { status: 404, ..genuine() },
        SignedObservation { value: "x".repeat(257), ..genuine() },
        SignedObservation { path: String::new(), ..genuine() },
        SignedObservation { url: "https://api.example.com/\u{202e}".into(), ..genuine() },
    ] {
        world.rejected(&malformed, &[], "malformed");
    }
    let mut more = json!(genuine());
    more["note"] = json!("the appliance did not say this");
    assert_eq!(world.verify(&more, &[]).1["reason"], "malformed");
}

#[test]
fn a_document_with_another_statement_attests_no_keys() {
    let world = World::new();
    let of_stranger = Keys::of(4).statement();
    let random = Statement::RandomKey { tenant: TENANT.0, key: world.keys.point() };
    for (statement, reason) in [(of_stranger, "data_signature"), (random, "oracle_key")] {
        let (document, root) = attested(&statement);
        fs::write(&world.root, root).unwrap();
        let signed = SignedObservation { document: Some(STANDARD.encode(document)), ..world.signed.clone() };
        world.rejected(&signed, &[], reason);
    }
}
