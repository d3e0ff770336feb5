//! The recipe of the image: which programs, which kernel, which files at which place, which command line.
//!
//! [`source`] finds the repository, [`toolchain`] says what compiles it, [`programs`], [`kernel`] and [`layers`] make the parts, and
//! [`pack()`] puts them together. The parts alone decide the image's bytes: neither the folder, the user, the machine's
//! name nor the time of day go into them.

mod error;
mod kernel;
mod layers;
mod pack;
mod programs;
mod source;
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use error::RecipeError;
pub(crate) use layers::{Layer, LayerFile};
pub(crate) use pack::pack;
pub(crate) use source::Source;
pub(crate) use toolchain::Toolchain;

/// Where the build's products go, and what it may reuse.
pub(crate) struct Workplace {
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    /// A kernel to take in place of the one that the source names.
    pub(crate) kernel: Option<PathBuf>,
}

/// What goes into an image, as bytes.
pub(crate) struct Parts {
    /// The kernel, a bzImage.
    pub(crate) kernel: Vec<u8>,
    /// PID 1.
    pub(crate) init: Vec<u8>,
    /// The programs below `/usr/bin`, by name, in the order of their names.
    pub(crate) programs: Vec<(&'static str, Vec<u8>)>,
    /// The files of the layers, in the same place.
    pub(crate) layers: Vec<LayerFile>,
    /// What made them.
    pub(crate) toolchain: Toolchain,
}

/// Makes the parts of the image from the source, with these layers. `say` is told what is being done, a line a step.
///
/// # Errors
/// [`RecipeError`]: a tool is missing, or a part did not build.
pub(crate) fn make(
    source: &Source,
    workplace: &Workplace,
    layers: &[Layer],
    say: &mut dyn FnMut(&str),
) -> Result<Parts, RecipeError> {
    let toolchain = Toolchain::find(source)?;
    say("kernel");
    let kernel = match &workplace.kernel {
        Some(file) => read(file)?,
        None => kernel::build(source)?,
    };
    say("programs (the first build compiles their dependencies: some minutes)");
    let mut csharp = None;
    for layer in layers {
        csharp = csharp.or(layer.runtime(source)?);
    }
    let built = programs::build(source, workplace, &toolchain, csharp.as_deref())?;
    let mut files = Vec::with_capacity(layers.len());
    for layer in layers {
        say("layer");
        files.push(layer.make(source, workplace, &built.folder)?);
    }
    Ok(Parts { kernel, init: built.init, programs: built.programs, layers: files, toolchain })
}

/// The file that a script of the repository makes: its path is the last line of what it prints. Its progress is the user's to see.
fn output_path(
    source: &Source,
    script: &str,
    arguments: &[&str],
    step: &'static str,
) -> Result<PathBuf, RecipeError> {
    let output = Command::new(source.root().join(script))
        .args(arguments)
        .current_dir(source.root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| RecipeError::Start {
            program: script.to_owned(),
            hint: "it needs bash; is the clone complete?",
            source: error,
        })?;
    if !output.status.success() {
        return Err(RecipeError::Failed { step, status: output.status });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let path = text.lines().next_back().map(PathBuf::from).filter(|path| path.is_file());
    path.ok_or_else(|| RecipeError::Output { program: script.to_owned(), text: text.trim().to_owned() })
}

fn read(file: &Path) -> Result<Vec<u8>, RecipeError> {
    std::fs::read(file).map_err(|source| RecipeError::Read { file: file.to_owned(), source })
}
