//! WebAssembly functions: what compiles a module, once, when it is deployed, and what runs it.
//!
//! ```text
//! r3e-wasm-compiler: module -> machine code          (a boxed process, asked once and thrown away)
//! r3e-wasm-runner:   machine code, then its events   (a boxed process, copied for each function and each event)
//! ```
//!
//! A module is a command of WASI preview 1: the event is its standard input, its result what it writes to standard output, its log
//! what it writes to standard error. It has no files, no network and no environment; what it may ask the appliance for, it asks by
//! the imports of the module `r3e`. A component is a command of WASI 0.2, or a function of a text, and asks by the typed interfaces
//! of `r3e:functions`.
//!
//! The machine code comes from a compiler that a hostile module may have taken over, and is not trusted to keep to WebAssembly's
//! rules: the box around the process is the limit, as it is for every engine.
//!
//! This crate knows nothing of tenants, permissions, keys, networks or files.

mod artefact;
mod command;
pub mod compile;
mod component;
mod desk;
mod guest;
mod host;
mod limits;
pub mod orders;
mod outcome;
mod python;
mod random;
mod settings;
mod wasi;

pub use artefact::{ArtefactError, decode as decode_artefact, encode as encode_artefact};
pub use command::{Commands, StartError};
pub use python::Python;
pub use settings::engine;
