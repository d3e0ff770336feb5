//! `r3e dev` and `r3e functions test`: what `r3e-dev` does, a program of its own that is installed beside this one. It holds the
//! runner's supervisor and a compiler, which a client of appliances needs not.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::error::CliError;
use crate::output::Printer;

const PROGRAM: &str = "r3e-dev";

/// Arguments of the other program, as they are.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Passed {
    /// What r3e-dev takes; --help tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Becomes `r3e-dev WORD ARGUMENTS`. It returns only where that cannot be started.
pub(crate) fn run(word: &str, passed: Passed, printer: Printer) -> Result<(), CliError> {
    let program = program();
    let mut command = Command::new(&program);
    command.arg(word).args(passed.arguments);
    // Given before the arguments, it was taken for one of this program's.
    if printer.is_json() {
        command.arg("--json");
    }
    let source = command.exec();
    let what = format!("the program {PROGRAM}, which is looked for beside r3e and in PATH,");
    Err(CliError::Io { what, source })
}

fn program() -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.and_then(|own| Some(own.parent()?.join(PROGRAM))).filter(|path| path.is_file());
    beside.unwrap_or_else(|| PathBuf::from(PROGRAM))
}
