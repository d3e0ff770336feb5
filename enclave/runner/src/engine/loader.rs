//! The module loader: a function is one module that imports nothing, or a program whose modules import each other. Nothing is
//! fetched, ever.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use deno_core::error::ModuleLoaderError;
use deno_core::{
    ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleSource, ModuleSourceCode,
    ModuleSpecifier, ModuleType, ResolutionKind,
};
use r3e_runner_api::program::{Module, ModuleKind, Program, ProgramError, is_program};

/// Where modules are, for the engine and in stack traces: a path below it is one that was deployed.
const ROOT: &str = "file:///";

/// The name that a function's own frames carry in its stack traces, where it is one module without a path.
const SINGLE: &str = "function.js";

/// The address of a module of our own, which no module of a function's can import.
pub(super) const REHEARSAL: &str = "r3e:rehearsal";

/// Where the engine says that it was asked for a module by this program, and not by a module.
const BY_NO_MODULE: &str = ".";

/// The modules of one function, by their addresses.
#[derive(Clone, Default)]
pub(super) struct Modules(Rc<RefCell<BTreeMap<String, Module>>>);

impl Modules {
    /// Takes over what a runner is given to load. Gives the entry's address and text.
    pub(super) fn take(&self, source: String) -> Result<(ModuleSpecifier, String), ProgramError> {
        if !is_program(&source) {
            return Ok((address(SINGLE)?, source));
        }
        let program = Program::decode(&source)?;
        drop(source);
        let entry = address(&program.entry)?;
        let mut modules = BTreeMap::new();
        for module in program.modules {
            modules.insert(address(&module.path)?.into(), module);
        }
        // The engine keeps the text from here on.
        let code =
            modules.get_mut(entry.as_str()).map(|module: &mut Module| std::mem::take(&mut module.code));
        *self.0.borrow_mut() = modules;
        Ok((entry, code.ok_or(ProgramError::Modules)?))
    }

    /// The address that `specifier` means in the module at `referrer`.
    fn resolve(&self, specifier: &str, referrer: &str) -> Result<ModuleSpecifier, ModuleLoaderError> {
        let modules = self.0.borrow();
        let Some(module) = modules.get(referrer) else {
            return Err(refusal(
                "a function of one source imports nothing: deploy the modules that it needs with it",
            ));
        };
        if let Some(path) = module.imports.get(specifier) {
            return address(path).map_err(|_| refusal("an import of a path that is none"));
        }
        // An `import()` of what was computed: it may name a module that is there as it would name a file.
        let joined = ModuleSpecifier::parse(referrer).and_then(|base| base.join(specifier)).ok();
        joined.filter(|found| specifier.starts_with('.') && modules.contains_key(found.as_str())).ok_or_else(|| {
            refusal("an import of a module that the function does not have, or that nothing in it imports by its name")
        })
    }

    fn load(&self, address: &ModuleSpecifier) -> Result<ModuleSource, ModuleLoaderError> {
        let modules = self.0.borrow();
        let module = modules
            .get(address.as_str())
            .ok_or_else(|| refusal("a module that the function does not have"))?;
        let kind = match module.kind {
            ModuleKind::Script => ModuleType::JavaScript,
            ModuleKind::Json => ModuleType::Json,
        };
        let code = ModuleSourceCode::String(module.code.clone().into());
        Ok(ModuleSource::new(kind, code, address, None))
    }
}

impl ModuleLoader for Modules {
    fn resolve(
        &self,
        specifier: &str,
        referrer: &str,
        kind: ResolutionKind,
    ) -> Result<ModuleSpecifier, ModuleLoaderError> {
        if kind == ResolutionKind::MainModule && specifier.starts_with(ROOT) {
            return ModuleSpecifier::parse(specifier).map_err(|_| refusal("the entry's address"));
        }
        if kind == ResolutionKind::Import && referrer == BY_NO_MODULE && specifier == REHEARSAL {
            return ModuleSpecifier::parse(specifier).map_err(|_| refusal("the rehearsal's address"));
        }
        Self::resolve(self, specifier, referrer)
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        _referrer: Option<&ModuleLoadReferrer>,
        _options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        ModuleLoadResponse::Sync(Self::load(self, specifier))
    }

    /// Asked for when a stack trace is made: by it the trace names the lines that were deployed.
    fn get_source_map(&self, file_name: &str) -> Option<Cow<'_, [u8]>> {
        let modules = self.0.borrow();
        let map = &modules.get(file_name)?.map;
        (!map.is_empty()).then(|| Cow::Owned(map.clone().into_bytes()))
    }
}

fn address(path: &str) -> Result<ModuleSpecifier, ProgramError> {
    ModuleSpecifier::parse(&format!("{ROOT}{path}")).map_err(|_| ProgramError::Modules)
}

fn refusal(why: &'static str) -> ModuleLoaderError {
    ModuleLoaderError::type_error(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules() -> (Modules, ModuleSpecifier, String) {
        let module = |path: &str, code: &str, imports: &[(&str, &str)]| Module {
            path: path.into(),
            code: code.into(),
            imports: imports.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect(),
            ..Module::default()
        };
        let program = Program {
            entry: "src/main.ts".into(),
            modules: vec![
                module("src/main.ts", "main", &[("zod", "zod.js"), ("./a", "src/a.ts")]),
                module("src/a.ts", "a", &[]),
                module("zod.js", "zod", &[]),
            ],
        };
        let modules = Modules::default();
        let (entry, code) = modules.take(program.encode().unwrap()).unwrap();
        (modules, entry, code)
    }

    #[test]
    fn imports_mean_what_the_bundler_said() {
        let (modules, entry, code) = modules();
        assert_eq!((entry.as_str(), code.as_str()), ("file:///src/main.ts", "main"));
        let resolve = |specifier: &str, from: &str| modules.resolve(specifier, from).ok().map(String::from);
        let main = "file:///src/main.ts";
        assert_eq!(resolve("zod", main).as_deref(), Some("file:///zod.js"));
        assert_eq!(resolve("./a", main).as_deref(), Some("file:///src/a.ts"));
        assert_eq!(resolve("../zod.js", main).as_deref(), Some("file:///zod.js"), "computed");
        for (specifier, from) in [
            ("zod", "file:///src/a.ts"),
            ("./none", main),
            ("file:///zod.js", main),
            ("https://a.test/", main),
            ("../../../etc/passwd", main),
            ("ext:r3e/main.js", main),
            ("./a", "ext:r3e/main.js"),
            (REHEARSAL, main),
            (REHEARSAL, BY_NO_MODULE),
        ] {
            assert_eq!(resolve(specifier, from), None, "{specifier}");
        }
    }

    #[test]
    fn one_source_imports_nothing() {
        let modules = Modules::default();
        let (entry, code) = modules.take("export default 1".into()).unwrap();
        assert_eq!((entry.as_str(), code.as_str()), ("file:///function.js", "export default 1"));
        assert!(modules.resolve("./function.js", "file:///function.js").is_err());
        assert!(modules.take("\0".into()).is_err());
    }
}
