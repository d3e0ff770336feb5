//! Why an image was not made.

use std::io;
use std::path::PathBuf;

use r3e_eif_format::cpio::CpioError;
use r3e_eif_format::{ImageError, SignatureError};
use thiserror::Error;

/// Why an image was not made, and what to do about it.
#[derive(Debug, Error)]
pub(crate) enum RecipeError {
    /// No folder from the current one up holds the source.
    #[error(
        "{start} and the folders above it do not hold the source of R3E Enclave: run this inside a clone of it, or name the clone by --source"
    )]
    NoSource {
        /// Where the search began.
        start: PathBuf,
    },
    /// A tool cannot be started.
    #[error("cannot start {program} ({source}): {hint}")]
    Start {
        /// The tool.
        program: String,
        /// How to get it.
        hint: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A tool failed; it has said why on the error stream.
    #[error("{step} failed ({status}); its own message is above")]
    Failed {
        /// What it was for.
        step: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// A tool printed what we cannot use.
    #[error("{program} printed something unexpected: {text:?}")]
    Output {
        /// The tool.
        program: String,
        /// What it printed, shortened.
        text: String,
    },
    /// A file cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A path that a compiler would be given is no UTF-8 or holds a space or an equals sign, which end a compiler's option.
    #[error(
        "{0:?} cannot be given to the compilers: it holds a space, a `=`, or is no UTF-8; build elsewhere"
    )]
    Path(PathBuf),
    /// A program that needs shared libraries, of which the image has none.
    #[error("{program} is not a static program: the image has no libraries")]
    NotStatic {
        /// Which.
        program: &'static str,
    },
    /// The parts do not make an image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The files do not make a ramdisk.
    #[error(transparent)]
    Ramdisk(#[from] CpioError),
    /// The image cannot be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}
