//! Who may use whom. A crate that can reach less can be misused for less, and can be read without the rest.

use std::collections::BTreeSet;
use std::fs;

use r3e_rules::{Package, Workspace, linked_by, read, root};

/// What each crate may use of ours, development dependencies included. Every member of the workspace is here or
/// under `tests/`, which may use anything.
const ALLOWED: [(&str, &[&str]); 24] = [
    ("r3e-cbor", &[]),
    ("r3e-transport", &[]),
    ("r3e-vrf", &[]),
    ("r3e-neo", &[]),
    ("r3e-groth16", &[]),
    ("r3e-groth16-prover", &["r3e-groth16"]),
    ("r3e-range-proof", &["r3e-proto"]),
    ("r3e-attester", &[]),
    ("r3e-runner-api", &[]),
    ("r3e-init", &[]),
    ("r3e-eif-format", &[]),
    ("r3e-eif", &["r3e-eif-format"]),
    ("r3e-proto", &["r3e-cbor", "r3e-neo"]),
    ("r3e-attestation", &["r3e-cbor"]),
    ("r3e-sandbox", &["r3e-runner-api"]),
    ("r3e-runner", &["r3e-sandbox", "r3e-runner-api"]),
    ("r3e-bundler", &["r3e-sandbox", "r3e-runner-api"]),
    ("r3e-prover", &["r3e-sandbox", "r3e-runner-api", "r3e-proto", "r3e-range-proof", "r3e-groth16"]),
    ("r3e-wasm-runner", &["r3e-sandbox", "r3e-runner-api"]),
    ("r3e-csharp-runner", &["r3e-sandbox", "r3e-runner-api"]),
    ("r3e-parent", &["r3e-proto", "r3e-transport", "r3e-eif-format"]),
    ("r3e-verify", &["r3e-attestation", "r3e-proto", "r3e-cbor", "r3e-vrf"]),
    (
        "r3e-client",
        &[
            "r3e-attestation",
            "r3e-proto",
            "r3e-neo",
            "r3e-cbor",
            "r3e-range-proof",
            "r3e-groth16",
            "r3e-groth16-prover",
        ],
    ),
    // What an author runs: the appliance's parts for functions, without what is worth attesting.
    (
        "r3e-dev",
        &[
            "r3e-proto",
            "r3e-transport",
            "r3e-keys",
            "r3e-store",
            "r3e-egress",
            "r3e-functions",
            "r3e-zk",
            "r3e-parent",
            "r3e-client",
        ],
    ),
];

/// The layers of the enclave: each may use those before it, the first eight of them excepted, which have rows of their own.
const LAYERS: [&str; 21] = [
    "r3e-proto",
    "r3e-cbor",
    "r3e-transport",
    "r3e-vrf",
    "r3e-range-proof",
    "r3e-groth16",
    "r3e-neo",
    "r3e-runner-api",
    "r3e-attester",
    "r3e-keys",
    "r3e-store",
    "r3e-egress",
    "r3e-chain",
    "r3e-transactions",
    "r3e-oracle",
    "r3e-feeds",
    "r3e-functions",
    "r3e-zk",
    "r3e-ledger",
    "r3e-jobs",
    "r3e-triggers",
];

/// What the enclave itself may use beside all layers: to appraise another appliance, the one it succeeds or one that witnesses.
const OF_THE_ENCLAVE: [&str; 1] = ["r3e-attestation"];

/// What a crate may use of ours; none where no rule is known.
fn allowed(name: &str) -> Option<Vec<&'static str>> {
    if let Some((_, allowed)) = ALLOWED.iter().find(|(package, _)| *package == name) {
        return Some(allowed.to_vec());
    }
    if name == "r3e-enclave" {
        return Some([&LAYERS[..], &OF_THE_ENCLAVE].concat());
    }
    let place = LAYERS.iter().position(|layer| *layer == name)?;
    Some(LAYERS[..place].to_vec())
}

/// Packages that must not be linked into an enclave, and why.
const DENIED: [(&str, &str); 11] = [
    ("rsa", "RUSTSEC-2023-0071, a timing side channel without a fix"),
    ("ring", "a second cryptographic library beside aws-lc-rs; 0.16 is unmaintained"),
    ("openssl", "a C library that the image does not have"),
    ("openssl-sys", "a C library that the image does not have"),
    ("sled", "its flush is no fsync, and the enclave has no disk"),
    ("ethers", "deprecated"),
    ("neo3", "makes transactions that no node accepts"),
    ("deno_core", "an engine for tenants' code belongs into the runner's process"),
    ("wasmtime", "a compiler and an engine for tenants' code belong into processes of their own"),
    ("deno_ast", "a parser of tenants' code belongs into the bundler's process"),
    ("r3e-fake-nsm", "a fake attestation device"),
];

