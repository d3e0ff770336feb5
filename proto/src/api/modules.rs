//! What a function is made of: one source, or several modules by path. The rules that need no parser.

use std::collections::BTreeMap;

use thiserror::Error;

use super::functions::{Deploy, Runtime};

/// A module's path, with its slashes.
pub const MAX_MODULE_PATH_BYTES: usize = 200;
/// Folders in each other, the file counted: deeper trees are generated, and pre-bundled.
pub const MAX_MODULE_PATH_SEGMENTS: usize = 16;

/// A function's code as it is deployed, in one of its two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code<'a> {
    /// One module that imports nothing.
    Source(&'a str),
    /// Several, of which one is the entry.
    Modules {
        /// The path of the module whose default export is called.
        entry: &'a str,
        /// Texts by path.
        modules: &'a BTreeMap<String, String>,
    },
}

/// What a module is, by the ending of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// `.js`, `.mjs`.
    JavaScript,
    /// `.ts`, `.mts`.
    TypeScript,
    /// `.d.ts`, `.d.mts`: types alone, of which nothing is run.
    Declarations,
    /// `.json`.
    Json,
    /// `.cs`.
    CSharp,
}

/// The rule that a deployment's code breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Both forms, or neither.
    #[error("give either `source`, the text of one module, or `modules` with their `entry`, and not both")]
    Form,
    /// Several modules in a language that has one.
    #[error("a function of {0} is one module: give its `source`")]
    Single(&'static str),
    /// A path that names no module.
    #[error(
        "{0:?} is no module's path: up to 200 bytes of A-Z a-z 0-9 `-` `_` `.` `@` `+` in up to 16 parts between `/`, none of \
         which begins with `.`"
    )]
    Path(String),
    /// An ending that no module has.
    #[error("{0:?} is no module: its path must end in .js, .mjs, .ts, .mts or .json; in C#, in .cs")]
    Kind(String),
    /// TypeScript where the runtime is JavaScript.
    #[error("{0:?} is TypeScript: say so by `runtime`: `typescript`")]
    TypeScript(String),
    /// C# where the runtime is none of it, or the other way round.
    #[error("{0:?} is not of the runtime's language: C# comes alone, and says so by `runtime`: `csharp`")]
    CSharp(String),
    /// The entry is not among the modules.
    #[error("`entry` is {0:?}, which is not among the modules")]
    NoEntry(String),
    /// The entry holds no code.
    #[error("`entry` is {0:?}, which holds nothing that could be called")]
    EntryKind(String),
}

impl ModuleKind {
    /// What a path's ending says.
    pub fn of(path: &str) -> Option<Self> {
        if path.ends_with(".d.ts") || path.ends_with(".d.mts") {
            return Some(Self::Declarations);
        }
        match path.rsplit_once('.')?.1 {
            "js" | "mjs" => Some(Self::JavaScript),
            "ts" | "mts" => Some(Self::TypeScript),
            "json" => Some(Self::Json),
            "cs" => Some(Self::CSharp),
            _ => None,
        }
    }
}

impl Deploy {
    /// The code, in the one form that was given.
    ///
    /// # Errors
    /// [`CodeError`]: the first rule it breaks.
    pub fn code(&self) -> Result<Code<'_>, CodeError> {
        match (self.source.is_empty(), &self.entry, self.modules.is_empty()) {
            (false, None, true) => Ok(Code::Source(&self.source)),
            (true, Some(_), false) if !self.runtime.has_modules() => {
                Err(CodeError::Single(self.runtime.name()))
            }
            (true, Some(entry), false) => {
                check(self.runtime, entry, &self.modules)?;
                Ok(Code::Modules { entry, modules: &self.modules })
            }
            _ => Err(CodeError::Form),
        }
    }
}

impl Code<'_> {
    /// Bytes of all texts together.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Source(source) => source.len(),
            Self::Modules { modules, .. } => modules.values().map(String::len).sum(),
        }
    }
}

/// Whether a text is a module's path in its one form: relative to the function's root, and inside it.
pub fn is_module_path(path: &str) -> bool {
    let segment = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte))
    };
    path.len() <= MAX_MODULE_PATH_BYTES
        && path.split('/').count() <= MAX_MODULE_PATH_SEGMENTS
        && path.split('/').all(segment)
}

fn check(runtime: Runtime, entry: &str, modules: &BTreeMap<String, String>) -> Result<(), CodeError> {
    for path in modules.keys() {
        if !is_module_path(path) {
            return Err(CodeError::Path(shown(path)));
        }
        match ModuleKind::of(path) {
            None => return Err(CodeError::Kind(shown(path))),
            Some(kind) if (kind == ModuleKind::CSharp) != (runtime == Runtime::Csharp) => {
                return Err(CodeError::CSharp(shown(path)));
            }
            Some(ModuleKind::TypeScript | ModuleKind::Declarations) if runtime == Runtime::Javascript => {
                return Err(CodeError::TypeScript(shown(path)));
            }
            Some(_) => {}
        }
    }
    if !modules.contains_key(entry) {
        return Err(CodeError::NoEntry(shown(entry)));
    }
    match ModuleKind::of(entry) {
        Some(ModuleKind::JavaScript | ModuleKind::TypeScript | ModuleKind::CSharp) => Ok(()),
        _ => Err(CodeError::EntryKind(shown(entry))),
    }
}

