//! The command line: what can be asked, and the exit code of each outcome.

mod launch;
mod log;
mod run;
mod serve;
mod settings;
mod status;
mod store;
mod upgrade;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};

const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "r3e-parent",
    version,
    about = "The parent of an R3E enclave: forwards clients, keeps sealed records, carries egress",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong use or unreadable settings."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs parent and enclave until SIGTERM or SIGINT; a second signal cuts clients that are left
    Run(Box<run::Run>),
    /// Looks at machine, image and settings as `run` would, and starts nothing
    #[command(
        after_help = "Exit codes: 0 ready to start, 1 not ready, 2 wrong use. The options are those of run."
    )]
    Check(Box<run::Run>),
    /// Runs the parent alone until SIGTERM or SIGINT; a second signal ends it at once
    Serve(Box<serve::Serve>),
    /// Tells how a running parent and its enclave are
    Status(status::Status),
    /// Has a parent on standby take over the lease of the store that several parents share
    Takeover(store::Takeover),
    /// Goes over to a successor of the enclave that runs, another image or configuration, without a pause for clients
    Upgrade(Box<upgrade::Upgrade>),
    /// Writes the sealed records to one file
    Backup(store::Backup),
    /// Makes the store what a backup holds
    Restore(store::Restore),
    /// Prints a completion script
    #[command(after_help = "Example:\n  r3e-parent completions bash > /etc/bash_completion.d/r3e-parent")]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Does what the command line asks. Wrong use ends the process with 2 (by clap).
pub(crate) fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(run) => return run.run(),
        Command::Check(run) => return run.check(),
        Command::Serve(serve) => return serve.run(),
        Command::Status(status) => return status.run(),
        Command::Takeover(takeover) => return takeover.run(),
        Command::Upgrade(upgrade) => return upgrade.run(),
        Command::Backup(backup) => return backup.run(),
        Command::Restore(restore) => return restore.run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "r3e-parent", &mut script);
            print(&script)
        }
    };
    exit(done, EXIT_FAILED)
}

/// The exit code of an outcome, with the reason of a failure on the error stream.
fn exit(done: anyhow::Result<()>, code: u8) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed error stream is not worth a word.
            let _ = writeln!(std::io::stderr(), "r3e-parent: {}", words(&error));
            ExitCode::from(code)
        }
    }
}

/// An error and its causes, each once: many of ours tell their cause themselves.
fn words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !words.contains(&cause) {
            let between = if words.is_empty() { "" } else { ": " };
            words = format!("{words}{between}{cause}");
        }
    }
    words
}

/// A reader that has had enough is no failure.
fn print(text: &[u8]) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ => Ok(()),
    }
}
