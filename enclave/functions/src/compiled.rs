//! What is kept of a function's code: what runs, and what was deployed where the two differ.
//!
//! | deployed | the record |
//! |---|---|
//! | one module of JavaScript or Python | its text |
//! | a module of WebAssembly, a source in C# | its machine code, as a program of one module, then the module in the same form |
//! | anything else | the compiled program ([`r3e_runner_api::program`]), then the modules that compiling changed or left out |

use std::collections::BTreeMap;
use std::sync::Arc;

use r3e_proto::api::functions::Runtime;
use r3e_runner_api::program::{self, Program, ProgramError};

use crate::definition::{Definition, Sources};

/// The path of a module that was deployed without one.
const SINGLE_TYPESCRIPT: &str = "function.ts";
/// The same, of WebAssembly.
const SINGLE_WASM: &str = "function.wasm";
/// The same, of C#.
const SINGLE_CSHARP: &str = "function.cs";

/// What must be compiled before a runner can load it; none where the source is what runs.
pub(crate) fn to_compile(definition: &Definition) -> Option<Program> {
    if !definition.is_compiled() {
        return None;
    }
    match (definition.sources(), definition.runtime()) {
        (Sources::Single(_), Runtime::Javascript | Runtime::Python) => None,
        (Sources::Single(source), Runtime::Typescript) => Some(single(SINGLE_TYPESCRIPT, source)),
        (Sources::Single(source), Runtime::Wasm) => Some(single(SINGLE_WASM, source)),
        (Sources::Single(source), Runtime::Csharp) => Some(single(SINGLE_CSHARP, source)),
        (Sources::Several { entry, modules }, _) => Some(Program::of_sources(entry, modules)),
    }
}

fn single(path: &str, source: &str) -> Program {
    Program::of_sources(path, &BTreeMap::from([(path.to_owned(), source.to_owned())]))
}

/// The record of `compiled`, the text of a program, which was made of `sources`.
///
/// # Errors
/// [`ProgramError`]: what was compiled is no program, or too long.
pub(crate) fn record(mut sources: Program, compiled: &str) -> Result<Arc<str>, ProgramError> {
    let program = Program::decode(compiled)?;
    sources
        .modules
        .retain(|source| program.module(&source.path).is_none_or(|module| module.code != source.code));
    if !sources.modules.iter().any(|source| source.path == sources.entry) {
        // A program names one of its modules: this one runs as it was deployed.
        let Some(first) = sources.modules.first() else { return Ok(compiled.into()) };
        sources.entry.clone_from(&first.path);
    }
    Ok((compiled.to_owned() + &sources.encode()?).into())
}

/// The part of a record that a runner loads.
///
/// # Errors
/// [`ProgramError`] if this release's own record is none.
pub(crate) fn runnable(record: &str) -> Result<&str, ProgramError> {
    if program::is_program(record) { Ok(program::split(record)?.0) } else { Ok(record) }
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::functions::Deploy;
    use r3e_runner_api::program::Module;

    use super::*;

    fn definition(deploy: Deploy) -> Definition {
        Definition::new("f", deploy).unwrap()
    }

    fn modules(modules: &[(&str, &str)]) -> BTreeMap<String, String> {
        modules.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn one_module_of_javascript_runs_as_it_is() {
        assert_eq!(to_compile(&definition(Deploy::javascript("0"))), None);
        assert_eq!(runnable("export default 0").unwrap(), "export default 0");
        let single = Deploy { runtime: Runtime::Typescript, ..Deploy::javascript("let a: number") };
        let program = to_compile(&definition(single)).unwrap();
        assert_eq!((program.entry.as_str(), program.modules.len()), ("function.ts", 1));
    }

    #[test]
    fn a_record_holds_what_runs_and_what_was_deployed() {
        let deployed = modules(&[("a.ts", "let a: 1"), ("b.js", "1"), ("c.d.ts", "type C = 1")]);
        let sources =
            to_compile(&definition(Deploy::modules(Runtime::Typescript, "a.ts", deployed))).unwrap();
        let module =
            |path: &str, code: &str| Module { path: path.into(), code: code.into(), ..Module::default() };
        let compiled =
            Program { entry: "a.ts".into(), modules: vec![module("a.ts", "let a"), module("b.js", "1")] };
        let compiled = compiled.encode().unwrap();
        let record = record(sources, &compiled).unwrap();
        assert_eq!(runnable(&record).unwrap(), compiled);
        let kept = Program::decode(program::split(&record).unwrap().1).unwrap();
        assert_eq!(kept.modules, [module("a.ts", "let a: 1"), module("c.d.ts", "type C = 1")]);
    }

    #[test]
    fn what_runs_as_deployed_is_kept_once() {
        let deployed = modules(&[("a.js", "1"), ("b.js", "2")]);
        let sources = Program::of_sources("a.js", &deployed);
        let compiled = sources.encode().unwrap();
        assert_eq!(&*record(sources.clone(), &compiled).unwrap(), compiled);
        let with_unused =
            Program::of_sources("a.js", &modules(&[("a.js", "1"), ("b.js", "2"), ("c.js", "3")]));
        let record = record(with_unused, &compiled).unwrap();
        assert_eq!(runnable(&record).unwrap(), compiled);
        assert!(record.len() > compiled.len() && record.ends_with('3'));
    }

    #[test]
    fn what_is_no_program_is_no_record() {
        let sources = Program::of_sources("a.js", &modules(&[("a.js", "1")]));
        for wrong in ["", "1", "\0", "\0ffffffff", "\u{0}00000002{}"] {
            assert!(record(sources.clone(), wrong).is_err(), "{wrong:?}");
        }
        assert!(runnable("\0").is_err());
    }
}
