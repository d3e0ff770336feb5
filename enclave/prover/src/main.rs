//! `r3e-prover`: makes zero-knowledge proofs and verifies them, boxed as tenants' functions are.
//!
//! To the box it is an engine like those of languages: what it loads is what all proofs of a kind are made of, and each job is an event, handled in
//! a copy of its own, which ends with it and takes the secrets that were in it along.
#![forbid(unsafe_code)]

mod engine;

use std::process::ExitCode;

use r3e_sandbox::EndWhenExhausted;

#[global_allocator]
static ALLOCATOR: EndWhenExhausted = EndWhenExhausted;

/// How far all of it gives way to what else the machine does, 0 to 19: a price that is due, and a function that somebody waits for, come before
/// a proof. At 10 it gets about a tenth of a processor that another process wants too.
const NICENESS: i32 = 10;

fn main() -> ExitCode {
    // A kernel that does not let a process give way serves no worse than before.
    let _gave_way = rustix::process::nice(NICENESS);
    r3e_sandbox::serve::<engine::Prover>("r3e-prover")
}
