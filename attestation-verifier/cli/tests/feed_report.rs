//! Reports of price feeds as a relying party verifies them: genuine ones, and what an attacker would hand over instead.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

mod attested;
#[path = "../../tests/generator/mod.rs"]
mod generator;
mod pem;

use std::{fs, path::PathBuf};

use attested::{attested, verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use r3e_proto::{
    api::{
        feeds::{Signature, SignedReport, Target},
        identity::TenantId,
        wallets::{EvmAddress, Hash32, HexBytes, keccak256},
    },
    channel::statement::Statement,
    report::{FeedId, Report, config_digest},
};
use serde_json::{Value as Json, json};

const EVM: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const NEO: &str = "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf";
const TENANT: TenantId = TenantId([7; 16]);

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

    fn sign(&self, target: &str, report: &Report) -> Signature {
        let target: Target = target.parse().unwrap();
        let digest = target.digest(report).unwrap();
        let (signer, signature) = match target {
            Target::Evm(_) => {
                let (signature, recovery) = self.evm.sign_prehash_recoverable(&digest);
                let v = 27 + u8::from(recovery.is_y_odd());
                (self.address().to_string(), [signature.to_bytes().as_slice(), &[v]].concat())
            }
            Target::Neo(_) => {
                let signature: p256::ecdsa::Signature = self.neo.sign_prehash(&digest).unwrap();
                (HexBytes(self.point().to_vec()).to_string(), signature.to_bytes().to_vec())
            }
        };
        Signature { target, digest: Hash32(digest), signer, signature: HexBytes(signature) }
    }
}

/// An appliance's oracle, a report of its, and the document that attests its keys.
struct World {
    folder: tempfile::TempDir,
    keys: Keys,
    signed: SignedReport,
    root: PathBuf,
}

fn definition() -> Json {
    json!({ "name": "btc-usd", "pair": "BTC/USD", "venues": [] })
}

fn report() -> Report {
    Report {
        feed_id: FeedId::named("btc-usd").unwrap(),
        answer: 6_438_900_000_000,
        confidence: 1_000,
        decimals: 8,
        observed_at_s: 1_700_000_000,
        valid_until_s: 1_700_003_600,
        sequence: 42,
        sources: 7,
        config_digest: config_digest(&definition()),
    }
}

