//! `r3e release` from outside: what is written down, who may approve it, and what is refused. No appliance is needed.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use r3e_proto::channel::binding::{configuration_digest, pcr_extended_once};
use r3e_proto::release::{Change, Measured, SignedRelease};
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder in which the tool runs, with a home of its own.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.images("old.json", &[("1.4.0", 10)]);
        folder.images("new.json", &[("1.5.0", 20)]);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Reference values of images whose registers hold one byte repeated.
    fn images(&self, name: &str, images: &[(&str, u8)]) {
        let release = |(name, byte): &(&str, u8)| {
            let pcr = |index: u8| hex::encode([byte + index; 48]);
            json!({"name": name, "pcrs": {"0": pcr(0), "1": pcr(1), "2": pcr(2)}})
        };
        let releases: Vec<Value> = images.iter().map(release).collect();
        self.write(name, &json!({ "releases": releases }).to_string());
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_r3e"))
            .arg("release")
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn expect(&self, code: i32, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        output
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.expect(0, &[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Makes a release key, and says its public half.
    fn key(&self, name: &str) -> String {
        self.json(&["keygen", "--out", name])["public_key"].as_str().unwrap().to_owned()
    }

    fn sign(&self, key: &str) {
        self.expect(0, &["sign", "release.cbor", "--release-key", key, "--yes"]);
    }

    fn release(&self) -> SignedRelease {
        SignedRelease::decode(&std::fs::read(self.path("release.cbor")).unwrap()).unwrap()
    }
}

const NEW: [&str; 7] = ["new", "--image", "new.json", "--predecessor", "old.json", "--out", "release.cbor"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_release_goes_from_hand_to_hand_until_enough_have_signed() {
    let folder = Folder::new();
    let keys = ["a.pem", "b.pem", "c.pem"].map(|name| folder.key(name));
    let made = folder.json(&NEW);
    assert_eq!(made["version"], "1.5.0", "the image's name");
    assert_eq!(made["signatures"], json!([]));
    let release = folder.release().read_unverified().unwrap();
    assert_eq!(*release.pcrs(), [[20; 48], [21; 48], [22; 48]]);
    assert_eq!(release.predecessors(), [[[10; 48], [11; 48], [12; 48]]]);
    assert_eq!((release.minimum_sequence(), release.changes().len(), release.appliance()), (0, 0, None));

    let handoff = format!(
        "[operator]\npublic_key = \"{0}\"\n[unlock]\nprovider = \"ephemeral\"\n\
         [handoff]\nthreshold = 2\nkeys = [\"{0}\", \"{1}\", \"{2}\"]\n",
        keys[0], keys[1], keys[2]
    );
    folder.write("enclave.toml", &handoff);
    let verify = ["verify", "release.cbor", "--handoff", "enclave.toml", "--image", "new.json"];
    let refused = folder.expect(1, &verify);
    assert!(text(&refused.stderr).contains("0 of the 2 keys"), "{}", text(&refused.stderr));
    folder.sign("a.pem");
    folder.expect(1, &verify);
    folder.sign("c.pem");
    let verified = folder.json(&verify);
    assert_eq!((&verified["approved"], &verified["threshold"]), (&json!(true), &json!(2)));
    let by = json!([{"key": keys[0], "outcome": "approves"}, {"key": keys[2], "outcome": "approves"}]);
    assert_eq!(verified["signatures"], by);
    assert_eq!(verified["approval_digest"], made["approval_digest"], "each signs the same");

    // By keys instead of a configuration; other keys; another threshold; another image.
    let by_keys = |threshold: &str, keys: &[&String]| {
        let keys = keys.iter().flat_map(|key| ["--key", key.as_str()]);
        let arguments: Vec<&str> =
            ["verify", "release.cbor", "--threshold", threshold].into_iter().chain(keys).collect();
        folder.run(&arguments).status.code()
    };
    assert_eq!(by_keys("2", &[&keys[0], &keys[2]]), Some(0));
    assert_eq!(by_keys("2", &[&keys[0], &keys[1]]), Some(1));
    assert_eq!(by_keys("1", &[&keys[1]]), Some(1));
    assert_eq!(by_keys("3", &[&keys[0], &keys[1], &keys[2]]), Some(1));
    assert_eq!(by_keys("0", &[&keys[0]]), Some(2), "that is no policy");
    assert_eq!(by_keys("1", &[&"00".repeat(32)]), Some(2), "anybody can sign for that key");
    let mut other = verify;
    other[5] = "old.json";
    assert!(text(&folder.expect(1, &other).stderr).contains("names other PCRs"));
}

#[test]
fn a_changed_release_is_nobodys() {
    let folder = Folder::new();
    let key = folder.key("a.pem");
    folder.expect(0, &NEW);
    folder.sign("a.pem");
    let bytes = std::fs::read(folder.path("release.cbor")).unwrap();
    let at = bytes.windows(48).position(|window| window == [20; 48]).unwrap();
    let mut changed = bytes.clone();
    changed[at] ^= 1;
    std::fs::write(folder.path("release.cbor"), &changed).unwrap();
    let shown = folder.json(&["show", "release.cbor"]);
    assert_eq!(shown["signatures"][0]["outcome"], "does_not_hold");
    let refused = folder.expect(1, &["verify", "release.cbor", "--threshold", "1", "--key", &key, "--json"]);
    let refused: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(refused["error"]["code"], "release_not_approved");

    for wrong in [bytes[..bytes.len() - 1].to_vec(), Vec::new(), vec![0; 20_000]] {
        std::fs::write(folder.path("release.cbor"), wrong).unwrap();
        folder.expect(2, &["show", "release.cbor"]);
    }
}

#[test]
fn nothing_is_signed_unseen_twice_or_over_another_file() {
    let folder = Folder::new();
    folder.key("a.pem");
    folder.expect(0, &NEW);
    let unsigned = std::fs::read(folder.path("release.cbor")).unwrap();
    let asked = folder.expect(2, &["sign", "release.cbor", "--release-key", "a.pem"]);
    let said = text(&asked.stderr);
    assert!(said.contains("asks before it acts") && said.contains(&hex::encode([20; 48])), "{said}");
    assert_eq!(std::fs::read(folder.path("release.cbor")).unwrap(), unsigned);
    folder.sign("a.pem");
    let twice = folder.expect(2, &["sign", "release.cbor", "--release-key", "a.pem", "--yes"]);
    assert!(text(&twice.stderr).contains("has signed this release already"));
    assert!(text(&folder.expect(2, &NEW).stderr).contains("exists"), "signatures are not written over");
    assert_eq!(folder.release().signatures().len(), 1);
    assert!(!folder.path("release.cbor.new").exists());
}

#[test]
fn several_predecessors_and_what_is_no_release() {
    let folder = Folder::new();
    folder.images("several.json", &[("1.3.0", 30), ("1.2.0", 40)]);
    folder.images("debug.json", &[("1.5.0", 0)]);
    let new = |more: &[&str]| {
        std::fs::remove_file(folder.path("release.cbor")).ok();
        folder.run(&[&["new", "--out", "release.cbor"], more].concat())
    };
    let image = ["--image", "new.json"];
    let both = ["--predecessor", "old.json", "--predecessor", "several.json"];
    let made = new(&[&["2.0.0-rc.1"], &image[..], &both, &["--minimum-sequence", "18233"]].concat());
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let release = folder.release().read_unverified().unwrap();
    assert_eq!((release.version().to_string().as_str(), release.minimum_sequence()), ("2.0.0-rc.1", 18_233));
    assert_eq!(release.predecessors().iter().map(|pcrs| pcrs[0][0]).collect::<Vec<_>>(), [10, 30, 40]);

    for (wrong, says) in [
        ([&["1.5"][..], &image, &both].concat(), "not a version"),
        ([&["1.5.0+7"][..], &image, &both].concat(), "not a version"),
        ([&image[..]].concat(), "--predecessor"),
        ([&["--image", "several.json"][..], &both].concat(), "names 2 images"),
        ([&["--image", "debug.json"][..], &both].concat(), "debug mode"),
        ([&image[..], &["--predecessor", "old.json", "--predecessor", "old.json"]].concat(), "twice"),
        ([&image[..], &["--predecessor", "nowhere.json"]].concat(), "nowhere.json"),
    ] {
        let refused = new(&wrong);
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
        assert!(text(&refused.stderr).contains(says), "{wrong:?}: {}", text(&refused.stderr));
        assert!(!folder.path("release.cbor").exists());
    }
}

#[test]
fn a_release_is_for_one_appliance_where_it_says_so() {
    let folder = Folder::new();
    let identity = hex::encode([0x1d; 32]);
    let made = folder.json(&[&NEW[..], &["--appliance", &identity]].concat());
    assert_eq!(made["appliance"], json!(identity));
    assert_eq!(folder.release().read_unverified().unwrap().appliance(), Some(&[0x1d; 32]));
    let shown = text(&folder.expect(0, &["show", "release.cbor"]).stdout);
    assert!(shown.contains(&identity), "whoever signs sees for which: {shown}");

    std::fs::remove_file(folder.path("release.cbor")).unwrap();
    assert_eq!(folder.json(&NEW)["appliance"], Value::Null);
    let shown = text(&folder.expect(0, &["show", "release.cbor"]).stdout);
    assert!(shown.contains("any whose [handoff]"), "or that it is for any: {shown}");
}

/// Configurations in the folder: `ephemeral.toml`, `quorum.toml`, `kms.toml`, one that is none, and an appliance's attestation.
/// The text of the first three.
fn configurations(folder: &Folder) -> [String; 3] {
    let operator = format!("[operator]\npublic_key = \"{}\"\n", "07".repeat(32));
    let quorum = |threshold: u8| {
        let member = |byte: u8| {
            let (signing, encryption) = (hex::encode([byte; 32]), hex::encode([byte + 100; 32]));
            format!(
                "[[unlock.quorum.member]]\nname = \"m{byte}\"\nsigning_key = \"{signing}\"\n\
                 encryption_key = \"{encryption}\"\n"
            )
        };
        let members: String = [3, 4, 5].map(member).concat();
        format!(
            "{operator}[unlock]\nprovider = \"quorum\"\n[unlock.quorum]\nthreshold = {threshold}\n{members}"
        )
    };
    let ephemeral = format!("{operator}[unlock]\nprovider = \"ephemeral\"\n[egress]\nextra_roots = \"\"\n");
    let kms = format!("{operator}[unlock]\nprovider = \"aws-kms\"\n[unlock.aws_kms]\nappliance = \"a\"\n");
    folder.write("ephemeral.toml", &ephemeral);
    folder.write("quorum.toml", &quorum(2));
    folder.write("kms.toml", &kms);
    folder.write("none.toml", &quorum(4));
    let attested =
        json!({"accepted": true, "debug": false, "pcrs": {"16": "08".repeat(48), "17": "0a".repeat(48)}});
    folder.write("attested.json", &attested.to_string());
    let debug = json!({"accepted": true, "debug": true, "pcrs": attested["pcrs"]});
    folder.write("debug.json", &debug.to_string());
    folder.write("status.json", r#"{"version": "1"}"#);
    [ephemeral, quorum(2), kms]
}

/// What a configuration measures is computed as the enclave computes it, or taken from one that attested it.
#[test]
fn configurations_are_named_by_what_they_measure() {
    let folder = Folder::new();
    let [ephemeral, quorum, kms] = configurations(&folder);
    let pcr17 = hex::encode([9; 48]);
    let with = |more: &[&str]| {
        std::fs::remove_file(folder.path("release.cbor")).ok();
        folder.run(&[&NEW[..], more].concat())
    };
    let made = with(&[
        "--from-configuration",
        "ephemeral.toml",
        "--from-configuration",
        "kms.toml",
        "--from-pcr17",
        &pcr17,
        "--from-attested",
        "attested.json",
        "--to-configuration",
        "quorum.toml",
    ]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let extended = |bytes: &[u8]| pcr_extended_once(&configuration_digest(bytes));
    let member = |byte: u8| Member {
        name: format!("m{byte}"),
        signing_key: [byte; 32],
        encryption_key: [byte + 100; 32],
    };
    let policy = QuorumPolicy::new(2, [3, 4, 5].map(member).to_vec()).unwrap();
    let measured = |bytes: &[u8], unlock| Measured { configuration: extended(bytes), unlock };
    let to = measured(quorum.as_bytes(), extended(&policy.encode()));
    let expected = [
        measured(ephemeral.as_bytes(), extended(b"r3e/1/unlock/ephemeral")),
        measured(kms.as_bytes(), [9; 48]),
        Measured { configuration: [8; 48], unlock: [10; 48] },
    ]
    .map(|from| Change { from, to });
    assert_eq!(folder.release().read_unverified().unwrap().changes(), expected);
    let shown = folder.json(&["show", "release.cbor"]);
    assert_eq!(shown["changes"][1]["from"]["pcr17"], json!(pcr17));
    assert_eq!(shown["changes"][1]["to"]["pcr16"], json!(hex::encode(to.configuration)));

    let made =
        with(&["--from-attested", "attested.json", "--to-configuration", "kms.toml", "--to-pcr17", &pcr17]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let back = Change { from: expected[2].from, to: expected[1].from };
    assert_eq!(folder.release().read_unverified().unwrap().changes(), [back]);
}

#[test]
fn a_change_that_cannot_be_named_is_refused() {
    let folder = Folder::new();
    configurations(&folder);
    let pcr17 = hex::encode([9; 48]);
    let from = vec!["--from-configuration", "ephemeral.toml"];
    let to = vec!["--to-configuration", "quorum.toml"];
    for (wrong, says) in [
        ([vec!["--from-configuration", "kms.toml"], to.clone()].concat(), "--from-attested"),
        (vec!["--from-attested", "attested.json", "--to-configuration", "kms.toml"], "--to-pcr17"),
        ([vec!["--from-configuration", "none.toml"], to.clone()].concat(), "fewer members"),
        ([vec!["--from-configuration", "new.json"], to.clone()].concat(), "no configuration"),
        ([vec!["--from-attested", "debug.json"], to.clone()].concat(), "debug mode"),
        ([vec!["--from-attested", "status.json"], to.clone()].concat(), "attest --json"),
        ([vec!["--from-pcr17", &pcr17], to.clone()].concat(), "--from-configuration"),
        (vec!["--from-attested", "attested.json", "--to-pcr17", &pcr17], "--to-configuration"),
        (
            [vec!["--from-configuration", "kms.toml", "--from-pcr17", "09"], to.clone()].concat(),
            "96 hex digits",
        ),
        ([from.clone(), from.clone(), to.clone()].concat(), "twice"),
        ([from.clone(), to.clone(), to.clone()].concat(), "--to-configuration"),
        ([from.clone(), to.clone(), vec!["--to-attested", "attested.json"]].concat(), "--to-attested"),
        (from.clone(), "--to-configuration"),
        (to.clone(), "--from-configuration"),
        ([from.clone(), vec!["--to-configuration", "ephemeral.toml"]].concat(), "one way"),
        ([from, vec!["--from-configuration", "quorum.toml"], to].concat(), "one way"),
        (vec!["--appliance", "07"], "64 hex digits"),
        (vec!["--appliance", &pcr17], "64 hex digits"),
    ] {
        let refused = folder.run(&[&NEW[..], &wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
        assert!(text(&refused.stderr).contains(says), "{wrong:?}: {}", text(&refused.stderr));
    }
    let refused = folder.run(&["verify", "release.cbor", "--handoff", "quorum.toml"]);
    assert_eq!(refused.status.code(), Some(2), "there is no release, and no [handoff]");
}
