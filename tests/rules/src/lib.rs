//! What the house rules are tested on: the packages as Cargo sees them, and the files as git sees them. The rules
//! themselves are the tests of this crate.
#![forbid(unsafe_code)]

mod packages;
mod sources;

pub use packages::{Package, Workspace, linked_by};
pub use sources::{SourceFile, read, root, rust_files, tracked_files};
