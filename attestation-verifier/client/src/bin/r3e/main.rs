//! The `r3e` tool: a thin face over the library `r3e-client`. It knows files, environment variables, the terminal and
//! exit codes; everything that decides whether an appliance is trusted is in the library.
//!
//! Exit codes: 0 done; 1 the appliance refused, or was refused (attestation, receipt, rollback); 2 wrong usage, or
//! something on this machine cannot be read or written; 3 no channel to an appliance; 4 the function failed; 5 the job has
//! not ended in time.

#![forbid(unsafe_code)]

mod appliances;
mod cli;
mod commands;
mod confirm;
mod credentials;
mod error;
mod known;
mod limits;
mod output;
mod profile;
mod session;
mod settings;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use cli::Cli;
use output::Printer;
use settings::Settings;

fn main() -> ExitCode {
    // clap exits with 2 on wrong usage by itself, and with 0 for help.
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let printer = Printer::new(cli.global.json);
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| error::CliError::Io { what: "the runtime".to_owned(), source })
        .and_then(|runtime| runtime.block_on(commands::run(cli, &matches, printer)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.fail(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
