//! Random numbers as a relying party verifies them: genuine ones, and what an attacker would hand over instead.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

mod attested;
#[path = "../../tests/generator/mod.rs"]
mod generator;
mod pem;

use std::{fs, path::PathBuf};

use attested::{attested, verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::{
    api::{
        random::Random,
        wallets::{Hash32, HexBytes},
    },
    channel::statement::Statement,
    random::Occasion,
};
use r3e_vrf::SecretKey;
use serde_json::{Value as Json, json};

const TENANT: [u8; 16] = [7; 16];

/// A key, a number that it drew, and the document that attests it.
struct World {
    folder: tempfile::TempDir,
    root: PathBuf,
    drawn: Random,
}

fn draw(key: &SecretKey, occasion: &Occasion) -> Random {
    let message = occasion.encode();
    let (proof, output) = key.prove(&message).unwrap();
    Random {
        value: output.in_range(1, 100).unwrap(),
        min: 1,
        max: 100,
        message: HexBytes(message),
        output: Hash32(output.0),
        proof: HexBytes(proof.0.to_vec()),
        key: HexBytes(key.public_key().as_bytes().to_vec()),
        document: None,
    }
}

impl World {
    fn of(occasion: &Occasion) -> Self {
        let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_bytes(&[3; 32]).unwrap());
        let statement = Statement::RandomKey { tenant: TENANT, key: *key.public_key().as_bytes() };
        let (document, root) = attested(&statement);
        let path = folder.path().join("root.pem");
        fs::write(&path, root).unwrap();
        let drawn = Random { document: Some(STANDARD.encode(document)), ..draw(&key, occasion) };
        Self { folder, root: path, drawn }
    }

    fn seeded() -> Self {
        Self::of(&Occasion::FunctionSeed { function: "raffle".to_owned(), seed: "block 7".to_owned() })
    }

    fn verify(&self, drawn: &Random, more: &[&str]) -> (i32, Json) {
        verdict("random", self.folder.path(), &json!(drawn), &self.root, more)
    }

    fn rejected(&self, drawn: &Random, more: &[&str], reason: &str) {
        let (status, verdict) = self.verify(drawn, more);
        assert_eq!((status, verdict["reason"].as_str()), (1, Some(reason)), "{verdict:#}");
    }
}

#[test]
fn a_genuine_number_is_accepted_with_all_that_is_asked_of_it() {
    let world = World::seeded();
    let tenant = hex::encode(TENANT);
    let key = world.drawn.key.to_string();
    let asked = [
        "--seed",
        "block 7",
        "--function",
        "raffle",
        "--tenant",
        &tenant,
        "--min",
        "1",
        "--max",
        "100",
        "--key",
        &key,
    ];
    for more in [&[][..], &asked] {
        let (status, verdict) = world.verify(&world.drawn, more);
        assert_eq!((status, verdict["reason"].as_str()), (0, Some("accepted")), "{verdict:#}");
        assert_eq!(verdict["random"]["value"], world.drawn.value);
        assert_eq!(verdict["random"]["seed"], "block 7");
        assert_eq!(verdict["random"]["key_was_required"], !more.is_empty());
    }
    let bare = Random { document: None, ..world.drawn.clone() };
    let (status, verdict) = world.verify(&bare, &[]);
    assert_eq!((status, verdict["reason"].as_str()), (2, Some("no_document")));
    let apart = world.folder.path().join("document");
    fs::write(&apart, STANDARD.decode(world.drawn.document.clone().unwrap()).unwrap()).unwrap();
    assert_eq!(world.verify(&bare, &["--document", apart.to_str().unwrap()]).0, 0);

    let job = World::of(&Occasion::Job { function: "raffle".to_owned(), job: [9; 16], index: 2 });
    let id = "09".repeat(16);
    let (status, verdict) = job.verify(&job.drawn, &["--function", "raffle", "--job", &id, "--index", "2"]);
    assert_eq!((status, &verdict["random"]["job"]), (0, &json!(id)));
    job.rejected(&job.drawn, &["--function", "raffle", "--seed", "block 7"], "seed");
    job.rejected(&job.drawn, &["--invocation", &id], "run");
    job.rejected(&job.drawn, &["--index", "1"], "run");
    job.rejected(&job.drawn, &["--job", &"08".repeat(16)], "run");
}

#[test]
fn what_was_asked_for_must_be_what_was_drawn() {
    let world = World::seeded();
    let other_key = format!("0x02{}", "11".repeat(32));
    // A function's number for the seed is not the API's.
    world.rejected(&world.drawn, &["--seed", "block 7"], "function");
    world.rejected(&world.drawn, &["--seed", "block 8", "--function", "raffle"], "seed");
    for (more, reason) in [
        (["--function", "other"], "function"),
        (["--key", &other_key], "key"),
        (["--tenant", &"00".repeat(16)], "tenant"),
        (["--min", "0"], "range"),
        (["--max", "99"], "range"),
    ] {
        world.rejected(&world.drawn, &more, reason);
    }
}

#[test]
fn no_changed_number_is_accepted() {
    let world = World::seeded();
    let genuine = || world.drawn.clone();
    let other = Occasion::FunctionSeed { function: "raffle".to_owned(), seed: "block 8".to_owned() };
    let stranger = draw(&SecretKey::from_bytes(&[4; 32]).unwrap(), &other);
    for changed in [
        Random { value: genuine().value % 100 + 1, ..genuine() },
        Random { max: 101, ..genuine() },
        Random { min: 7, max: 3, ..genuine() },
        Random { output: Hash32([1; 32]), ..genuine() },
        Random { message: HexBytes(other.encode()), ..genuine() },
        Random { proof: HexBytes(genuine().proof.0[1..].to_vec()), ..genuine() },
        Random { key: stranger.key.clone(), ..genuine() },
        // All of it by another key than the document's, and by none.
        Random { document: genuine().document, ..stranger.clone() },
        Random { key: genuine().key, document: genuine().document, ..stranger },
    ] {
        world.rejected(&changed, &[], "proof");
    }
    world.rejected(&Random { message: HexBytes(b"block 7".to_vec()), ..genuine() }, &[], "malformed");
}

#[test]
fn a_document_of_anything_else_vouches_for_no_number() {
    let world = World::seeded();
    let key = world.drawn.key.0[..].try_into().unwrap();
    let (oracle, root) = attested(&Statement::Oracle { tenant: TENANT, evm: [1; 20], neo: key });
    fs::write(&world.root, root).unwrap();
    let misled = Random { document: Some(STANDARD.encode(oracle)), ..world.drawn.clone() };
    world.rejected(&misled, &[], "random_key");
}
