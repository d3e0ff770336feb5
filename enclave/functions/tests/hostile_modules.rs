//! Modules that were made to break what reads them. Whatever happens to the bundler, the deployment is refused with words, and the
//! next one is served.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::collections::BTreeMap;

use r3e_functions::limits::MAX_SOURCE_BYTES;
use r3e_proto::api::functions::{Deploy, Runtime};

use appliance::{Appliance, ample};

fn several(modules: &[(&str, &str)]) -> Deploy {
    let texts: BTreeMap<_, _> =
        modules.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Deploy { limits: ample(), ..Deploy::modules(Runtime::Typescript, modules[0].0, texts) }
}

fn typescript(source: &str) -> Deploy {
    several(&[("main.ts", source)])
}

async fn still_serves(appliance: &Appliance) {
    let found = appliance.output(typescript("export default (a: number): number => a"), "42").await;
    assert_eq!(found, "42");
}

#[tokio::test]
async fn nesting_bombs_are_refused_with_words() {
    let appliance = Appliance::new().await;
    let bombs: [(&str, &str, usize, &str); 24] = [
        ("", "(", 500_000, "brackets are nested deeper"),
        ("", "[", 500_000, "brackets are nested deeper"),
        ("", "{", 500_000, "brackets are nested deeper"),
        ("", "`${", 300_000, "brackets are nested deeper"),
        ("x=", "f(", 400_000, "brackets are nested deeper"),
        ("x=", "[{a:", 200_000, "brackets are nested deeper"),
        ("", "function f(){", 70_000, "brackets are nested deeper"),
        ("", "class A{static{", 60_000, "brackets are nested deeper"),
        ("x=", "async()=>{", 90_000, "brackets are nested deeper"),
        ("", "namespace A{", 80_000, "brackets are nested deeper"),
        ("type X=", "{a:", 300_000, "brackets are nested deeper"),
        ("", "/(/;x=(", 140_000, "brackets are nested deeper"),
        ("type X=", "A<", 500_000, "nested too deep"),
        ("type X=", "keyof ", 160_000, "nested too deep"),
        ("type X=A", "[]", 500_000, "nested too deep"),
        ("type X=", "A extends B?C:", 70_000, "nested too deep"),
        ("x=", "!", 1_000_000, "nested too deep"),
        ("x=", "- ", 500_000, "nested too deep"),
        ("x=", "a=>", 300_000, "nested too deep"),
        ("x=", "a?b:", 250_000, "nested too deep"),
        ("x=", "1+", 500_000, "nested too deep"),
        ("x=", "new ", 250_000, "nested too deep"),
        ("x=a", ".b", 500_000, "nested too deep"),
        ("", "a:", 500_000, "nested too deep"),
    ];
    for (before, bomb, count, words) in bombs {
        let source = before.to_owned() + &bomb.repeat(count);
        let refusal = appliance.refusal_of(typescript(&source)).await;
        assert!(refusal.contains(words), "{bomb}: {refusal}");
    }
    still_serves(&appliance).await;
}

#[tokio::test]
async fn what_compiles_for_ever_is_ended() {
    let appliance = Appliance::new().await;
    let source = format!("if(a){{}}{}", "else if(a){}".repeat(80_000));
    let refusal = appliance.refusal_of(typescript(&source)).await;
    assert!(refusal.contains("take longer than") || refusal.contains("nested too deep"), "{refusal}");
    still_serves(&appliance).await;
}

#[tokio::test]
async fn counts_and_sizes_are_bounded() {
    let appliance = Appliance::new().await;
    let lines = |count: usize, line: fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().concat();
    let imports = lines(25_000, |n| format!("import a{n} from \"./a{n}.ts\";"));
    let same = "import \"./a.ts\";".repeat(20_000) + "export default () => 1";
    let dense = lines(MAX_SOURCE_BYTES / 16, |n| format!("let a{n:05}=[b,c]\n"));
    let name = "a".repeat(MAX_SOURCE_BYTES - 100);
    for (modules, words) in [
        (vec![("main.ts", imports.as_str())], "more than 1024 different imports"),
        (vec![("main.ts", dense.get(..MAX_SOURCE_BYTES).unwrap())], "bytes"),
        (vec![("main.ts", &format!("import \"./{}\"", "b".repeat(2_000)))], "an import of 2002 bytes"),
    ] {
        let refusal = appliance.refusal_of(several(&modules)).await;
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
    // What is large and not deep is no bomb.
    for modules in [
        vec![("main.ts", same.as_str()), ("a.ts", "")],
        vec![("main.js", &format!("let {name}; export default () => 1"))],
    ] {
        appliance.deploy("f", several(&modules)).await;
    }
    still_serves(&appliance).await;
}

#[tokio::test]
async fn odd_texts_are_read_or_refused() {
    let appliance = Appliance::new().await;
    for (source, expected) in [
        ("\u{feff}export default (): number => 42", Ok("42")),
        ("\r\nexport default\r\n\r\n(): number =>\r\n42;\r\n", Ok("42")),
        ("\rexport default (): number =>\r42", Ok("42")),
        ("#!/usr/bin/env r3e\nexport default (): number => 42", Ok("42")),
        ("type A = B; type B = A; interface C extends C {}\nexport default (): number => 42", Ok("42")),
        ("type A<T> = A<A<T>>; let a: A<A<1>>;\nexport default () => 42", Ok("42")),
        ("const \u{430} = 41, a = 42; export default () => a", Ok("42")),
        ("export default () => '\0'.length + 41", Ok("42")),
        ("/* \u{202e} */ export default () => 42", Ok("42")),
        ("\0export default () => 42", Err("main.ts:1:1")),
        ("export default () => 4\u{200b}2", Err("main.ts:1:")),
        ("export default () => \u{ff14}2", Err("main.ts:1:22")),
        ("export default () => 'a", Err("main.ts:1:22")),
        ("export default () => /*", Err("main.ts:1:")),
        ("<div/>", Err("main.ts:1:")),
        ("let let = 1", Err("main.ts:1:5")),
        ("import './a\u{2215}b.ts'", Err("not among")),
        ("import '\\ud800'", Err("names no text")),
    ] {
        match expected {
            Ok(output) => {
                assert_eq!(appliance.output(typescript(source), "null").await, output, "{source:?}");
            }
            Err(words) => {
                let refusal = appliance.refusal_of(typescript(source)).await;
                assert!(refusal.contains(words), "{source:?}: {refusal}");
            }
        }
    }
}

#[tokio::test]
async fn a_module_reaches_nothing_but_its_own_set() {
    let appliance = Appliance::new().await;
    let source = "export default async (names: string[]) => {\n  const got: string[] = [];\n  for (const name of names) {\n    try {\n      \
                  await import(name);\n      got.push(name);\n    } catch {}\n  }\n  return got;\n}";
    let names = r#"["./b.ts", "./main.ts", "../main.ts", "/etc/passwd", "file:///etc/passwd", "ext:core/ops", "ext:r3e/main.js",
        "node:fs", "https://a.test/x.js", "data:text/javascript,1", "./c.ts", "b.ts", "./B.ts", "./b.ts?1", ""]"#;
    let modules = [("main.ts", source), ("b.ts", "export {}"), ("c.ts", "export {}")];
    let with_b = format!("import './b.ts';\n{source}");
    let mut modules = modules;
    modules[0].1 = &with_b;
    assert_eq!(appliance.output(several(&modules), names).await, r#"["./b.ts","./main.ts","../main.ts"]"#);
}
