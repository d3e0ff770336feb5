//! What a runner is given to load: the text of one module, or a program of several.
//!
//! A program is text, so that whatever carries a source carries it too. It begins with NUL, which no module does:
//!
//! ```text
//! NUL, 8 hex digits: bytes of what follows | JSON: the entry, and per module its path, imports and lengths | LF
//! the modules' texts, each with its source map after it, without anything between
//! ```
//!
//! A set of sources, as it was deployed, has the same form.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{MAX_MODULES, MAX_SOURCE_BYTES};

/// The first character.
const MARK: char = '\0';
/// The mark and the length after it.
const PREFIX_BYTES: usize = 9;

/// What a module's text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleKind {
    /// An ECMAScript module.
    #[default]
    Script,
    /// A JSON value: the module's default export.
    Json,
}

/// One module of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Its path below the function's root, such as `src/main.ts`.
    pub path: String,
    /// What its text is.
    pub kind: ModuleKind,
    /// What its imports name, and the path of the module each of them means.
    pub imports: BTreeMap<String, String>,
    /// Its text, as the engine compiles it.
    pub code: String,
    /// The source map (ECMA-426) back to what was deployed; empty where that is the text itself.
    pub map: String,
}

/// Modules that import each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The path of the module whose default export is called.
    pub entry: String,
    /// All of them, by path.
    pub modules: Vec<Module>,
}

/// Why a text is no program.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It does not begin as one.
    #[error("no program: it does not begin with its mark and length")]
    Mark,
    /// It is shorter than it says, or its parts are.
    #[error("a program that is cut short")]
    Short,
    /// Text is left over.
    #[error("a program with text after it")]
    Trailing,
    /// Its header.
    #[error("a program without a readable header")]
    Header(#[from] serde_json::Error),
    /// Two modules of one path, too many of them, or an entry that is none of them.
    #[error("a program whose modules are none, too many or not distinct, or without its entry")]
    Modules,
    /// It is too long for a runner.
    #[error("a program of {0} bytes; a runner takes {MAX_SOURCE_BYTES}")]
    TooLong(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    entry: String,
    modules: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    #[serde(default, skip_serializing_if = "is_script")]
    kind: ModuleKind,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    imports: BTreeMap<String, String>,
    code_bytes: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    map_bytes: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_script(kind: &ModuleKind) -> bool {
    *kind == ModuleKind::Script
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Whether a source is a program, and not the text of one module.
pub fn is_program(source: &str) -> bool {
    source.starts_with(MARK)
}

/// A program and what stands after it.
///
/// # Errors
/// [`ProgramError::Mark`], [`ProgramError::Short`].
pub fn split(text: &str) -> Result<(&str, &str), ProgramError> {
    let length = text.get(1..PREFIX_BYTES).filter(|_| is_program(text)).ok_or(ProgramError::Mark)?;
    if !length.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ProgramError::Mark);
    }
    let length = usize::from_str_radix(length, 16).map_err(|_| ProgramError::Mark)?;
    let end = PREFIX_BYTES.checked_add(length).ok_or(ProgramError::Short)?;
    text.split_at_checked(end).ok_or(ProgramError::Short)
}

impl Program {
    /// The sources of a function as a program that was not compiled.
    pub fn of_sources(entry: &str, sources: &BTreeMap<String, String>) -> Self {
        let module = |(path, code): (&String, &String)| Module {
            path: path.clone(),
            code: code.clone(),
            ..Module::default()
        };
        Self { entry: entry.to_owned(), modules: sources.iter().map(module).collect() }
    }

    /// The program as text.
    ///
    /// # Errors
    /// [`ProgramError::TooLong`], [`ProgramError::Modules`].
    pub fn encode(&self) -> Result<String, ProgramError> {
        self.check()?;
        let entry = |module: &Module| Entry {
            path: module.path.clone(),
            kind: module.kind,
            imports: module.imports.clone(),
            code_bytes: module.code.len(),
            map_bytes: module.map.len(),
        };
        let header = Header { entry: self.entry.clone(), modules: self.modules.iter().map(entry).collect() };
        let mut body = serde_json::to_string(&header)?;
        body.push('\n');
        for module in &self.modules {
            body.push_str(&module.code);
            body.push_str(&module.map);
        }
        let bytes = PREFIX_BYTES + body.len();
        if bytes > MAX_SOURCE_BYTES {
            return Err(ProgramError::TooLong(bytes));
        }
        Ok(format!("{MARK}{:08x}{body}", body.len()))
    }

    /// Reads a whole text as a program.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn decode(text: &str) -> Result<Self, ProgramError> {
        if text.len() > MAX_SOURCE_BYTES {
            return Err(ProgramError::TooLong(text.len()));
        }
        let (program, rest) = split(text)?;
        if !rest.is_empty() {
            return Err(ProgramError::Trailing);
        }
        let body = program.get(PREFIX_BYTES..).ok_or(ProgramError::Short)?;
        let (header, mut texts) = body.split_once('\n').ok_or(ProgramError::Short)?;
        let header: Header = serde_json::from_str(header)?;
        let mut modules = Vec::with_capacity(header.modules.len().min(MAX_MODULES));
        for Entry { path, kind, imports, code_bytes, map_bytes } in header.modules {
            let code = take(&mut texts, code_bytes)?;
            let map = take(&mut texts, map_bytes)?;
            modules.push(Module { path, kind, imports, code, map });
        }
        if !texts.is_empty() {
            return Err(ProgramError::Trailing);
        }
        let program = Self { entry: header.entry, modules };
        program.check()?;
        Ok(program)
    }

    /// The module of a path.
    pub fn module(&self, path: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.path == path)
    }

    fn check(&self) -> Result<(), ProgramError> {
        let paths: BTreeSet<&str> = self.modules.iter().map(|module| module.path.as_str()).collect();
        let sound = paths.len() == self.modules.len()
            && self.modules.len() <= MAX_MODULES
            && paths.contains(self.entry.as_str());
        if sound { Ok(()) } else { Err(ProgramError::Modules) }
    }
}

