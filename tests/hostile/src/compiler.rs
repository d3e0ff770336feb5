//! Has a module's text compiled as a deployment has: by the real compiler, in its box.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_runner_api::bundling::decode_answer;
use r3e_runner_api::process::ENVIRONMENT;
use r3e_runner_api::program::Program;

use crate::programs;

/// The program.
const COMPILER: &str = "r3e-wasm-compiler";
/// The path that a module has where it is deployed as one source.
const PATH: &str = "function.wasm";
/// The program that compiles C#, and what has it do so.
const CSHARP: &str = "r3e-csharp";
const CSHARP_PATH: &str = "function.cs";

/// What a runner is given of a module's text.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn compile(text: &str) -> Result<String, String> {
    let module = wat::parse_str(text).map_err(|error| error.to_string())?;
    let sources = BTreeMap::from([(PATH.to_owned(), STANDARD.encode(module))]);
    compiled(COMPILER, None, &Program::of_sources(PATH, &sources))
}

/// What a runner is given of a source in C#.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn compile_csharp(source: &str) -> Result<String, String> {
    let sources = BTreeMap::from([(CSHARP_PATH.to_owned(), source.to_owned())]);
    compiled(CSHARP, Some("compile"), &Program::of_sources(CSHARP_PATH, &sources))
}

fn compiled(compiler: &str, argument: Option<&str>, sources: &Program) -> Result<String, String> {
    let request = sources.encode().map_err(|error| error.to_string())?;
    let answer =
        ask(compiler, argument, request.as_bytes()).map_err(|error| format!("{compiler}: {error}"))?;
    decode_answer(&answer).map_err(|error| error.to_string())?.map_err(|problem| problem.to_string())
}

fn ask(compiler: &str, argument: Option<&str>, request: &[u8]) -> io::Result<Vec<u8>> {
    let program = programs::find(compiler).ok_or(io::ErrorKind::NotFound)?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new(program)
        .args(argument)
        .env_clear()
        .envs(ENVIRONMENT.iter().copied())
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .spawn()?;
    let length = u32::try_from(request.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    ours.write_all(&length.to_be_bytes())?;
    ours.write_all(request)?;
    ours.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    ours.read_to_end(&mut answer)?;
    child.wait()?;
    // Its length stands before it.
    Ok(answer.get(4..).unwrap_or_default().to_vec())
}
