//! Where the programs are that `cargo build` puts beside this one.

use std::path::PathBuf;

/// A program in the folder of this one, or above it, where that of a test lies.
pub fn find(name: &str) -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    here.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file())
}
