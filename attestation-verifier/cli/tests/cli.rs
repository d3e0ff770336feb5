//! The tool as its users run it: real documents, formats, exit statuses, the printed object.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

#[path = "../../tests/generator/mod.rs"]
mod generator;
mod pem;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use pem::pem;
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

fn verify_with_input(args: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_r3e-verify"))
        .args(args)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The tool may end without reading its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn verify(args: &[&str]) -> Run {
    verify_with_input(args, b"")
}

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name)
}

const R04: &str = "r04_qos_2022-07-06.bin";
const R10: &str = "r10_evervault_2023-09-18_debug.bin";
const R14: &str = "r14_base_2024-11-30_pk65.bin";
const R19: &str = "r19_dstack_2025-12-25_indef.bin";

/// What the document itself claims, as options: `--pcr N=HEX` for PCR0 to 2.
fn own_pcrs(name: &str) -> Vec<String> {
    let seen = verify(&["inspect", vector(name).to_str().unwrap(), "--json"]).json();
    (0..3)
        .map(|index| format!("--pcr={index}={}", seen["pcrs"][index.to_string()].as_str().unwrap()))
        .collect()
}

/// `document FILE`, its own PCRs, and `more`.
fn verify_own(name: &str, more: &[&str]) -> Run {
    let (file, pcrs) = (vector(name), own_pcrs(name));
    let mut args = vec!["document", file.to_str().unwrap(), "--json"];
    args.extend(pcrs.iter().map(String::as_str));
    args.extend(more);
    verify(&args)
}

fn assert_rejected(run: &Run, status: i32, reason: &str) {
    let report = run.json();
    assert_eq!((run.status, report["reason"].as_str()), (status, Some(reason)), "{report:#}");
    assert_eq!(report["accepted"], Value::Bool(false));
    assert!(!report["message"].as_str().unwrap().is_empty());
}

#[test]
fn real_documents_at_their_own_time() {
    for (name, secs, written) in [
        (R04, "1657117102", "2022-07-06T14:18:23Z"),
        (R14, "1732983768", "2024-11-30T16:22:49Z"),
        (R19, "1766678659", "2025-12-25T16:04:20Z"),
    ] {
        for at in [secs, written] {
            let run = verify_own(name, &["--at", at]);
            let report = run.json();
            assert_eq!((run.status, &report["accepted"]), (0, &Value::Bool(true)), "{name}: {report:#}");
            assert_eq!(report["reason"], "accepted");
            assert_eq!(report["root"], "aws_nitro_g1");
            assert_eq!(report["seen"]["debug"], Value::Bool(false));
        }
        assert_rejected(&verify_own(name, &[]), 1, "expired");
        assert_rejected(&verify_own(name, &["--at", "2020-01-01T00:00:00Z"]), 1, "not_yet_valid");
        // The document was made at the end of the second `secs`.
        assert_rejected(&verify_own(name, &["--at", secs, "--clock-skew", "0"]), 1, "from_the_future");
        let hour_later = (secs.parse::<u64>().unwrap() + 3600).to_string();
        assert_rejected(&verify_own(name, &["--at", &hour_later, "--max-age", "60"]), 1, "too_old");
        assert_eq!(verify_own(name, &["--at", &hour_later]).status, 0);
    }
}

#[test]
fn the_debug_document() {
    let at = ["--at", "2023-09-18T15:03:31Z"];
    let run = verify_own(R10, &at);
    assert_rejected(&run, 1, "debug");
    assert_eq!(run.json()["authentic"], Value::Bool(true));
    let allowed = verify_own(R10, &[at[0], at[1], "--allow-debug"]);
    assert_eq!(allowed.status, 0, "{}", allowed.out);
    assert!(allowed.json()["message"].as_str().unwrap().contains("DEBUG"));
    assert_rejected(&verify_own(R10, &[]), 1, "expired");
}

