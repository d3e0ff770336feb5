//! Which engine runs a function, and which process has it ready.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::{fmt, io};

use super::config::RunnerConfig;
use super::error::InvocationError;
use super::limits::{BASE_MEMORY_MIB, PYTHON_MEMORY_MIB};
use super::nursery::Nursery;
use super::spawner::Spawner;

/// The program that runs WebAssembly, beside that which runs JavaScript.
const WASM_RUNNER: &str = "r3e-wasm-runner";
/// The interpreter that runs Python, compiled, in the same place.
const PYTHON_LAYER: &str = "r3e-python.cwasm";
/// The program that runs C#, in the same place.
const CSHARP: &str = "r3e-csharp";

/// What runs a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// JavaScript.
    #[default]
    JavaScript,
    /// Compiled WebAssembly.
    Wasm,
    /// Python.
    Python,
    /// C#.
    CSharp,
    /// What makes and verifies zero-knowledge proofs. It has a pool of its own, and runs nothing of a tenant's.
    Prover,
}

impl Engine {
    /// What it runs, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::JavaScript => "JavaScript",
            Self::Wasm => "WebAssembly",
            Self::Python => "Python",
            Self::CSharp => "C#",
            Self::Prover => "proofs",
        }
    }
}

/// What is loaded, and what loads it. A text alone is JavaScript.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    /// What loads it.
    pub engine: Engine,
    /// What a process of that engine is given.
    pub source: Source<'a>,
}

/// What a process is given.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// This text.
    Here(&'a str),
    /// What is fetched once there is a process to give it to, so that nothing that waits holds it.
    Late(&'a dyn LateSource),
}

/// A source that is to be fetched.
pub trait LateSource: fmt::Debug + Send + Sync {
    /// Fetches it. Nothing where it cannot be had: then no event is handed over.
    fn fetch(&self) -> Fetching<'_>;
}

/// A text on its way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Option<Box<dyn AsRef<str> + Send + Sync>>> + Send + 'a>>;

impl<'a> From<&'a str> for Source<'a> {
    fn from(text: &'a str) -> Self {
        Self::Here(text)
    }
}

impl<'a> From<&'a str> for Code<'a> {
    fn from(source: &'a str) -> Self {
        Self { engine: Engine::JavaScript, source: source.into() }
    }
}

impl<'a> From<&'a String> for Code<'a> {
    fn from(source: &'a String) -> Self {
        source.as_str().into()
    }
}

/// Files that an image has or has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// The program that runs WebAssembly.
    pub wasm_runner: Option<PathBuf>,
    /// The compiled interpreter that the same program runs Python with.
    pub python: Option<PathBuf>,
    /// The program that runs C#, with its runtime.
    pub csharp: Option<PathBuf>,
}

impl Layers {
    /// Those that stand beside a program.
    pub fn beside(program: &Path) -> Self {
        let found = |name: &str| Some(program.with_file_name(name)).filter(|path| path.is_file());
        Self { wasm_runner: found(WASM_RUNNER), python: found(PYTHON_LAYER), csharp: found(CSHARP) }
    }
}

/// A nursery for each engine that there is.
#[derive(Debug)]
pub(super) struct Nurseries {
    /// That of the pool's own program.
    first: (Engine, Nursery),
    wasm: Option<Nursery>,
    python: Option<Nursery>,
    csharp: Option<Nursery>,
}

impl Nurseries {
    /// Those of a pool. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a thread that starts processes cannot be started.
    pub(super) fn new(config: &RunnerConfig) -> io::Result<Self> {
        let Layers { wasm_runner, python, csharp } = &config.layers;
        let nursery = |program: &Path, arguments: Vec<OsString>| {
            Ok::<_, io::Error>(Nursery::new(Spawner::new(program.to_owned(), arguments)?))
        };
        let wasm = wasm_runner.as_deref().map(|program| nursery(program, Vec::new())).transpose()?;
        let python = match (wasm_runner, python) {
            (Some(program), Some(layer)) => Some(nursery(program, vec![layer.into()])?),
            _ => None,
        };
        let csharp = csharp.as_deref().map(|program| nursery(program, Vec::new())).transpose()?;
        let first = (config.engine, nursery(&config.runner_path, Vec::new())?);
        Ok(Self { first, wasm, python, csharp })
    }

    /// The engine of the pool's own program, of which copies wait for a function.
    pub(super) fn own(&self) -> Engine {
        self.first.0
    }

    /// The one of an engine.
    pub(super) fn of(&self, engine: Engine) -> Result<&Nursery, InvocationError> {
        let found = match engine {
            engine if engine == self.first.0 => Some(&self.first.1),
            Engine::Wasm => self.wasm.as_ref(),
            Engine::Python => self.python.as_ref(),
            Engine::CSharp => self.csharp.as_ref(),
            Engine::JavaScript | Engine::Prover => None,
        };
        found.ok_or(InvocationError::NoEngine { name: engine.name() })
    }

    /// What their processes hold, without a function, in MiB.
    pub(super) fn empty_mib(&self) -> u64 {
        let wasm = u64::from(self.wasm.is_some()) * BASE_MEMORY_MIB;
        let python = u64::from(self.python.is_some()) * PYTHON_MEMORY_MIB;
        // Its runtime is started where events are handled, and not before.
        let csharp = u64::from(self.csharp.is_some()) * BASE_MEMORY_MIB;
        BASE_MEMORY_MIB + wasm + python + csharp
    }
}
