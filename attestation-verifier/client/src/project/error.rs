//! Why a folder or a zip is no function.

use std::io;

use r3e_proto::api::modules::CodeError;
use thiserror::Error;

use crate::limits::{
    MAX_MANIFEST_BYTES, MAX_PROJECT_DEPTH, MAX_PROJECT_ENTRIES, MAX_PROJECT_MODULES, MAX_ZIP_BYTES,
};

/// Why a folder or a zip is no function. Nothing was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A file or a folder cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// Which.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// There is no manifest.
    #[error("there is no r3e.toml at the root: it names the function, its entry and what it may reach")]
    NoManifest,
    /// The manifest is too long.
    #[error("r3e.toml is longer than {MAX_MANIFEST_BYTES} bytes")]
    ManifestSize,
    /// The manifest is none.
    #[error("r3e.toml is not one")]
    Manifest(#[from] toml::de::Error),
    /// The code breaks a rule.
    #[error("this is no function's code")]
    Code(#[from] CodeError),
    /// A trigger that waits for nothing, or for more than one thing.
    #[error(
        "the trigger {0:?} of r3e.toml has not exactly one of `cron`, `http`, `event`, `chain` and `price`"
    )]
    Trigger(String),
    /// Two triggers of one name.
    #[error("two triggers of r3e.toml are named {0:?}")]
    TwoTriggers(String),
    /// A file that is not text.
    #[error("{0:?} is not UTF-8 text")]
    NotText(String),
    /// A name that no module can have.
    #[error(
        "{0:?} cannot be a module's path: rename it to A-Z a-z 0-9 `-` `_` `.` `@` `+`, or name it in `exclude` of r3e.toml"
    )]
    Path(String),
    /// A link: what it points at is not part of the folder.
    #[error(
        "{0:?} is a symbolic link, which is not followed: put the file itself there, or name it in `exclude` of r3e.toml"
    )]
    Symlink(String),
    /// Something that is neither file, folder nor link.
    #[error("{0:?} is neither a file nor a folder")]
    Special(String),
    /// Too many modules.
    #[error(
        "more than {MAX_PROJECT_MODULES} modules: name what does not belong to the function in `exclude` of r3e.toml"
    )]
    TooManyModules,
    /// Too much to look through.
    #[error(
        "more than {MAX_PROJECT_ENTRIES} files and folders: name those that do not belong to the function in `exclude`"
    )]
    TooManyEntries,
    /// Too deep.
    #[error("{0:?} is deeper than {MAX_PROJECT_DEPTH} folders")]
    TooDeep(String),
    /// Too large.
    #[error(
        "the modules are larger than {max_bytes} bytes together, from {path:?} on: see `exclude` of r3e.toml"
    )]
    TooLarge {
        /// The first that is too much.
        path: String,
        /// What a function in its language may have.
        max_bytes: usize,
    },
    /// A zip that is too long.
    #[error("a zip of {0} bytes; at most {MAX_ZIP_BYTES} are read")]
    ZipSize(u64),
    /// No zip, or a damaged one.
    #[error("this is no zip that can be read")]
    Zip(#[from] ::zip::result::ZipError),
    /// A zip that different programs read differently.
    #[error("a zip that can be read in more than one way ({0}): make it anew with `zip -r`")]
    Ambiguous(&'static str),
    /// An entry of a zip that would lie elsewhere.
    #[error("the zip's entry {0:?} leads out of it")]
    Escapes(String),
    /// An entry that needs a password.
    #[error("the zip's entry {0:?} is encrypted")]
    Encrypted(String),
    /// Two entries of a name.
    #[error("the zip has {0:?} twice")]
    Duplicate(String),
}
