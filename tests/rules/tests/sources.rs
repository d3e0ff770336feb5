//! What every file keeps to.

use r3e_rules::{SourceFile, rust_files, tracked_files};

const MAX_LINES: usize = 800;
const MAX_MEDIAN_LINES: usize = 200;

/// Crates that need `unsafe`: system calls that have no safe form. Each block says why it is sound; a lint of the
/// workspace sees to that.
/// The last makes the calls that the box is to stop.
const MAY_BE_UNSAFE: [&str; 7] = [
    "enclave/attester/",
    "enclave/init/",
    "enclave/sandbox/",
    "enclave/runner/",
    // To load machine code, which no type can vouch for.
    "enclave/wasm-runner/src/lib.rs",
    // The runtime of C# is a library of C's.
    "enclave/csharp-runner/src/lib.rs",
    "tests/hostile/src/bin/r3e-hostile-native/",
];

/// Texts that belong to one machine or one way of working, not to the product. Written in pieces, so that this
/// file does not hold them itself.
const FOREIGN: [&str; 8] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("sub", "agent"),
    concat!("help", "er agent"),
    concat!("Clau", "de"),
    concat!("artif", "actory"),
    concat!("DESIGN", ".md"),
];

/// Names of files for whatever did not find its place.
const NO_PURPOSE: [&str; 4] = ["utils.rs", "util.rs", "common.rs", "helpers.rs"];

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> = rust_files()
        .into_iter()
        .filter(|file| !file.text.trim_start().starts_with("//!"))
        .map(|file| file.path)
        .collect();
    assert_eq!(silent, [""; 0], "these files do not begin with a module doc");
}

#[test]
fn no_description_is_left_to_be_written() {
    for path in tracked_files().iter().filter(|path| path.ends_with("Cargo.toml")) {
        let manifest = r3e_rules::read(path);
        assert!(!manifest.contains("description = \"DESC\""), "{path} has no description yet");
    }
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> = rust_files()
        .into_iter()
        .filter(|file| !file.is_test())
        .map(|file| (file.text.lines().count(), file.path))
        .collect();
    lengths.sort();
    let long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > MAX_LINES).collect();
    assert!(long.is_empty(), "over {MAX_LINES} lines: {long:?}");
    let (median, _) = &lengths[lengths.len() / 2];
    assert!(*median < MAX_MEDIAN_LINES, "the median file has {median} lines");
}

#[test]
fn files_have_a_purpose() {
    for file in rust_files() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        assert!(!NO_PURPOSE.contains(&name), "{}", file.path);
    }
}

#[test]
fn crates_forbid_unsafe_code() {
    let files = rust_files();
    let is_root = |file: &&SourceFile| {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or_default();
        (folder.ends_with("src") && ["lib.rs", "main.rs"].contains(&name))
            || folder.ends_with("src/bin")
            || (folder.contains("src/bin/") && name == "main.rs")
    };
    let roots: Vec<_> = files.iter().filter(is_root).collect();
    assert!(roots.len() > 15, "{} crate roots", roots.len());
    let without: Vec<_> = roots
        .into_iter()
        .filter(|root| !MAY_BE_UNSAFE.iter().any(|folder| root.path.starts_with(folder)))
        .filter(|root| !root.text.lines().any(|line| line == "#![forbid(unsafe_code)]"))
        .map(|root| root.path.as_str())
        .collect();
    assert_eq!(without, [""; 0], "these crates do not say #![forbid(unsafe_code)]");
}

#[test]
fn nothing_is_left_undone() {
    let markers = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    for file in rust_files() {
        for (number, line) in file.text.lines().enumerate() {
            for marker in markers {
                assert!(!line.contains(marker), "{}:{}: {marker}", file.path, number + 1);
            }
        }
    }
}

/// Our libraries and programs answer bad input with an error. What cannot happen is marked by `unreachable!`.
#[test]
fn products_do_not_panic_on_purpose() {
    for file in rust_files().into_iter().filter(|file| !file.is_test()) {
        for (number, line) in file.code_lines() {
            assert!(!line.contains("panic!("), "{}:{number}: panic!", file.path);
        }
    }
}

#[test]
fn nothing_speaks_of_one_machine() {
    for path in tracked_files() {
        let text = r3e_rules::read(&path);
        for (number, line) in text.lines().enumerate() {
            // The home of nobody in particular.
            let line = line.replace("/home/u", "");
            for foreign in FOREIGN {
                assert!(!line.contains(foreign), "{path}:{}: {foreign}", number + 1);
            }
        }
    }
}

#[test]
fn nothing_that_is_built_is_tracked() {
    for path in tracked_files() {
        let built = ["target/", "node_modules/", "__pycache__/"];
        assert!(
            !built.iter().any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}"))),
            "{path}"
        );
    }
}
