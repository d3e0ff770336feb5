//! The tool as its users run it: what it prints, its exit statuses, and what it leaves behind.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use r3e_eif_format::Image;
use r3e_eif_format::cpio::Archive;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use serde_json::Value;

struct Run {
    status: i32,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {} {}", self.out, self.err))
    }
}

fn eif(args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_r3e-eif")).args(args).env_clear().output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("format/vectors").join(name);
    path.to_str().unwrap().to_owned()
}

fn two_ramdisks() -> Vec<u8> {
    fs::read(vector("two-ramdisks.eif")).unwrap()
}

/// A folder with files in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// The image with another first ramdisk, command line or anything, written again.
fn changed(folder: &Folder, name: &str, change: impl FnOnce(&mut Image<'_>)) -> String {
    let bytes = two_ramdisks();
    let mut image = Image::decode(&bytes).unwrap();
    change(&mut image);
    folder.file(name, &image.encode().unwrap())
}

#[test]
fn measure_prints_the_registers() {
    let stated: Value = serde_json::from_slice(&fs::read(vector("measurements.json")).unwrap()).unwrap();
    for (name, count) in [("one-ramdisk.eif", 3), ("two-ramdisks.eif", 3), ("signed.eif", 4)] {
        let run = eif(&["measure", &vector(name), "--json"]);
        assert_eq!(run.status, 0, "{}", run.err);
        let report = run.json();
        let pcrs = report["pcrs"].as_object().unwrap();
        assert_eq!(pcrs.len(), count, "{name}");
        for (index, pcr) in pcrs {
            assert_eq!(*pcr, stated[name][format!("PCR{index}")], "{name}, PCR{index}");
        }
        let human = eif(&["measure", &vector(name)]);
        assert_eq!(human.out.lines().count(), count);
        assert!(human.out.starts_with(&format!("PCR0  {}\n", pcrs["0"].as_str().unwrap())));
    }
}

#[test]
fn images_that_are_refused_and_files_that_cannot_be_read() {
    let folder = Folder::new();
    let image = two_ramdisks();
    let (mut damaged, no_image) = (image.clone(), folder.file("text", b"no image at all"));
    damaged[2000] ^= 1;
    let (damaged, cut) = (folder.file("damaged.eif", &damaged), folder.file("cut.eif", &image[..1000]));
    let good = vector("two-ramdisks.eif");
    for (refused, says) in [(&damaged, "checksum"), (&cut, "not saved whole"), (&no_image, ".eif")] {
        for args in [
            vec!["measure", refused],
            vec!["describe", refused],
            vec!["diff", refused, &good],
            vec!["diff", &good, refused],
            vec!["reference-values", refused, "--name", "x"],
        ] {
            let run = eif(&args);
            assert_eq!(run.status, 1, "{args:?}");
            assert!(run.err.contains(says) && run.out.is_empty(), "{args:?}: {} {}", run.err, run.out);
        }
        let run = eif(&["measure", refused, "--json"]);
        assert_eq!((run.status, &run.json()["error"]), (1, &Value::from("refused")));
    }
    let (missing, directory) = (folder.path("missing.eif"), folder.path(""));
    for unreadable in [&missing, &directory] {
        for args in [
            vec!["measure", unreadable, "--json"],
            vec!["describe", unreadable, "--json"],
            vec!["diff", &good, unreadable, "--json"],
        ] {
            let run = eif(&args);
            assert_eq!(run.status, 2, "{args:?}");
            assert_eq!(run.json()["error"], "unusable");
        }
    }
    for wrong in [&[][..], &["measure"], &["measure", &good, "--jsn"], &["diff", &good], &["unknown"]] {
        assert_eq!(eif(wrong).status, 2, "{wrong:?}");
    }
}

#[test]
fn describe_shows_all_and_says_what_is_measured() {
    let run = eif(&["describe", &vector("signed.eif"), "--json"]);
    assert_eq!(run.status, 0, "{}", run.err);
    let report = run.json();
    let measured: Vec<_> = report["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| (section["kind"].as_str().unwrap(), section["measured_in"].to_string()))
        .collect();
    let expected = [
        ("kernel", "[0,1]"),
        ("command line", "[0,1]"),
        ("metadata", "[]"),
        ("ramdisk", "[0,1]"),
        ("ramdisk", "[0,2]"),
        ("signature", "[8]"),
    ];
    assert_eq!(measured, expected.map(|(kind, pcrs)| (kind, pcrs.to_owned())));
    let runner = &report["ramdisks"][1]["files"][5];
    assert_eq!(runner["path"], "usr/bin/runner");
    assert_eq!(runner["permissions"], "0555");
    // printf 12345 | sha256sum
    assert_eq!(runner["sha256"], "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5");
    assert_eq!(report["signature"]["valid"], true);
    assert_eq!(report["unmeasured"]["metadata"]["ImageName"], "vector");

    let human = eif(&["describe", &vector("signed.eif")]).out;
    let (measured, unmeasured) = human.split_once("NOT MEASURED").unwrap();
    assert!(measured.contains("usr/bin/r3e-enclave") && measured.contains("character device 10:144"));
    assert!(unmeasured.contains("\"ImageName\": \"vector\"") && !measured.contains("ImageName"));
}

#[test]
fn describe_escapes_what_a_stranger_wrote() {
    let folder = Folder::new();
    let image = changed(&folder, "hostile.eif", |image| {
        image.command_line = b"quiet\x1b[2J\nPCR0  0000";
        image.metadata = b"not JSON \x1b[1m";
        image.ramdisks[1] = b"\x1f\x8b\x08 compressed";
    });
    let run = eif(&["describe", &image]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(!run.out.contains('\x1b'), "{}", run.out);
    assert!(run.out.contains("quiet\\u{1b}[2J\\nPCR0  0000"));
    assert!(run.out.contains("cannot be listed: this is no plain `newc` archive"));
}

#[test]
fn the_same_images_do_not_differ() {
    let run = eif(&["diff", &vector("signed.eif"), &vector("signed.eif")]);
    assert_eq!((run.status, run.out.as_str()), (0, "The images are the same, byte for byte.\n"));
    let run = eif(&["diff", &vector("signed.eif"), &vector("signed.eif"), "--json"]).json();
    assert_eq!((&run["same"], run["differences"].as_array().map(Vec::len)), (&Value::Bool(true), Some(0)));
}

#[test]
fn diff_names_each_file_and_the_registers_it_moves() {
    let folder = Folder::new();
    let bytes = two_ramdisks();
    let original = Image::decode(&bytes).unwrap();
    let mut application = Archive::new();
    for (path, entry) in Archive::decode(original.ramdisks[1]).unwrap().entries() {
        let mut content = match &entry.node {
            r3e_eif_format::cpio::Node::File(content) => content.to_vec(),
            r3e_eif_format::cpio::Node::Directory => {
                application.directory(path, entry.permissions).unwrap();
                continue;
            }
            _ => continue,
        };
        match path {
            "usr/bin/empty" => continue,
            "usr/bin/r3e-enclave" => content[300] ^= 1,
            _ => {}
        }
        application.file(path, entry.permissions | 0o200, content).unwrap();
    }
    application.symlink("usr-local", "usr/elsewhere").unwrap();
    application.file("usr/bin/new", 0o755, b"new".as_slice()).unwrap();
    let application = application.encode().unwrap();
    let other = changed(&folder, "other.eif", |image| {
        let parts = (original.kernel, original.ramdisks[0]);
        assert_eq!((image.kernel, image.ramdisks[0]), parts);
        image.command_line = b"reboot=k panic=31";
        image.metadata = b"{}";
        image.default_cpus = 4;
        image.ramdisks = vec![image.ramdisks[0], Box::leak(application.into_boxed_slice())];
    });
    let run = eif(&["diff", &vector("two-ramdisks.eif"), &other, "--json"]);
    assert_eq!(run.status, 1);
    let report = run.json();
    assert_eq!((&report["same"], &report["same_measurements"]), (&false.into(), &false.into()));
    let found: Vec<_> = report["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|difference| {
            let text = |name: &str| difference[name].as_str().unwrap().to_owned();
            let pcrs = difference["pcrs"].to_string();
            (text("what"), text("change"), pcrs, difference["from_byte"].as_u64())
        })
        .collect();
    let expected = [
        ("command line", "changed", "[0,1]", Some(16)),
        ("ramdisk 1: usr-local", "changed", "[0,2]", None),
        ("ramdisk 1: usr/bin/empty", "removed", "[0,2]", None),
        ("ramdisk 1: usr/bin/new", "added", "[0,2]", None),
        ("ramdisk 1: usr/bin/r3e-enclave", "changed", "[0,2]", Some(300)),
        ("ramdisk 1: usr/bin/runner", "changed", "[0,2]", None),
        ("metadata", "changed", "[]", Some(1)),
        ("default processors", "changed", "[]", None),
    ];
    let expected: Vec<_> = expected
        .map(|(what, change, pcrs, at)| (what.to_owned(), change.to_owned(), pcrs.to_owned(), at))
        .into();
    assert_eq!(found, expected);
}

#[test]
fn diff_tells_what_no_register_sees() {
    let folder = Folder::new();
    let renamed = changed(&folder, "renamed.eif", |image| image.metadata = b"{}");
    let run = eif(&["diff", &vector("two-ramdisks.eif"), &renamed]);
    assert_eq!(run.status, 1);
    assert!(run.out.starts_with("The measurements agree. What differs is measured by nothing:\n"));

    // The command line's first byte becomes the kernel's last: the joined content is the same.
    let bytes = two_ramdisks();
    let original = Image::decode(&bytes).unwrap();
    let (first, rest) = original.command_line.split_at(1);
    let kernel = [original.kernel, first].concat();
    let mut image = original.clone();
    (image.kernel, image.command_line) = (&kernel, rest);
    let moved = folder.file("moved.eif", &image.encode().unwrap());
    let run = eif(&["diff", &vector("two-ramdisks.eif"), &moved]);
    assert_eq!(run.status, 1);
    assert!(run.out.starts_with("The measurements agree, and yet measured content differs"), "{}", run.out);
}

#[test]
fn diff_falls_back_to_bytes_for_a_foreign_ramdisk() {
    let folder = Folder::new();
    let foreign = changed(&folder, "foreign.eif", |image| image.ramdisks[0] = b"0707\x1f\x8b compressed");
    let run = eif(&["diff", &vector("two-ramdisks.eif"), &foreign]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("~ ramdisk 0: 732 bytes became 17 bytes; B cannot be listed"), "{}", run.out);
    assert!(run.out.contains("from byte 4 on  [PCR0, PCR1]"), "{}", run.out);
}

#[test]
fn reference_values_are_written_whole() {
    let folder = Folder::new();
    let out = folder.path("reference-values.json");
    let args = ["reference-values", &vector("signed.eif"), "--name", "1.4.0"];
    let printed = eif(&args);
    let run = eif(&[&args[..], &["--out", &out]].concat());
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{}", run.err);
    assert_eq!(fs::read_to_string(&out).unwrap(), printed.out);
    assert_eq!(folder.names(), ["reference-values.json"]);
    let release = &printed.json()["releases"][0];
    assert_eq!(release["name"], "1.4.0");
    assert_eq!(release["pcrs"], eif(&["measure", &vector("signed.eif"), "--json"]).json()["pcrs"]);
    for name in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(eif(&["reference-values", &vector("signed.eif"), "--name", name]).status, 2);
    }
    let nowhere = folder.path("no/such/folder/out.json");
    assert_eq!(eif(&[&args[..], &["--out", &nowhere]].concat()).status, 2);
}

struct Signer {
    key: String,
    certificate: String,
}

fn signer(folder: &Folder, name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Signer {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    Signer {
        key: folder.file(&format!("{name}.key"), key.serialize_pem().as_bytes()),
        certificate: folder.file(&format!("{name}.pem"), certificate.pem().as_bytes()),
    }
}

#[test]
fn sign_adds_pcr8_and_nothing_else() {
    let folder = Folder::new();
    let Signer { key, certificate } = signer(&folder, "release", &PKCS_ECDSA_P384_SHA384);
    let out = folder.path("signed.eif");
    let unsigned = vector("two-ramdisks.eif");
    let sign =
        |file: &str| eif(&["sign", file, "--key", &key, "--cert", &certificate, "--out", &out, "--json"]);
    let run = sign(&unsigned);
    assert_eq!(run.status, 0, "{}", run.err);
    let measured = eif(&["measure", &out, "--json"]).json();
    assert_eq!(run.json()["pcrs"], measured["pcrs"]);
    let before = eif(&["measure", &unsigned, "--json"]).json();
    for index in ["0", "1", "2"] {
        assert_eq!(before["pcrs"][index], measured["pcrs"][index]);
    }
    assert!(before["pcrs"]["8"].is_null() && measured["pcrs"]["8"].is_string());
    assert_eq!(fs::read(&unsigned).unwrap(), two_ramdisks(), "the image that was given is as it was");

    // Again, in place: another signature, the same measurements.
    let first = fs::read(&out).unwrap();
    assert_eq!(sign(&out).status, 0);
    assert!(fs::read(&out).unwrap() != first);
    assert_eq!(eif(&["measure", &out, "--json"]).json()["pcrs"], measured["pcrs"]);
    let copy = folder.file("first.eif", &first);
    let run = eif(&["diff", &copy, &out]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("What differs is measured by nothing") && run.out.contains("signature"));
    assert_eq!(folder.names(), ["first.eif", "release.key", "release.pem", "signed.eif"]);
}

#[test]
fn sign_refuses_what_does_not_fit_and_writes_nothing() {
    let folder = Folder::new();
    let p384 = signer(&folder, "a", &PKCS_ECDSA_P384_SHA384);
    let other = signer(&folder, "b", &PKCS_ECDSA_P384_SHA384);
    let p256 = signer(&folder, "c", &PKCS_ECDSA_P256_SHA256);
    let (out, image) = (folder.path("out.eif"), vector("two-ramdisks.eif"));
    let huge = folder.file("huge.key", &vec![b'-'; 1 << 20]);
    let before = folder.names();
    for (key, certificate, status, says) in [
        (&p384.key, &other.certificate, 1, "not of this private key"),
        (&p256.key, &p256.certificate, 1, "P-384"),
        (&p384.certificate, &p384.certificate, 1, "no private key"),
        (&huge, &p384.certificate, 1, "too long"),
        (&folder.path("missing.key"), &p384.certificate, 2, "cannot read"),
    ] {
        let run = eif(&["sign", &image, "--key", key, "--cert", certificate, "--out", &out]);
        assert_eq!(run.status, status, "{}", run.err);
        assert!(run.err.contains(says), "{}", run.err);
    }
    assert_eq!(folder.names(), before);
}

#[test]
fn an_image_with_anothers_signature_is_shown_and_refused() {
    let folder = Folder::new();
    let signed = fs::read(vector("signed.eif")).unwrap();
    let mut image = Image::decode(&signed).unwrap();
    image.command_line = b"another command line";
    let forged = folder.file("forged.eif", &image.encode().unwrap());
    let run = eif(&["measure", &forged]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("made for another image") && run.out.is_empty());
    let run = eif(&["describe", &forged, "--json"]);
    assert_eq!((run.status, &run.json()["signature"]["valid"]), (1, &Value::Bool(false)));
    assert!(run.json()["pcrs"]["8"].is_null());
    assert!(eif(&["describe", &forged]).out.contains("SIGNATURE REFUSED"));
    assert_eq!(eif(&["reference-values", &forged, "--name", "x"]).status, 1);
}

#[test]
fn help_and_completions() {
    for command in ["measure", "describe", "diff", "reference-values", "sign", "completions"] {
        let help = eif(&[command, "--help"]);
        assert_eq!(help.status, 0);
        assert!(help.out.contains("Example"), "{command} has no example");
    }
    for shell in ["bash", "zsh", "fish"] {
        let run = eif(&["completions", shell]);
        assert!(run.status == 0 && run.out.contains("reference-values"), "{shell}");
    }
}