#[test]
fn formats_and_standard_input() {
    let binary = std::fs::read(vector(R14)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let wrapped: String = BASE64_STANDARD
        .encode(&binary)
        .as_bytes()
        .chunks(76)
        .map(|line| str::from_utf8(line).unwrap().to_owned() + "\n")
        .collect();
    let pcrs = own_pcrs(R14);
    let policy: Vec<&str> = pcrs.iter().map(String::as_str).chain(["--at", "1732983769"]).collect();
    for (format, content) in [
        ("bin", binary.clone()),
        ("hex", hex::encode(&binary).into_bytes()),
        ("hex", (hex::encode_upper(&binary) + "\n").into_bytes()),
        ("base64", wrapped.into_bytes()),
    ] {
        let file = folder.path().join(format);
        std::fs::write(&file, &content).unwrap();
        for format in ["auto", format] {
            let file = file.to_str().unwrap();
            let run = verify(&[&["document", file, "--format", format][..], &policy].concat());
            assert_eq!(run.status, 0, "{format}: {}", run.out);
            let run =
                verify_with_input(&[&["document", "-", "--format", format][..], &policy].concat(), &content);
            assert_eq!(run.status, 0, "{format} from standard input: {}", run.out);
        }
    }
    for (format, content) in [
        ("hex", &b"84zz"[..]),
        ("base64", b"hE*"),
        ("auto", b"84zz"),
        ("auto", b"hE*"),
        ("auto", b""),
        ("auto", b"{}"),
        ("bin", b"84a1"),
    ] {
        let run = verify_with_input(
            &[&["document", "-", "--json", "--format", format][..], &policy].concat(),
            content,
        );
        assert_rejected(&run, 1, "malformed");
        let run = verify_with_input(&["inspect", "-", "--json", "--format", format], content);
        assert_rejected(&run, 1, "malformed");
    }
    let endless = vec![0x84; 1 << 20];
    let run = verify_with_input(&[&["document", "-", "--json"][..], &policy].concat(), &endless);
    assert_rejected(&run, 1, "malformed");
}

#[test]
fn a_policy_is_needed() {
    let file = vector(R14);
    let file = file.to_str().unwrap();
    let zeros = format!("4={}", "00".repeat(48));
    for policy in [&[][..], &["--nonce", "00"], &["--pcr", &zeros], &["--allow-debug"], &["--max-age", "1"]] {
        assert_rejected(&verify(&[&["document", file, "--json"], policy].concat()), 2, "no_policy");
        let run = verify(&[&["document", file], policy].concat());
        assert_eq!((run.status, run.out.as_str()), (2, ""));
        assert!(run.err.contains("--reference-values"), "{}", run.err);
    }
}

#[test]
fn reference_values_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let release = |name: &str| {
        let pcrs = own_pcrs(name).iter().enumerate().fold(String::new(), |all, (index, option)| {
            let comma = if index == 0 { "" } else { "," };
            format!("{all}{comma}\"{index}\":\"{}\"", option.rsplit('=').next().unwrap())
        });
        format!("{{\"name\":\"{name}\",\"pcrs\":{{{pcrs}}}}}")
    };
    let write = |name: &str, json: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, json).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let both = write("both.json", &format!("{{\"releases\":[{},{}]}}", release(R14), release(R19)));
    let other = write("other.json", &format!("{{\"releases\":[{}]}}", release(R19)));
    let broken = write("broken.json", "{\"releases\":[]}");
    let document = vector(R14);
    let run = |path: &str| {
        verify(&[
            "document",
            document.to_str().unwrap(),
            "--json",
            "--at",
            "1732983769",
            "--reference-values",
            path,
        ])
    };
    assert_eq!(run(&both).json()["matched_release"], R14);
    let mismatch = run(&other);
    assert_rejected(&mismatch, 1, "pcr_mismatch");
    let differences = mismatch.json()["differences"].as_array().unwrap().clone();
    assert_eq!(differences.len(), 3);
    assert!(differences[0]["found"].as_str().unwrap().starts_with("ec74bfbe"));
    assert!(differences[0]["expected"].as_str().unwrap().starts_with("eb7d0dab"));
    assert_rejected(&run(&broken), 2, "bad_reference_values");
    assert_rejected(&run("/nowhere/reference.json"), 2, "unreadable");
}

#[test]
fn bindings() {
    let at = ["--at", "1657117103"];
    let seen = verify(&["inspect", vector(R04).to_str().unwrap(), "--json"]).json();
    let user_data = seen["user_data"].as_str().unwrap();
    assert_eq!(verify_own(R04, &[at[0], at[1], "--user-data", user_data]).status, 0);
    assert_rejected(&verify_own(R04, &[at[0], at[1], "--user-data", &user_data[2..]]), 1, "user_data");
    assert_rejected(&verify_own(R04, &[at[0], at[1], "--nonce", "00"]), 1, "nonce");
    assert_rejected(&verify_own(R04, &[at[0], at[1], "--public-key", "00"]), 1, "public_key");
}

