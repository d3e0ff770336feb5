//! What each language offers a function is what the interface description says: nothing less, nothing more, under names that follow
//! from its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use std::collections::BTreeSet;

use r3e_rules::read;
use wit_parser::{Interface, Resolve, TypeDefKind};

const DESCRIPTION: &str = "enclave/runner-api/wit/functions.wit";
const TYPESCRIPT: &str = "enclave/runner/types/r3e.d.ts";
const PYTHON: &str = "enclave/wasm-runner/src/python/r3e.py";
const CSHARP: &str = "enclave/csharp-runner/src/managed/Api.cs";

/// Interfaces that are the web platform's own in JavaScript, and Python's own there.
const OF_THE_PLATFORM: [&str; 2] = ["http", "log"];
/// Members that a language has beyond the description.
const BEYOND: [(&str, &str); 1] = [
    // The same as `get`, of a type.
    ("C#", "Store.Get<T>"),
];

#[test]
fn typescript_declares_every_function_and_no_other() {
    let declared = read(TYPESCRIPT);
    for (name, functions) in described() {
        if OF_THE_PLATFORM.contains(&name.as_str()) {
            continue;
        }
        let body = block(&declared, &format!("interface R3e{} {{\n", pascal(&name)), "\n}");
        assert_eq!(members(body, "  ", "("), functions.iter().map(|name| camel(name)).collect(), "{name}");
    }
    let all = block(&declared, "interface R3e {\n", "\n}");
    let offered: BTreeSet<_> = members(&all.replace("readonly ", ""), "  ", ":");
    let described = described().into_iter().map(|(name, _)| name);
    assert_eq!(offered, described.filter(|name| !OF_THE_PLATFORM.contains(&name.as_str())).collect());
}

#[test]
fn python_has_every_function_and_no_other() {
    let module = read(PYTHON);
    for (name, functions) in described() {
        if OF_THE_PLATFORM.contains(&name.as_str()) {
            continue;
        }
        let body = block(&module, &format!("class _{}:\n", pascal(&name)), "\n\n\n");
        assert_eq!(
            members(body, "    def ", "(self"),
            functions.iter().map(|name| snake(name)).collect(),
            "{name}"
        );
    }
    assert!(module.contains("\ndef fetch("));
}

#[test]
fn csharp_has_every_function_and_no_other() {
    let library = read(CSHARP);
    for (name, functions) in described() {
        let body = block(&library, &format!("public static class {}\n", pascal(&name)), "\n    }");
        let found: BTreeSet<String> = body
            .lines()
            .filter_map(|line| line.strip_prefix("        public static "))
            .filter_map(|line| Some(line.split_once('(')?.0.rsplit(' ').next()?.to_owned()))
            .filter(|member| !BEYOND.contains(&("C#", &format!("{}.{member}", pascal(&name)))))
            .collect();
        assert_eq!(found, functions.iter().map(|name| pascal(name)).collect(), "{name}");
    }
}

#[test]
fn every_field_and_every_code_has_its_name_in_each() {
    let resolve = resolve();
    let (typescript, csharp) = (read(TYPESCRIPT), read(CSHARP).to_lowercase());
    for (_, definition) in &resolve.types {
        match &definition.kind {
            // What is asked of an endpoint or of the web is the platform's own in TypeScript.
            TypeDefKind::Record(record) => {
                for field in &record.fields {
                    let name = camel(&field.name);
                    let declared = [format!("{name}:"), format!("{name}?:")];
                    assert!(
                        declared.iter().any(|text| typescript.contains(text.as_str())),
                        "{name} of {:?} is not in {TYPESCRIPT}",
                        definition.name
                    );
                    assert!(csharp.contains(&name.to_lowercase()), "{name} is not in {CSHARP}");
                }
            }
            TypeDefKind::Enum(cases) => {
                for case in &cases.cases {
                    let code = format!("\"{}\"", snake(&case.name));
                    assert!(typescript.contains(&code), "{code} is not in {TYPESCRIPT}");
                }
            }
            _ => {}
        }
    }
}

fn resolve() -> Resolve {
    let mut resolve = Resolve::default();
    resolve.push_str(DESCRIPTION, &read(DESCRIPTION)).unwrap();
    resolve
}

/// The interfaces that have functions, and their names.
fn described() -> Vec<(String, BTreeSet<String>)> {
    let named = |interface: &Interface| {
        let functions: BTreeSet<String> = interface.functions.keys().cloned().collect();
        Some((interface.name.clone()?, functions)).filter(|(_, functions)| !functions.is_empty())
    };
    resolve().interfaces.iter().filter_map(|(_, interface)| named(interface)).collect()
}

/// What stands between a line and another.
fn block<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("there is no {begin:?}"));
    rest.split_once(end).map_or(rest, |(body, _)| body)
}

/// The names on lines of a block, between what comes before and after one.
fn members(block: &str, before: &str, after: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let (name, _) = line.strip_prefix(before)?.split_once(after)?;
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        Some(name.to_owned()).filter(|name| plain && !name.is_empty())
    };
    block.lines().filter_map(name).collect()
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn pascal(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn camel(name: &str) -> String {
    let name = pascal(name);
    name[..1].to_lowercase() + &name[1..]
}
