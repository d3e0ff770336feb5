//! All that the entry reaches, compiled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use deno_ast::MediaType;
use r3e_runner_api::bundling::Problem;
use r3e_runner_api::program::{Module, ModuleKind, Program};

use crate::emit::emit;
use crate::imports::{Attribute, Import, Imports, imports};
use crate::json;
use crate::parse::{parse, without_mark};
use crate::resolve::Paths;

/// What a path's ending says of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    JavaScript,
    TypeScript,
    Declarations,
    Json,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        let ending = path.rsplit_once('.')?.1;
        Some(match ending {
            "js" | "mjs" => Self::JavaScript,
            "ts" | "mts" if path.ends_with(".d.ts") || path.ends_with(".d.mts") => Self::Declarations,
            "ts" | "mts" => Self::TypeScript,
            "json" => Self::Json,
            _ => return None,
        })
    }
}

/// Compiles what the entry of `sources` reaches, the entry first.
///
/// # Errors
/// The first [`Problem`], with its place.
pub fn bundle(sources: &Program) -> Result<Program, Problem> {
    let texts: BTreeMap<&str, &str> =
        sources.modules.iter().map(|module| (module.path.as_str(), module.code.as_str())).collect();
    let paths = Paths::new(texts.keys().copied());
    let mut reached = BTreeSet::from([sources.entry.as_str()]);
    let mut waiting = VecDeque::from([sources.entry.as_str()]);
    let mut modules = Vec::new();
    while let Some(path) = waiting.pop_front() {
        let text = texts.get(path).copied().unwrap_or_default();
        let compiled = compile(&paths, path, text)?;
        for target in compiled.imports.values() {
            // The set's own copy of the path lives as long as the sources.
            if let Some((target, _)) = texts.get_key_value(target.as_str())
                && reached.insert(target)
            {
                waiting.push_back(target);
            }
        }
        modules.push(compiled);
    }
    Ok(Program { entry: sources.entry.clone(), modules })
}

fn compile(paths: &Paths<'_>, path: &str, text: &str) -> Result<Module, Problem> {
    let module = Module { path: path.to_owned(), ..Module::default() };
    match Kind::of(path) {
        Some(Kind::Json) => {
            let text = without_mark(text);
            json::check_module(path, text)?;
            Ok(Module { kind: ModuleKind::Json, code: text.to_owned(), ..module })
        }
        Some(Kind::JavaScript) => {
            let text = without_mark(text);
            let parsed = parse(path, text, MediaType::JavaScript)?;
            let found = imports(path, text, &parsed)?;
            Ok(Module { imports: targets(paths, path, &found)?, code: text.to_owned(), ..module })
        }
        Some(Kind::TypeScript) => typescript(paths, module, without_mark(text)),
        Some(Kind::Declarations) | None => {
            Err(Problem::of_module(path, "the module holds types alone: nothing in it can run"))
        }
    }
}

fn typescript(paths: &Paths<'_>, module: Module, text: &str) -> Result<Module, Problem> {
    let path = module.path.as_str();
    let parsed = parse(path, text, MediaType::TypeScript)?;
    let written = imports(path, text, &parsed)?;
    let emitted = emit(path, text, parsed)?;
    // What is left is what runs: an import that was used as a type alone is gone.
    let left = imports(path, &emitted.text, &parse(path, &emitted.text, MediaType::JavaScript)?)?;
    let found = left.into_iter().map(|(name, import)| {
        // In the place where its author wrote it. One that nobody wrote is the compiler's own.
        let import = written.get(&name).cloned().unwrap_or(import);
        (name, import)
    });
    let imports = targets(paths, path, &found.collect())?;
    let map = emitted.source_map.unwrap_or_default();
    Ok(Module { imports, code: emitted.text, map, ..module })
}

/// The path of each import.
fn targets(paths: &Paths<'_>, path: &str, imports: &Imports) -> Result<BTreeMap<String, String>, Problem> {
    let mut targets = BTreeMap::new();
    for (name, import) in imports {
        let target = paths.resolve(path, name).map_err(|message| import.place.problem(path, message))?;
        check_use(import, target).map_err(|message| import.place.problem(path, message))?;
        targets.insert(name.clone(), target.to_owned());
    }
    Ok(targets)
}

/// Whether a module is imported as what it is.
fn check_use(import: &Import, target: &str) -> Result<(), String> {
    let kind = Kind::of(target);
    match (kind, &import.attribute) {
        (Some(Kind::Declarations), _) => Err(format!(
            "{target:?} holds types alone: import it by `import type`, or import the module that it describes"
        )),
        (_, Attribute::Other(other)) => {
            Err(format!("modules of type {other:?} are not known: `json` is, or none"))
        }
        (Some(Kind::Json), Attribute::None) => {
            Err(format!("{target:?} is JSON: write `with {{ type: \"json\" }}` after the import"))
        }
        (Some(Kind::JavaScript | Kind::TypeScript), Attribute::Json) => {
            Err(format!("{target:?} is code: take `with {{ type: \"json\" }}` away"))
        }
        _ => Ok(()),
    }
}