#[test]
fn crates_use_only_what_the_rule_allows() {
    let workspace = Workspace::load();
    let ours: BTreeSet<&str> = workspace.members.iter().map(|package| package.name.as_str()).collect();
    let mut broken = Vec::new();
    for package in workspace.members.iter().filter(|package| !is_test(package)) {
        let Some(allowed) = allowed(&package.name) else {
            broken.push(format!("{} is not in the tables of this test", package.name));
            continue;
        };
        for used in package.dependencies.iter().filter(|name| ours.contains(name.as_str())) {
            if !allowed.contains(&used.as_str()) {
                broken.push(format!("{} must not use {used}", package.name));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn the_table_names_packages_that_exist() {
    let workspace = Workspace::load();
    let rows = ALLOWED.iter().flat_map(|(name, allowed)| allowed.iter().chain([name]));
    for name in rows.chain(&LAYERS).chain(&OF_THE_ENCLAVE) {
        assert!(workspace.member(name).is_some(), "{name}");
    }
}

/// Packages of ours in which the arithmetic of curves is instantiated: not optimised, it takes many times as long.
const COMPUTING: [&str; 2] = ["r3e-groth16", "r3e-groth16-prover"];

/// The profile's defaults are for other people's packages; ours, left to them, would lose the line numbers of their panics and be
/// long to compile.
#[test]
fn the_profile_names_every_member() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    let packages = manifest["profile"]["dev"]["package"].as_table().expect("settings of packages");
    for package in &Workspace::load().members {
        let settings = packages.get(&package.name).unwrap_or_else(|| panic!("{} is not named", package.name));
        let level = if COMPUTING.contains(&&*package.name) { 3 } else { 0 };
        assert_eq!(
            settings.get("opt-level").and_then(toml::Value::as_integer),
            Some(level),
            "{}",
            package.name
        );
        assert!(settings.get("debug").is_some(), "{}", package.name);
    }
}

#[test]
fn nothing_uses_the_test_crates() {
    let workspace = Workspace::load();
    let test_crates: Vec<&str> = workspace
        .members
        .iter()
        .filter(|package| is_test(package))
        .map(|package| package.name.as_str())
        .collect();
    assert!(test_crates.contains(&"r3e-fake-nsm"), "{test_crates:?}");
    for package in workspace.members.iter().filter(|package| !is_test(package)) {
        for name in &test_crates {
            assert!(!package.dependencies.contains(*name), "{} uses {name}", package.name);
        }
    }
}

/// Cargo unifies the features of a workspace build, so a feature that weakens a crate for tests would reach the
/// production binary.
#[test]
fn the_enclave_has_no_features() {
    let workspace = Workspace::load();
    for package in workspace.members.iter().filter(|package| package.folder.starts_with("enclave")) {
        assert_eq!(package.features, BTreeSet::new(), "{}", package.name);
    }
}

#[test]
fn the_nsm_has_one_door() {
    let workspace = Workspace::load();
    let links_serde_cbor = |name| linked_by(name).iter().any(|package| package.starts_with("serde_cbor "));
    for package in &workspace.members {
        let may = ["r3e-attester", "r3e-fake-nsm"].contains(&package.name.as_str());
        for name in ["aws-nitro-enclaves-nsm-api", "serde_cbor"] {
            let uses = package.dependencies.contains(name);
            assert!(may || !uses, "{} uses {name}; only r3e-attester may", package.name);
        }
    }
    assert!(links_serde_cbor("r3e-attester"), "nobody links serde_cbor any more: drop this rule");
    for package in workspace.members.iter().filter(|package| !is_test(package)) {
        let name = package.name.as_str();
        let may = ["r3e-attester", "r3e-enclave"].contains(&name);
        assert!(may || !links_serde_cbor(name), "{name} links serde_cbor");
    }
}

#[test]
fn the_enclave_links_nothing_denied() {
    for package in linked_by("r3e-enclave") {
        let name = package.split(' ').next().unwrap_or_default();
        if let Some((_, why)) = DENIED.iter().find(|(denied, _)| *denied == name) {
            panic!("r3e-enclave links {package}: {why}");
        }
    }
}

/// The trusted base, package by package: a change to the list is seen in review.
#[test]
fn the_enclave_links_the_packages_of_the_golden_list() {
    const PATH: &str = "tests/rules/golden/enclave-packages.txt";
    let mut list = String::new();
    for package in linked_by("r3e-enclave").iter().filter(|package| !package.starts_with("r3e-")) {
        list += package;
        list.push('\n');
    }
    let path = root().join(PATH);
    if std::env::var_os("R3E_UPDATE_GOLDEN").is_some() {
        fs::write(&path, &list).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let before: BTreeSet<&str> = golden.lines().collect();
    let now: BTreeSet<&str> = list.lines().collect();
    let gone: Vec<_> = before.difference(&now).collect();
    let new: Vec<_> = now.difference(&before).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "what r3e-enclave links has changed: gone {gone:?}, new {new:?}; if that is meant, run again with \
         R3E_UPDATE_GOLDEN=1 and commit {PATH}"
    );
}

/// A package is taken in for a reason, which an auditor can read.
#[test]
fn every_direct_dependency_has_its_reason() {
    let page = read("docs/dependencies.md");
    let rows: BTreeSet<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split(',').map(|name| name.trim().trim_matches('`')))
        .collect();
    for package in Workspace::load().members {
        for name in package.dependencies.iter().filter(|name| !name.starts_with("r3e-")) {
            assert!(
                rows.contains(name.as_str()),
                "{}: {name} has no row in docs/dependencies.md",
                package.name
            );
        }
    }
}

fn is_test(package: &Package) -> bool {
    package.folder.starts_with("tests/")
}
