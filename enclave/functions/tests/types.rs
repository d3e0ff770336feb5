//! The TypeScript declarations and what a function finds, compared name by name: globals, members, static members.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::{once, pool};

const DECLARATIONS: &str = include_str!("../../runner/types/r3e.d.ts");

/// Members by what they stand on: `Name.prototype` for a class's, `Name` for its static ones.
type Members = BTreeMap<String, BTreeSet<String>>;

/// Globals of the language itself, which the compiler's own library declares.
fn is_of_the_language(name: &str) -> bool {
    include_str!("golden/language.txt").lines().any(|line| line == name)
}

/// A member's name, from its line; nothing for a constructor and for lines within a longer declaration.
fn member(line: &str) -> Option<(&str, bool)> {
    let line = line.strip_prefix("  ").filter(|line| line.starts_with(|c: char| c.is_alphabetic()))?;
    let line = line.trim_start_matches("private ");
    let (line, is_static) = line.strip_prefix("static ").map_or((line, false), |line| (line, true));
    let line = line.strip_prefix("readonly ").unwrap_or(line);
    let end = line.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let name = line.get(..end)?;
    (name != "constructor").then_some((name, is_static))
}

fn declared() -> (BTreeSet<String>, Members) {
    let mut globals = BTreeSet::new();
    let mut members = Members::new();
    let mut class: Option<String> = None;
    for line in DECLARATIONS.lines() {
        if let Some(rest) = line.strip_prefix("declare ") {
            let mut words = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
            let kind = words.next().unwrap();
            let name = words.next().unwrap().to_owned();
            globals.insert(name.clone());
            class = (kind == "class").then_some(name);
        } else if line.starts_with('}') {
            class = None;
        } else if let (Some(class), Some((name, is_static))) = (&class, member(line)) {
            let owner = if is_static { class.clone() } else { format!("{class}.prototype") };
            members.entry(owner).or_default().insert(name.to_owned());
        }
    }
    (globals, members)
}

/// Names of the members of an interface's block.
fn interface(name: &str) -> BTreeSet<String> {
    let start = format!("interface {name} {{");
    let lines = DECLARATIONS.lines().skip_while(|line| *line != start).skip(1);
    lines.take_while(|line| *line != "}").filter_map(member).map(|(name, _)| name.to_owned()).collect()
}

async fn eval(body: &str) -> serde_json::Value {
    let output = once(&pool(), &format!("export default async () => {{ {body} }};")).await.unwrap();
    serde_json::from_str(&output).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_globals_are_those_declared() {
    let (declared, _) = declared();
    let found = eval("return Object.getOwnPropertyNames(globalThis);").await;
    let found: BTreeSet<String> = serde_json::from_value(found).unwrap();
    let ours: BTreeSet<String> = found.into_iter().filter(|name| !is_of_the_language(name)).collect();
    assert_eq!(declared, ours);
    assert!(ours.len() > 30, "{ours:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_class_has_the_members_declared() {
    let (globals, declared) = declared();
    let globals: Vec<_> = globals.into_iter().collect();
    let found = eval(&format!(
        "const found = {{}};
        for (const name of {globals:?}) {{
            const value = globalThis[name];
            if (typeof value !== 'function' || value.prototype === undefined || !/^[A-Z]/.test(name)) continue;
            const constants = new Set(Object.getOwnPropertyNames(value).filter((key) => /^[A-Z]/.test(key)));
            const members = Object.getOwnPropertyNames(value.prototype).filter((key) => key !== 'constructor' && !constants.has(key));
            const fixed = Object.getOwnPropertyNames(value).filter((key) => !['length', 'name', 'prototype'].includes(key));
            if (members.length > 0) found[`${{name}}.prototype`] = members;
            if (fixed.length > 0) found[name] = fixed;
        }}
        return found;"
    ))
    .await;
    let found: Members = serde_json::from_value(found).unwrap();
    assert_eq!(declared, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_objects_have_the_members_declared() {
    for (expression, name) in [
        ("console", "Console"),
        ("r3e", "R3e"),
        ("r3e.events", "R3eEvents"),
        ("r3e.oracle", "R3eOracle"),
        ("r3e.secrets", "R3eSecrets"),
        ("r3e.store", "R3eStore"),
        ("r3e.tee", "R3eTee"),
    ] {
        let found = eval(&format!("return Object.getOwnPropertyNames({expression});")).await;
        let found: BTreeSet<String> = serde_json::from_value(found).unwrap();
        assert_eq!(interface(name), found, "{expression}");
    }
}
