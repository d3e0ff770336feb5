//! Why the registry did not do what it was asked.

use r3e_proto::api::versions::MIN_PREFIX_DIGITS;
use r3e_runner_api::program::ProgramError;
use r3e_store::StoreError;
use thiserror::Error;

use crate::limits::{MAX_ALIASES, MAX_FUNCTIONS, MAX_VERSIONS};

/// Why the registry did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The tenant has no such function.
    #[error("there is no function {0:?}")]
    NotFound(String),
    /// The tenant has as many functions as it may.
    #[error("a tenant has at most {MAX_FUNCTIONS} functions; delete one first")]
    TooMany,
    /// No version can be dropped to make room for another.
    #[error(
        "there is no room for another version (at most {MAX_VERSIONS} of a function, and a tenant's share), and aliases name \
         those that could be dropped; remove an alias or a version, of this function or of another"
    )]
    TooManyVersions,
    /// The function has as many aliases as it may.
    #[error("a function has at most {MAX_ALIASES} aliases; remove one first")]
    TooManyAliases,
    /// No kept version begins with these digits.
    #[error("no version that is kept begins with {0}")]
    NoVersion(String),
    /// Several do.
    #[error("more than one version begins with {0}; give more digits")]
    AmbiguousVersion(String),
    /// An alias names the version.
    #[error(
        "the alias {alias:?} names the version {version}; point the alias elsewhere, or remove it, first"
    )]
    InUse {
        /// The version.
        version: String,
        /// The alias.
        alias: String,
    },
    /// There is no such alias.
    #[error("the function has no alias {0:?}")]
    NoAlias(String),
    /// What may name no alias.
    #[error(
        "{0:?} names no alias: 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`, and not {MIN_PREFIX_DIGITS} or \
         more digits of a version"
    )]
    AliasName(String),
    /// A split that is none.
    #[error("a split is of two different versions, and the canary has 1 to 99 percent")]
    Split,
    /// The alias was moved by someone else meanwhile.
    #[error(
        "the alias {alias:?} is at revision {found}, not {expected}: it was moved meanwhile; look at it, and decide again"
    )]
    AliasMoved {
        /// The alias.
        alias: String,
        /// The revision that was expected; 0 for no alias.
        expected: u64,
        /// The one that it has; 0 where there is none.
        found: u64,
    },
    /// The alias never pointed elsewhere, as far as is remembered.
    #[error("nothing is remembered of what the alias {0:?} pointed at before; set it to a version")]
    NothingBefore(String),
    /// The function's bare name stands for this alias.
    #[error("the alias `prod` goes with its function alone; point it elsewhere")]
    ProdStays,
    /// It was deployed or deleted by someone else meanwhile.
    #[error("the function {0:?} changed meanwhile; look at it, and decide again")]
    Changed(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record that the store vouches for, and that this release cannot read.
    #[error("the record of the function {name:?} is of another release")]
    Record {
        /// The function.
        name: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A record whose version is no SHA-256 in hex.
    #[error("the record of the function {0:?} names no version")]
    Version(String),
    /// A program that the store vouches for, and that this release cannot read.
    #[error("the program of the function {name:?} is of another release")]
    Program {
        /// The function.
        name: String,
        /// What is wrong with it.
        #[source]
        source: ProgramError,
    },
    /// A source that the store vouches for, and that is no text.
    #[error("the source of the function {0:?} is not text")]
    Source(String),
}
