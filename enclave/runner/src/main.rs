//! `r3e-runner`: runs one version of one tenant's JavaScript function, boxed.
//!
//! The box, and the conversation with the enclave process, are `r3e-sandbox`'s; the engine is here.
//!
//! This program knows nothing of tenants, permissions, keys, networks or files; what it cannot do inside
//! the box it asks the enclave process to do.

mod engine;
mod limits;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: r3e_sandbox::EndWhenExhausted = r3e_sandbox::EndWhenExhausted;

fn main() -> ExitCode {
    r3e_sandbox::serve::<engine::Engine>("r3e-runner")
}
