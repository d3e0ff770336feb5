//! `r3e-csharp`: runs one version of one tenant's function in C#, boxed. `r3e-csharp compile`: compiles one function, boxed, and ends.
//!
//! As `cargo build` leaves it, this is called `r3e-csharp-runner`, and has no runtime; `scripts/csharp-layer` links one into it, and gives it
//! the name that others know it by.
//!
//! The box, and the conversation with the enclave process, are `r3e-sandbox`'s; the engine is this package's library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: r3e_sandbox::EndWhenExhausted = r3e_sandbox::EndWhenExhausted;

/// A file's bytes at an address that a runtime reads numbers at: some parts of an assembly are found by rounding addresses up.
#[cfg(mono)]
macro_rules! aligned {
    ($path:expr) => {{
        #[repr(C, align(16))]
        struct Aligned<T: ?Sized>(T);
        static FILE: &Aligned<[u8]> = &Aligned(*include_bytes!($path));
        &FILE.0
    }};
}

#[cfg(mono)]
fn main() -> ExitCode {
    use r3e_csharp_runner::{Assemblies, CSharp, compile};
    use r3e_runner_api::bundling::MAX_MESSAGE_BYTES;
    use r3e_sandbox::OnceLimits;

    /// As `scripts/csharp-layer` has put them together.
    const ASSEMBLIES: Assemblies = Assemblies(include!(concat!(env!("R3E_MONO"), "/assemblies.rs")));

    if std::env::args_os().nth(1).is_some_and(|argument| argument == "compile") {
        let message_bytes = u32::try_from(MAX_MESSAGE_BYTES).unwrap_or(u32::MAX);
        let limits = OnceLimits {
            request_bytes: message_bytes,
            answer_bytes: message_bytes,
            memory_bytes: compile::MEMORY_BYTES,
            scratch_bytes: compile::SCRATCH_BYTES,
        };
        return r3e_sandbox::serve_once("r3e-csharp", &limits, |request| {
            compile::answer(ASSEMBLIES, request)
        });
    }
    CSharp::provide(ASSEMBLIES);
    r3e_sandbox::serve::<CSharp>("r3e-csharp")
}

#[cfg(not(mono))]
fn main() -> ExitCode {
    eprintln!("r3e-csharp-runner: built without the runtime of C#; scripts/csharp-layer builds it with it");
    ExitCode::FAILURE
}
