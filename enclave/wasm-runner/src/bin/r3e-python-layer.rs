//! `r3e-python-layer IN.wasm OUT.cwasm`: compiles the interpreter that Python functions run in, once, when an image or a machine is
//! made ready. It runs where that is built, in no box: what it compiles was checked against a digest before.
#![forbid(unsafe_code)]

use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut paths = std::env::args_os().skip(1);
    let (Some(from), Some(to), None) = (paths.next(), paths.next(), paths.next()) else {
        eprintln!("usage: r3e-python-layer IN.wasm OUT.cwasm");
        return ExitCode::FAILURE;
    };
    let compiled =
        fs::read(&from).map_err(|error| format!("{}: {error}", from.display())).and_then(|module| {
            let engine = r3e_wasm_runner::engine().map_err(|error| format!("{error:#}"))?;
            engine.precompile_module(&module).map_err(|error| format!("{error:#}"))
        });
    let written =
        compiled.and_then(|code| fs::write(&to, code).map_err(|error| format!("{}: {error}", to.display())));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("r3e-python-layer: {why}");
            ExitCode::FAILURE
        }
    }
}