fn take(texts: &mut &str, bytes: usize) -> Result<String, ProgramError> {
    let (taken, rest) = texts.split_at_checked(bytes).ok_or(ProgramError::Short)?;
    *texts = rest;
    Ok(taken.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        let imports = BTreeMap::from([("./a.ts".to_owned(), "lib/a.ts".to_owned())]);
        Program {
            entry: "main.ts".into(),
            modules: vec![
                Module {
                    path: "main.ts".into(),
                    imports,
                    code: "kö\n\0de".into(),
                    map: "{}".into(),
                    ..Module::default()
                },
                Module { path: "lib/a.ts".into(), code: String::new(), ..Module::default() },
                Module {
                    path: "d.json".into(),
                    kind: ModuleKind::Json,
                    code: "{\"a\":1}".into(),
                    ..Module::default()
                },
            ],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = program().encode().unwrap();
        assert!(is_program(&text) && !is_program("export default () => 1;"));
        assert_eq!(Program::decode(&text).unwrap(), program());
        let joined = format!("{text}and more\0");
        assert_eq!(split(&joined).unwrap(), (text.as_str(), "and more\0"));
        assert!(matches!(Program::decode(&joined), Err(ProgramError::Trailing)));
    }

    #[test]
    fn no_part_of_a_program_is_one() {
        let text = program().encode().unwrap();
        for end in 0..text.len() {
            let Some(part) = text.get(..end) else { continue };
            assert!(Program::decode(part).is_err(), "{end}");
        }
        for wrong in
            ["\0+0000001a", "\0-0000001", "\0zzzzzzzz", "\0ffffffff", "\0\u{e4}\u{e4}\u{e4}\u{e4}", "\u{0}"]
        {
            assert!(Program::decode(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lengths_and_paths_must_agree() {
        let of = |header: &str, texts: &str| {
            let body = format!("{header}\n{texts}");
            Program::decode(&format!("\0{:08x}{body}", body.len()))
        };
        assert!(of(r#"{"entry":"a","modules":[{"path":"a","code_bytes":2}]}"#, "ab").is_ok());
        for (header, texts) in [
            (r#"{"entry":"a","modules":[{"path":"a","code_bytes":3}]}"#, "ab"),
            (r#"{"entry":"a","modules":[{"path":"a","code_bytes":1}]}"#, "ab"),
            (r#"{"entry":"a","modules":[{"path":"a","code_bytes":1}]}"#, "ä"),
            (r#"{"entry":"b","modules":[{"path":"a","code_bytes":2}]}"#, "ab"),
            (r#"{"entry":"a","modules":[]}"#, ""),
            (r#"{"entry":"a","modules":[{"path":"a","code_bytes":1},{"path":"a","code_bytes":1}]}"#, "ab"),
            (r#"{"entry":"a","modules":[{"path":"a","code_bytes":18446744073709551615}]}"#, "ab"),
            (r#"{"entry":"a","modules":[{"path":"a","code_bytes":2,"more":1}]}"#, "ab"),
        ] {
            assert!(of(header, texts).is_err(), "{header} {texts}");
        }
        let many: Vec<Module> =
            (0..=MAX_MODULES).map(|n| Module { path: n.to_string(), ..Module::default() }).collect();
        let many = Program { entry: "0".into(), modules: many };
        assert!(matches!(many.encode(), Err(ProgramError::Modules)));
        let long = Module { path: "a".into(), code: " ".repeat(MAX_SOURCE_BYTES), ..Module::default() };
        let long = Program { entry: "a".into(), modules: vec![long] };
        assert!(matches!(long.encode(), Err(ProgramError::TooLong(_))));
    }
}
