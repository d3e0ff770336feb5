//! The question before what cannot be taken back.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::error::CliError;
use crate::output::note;

/// What is said where nobody can be asked.
pub(crate) const UNASKED: &str =
    "this asks before it acts: run it in a terminal, or say --yes once you have read what it shows";

/// Asks on the terminal, unless `yes` was said. What is asked about must be on the screen by then.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(UNASKED.to_owned()));
    }
    note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|source| CliError::Io { what: "standard input".to_owned(), source })?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(CliError::Usage("nothing was done".to_owned()))
    }
}
