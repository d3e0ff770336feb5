//! `r3e-verify completions`: prints a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::{Cli, outcome::Outcome};

/// Print a completion script for a shell.
///
/// For bash: r3e-verify completions bash > /etc/bash_completion.d/r3e-verify
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "r3e-verify", &mut script);
    Outcome::shown(String::from_utf8_lossy(&script).into_owned())
}
