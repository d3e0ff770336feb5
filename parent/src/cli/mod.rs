//! The command line: what can be asked, and the exit code of each outcome.

mod log;
mod serve;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use r3e_parent::{StatusFormat, query_status};

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
    /// Runs the parent until SIGTERM or SIGINT; a second signal ends it at once
    Serve(Box<serve::Serve>),
    /// Shows the counters of a running parent
    #[command(after_help = "Examples:\n  r3e-parent status --data /var/lib/r3e\n  \
        r3e-parent status --data /var/lib/r3e --format prometheus > /var/lib/node-exporter/r3e.prom\n  \
        curl --unix-socket /var/lib/r3e/admin.sock http://parent/status")]
    Status {
        /// The running parent's data folder
        #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
        data: PathBuf,
        /// How to show them
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
    },
    /// Prints a completion script
    #[command(after_help = "Example:\n  r3e-parent completions bash > /etc/bash_completion.d/r3e-parent")]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Prometheus,
}

/// Does what the command line asks. Wrong use ends the process with 2 (by clap).
pub(crate) fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(serve) => return serve.run(),
        Command::Status { data, format } => status(&data, format),
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
            let _ = writeln!(std::io::stderr(), "r3e-parent: {error:#}");
            ExitCode::from(code)
        }
    }
}

fn status(data: &std::path::Path, format: Format) -> anyhow::Result<()> {
    let format = match format {
        Format::Json => StatusFormat::Json,
        Format::Prometheus => StatusFormat::Prometheus,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    print(runtime.block_on(query_status(data, format))?.as_bytes())
}

/// A reader that has had enough is no failure.
fn print(text: &[u8]) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ => Ok(()),
    }
}
