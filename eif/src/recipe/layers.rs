//! What an image may hold beside its programs: the interpreters of languages, each of which somebody may leave out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde::Serialize;

use super::{RecipeError, Source, Workplace, output_path, read};

/// A language that is an image's by choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Layer {
    /// Python's interpreter for WASI, compiled.
    Python,
    /// C#'s runtime and compiler, linked into a program.
    Csharp,
}

/// A layer's file, below `/usr/bin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerFile {
    pub(crate) name: &'static str,
    pub(crate) permissions: u16,
    pub(crate) content: Vec<u8>,
}

/// Fetches the interpreter's module and checks it against the pinned digest; prints its path.
const FETCH_PYTHON: [&str; 2] = ["scripts/python-layer", "--fetch"];
/// Compiles it. It stands with the programs, and is no part of the image.
const COMPILE_PYTHON: &str = "r3e-python-layer";
/// What the compiled interpreter is called, beside `r3e-wasm-runner`, which looks for it there.
const PYTHON: &str = "r3e-python.cwasm";
/// Fetches C#'s runtime and checks it; prints the path of a file beside it.
const FETCH_CSHARP: [&str; 2] = ["scripts/csharp-layer", "--fetch"];
/// The program as cargo names it, and as those that start it do.
const BUILT_CSHARP: &str = "r3e-csharp-runner";
const CSHARP: &str = "r3e-csharp";

impl Layer {
    /// The folder of what is linked into a program of the layer's, where it has one: fetched, and checked.
    ///
    /// # Errors
    /// [`RecipeError`]: it cannot be fetched, or is not what was pinned.
    pub(super) fn runtime(self, source: &Source) -> Result<Option<PathBuf>, RecipeError> {
        let Self::Csharp = self else { return Ok(None) };
        let [script, arguments @ ..] = FETCH_CSHARP;
        let beside = output_path(source, script, &arguments, "the download of C#'s runtime")?;
        Ok(beside.parent().map(Path::to_owned))
    }

    /// The layer's file. `programs` is where the image's programs were built.
    ///
    /// # Errors
    /// [`RecipeError`]: it cannot be fetched, is not what was pinned, or does not compile.
    pub(super) fn make(
        self,
        source: &Source,
        workplace: &Workplace,
        programs: &Path,
    ) -> Result<LayerFile, RecipeError> {
        if self == Self::Csharp {
            let content = super::programs::read_static(programs, BUILT_CSHARP)?;
            return Ok(LayerFile { name: CSHARP, permissions: 0o555, content });
        }
        let [script, arguments @ ..] = FETCH_PYTHON;
        let module = output_path(source, script, &arguments, "the download of Python")?;
        let compiled = workplace.target.join(format!("{PYTHON}.{}", std::process::id()));
        let made = compile(&programs.join(COMPILE_PYTHON), &module, &compiled).and_then(|()| read(&compiled));
        // It is read, or was never written.
        drop(std::fs::remove_file(&compiled));
        Ok(LayerFile { name: PYTHON, permissions: 0o444, content: made? })
    }
}

fn compile(compiler: &Path, module: &PathBuf, out: &PathBuf) -> Result<(), RecipeError> {
    let status = Command::new(compiler)
        .args([module, out])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|source| RecipeError::Start {
            program: compiler.display().to_string(),
            hint: "it is built with the image's programs; is this machine of another kind?",
            source,
        })?;
    if status.success() {
        Ok(())
    } else {
        Err(RecipeError::Failed { step: "the compilation of Python", status })
    }
}
