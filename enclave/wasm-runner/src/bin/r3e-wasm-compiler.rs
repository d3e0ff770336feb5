//! `r3e-wasm-compiler`: compiles one WebAssembly module, boxed, and ends.
//!
//! It is started with the memory that it may come to write, in MiB, reads one message and answers it (`r3e_runner_api::bundling`). What
//! it cannot bear ends it: the enclave process makes of that a refusal of the deployment.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use r3e_runner_api::bundling::{MAX_MESSAGE_BYTES, MEMORY_MIB, wasm_memory_mib};
use r3e_sandbox::{EndWhenExhausted, OnceLimits, serve_once};
use r3e_wasm_runner::compile::Compiler;

#[global_allocator]
static ALLOCATOR: EndWhenExhausted = EndWhenExhausted;

fn main() -> ExitCode {
    let compiler = match Compiler::new() {
        Ok(compiler) => compiler,
        Err(error) => {
            eprintln!("r3e-wasm-compiler: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let message_bytes = u32::try_from(MAX_MESSAGE_BYTES).unwrap_or(u32::MAX);
    let limits = OnceLimits {
        request_bytes: message_bytes,
        answer_bytes: message_bytes,
        memory_bytes: u64::from(memory_mib()) * 1024 * 1024,
        scratch_bytes: 0,
    };
    serve_once("r3e-wasm-compiler", &limits, |request| compiler.answer(request))
}

/// What the enclave allows, and never more than the largest module may take.
fn memory_mib() -> u32 {
    let allowed = std::env::args().nth(1).and_then(|argument| argument.parse().ok());
    allowed.unwrap_or(MEMORY_MIB).min(wasm_memory_mib(u32::MAX))
}
