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
/// Records, and where TypeScript declares them. What is sent to the web, and what comes back, is the platform's own there.
const IN_TYPESCRIPT: [(&str, &str); 12] = [
    ("published", "publish(topic: string, data: Json, options?: { key?: string | null }): Promise<{ "),
    ("made", "create(trigger: Trigger): Promise<{ "),
    ("price", "interface R3ePrice {\n"),
    ("randomness", "interface R3eRandomness {\n"),
    ("data-request", "interface R3eDataRequest {\n"),
    ("weather", "interface R3eWeather {\n"),
    ("read-request", "interface R3eChainRequest {\n"),
    ("answer", "interface R3eChainAnswer {\n"),
    ("transaction", "interface R3eChainTransaction {\n"),
    ("sent-transaction", "interface R3eSent {\n"),
    ("hidden-number", "interface R3eHiddenNumber {\n"),
    ("proved-ranges", "interface R3eProvedRanges {\n"),
];
/// The same of C#, where what is asked for are parameters.
const IN_CSHARP: [(&str, &str); 8] = [
    ("published", "Published"),
    ("made", "MadeTrigger"),
    ("price", "Price"),
    ("randomness", "Randomness"),
    ("weather", "Weather"),
    ("answer", "ChainAnswer"),
    ("sent-transaction", "SentTransaction"),
    ("proved-ranges", "ProvedRanges"),
];
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
fn every_field_has_its_name_in_the_type_that_has_it() {
    let resolve = resolve();
    let (typescript, csharp) = (read(TYPESCRIPT), read(CSHARP));
    let mut held = BTreeSet::new();
    for (_, definition) in &resolve.types {
        let (Some(name), TypeDefKind::Record(record)) = (definition.name.as_deref(), &definition.kind) else {
            continue;
        };
        let fields: BTreeSet<String> = record.fields.iter().map(|field| field.name.clone()).collect();
        let camels: BTreeSet<String> = fields.iter().map(|name| camel(name)).collect();
        if let Some((_, declared)) = IN_TYPESCRIPT.iter().find(|(record, _)| *record == name) {
            let end = if declared.ends_with('\n') { "\n}" } else { "}" };
            let body = block(&typescript, declared, end);
            let fields = body.replace("; ", ";\n").replace("?:", ":").replace("readonly ", "");
            let fields: Vec<&str> = fields.lines().map(str::trim_start).collect();
            assert_eq!(members(&fields.join("\n"), "", ":"), camels, "{name} in {TYPESCRIPT}");
            held.insert(name);
        }
        if let Some((_, class)) = IN_CSHARP.iter().find(|(record, _)| *record == name) {
            let body = block(&csharp, &format!("    public sealed class {class}\n"), "\n    }");
            let properties: BTreeSet<String> = body
                .lines()
                .filter(|line| line.ends_with("{ get; internal set; }") || line.ends_with("{ get; }"))
                .filter_map(|line| line.split_once(" { get;")?.0.rsplit(' ').next())
                .map(ToOwned::to_owned)
                .collect();
            assert_eq!(properties, fields.iter().map(|name| pascal(name)).collect(), "{name} in {CSHARP}");
        }
    }
    assert_eq!(held.len(), IN_TYPESCRIPT.len(), "{held:?}");
}

#[test]
fn every_code_is_declared() {
    let resolve = resolve();
    let codes = resolve.types.iter().find_map(|(_, definition)| match &definition.kind {
        TypeDefKind::Enum(codes) if definition.name.as_deref() == Some("host-error-code") => Some(codes),
        _ => None,
    });
    let described: BTreeSet<String> = codes.unwrap().cases.iter().map(|case| snake(&case.name)).collect();
    let declared = read(TYPESCRIPT);
    let declared = block(&declared, "type HostErrorCode =\n", ";");
    assert_eq!(
        declared.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect::<BTreeSet<_>>(),
        described
    );
    let guide = read("docs/webassembly.md");
    let guide = block(&guide, "Codes are those of `HostError` in the other languages: ", ".");
    assert_eq!(
        guide.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect::<BTreeSet<_>>(),
        described
    );
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
