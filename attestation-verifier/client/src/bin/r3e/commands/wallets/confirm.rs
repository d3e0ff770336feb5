//! The question before what cannot be taken back.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::error::CliError;
use crate::output::note;

/// Asks on the terminal, unless `yes` was said. What is asked about must be on the screen by then.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let advice =
            "this asks before it acts: run it in a terminal, or say --yes once you have read what it shows";
        return Err(CliError::Usage(advice.to_owned()));
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