/// What an error repeats of a text that someone sent.
fn shown(text: &str) -> String {
    text.chars().take(MAX_MODULE_PATH_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(paths: &[&str]) -> BTreeMap<String, String> {
        paths.iter().map(|path| ((*path).to_owned(), "0".to_owned())).collect()
    }

    fn code_of(runtime: Runtime, entry: &str, paths: &[&str]) -> Result<(), CodeError> {
        Deploy::modules(runtime, entry, modules(paths)).code().map(drop)
    }

    #[test]
    fn a_path_stays_inside_and_is_plain_ascii() {
        for right in
            ["a.ts", "src/a-b_c.d.ts", "@scope/pkg+1/index.js", "a..b.js", "A.json", &"a".repeat(200)]
        {
            assert!(is_module_path(right), "{right}");
        }
        let deep = "a/".repeat(16) + "a.js";
        for wrong in [
            "",
            "/",
            "/a.js",
            "a.js/",
            "a//b.js",
            "./a.js",
            "../a.js",
            "a/../b.js",
            "a/./b.js",
            ".a.js",
            "a/.b/c.js",
            "a\\b.js",
            "C:\\a.js",
            "a b.js",
            "a\0.js",
            "a\n.js",
            "a%2e.js",
            "а.js",
            "a．js",
            "a\u{202e}sj.js",
            "é.js",
            "file:///a.js",
            "a?b.js",
            "a#b.js",
            "~/a.js",
            &"a".repeat(201),
            &deep,
        ] {
            assert!(!is_module_path(wrong), "{wrong:?}");
            assert_eq!(
                code_of(Runtime::Typescript, wrong, &[wrong]),
                Err(CodeError::Path(shown(wrong))),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn the_ending_says_what_a_module_is() {
        for (path, kind) in [
            ("a.js", Some(ModuleKind::JavaScript)),
            ("a.mjs", Some(ModuleKind::JavaScript)),
            ("a.ts", Some(ModuleKind::TypeScript)),
            ("a.mts", Some(ModuleKind::TypeScript)),
            ("a.d.ts", Some(ModuleKind::Declarations)),
            ("a.d.mts", Some(ModuleKind::Declarations)),
            ("a.json", Some(ModuleKind::Json)),
            ("a.cs", Some(ModuleKind::CSharp)),
            ("a.tsx", None),
            ("a.jsx", None),
            ("a.cjs", None),
            ("a.wasm", None),
            ("a.JS", None),
            ("js", None),
            ("a", None),
        ] {
            assert_eq!(ModuleKind::of(path), kind, "{path}");
        }
        assert_eq!(code_of(Runtime::Typescript, "a.tsx", &["a.tsx"]), Err(CodeError::Kind("a.tsx".into())));
    }

    #[test]
    fn c_sharp_comes_alone() {
        assert_eq!(code_of(Runtime::Csharp, "a.cs", &["a.cs", "lib/b.cs"]), Ok(()));
        for (runtime, entry, paths, wrong) in [
            (Runtime::Csharp, "a.cs", &["a.cs", "b.js"][..], "b.js"),
            (Runtime::Csharp, "a.cs", &["a.cs", "b.json"], "b.json"),
            (Runtime::Javascript, "a.js", &["a.js", "b.cs"], "b.cs"),
            (Runtime::Typescript, "a.cs", &["a.cs"], "a.cs"),
        ] {
            assert_eq!(code_of(runtime, entry, paths), Err(CodeError::CSharp(wrong.into())), "{wrong}");
        }
    }

    #[test]
    fn exactly_one_form_is_given() {
        let source = Deploy::javascript("0");
        assert_eq!(source.code(), Ok(Code::Source("0")));
        let several = Deploy::modules(Runtime::Javascript, "a.js", modules(&["a.js", "b/c.json"]));
        assert!(matches!(several.code(), Ok(Code::Modules { entry: "a.js", .. })));
        assert_eq!(several.code().unwrap().bytes(), 2);
        for wrong in [
            Deploy::javascript(""),
            Deploy { entry: Some("a.js".into()), ..source.clone() },
            Deploy { modules: modules(&["a.js"]), ..source.clone() },
            Deploy { source: "0".into(), ..several.clone() },
            Deploy { entry: None, ..several.clone() },
            Deploy { modules: BTreeMap::new(), ..several.clone() },
        ] {
            assert_eq!(wrong.code(), Err(CodeError::Form), "{wrong:?}");
        }
    }

    #[test]
    fn the_entry_is_code_of_the_set_and_typescript_is_said() {
        let javascript = |entry, paths: &[&str]| code_of(Runtime::Javascript, entry, paths);
        assert_eq!(javascript("a.ts", &["a.ts"]), Err(CodeError::TypeScript("a.ts".into())));
        assert_eq!(javascript("a.js", &["a.js", "b.d.ts"]), Err(CodeError::TypeScript("b.d.ts".into())));
        assert_eq!(javascript("b.js", &["a.js"]), Err(CodeError::NoEntry("b.js".into())));
        assert_eq!(javascript("a.json", &["a.json"]), Err(CodeError::EntryKind("a.json".into())));
        assert_eq!(code_of(Runtime::Typescript, "a.ts", &["a.ts", "b.js", "c.mts", "d.d.ts"]), Ok(()));
        assert_eq!(
            code_of(Runtime::Typescript, "a.d.ts", &["a.d.ts"]),
            Err(CodeError::EntryKind("a.d.ts".into()))
        );
    }
}
