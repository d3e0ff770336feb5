//! The kernel, by the script beside its configuration: it pins the source, and keeps what it has built.

use super::{RecipeError, Source, output_path, read};

/// Prints the path of the kernel as the last line of its output, and its progress on the error stream.
const SCRIPT: &str = "eif/kernel/build";

/// The kernel's bytes.
///
/// # Errors
/// [`RecipeError`]: the script failed.
pub(super) fn build(source: &Source) -> Result<Vec<u8>, RecipeError> {
    read(&output_path(source, SCRIPT, &[], "the kernel's build")?)
}