impl World {
    fn new() -> Self {
        let (folder, keys, report) = (tempfile::tempdir().unwrap(), Keys::of(3), report());
        let (document, root) = attested(&keys.statement());
        let path = folder.path().join("root.pem");
        fs::write(&path, root).unwrap();
        let signed = SignedReport {
            feed: "btc-usd".into(),
            tenant: TENANT,
            report,
            signatures: vec![keys.sign(EVM, &report), keys.sign(NEO, &report)],
            document: Some(STANDARD.encode(document)),
        };
        Self { folder, keys, signed, root: path }
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn verify(&self, signed: &SignedReport, more: &[&str]) -> (i32, Json) {
        verdict("report", self.folder.path(), &json!(signed), &self.root, more)
    }

    fn rejected(&self, signed: &SignedReport, more: &[&str], reason: &str) {
        let (status, verdict) = self.verify(signed, more);
        assert_eq!((status, verdict["reason"].as_str()), (1, Some(reason)), "{verdict:#}");
    }
}

#[test]
fn a_genuine_report_is_accepted_with_all_that_is_asked_of_it() {
    let world = World::new();
    let file = world.file("definition", definition().to_string().as_bytes());
    let tenant = TENANT.to_string();
    let asked =
        ["--target", EVM, "--target", NEO, "--feed", "btc-usd", "--tenant", &tenant, "--definition", &file];
    for more in [&[][..], &asked] {
        let (status, verdict) = world.verify(&world.signed, more);
        assert_eq!((status, verdict["reason"].as_str()), (0, Some("accepted")), "{verdict:#}");
        assert_eq!(verdict["report"]["answer"], "6438900000000");
        assert_eq!(verdict["report"]["targets"], json!([EVM, NEO]));
    }
    let document = world.signed.document.clone().unwrap();
    let apart = world.file("document", &STANDARD.decode(document).unwrap());
    let bare = SignedReport { document: None, ..world.signed.clone() };
    assert_eq!(world.verify(&bare, &["--document", &apart]).0, 0);
    let (status, verdict) = world.verify(&bare, &[]);
    assert_eq!((status, verdict["reason"].as_str()), (2, Some("no_document")));
}

#[test]
fn what_was_asked_for_must_be_what_is_signed() {
    let world = World::new();
    let other = definition().to_string().replace("BTC/USD", "ETH/USD");
    let file = world.file("definition", other.as_bytes());
    world.rejected(&world.signed, &["--definition", &file], "definition");
    world.rejected(&world.signed, &["--feed", "eth-usd"], "feed");
    world.rejected(&world.signed, &["--tenant", &"00".repeat(16)], "tenant");
    world.rejected(&world.signed, &["--target", &EVM.replace("155:1:", "155:138:")], "target");
    let unsigned = SignedReport { signatures: Vec::new(), ..world.signed.clone() };
    world.rejected(&unsigned, &[], "no_signature");
}

#[test]
fn no_changed_report_is_accepted() {
    let world = World::new();
    let genuine = &world.signed;
    let mut richer = genuine.clone();
    richer.report.answer += 1;
    world.rejected(&richer, &[], "report_signature");
    // Digests made to fit.
    for signature in &mut richer.signatures {
        signature.digest = Hash32(signature.target.digest(&richer.report).unwrap());
    }
    world.rejected(&richer, &[], "report_signature");
    // A name that is not the signed identifier's.
    let named = SignedReport { feed: "eth-usd".into(), ..genuine.clone() };
    world.rejected(&named, &[], "feed");
    let owned = SignedReport { tenant: TenantId([8; 16]), ..genuine.clone() };
    world.rejected(&owned, &[], "tenant");
    // One signature that does not hold beside one that does.
    let stranger = Keys::of(4);
    for (at, target) in [EVM, NEO].into_iter().enumerate() {
        let mut mixed = genuine.clone();
        mixed.signatures[at] = stranger.sign(target, &genuine.report);
        world.rejected(&mixed, &[], "report_signature");
        mixed.signatures[at].signer.clone_from(&genuine.signatures[at].signer);
        world.rejected(&mixed, &[], "report_signature");
    }
    // Of the right key, for another contract.
    let mut moved = genuine.clone();
    moved.signatures[0].target = EVM.replace("155:1:", "155:2:").parse().unwrap();
    world.rejected(&moved, &[], "report_signature");
    for wrong in [vec![], vec![0; 65], vec![1; 64]] {
        let mut broken = genuine.clone();
        broken.signatures[0].signature = HexBytes(wrong);
        world.rejected(&broken, &[], "report_signature");
    }
    let mut senseless = genuine.clone();
    senseless.report.sources = 0;
    world.rejected(&senseless, &[], "malformed");
}

#[test]
fn a_document_with_another_statement_attests_no_keys() {
    let world = World::new();
    let of_stranger = Keys::of(4).statement();
    let function =
        Statement::Function { tenant: TENANT.0, version: [0; 32], data: world.keys.point().to_vec() };
    for (statement, reason) in [
        (of_stranger, "report_signature"),
        (function, "oracle_key"),
        (Statement::ReportKey { public_key: [3; 32] }, "oracle_key"),
    ] {
        let (document, root) = attested(&statement);
        fs::write(&world.root, root).unwrap();
        let signed = SignedReport { document: Some(STANDARD.encode(document)), ..world.signed.clone() };
        world.rejected(&signed, &[], reason);
    }
}

#[test]
fn the_policy_is_the_documents() {
    let world = World::new();
    let other = format!("--pcr=4={}", "ab".repeat(48));
    world.rejected(&world.signed, &[&other], "pcr_mismatch");
    world.rejected(&world.signed, &["--at", "1900000000"], "expired");
}
