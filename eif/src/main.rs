//! `r3e-eif`: builds, measures, describes, compares and signs enclave images.
//!
//! Each subcommand is one module under `cli`, with its arguments and its `run`; `file` reads and writes files,
//! `ramdisk` unpacks one part, `difference` compares two images, `reference_values` is the file that verifiers read, `text` is what makes foreign
//! text safe to print, `recipe` is how the image is made from the source. An image is never trusted: what is shown is
//! computed from its bytes, or marked as a claim.
#![forbid(unsafe_code)]

mod cli;
mod difference;
mod file;
mod ramdisk;
mod recipe;
mod reference_values;
mod text;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
