//! Hostile functions, one attack a file, and a harness that runs each against the real pool and the real runner.
//!
//! | module | what |
//! |---|---|
//! | [`corpus`] | the scripts under `corpus/`, and what each says of itself |
//! | [`ending`] | how an event ended, in the API's words |
//! | [`arena`] | a pool in which one script after another attacks, beside a canary of another tenant's |
//! | [`census`] | what an attack must not leave: processes, descriptors, files, mounts |
//! | [`native`] | attacks from inside the box, by system calls and by lies |
//! | [`host`] | a host that answers calls |
//! | [`report`] | the table, and how long the canary waited |
//!
//! Each script's first lines say what it attacks, which limit it is to run into, and every ending that is right for it:
//!
//! ```text
//! // attack: Sorts an array of four thousand million holes, inside one native call.
//! // limit: cpu
//! // ends: cpu_limit
//! ```
//!
//! `cargo run -p r3e-hostile -- loop-sort` runs one by its name.

#![forbid(unsafe_code)]

pub mod arena;
pub mod census;
mod compiler;
pub mod corpus;
pub mod ending;
pub mod host;
pub mod limits;
pub mod native;
pub mod programs;
pub mod report;

pub use arena::{Arena, ArenaError, Row};
pub use corpus::{Again, Bound, CorpusError, Script};
pub use ending::Ending;
