//! The recipe of the image: which programs, which kernel, which files at which place, which command line.
//!
//! [`source`] finds the repository, [`toolchain`] says what compiles it, [`programs`] and [`kernel`] make the parts, and
//! [`pack()`] puts them together. The parts alone decide the image's bytes: neither the folder, the user, the machine's
//! name nor the time of day go into them.

mod error;
mod kernel;
mod pack;
mod programs;
mod source;
mod toolchain;

use std::path::PathBuf;

pub(crate) use error::RecipeError;
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
    /// What made them.
    pub(crate) toolchain: Toolchain,
}

/// Makes the parts of the image from the source. `say` is told what is being done, a line a step.
///
/// # Errors
/// [`RecipeError`]: a tool is missing, or a part did not build.
pub(crate) fn make(
    source: &Source,
    workplace: &Workplace,
    say: &mut dyn FnMut(&str),
) -> Result<Parts, RecipeError> {
    let toolchain = Toolchain::find(source)?;
    say("kernel");
    let kernel = match &workplace.kernel {
        Some(file) => read(file)?,
        None => kernel::build(source)?,
    };
    say("programs (the first build compiles their dependencies: some minutes)");
    let built = programs::build(source, workplace, &toolchain)?;
    Ok(Parts { kernel, init: built.init, programs: built.programs, toolchain })
}

fn read(file: &std::path::Path) -> Result<Vec<u8>, RecipeError> {
    std::fs::read(file).map_err(|source| RecipeError::Read { file: file.to_owned(), source })
}
