//! The repository that an image is built from.

use std::path::{Path, PathBuf};

use super::RecipeError;

/// What only our repository has at its root.
const MARKS: [&str; 3] = ["Cargo.lock", "enclave/init/Cargo.toml", "eif/kernel/build"];

/// The repository's root.
pub(crate) struct Source {
    root: PathBuf,
}

impl Source {
    /// The repository that holds `start`.
    ///
    /// # Errors
    /// [`RecipeError::NoSource`].
    pub(crate) fn find(start: &Path) -> Result<Self, RecipeError> {
        let no_source = || RecipeError::NoSource { start: start.to_owned() };
        let start = start.canonicalize().map_err(|_| no_source())?;
        start
            .ancestors()
            .find(|folder| MARKS.iter().all(|mark| folder.join(mark).is_file()))
            .map(|root| Self { root: root.to_owned() })
            .ok_or_else(no_source)
    }

    /// The root, as an absolute path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}
