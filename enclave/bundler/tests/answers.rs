//! The bundler as its process runs it: a question's bytes in, an answer's bytes out.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use r3e_bundler::answer;
use r3e_runner_api::bundling::{Problem, decode_answer};
use r3e_runner_api::program::{Module, ModuleKind, Program};

fn ask(modules: &[(&str, &str)]) -> Result<Program, Problem> {
    let texts: BTreeMap<_, _> =
        modules.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let question = Program::of_sources(modules[0].0, &texts).encode().unwrap();
    let program = decode_answer(&answer(question.into_bytes())).unwrap()?;
    Ok(Program::decode(&program).unwrap())
}

fn module<'a>(program: &'a Program, path: &str) -> &'a Module {
    program.module(path).unwrap()
}

#[test]
fn javascript_and_json_stay_as_they_are() {
    let main = "#!/usr/bin/env r3e\n// kept\r\nimport d from './d.json' with { type: 'json' }\nexport default () => d;   \n";
    let program =
        ask(&[("main.mjs", main), ("d.json", "\u{feff}{ \"a\": [1] }\n"), ("unused.js", "}")]).unwrap();
    assert_eq!(program.entry, "main.mjs");
    assert_eq!(program.modules.len(), 2);
    assert_eq!(
        (module(&program, "main.mjs").code.as_str(), module(&program, "main.mjs").map.as_str()),
        (main, "")
    );
    let json = module(&program, "d.json");
    assert_eq!((json.kind, json.code.as_str()), (ModuleKind::Json, "{ \"a\": [1] }\n"));
}

#[test]
fn the_program_says_what_each_import_means() {
    let program = ask(&[
        ("src/main.ts", "import { a } from './a';\nexport * from '../lib/b.js';\nimport './a';\nexport default () => [a, import('c')];"),
        ("src/a.ts", "import type { T } from 'gone';\nimport { U } from './gone.ts';\nexport const a: T | U = 1;"),
        ("lib/b.ts", "export {}"),
        ("c.js", "export {}"),
    ])
    .unwrap();
    let imports: Vec<_> = module(&program, "src/main.ts").imports.iter().collect();
    let expected = [("../lib/b.js", "lib/b.ts"), ("./a", "src/a.ts"), ("c", "c.js")];
    assert_eq!(
        imports,
        expected
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .iter()
            .map(|(a, b)| (a, b))
            .collect::<Vec<_>>()
    );
    assert!(module(&program, "src/a.ts").imports.is_empty());
    assert_eq!(program.modules[0].path, "src/main.ts", "the entry comes first");
}

#[test]
fn what_an_import_is_asked_for_as_is_checked() {
    let of = |import: &str| ask(&[("a.ts", import), ("b.ts", ""), ("d.json", "1")]).map(drop);
    for fine in [
        "import d from './d.json' with { type: 'json' }; d",
        "import('./d.json', { with: { type: 'json' } })",
        "import('./d.json', { with: { 'type': \"json\" } })",
        "import('./d.json', options)",
        "import './b.ts'; import('./b.ts')",
        "const name = './gone.ts'; import(name)",
    ] {
        assert_eq!(of(fine), Ok(()), "{fine}");
    }
    for (wrong, words) in [
        ("import d from './d.json'; d", "is JSON"),
        ("export * from './d.json'", "is JSON"),
        ("import('./d.json')", "is JSON"),
        ("import './b.ts' with { type: 'json' }", "is code"),
        ("import './b.ts' with { type: 'css' }", "\"css\""),
        ("import './b.ts'; import './b.ts' with { type: 'json' }", "two ways"),
    ] {
        let problem = of(wrong).unwrap_err();
        assert!(problem.message.contains(words), "{wrong}: {problem}");
    }
}

#[test]
fn questions_that_are_none_are_answered() {
    for wrong in [&b""[..], b"\xff\xfe", b"export default 1", b"\0", b"\0ffffffff{}"] {
        let problem = decode_answer(&answer(wrong.to_vec())).unwrap().unwrap_err();
        assert!(!problem.message.is_empty() && problem.path.is_empty(), "{wrong:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a module holds, there is an answer; and what is compiled compiles, as JavaScript, to itself.
    #[test]
    fn every_text_has_an_answer(text in "[ -~äß\\n\\r\\t\u{2028}]{0,60}|(let|type|enum|class|import|export|@|<|>|\\{|\\}|\\(|\\)|=|a|b|:|;|'|`|\\$| |\n){0,40}") {
        if let Ok(program) = ask(&[("a.ts", &text), ("b.ts", "")]) {
            let code = program.modules[0].code.clone();
            let again = ask(&[("a.js", &code), ("b.ts", "")]);
            prop_assert!(again.is_ok_and(|again| again.modules[0].code == code), "{:?}", code);
        }
    }
}
