//! `r3e-eif completions`: prints a completion script for a shell.

use clap::{Args, CommandFactory};

use super::{Cli, Failure, Output};

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  r3e-eif completions bash > /etc/bash_completion.d/r3e-eif")]
pub(super) struct Completions {
    /// For which shell
    shell: clap_complete::Shell,
}

impl Completions {
    #[expect(clippy::unnecessary_wraps, reason = "as every subcommand")]
    pub(super) fn run(&self) -> Result<Output, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "r3e-eif", &mut script);
        Ok(Output::done(String::from_utf8_lossy(&script).into_owned()))
    }
}
