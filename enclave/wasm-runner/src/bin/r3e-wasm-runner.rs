//! `r3e-wasm-runner [INTERPRETER]`: runs one version of one tenant's WebAssembly function, boxed; or, by a compiled interpreter, one in
//! Python.
//!
//! The box, and the conversation with the enclave process, are `r3e-sandbox`'s; the engine is this package's library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: r3e_sandbox::EndWhenExhausted = r3e_sandbox::EndWhenExhausted;

fn main() -> ExitCode {
    if r3e_wasm_runner::Python::is_wanted() {
        r3e_sandbox::serve::<r3e_wasm_runner::Python>("r3e-wasm-runner")
    } else {
        r3e_sandbox::serve::<r3e_wasm_runner::Commands>("r3e-wasm-runner")
    }
}
