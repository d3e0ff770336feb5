//! What can go wrong when the fake NSM is set up.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why there is no fake NSM, or no chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FakeNsmError {
    /// A file of the state folder cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The stored test root is damaged. Delete the file to get a new root.
    #[error("{} holds no test root ({problem}); delete it to make a new root", path.display())]
    StoredRoot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// A signing key cannot be made or used.
    #[error("a P-384 key cannot be made or used")]
    Key,
    /// A time is beyond what a certificate can say.
    #[error("{0} ms after the epoch is not a time that a certificate can carry")]
    Time(i64),
}
