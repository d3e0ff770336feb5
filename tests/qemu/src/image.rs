//! The image under test: built beforehand, since a build takes minutes and tests are many.

use std::path::{Path, PathBuf};

/// Names the image's file.
pub const IMAGE_VARIABLE: &str = "R3E_TEST_EIF";

/// An image with what its builder published of it.
#[derive(Debug, Clone)]
pub struct Image {
    /// The image.
    pub eif: PathBuf,
    /// Its reference values, in the form that verifiers read.
    pub reference_values: PathBuf,
}

impl Image {
    /// The image that the environment names, with the reference values beside it, `NAME.reference-values.json`.
    ///
    /// # Panics
    /// The environment names none, or one that is not whole.
    pub fn under_test() -> Self {
        let eif = std::env::var_os(IMAGE_VARIABLE).map(PathBuf::from);
        let eif = eif.unwrap_or_else(|| {
            panic!("{IMAGE_VARIABLE} names no image: build one with r3e-eif, or run scripts/test --only qemu")
        });
        let image = Self::at(&eif);
        for file in [&image.eif, &image.reference_values] {
            assert!(file.is_file(), "{IMAGE_VARIABLE}: there is no {}", file.display());
        }
        image
    }

    /// The image in a file, with the reference values beside it.
    pub fn at(eif: &Path) -> Self {
        Self { eif: eif.to_owned(), reference_values: eif.with_extension("reference-values.json") }
    }
}
