//! Compiling: the sources of one function, to a program of one assembly.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_runner_api::bundling::{Problem, encode_answer};
use r3e_runner_api::program::{Module, Program};

use crate::assemblies::{Assemblies, REFERENCES};
use crate::limits::{COMPILER_HEAP_BYTES, MAX_ASSEMBLY_BYTES};
pub use crate::limits::{COMPILER_MEMORY_BYTES as MEMORY_BYTES, SCRATCH_BYTES};
use crate::runtime::{self, Argument};

/// Where the assemblies lie that are compiled against, in the process's own folder.
const LIBRARIES: &str = "/lib";
/// Where the sources lie; no path of an author's is told with it.
const SOURCES: &str = "/src/";
/// What is made.
const ASSEMBLY: &str = "/function.dll";
/// The lines that its code comes from.
const SYMBOLS: &str = "/function.dll.mdb";

/// What a function is compiled with. Unsafe code is what it could do by other means too: the box is the limit.
const OPTIONS: &[&str] = &[
    "-nologo",
    "-noconfig",
    "-nostdlib",
    "-target:library",
    "-optimize+",
    "-debug",
    "-unsafe",
    "-warn:0",
    "-langversion:7.2",
    "-utf8output",
    "-codepage:utf8",
    "-pathmap:/src=.",
];

/// The answer to a request (`r3e_runner_api::bundling`). Needs a folder of its own that is empty.
pub fn answer(assemblies: Assemblies, request: Vec<u8>) -> Vec<u8> {
    encode_answer(compile(assemblies, request))
}

fn compile(assemblies: Assemblies, request: Vec<u8>) -> Result<String, Problem> {
    let text = String::from_utf8(request).map_err(|_| Problem::of_all("the request is not text"))?;
    let program = Program::decode(&text).map_err(|error| Problem::of_all(error.to_string()))?;
    let options = lay_out(assemblies, &program).map_err(|error| {
        Problem::of_all(format!("the sources are more than the compiler has room for: {error}"))
    })?;
    runtime::provide(assemblies);
    // SAFETY: this process has started no thread yet.
    unsafe { runtime::limit_heap(COMPILER_HEAP_BYTES) };
    let compiled =
        runtime::on_thread(move || runtime::call("Workshop", "Compile", &[Argument::Text(&options)]))
            .map_err(|error| Problem::of_all(error.to_string()))?
            .join();
    match compiled {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(said))) => return Err(problem(&said)),
        Ok(Err(why)) => return Err(Problem::of_all(format!("the compiler: {why}"))),
        Err(_) => return Err(Problem::of_all("the compiler did not end well")),
    }
    let made = |path: &str| {
        fs::read(path).map_err(|error| Problem::of_all(format!("the compiler made nothing: {error}")))
    };
    let assembly = made(ASSEMBLY)?;
    if assembly.len() > MAX_ASSEMBLY_BYTES {
        let why = format!("{} bytes of code are more than {MAX_ASSEMBLY_BYTES}", assembly.len());
        return Err(Problem::of_all(why));
    }
    // Where they do not fit, traces are without lines.
    let symbols = fs::read(SYMBOLS).unwrap_or_default();
    let symbols = if symbols.len() > MAX_ASSEMBLY_BYTES / 4 { Vec::new() } else { symbols };
    let module = Module {
        path: program.entry.clone(),
        code: STANDARD.encode(assembly),
        map: STANDARD.encode(symbols),
        ..Module::default()
    };
    let compiled = Program { entry: program.entry, modules: vec![module] };
    compiled.encode().map_err(|error| Problem::of_all(error.to_string()))
}

/// Writes what the compiler reads, and gives its options, one a line.
fn lay_out(assemblies: Assemblies, program: &Program) -> std::io::Result<String> {
    let mut options: Vec<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
    fs::create_dir_all(LIBRARIES)?;
    for name in REFERENCES {
        let Some(bytes) = assemblies.find(name) else { continue };
        let path = format!("{LIBRARIES}/{name}.dll");
        fs::write(&path, bytes)?;
        options.push(format!("-r:{path}"));
    }
    for module in &program.modules {
        // The enclave lets no path through that leads elsewhere; and here there is nothing else.
        let path = format!("{SOURCES}{}", module.path);
        if let Some(folder) = Path::new(&path).parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, &module.code)?;
        options.push(path);
    }
    Ok(options.join("\n"))
}

/// The first error of what the compiler said; it may not be about a place.
fn problem(said: &str) -> Problem {
    let errors: Vec<&str> = said.lines().filter(|line| line.contains("error CS")).collect();
    let Some(first) = errors.first() else { return Problem::of_all(said.trim()) };
    let more = if errors.len() > 1 { format!(" (and {} more)", errors.len() - 1) } else { String::new() };
    placed(first, &more).unwrap_or_else(|| Problem::of_all(format!("{first}{more}")))
}

/// A line such as `/src/a.cs(3,14): error CS1002: ; expected`.
fn placed(line: &str, more: &str) -> Option<Problem> {
    let (place, message) = line.split_once(": error ")?;
    let (path, at) = place.strip_suffix(')')?.rsplit_once('(')?;
    let (row, column) = at.split_once(',')?;
    let number = |text: &str| text.trim_end_matches('+').parse().ok();
    Some(Problem {
        path: path.strip_prefix(SOURCES).unwrap_or(path).to_owned(),
        line: number(row)?,
        column: number(column)?,
        message: format!("{message}{more}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_place() {
        let one = problem("/src/lib/a.cs(3,14): error CS1002: ; expected");
        assert_eq!(one.to_string(), "lib/a.cs:3:14: CS1002: ; expected");
        let two = problem("/src/a.cs(3,255+): error CS1002: x\n/src/b.cs(1,1): error CS0001: y\n");
        assert_eq!(two.to_string(), "a.cs:3:255: CS1002: x (and 1 more)");
        assert_eq!(problem("error CS0006: no file\n").to_string(), "error CS0006: no file");
        assert_eq!(problem("no public class\n").to_string(), "no public class");
    }
}
