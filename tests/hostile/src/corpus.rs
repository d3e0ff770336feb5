//! The scripts, and what each says of itself in its first lines.

use std::path::{Path, PathBuf};
use std::{fs, io};

use r3e_functions::runner_pool::Engine;
use thiserror::Error;

use crate::compiler::{compile, compile_csharp};
use crate::ending::Ending;
use crate::programs;

/// Why the corpus cannot be read.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// A file or the folder cannot be read.
    #[error("{path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A script does not say what it must, or says it in other words.
    #[error("{name}: {what}")]
    Header {
        /// The script.
        name: String,
        /// What is wrong with its first lines.
        what: String,
    },
    /// A module that does not compile, or no compiler: cargo build -p r3e-wasm-runner.
    #[error("{name}: {what}")]
    Module {
        /// The script.
        name: String,
        /// What is wrong with it.
        what: String,
    },
}

/// The limit that a script is to run into, which is short then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Processor time.
    Cpu,
    /// Time.
    Wall,
    /// None: the script ends by itself, or by its memory, its output or its host calls.
    None,
}

/// What a second event of the same function, and one of another tenant's function of the same source, must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// They are not tried.
    Not,
    /// What the first gave: nothing was left behind.
    Same,
    /// An output that none of the others gave.
    Differ,
}

/// One attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file's name, without its ending.
    pub name: String,
    /// What is attacked, in a sentence.
    pub attack: String,
    /// Which limit is short.
    pub bound: Bound,
    /// Every ending that is right.
    pub ends: Vec<Ending>,
    /// Whether it is tried again.
    pub again: Again,
    /// Which process handles its first event.
    pub way: Way,
    /// What runs it.
    pub engine: Engine,
    /// What a runner is given: the whole file, which is an ES module; or the module that it is the text of, compiled. In C# the file
    /// itself, which is compiled before it runs ([`Script::runnable`]): that takes as long as some attacks.
    pub source: String,
}

/// Which process handles a function's first event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The one that loads it.
    Alone,
    /// A copy of that.
    Copied,
    /// It attacks as the first, and where it meets no limit as the second, too.
    Both,
}

/// Whether there is an interpreter for the scripts in Python: `scripts/python-layer` makes one.
pub fn python() -> bool {
    programs::find("r3e-python.cwasm").is_some()
}

/// Whether there is a runtime for the scripts in C#: `scripts/csharp-layer` makes one.
pub fn csharp() -> bool {
    programs::find("r3e-csharp").is_some()
}

/// Why a script is left out where the engine's layer was not made; nothing where it runs.
pub fn left_out(script: &Script) -> Option<&'static str> {
    match script.engine {
        Engine::Python if !python() => Some("scripts/python-layer"),
        Engine::CSharp if !csharp() => Some("scripts/csharp-layer"),
        _ => None,
    }
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Every script, by name; those in Python and C# too, whether or not they can be run ([`left_out`]).
///
/// # Errors
/// [`CorpusError`] names the script that cannot be read or does not say what it must.
pub fn read() -> Result<Vec<Script>, CorpusError> {
    let folder = folder();
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| CorpusError::Io { path, source }
    };
    let mut scripts = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
        let path = entry.map_err(unreadable(&folder))?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).map_err(unreadable(&path))?;
        let mut script = Script::parse(&name, source)?;
        let ending = path.extension().unwrap_or_default();
        if ending == "py" {
            script.engine = Engine::Python;
        } else if ending == "cs" {
            script.engine = Engine::CSharp;
        } else if ending == "wat" {
            script.engine = Engine::Wasm;
            script.source = compile(&script.source).map_err(|what| CorpusError::Module { name, what })?;
        }
        scripts.push(script);
    }
    scripts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(scripts)
}

impl Script {
    /// The script as a runner is given it.
    ///
    /// # Errors
    /// [`CorpusError::Module`]: it does not compile.
    pub fn runnable(&self) -> Result<Self, CorpusError> {
        let mut script = self.clone();
        if script.engine == Engine::CSharp {
            script.source = compile_csharp(&script.source)
                .map_err(|what| CorpusError::Module { name: self.name.clone(), what })?;
        }
        Ok(script)
    }

    /// Reads the first lines of a script: `// key: value`, or with `;;` or `#` before it, until a line that is none.
    ///
    /// # Errors
    /// [`CorpusError::Header`].
    pub fn parse(name: &str, source: String) -> Result<Self, CorpusError> {
        let wrong = |what: String| CorpusError::Header { name: name.to_owned(), what };
        let (mut attack, mut bound, mut again, mut ends) = (None, None, None, Vec::new());
        for line in source.lines() {
            let said = ["// ", ";; ", "# "].iter().find_map(|mark| line.strip_prefix(mark));
            let Some((key, value)) = said.and_then(|line| line.split_once(": ")) else { break };
            let twice = match key {
                "attack" => attack.replace(value.to_owned()).is_some(),
                "limit" => bound.replace(one_of(value, &BOUNDS).map_err(wrong)?).is_some(),
                "again" => again.replace(one_of(value, &AGAIN).map_err(wrong)?).is_some(),
                "ends" => {
                    let ending = Ending::parse(value).ok_or_else(|| wrong(format!("no ending: {value}")))?;
                    let twice = ends.contains(&ending);
                    ends.push(ending);
                    twice
                }
                _ => return Err(wrong(format!("no key of a script: {key}"))),
            };
            if twice {
                return Err(wrong(format!("{key} stands twice")));
            }
        }
        if ends.is_empty() {
            return Err(wrong("says no ending".to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            attack: attack.ok_or_else(|| wrong("does not say what it attacks".to_owned()))?,
            bound: bound.ok_or_else(|| wrong("does not say which limit is short".to_owned()))?,
            ends,
            again: again.unwrap_or(Again::Not),
            way: Way::Both,
            engine: Engine::default(),
            source,
        })
    }
}

const BOUNDS: [(&str, Bound); 3] = [("cpu", Bound::Cpu), ("wall", Bound::Wall), ("none", Bound::None)];
const AGAIN: [(&str, Again); 2] = [("same", Again::Same), ("differ", Again::Differ)];

fn one_of<T: Copy>(value: &str, table: &[(&str, T)]) -> Result<T, String> {
    let found = table.iter().find(|(name, _)| *name == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| format!("no value of its key: {value}"))
}
