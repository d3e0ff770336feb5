//! Where the programs under test are: beside the test programs, in the same build folder.

use std::path::{Path, PathBuf};

/// A program of the workspace.
///
/// # Panics
/// It was not built: `cargo test` builds the programs of the tested package alone.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    // <target>/debug/deps/<test>, or <target>/debug/<program>.
    let found = test.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        let folder = test.parent().and_then(Path::parent).unwrap_or(Path::new("?"));
        panic!(
            "there is no program {name} in {}: build the programs first, with `cargo build --workspace --bins` in the \
             same profile",
            folder.display()
        )
    })
}
