//! The kernel, by the script beside its configuration: it pins the source, and keeps what it has built.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{RecipeError, Source, read};

/// Prints the path of the kernel as the last line of its output, and its progress on the error stream.
const SCRIPT: &str = "eif/kernel/build";

/// The kernel's bytes.
///
/// # Errors
/// [`RecipeError`]: the script failed.
pub(super) fn build(source: &Source) -> Result<Vec<u8>, RecipeError> {
    let script = source.root().join(SCRIPT);
    let output = Command::new(&script)
        .current_dir(source.root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| RecipeError::Start {
            program: script.display().to_string(),
            hint: "it needs bash; is the clone complete?",
            source: error,
        })?;
    if !output.status.success() {
        return Err(RecipeError::Failed { step: "the kernel's build", status: output.status });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let path = text.lines().next_back().map(PathBuf::from).filter(|path| path.is_file());
    match path {
        Some(path) => read(&path),
        None => Err(RecipeError::Output { program: SCRIPT.to_owned(), text: text.trim().to_owned() }),
    }
}
