//! A secret's value, from standard input or from a file, and never from an argument.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::limits::MAX_SECRET_BYTES;

/// Where the value is.
#[derive(Debug, Args)]
pub(crate) struct Value {
    /// Take the value from a file, byte for byte
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Value {
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>, CliError> {
        match &self.file {
            Some(path) => from_file(path),
            None => from_stdin(),
        }
    }
}

fn from_stdin() -> Result<Zeroizing<Vec<u8>>, CliError> {
    if io::stdin().is_terminal() {
        let advice = "the value would be shown as it is typed: pipe it in, or use --file";
        return Err(CliError::Usage(advice.to_owned()));
    }
    let mut value = read("standard input", io::stdin().lock())?;
    without_line_end(&mut value);
    check(value)
}

fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let what = path.display().to_string();
    let file = File::open(path).map_err(|source| CliError::Io { what: what.clone(), source })?;
    check(read(&what, file)?)
}

fn read(what: &str, input: impl Read) -> Result<Zeroizing<Vec<u8>>, CliError> {
    // Room for all of it at once: a vector that grows leaves copies behind.
    let mut value = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_SECRET_BYTES).unwrap_or(0) + 32));
    input
        .take(MAX_SECRET_BYTES + 1)
        .read_to_end(&mut value)
        .map_err(|source| CliError::Io { what: what.to_owned(), source })?;
    if value.len() as u64 > MAX_SECRET_BYTES {
        return Err(CliError::Usage(format!(
            "{what} holds more than {MAX_SECRET_BYTES} bytes, the most for a secret"
        )));
    }
    Ok(value)
}

fn check(value: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    if value.is_empty() { Err(CliError::Usage("the secret's value is empty".to_owned())) } else { Ok(value) }
}

/// Leaves out one line end.
fn without_line_end(value: &mut Vec<u8>) {
    if value.last() == Some(&b'\n') {
        value.pop();
        if value.last() == Some(&b'\r') {
            value.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_left_out_and_no_more() {
        for (input, left) in [
            ("token\n", "token"),
            ("token\r\n", "token"),
            ("token\n\n", "token\n"),
            ("token", "token"),
            ("token\r", "token\r"),
            ("\n", ""),
        ] {
            let mut value = input.as_bytes().to_vec();
            without_line_end(&mut value);
            assert_eq!(value, left.as_bytes(), "{input:?}");
        }
    }

    #[test]
    fn a_value_over_the_limit_is_refused_and_one_at_it_is_not() {
        let most = usize::try_from(MAX_SECRET_BYTES).unwrap();
        assert_eq!(read("input", vec![7; most].as_slice()).unwrap().len(), most);
        assert_eq!(read("input", vec![7; most + 1].as_slice()).unwrap_err().code(), "usage");
    }
}
