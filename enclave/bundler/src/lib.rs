//! Turns a function's modules into what a runner loads: JavaScript modules, source maps, and what each import means.
//!
//! ```text
//! sources -> parse -> imports -> resolve -> (TypeScript: take types away, parse again) -> program, or a problem with its place
//! ```
//!
//! Only what the entry reaches is compiled. JavaScript and JSON stay as they are. Nothing is fetched: an import means a module of
//! the set, or is a problem.
//!
//! The parser recurses: sources that are nested too deep end the process. That is why this runs in a process of its
//! own. This crate knows nothing of deployments, tenants, stores or runners.
#![forbid(unsafe_code)]

mod emit;
mod graph;
mod imports;
mod json;
pub mod limits;
mod nesting;
mod parse;
mod place;
mod resolve;

pub use graph::bundle;

use r3e_runner_api::bundling::{Problem, encode_answer};
use r3e_runner_api::program::{Program, ProgramError};

/// The answer to a question, both as [`r3e_runner_api::bundling`] has them.
pub fn answer(question: Vec<u8>) -> Vec<u8> {
    encode_answer(answer_to(question))
}

fn answer_to(question: Vec<u8>) -> Result<String, Problem> {
    let text = String::from_utf8(question).map_err(|_| Problem::of_all("the modules are not UTF-8 text"))?;
    let sources = Program::decode(&text).map_err(|error| Problem::of_all(error.to_string()))?;
    drop(text);
    bundle(&sources)?.encode().map_err(|error| match error {
        ProgramError::TooLong(bytes) => Problem::of_all(format!(
            "what the modules compile to has {bytes} bytes with its source maps, more than {}: deploy less, or JavaScript, \
             which needs no map",
            r3e_runner_api::limits::MAX_SOURCE_BYTES
        )),
        error => Problem::of_all(error.to_string()),
    })
}

/// Does once what is done once in a process: some libraries look at the machine then, which a closed box does not let them.
pub fn warm_up() {
    let source =
        "@((c: unknown) => c as never) class A { static a: number = 1 }\nexport default () => new A();";
    let sources = std::collections::BTreeMap::from([("a.ts".to_owned(), source.to_owned())]);
    // What comes of it is nothing to anybody.
    let _compiled = bundle(&Program::of_sources("a.ts", &sources));
}