#[test]
fn a_test_root_is_loud() {
    let spec = generator::Spec::valid();
    let certificates = generator::certificate::build(&spec.certs);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let root = path("root.pem", pem(&certificates[0]).as_bytes());
    let other =
        path("other.pem", pem(&generator::certificate::build(&generator::Spec::valid().certs)[0]).as_bytes());
    let broken = path("broken.pem", b"-----BEGIN CERTIFICATE-----\n");
    let document = path("document", &spec.build_from(certificates));
    let at = generator::NOW_SECS.to_string();
    let pcrs: Vec<String> =
        (0..3).map(|index| format!("--pcr={index}={}", hex::encode(generator::pcr(index)))).collect();
    let run = |more: &[&str]| {
        let mut args = vec!["document", &document, "--json", "--at", &at];
        args.extend(pcrs.iter().map(String::as_str));
        args.extend(more);
        verify(&args)
    };
    let accepted = run(&["--test-root", &root]);
    assert_eq!(accepted.status, 0, "{}", accepted.out);
    assert_eq!(accepted.json()["root"], "unsafe_test");
    assert!(accepted.json()["message"].as_str().unwrap().contains("TEST ROOT"));
    assert_rejected(&run(&[]), 1, "untrusted_root");
    assert_rejected(&run(&["--test-root", &other]), 1, "untrusted_root");
    assert_rejected(&run(&["--test-root", &broken]), 2, "bad_test_root");
}

#[test]
fn wrong_usage_is_status_2() {
    let pcr = format!("0={}", "ab".repeat(48));
    let conflicting = format!("0={}", "cd".repeat(48));
    for args in [
        &[][..],
        &["frobnicate"],
        &["document"],
        &["document", "x", "--pcr", "0=12"],
        &["document", "x", "--pcr", "99=00"],
        &["document", "x", "--at", "yesterday"],
        &["document", "x", "--nonce", "xyz"],
        &["document", "x", "--format", "xml"],
        &["document", "/nowhere", "--pcr", &pcr],
        &["document", "/", "--pcr", &pcr],
        &["document", "x", "--pcr", &pcr, "--pcr", &conflicting],
        &["inspect", "/nowhere"],
        &["completions", "tcsh97"],
    ] {
        let run = verify(args);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}");
        assert!(!run.err.is_empty());
    }
}

#[test]
fn people_read_it_too() {
    let file = vector(R14);
    let pcrs = own_pcrs(R14);
    let args: Vec<&str> = ["document", file.to_str().unwrap(), "--at", "1732983769"]
        .into_iter()
        .chain(pcrs.iter().map(String::as_str))
        .collect();
    let run = verify(&args);
    assert!(run.out.starts_with("ACCEPTED: every check passed\n"), "{}", run.out);
    assert!(run.out.contains("i-0de38b2b6853cc9e8-enc0193685e7fee7d85"));
    let run = verify(
        &args[..args.len() - 3]
            .iter()
            .copied()
            .chain(["--pcr=0=".to_owned() + &"ab".repeat(48)].iter().map(String::as_str))
            .collect::<Vec<_>>(),
    );
    assert!(run.out.starts_with("REJECTED (pcr_mismatch): "), "{}", run.out);
    assert!(
        run.out.contains("PCR0 expected   abab") && run.out.contains("PCR0 found      ec74bf"),
        "{}",
        run.out
    );
    let run = verify(&["inspect", file.to_str().unwrap()]);
    assert_eq!(run.status, 0);
    assert!(
        run.out.starts_with("UNVERIFIED") && run.out.contains("(the bytes of the AWS root)"),
        "{}",
        run.out
    );
    for shell in ["bash", "zsh", "fish"] {
        let run = verify(&["completions", shell]);
        assert!(run.status == 0 && run.out.contains("reference-values"), "{shell}");
    }
    let help = verify(&["document", "--help"]);
    assert!(help.status == 0 && help.out.contains("Examples:") && help.out.contains("Exit status:"));
}
