//! What the commands read: JSON files, keys and passwords. Nothing secret is an argument.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use console::Term;
use r3e_proto::api::wallets::{Payload, SecretText};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::limits::{MAX_IMPORT_BYTES, MAX_PASSWORD_BYTES, MAX_WALLET_JSON_BYTES};
use crate::profile::read_limited;

/// Where an imported key and its password are.
#[derive(Debug, Args)]
pub(super) struct Secret {
    /// The file with the key; standard input if it is not given
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The file with the password, without its last line end
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// The open descriptor with the password, without its last line end
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

impl Secret {
    /// The key's text, and the password where there is to be one.
    pub(super) fn read(&self, has_password: bool) -> Result<(SecretText, Option<SecretText>), CliError> {
        if !has_password && (self.password_file.is_some() || self.password_fd.is_some()) {
            return Err(CliError::Usage("this format has no password".to_owned()));
        }
        let key = match &self.file {
            Some(path) => from_file(path, MAX_IMPORT_BYTES)?,
            None if io::stdin().is_terminal() => {
                let advice = "the key would be shown as it is typed: pipe it in, or use --file";
                return Err(CliError::Usage(advice.to_owned()));
            }
            None => read("standard input", io::stdin().lock(), MAX_IMPORT_BYTES)?,
        };
        let password = if has_password { Some(self.password()?) } else { None };
        Ok((key, password))
    }

    fn password(&self) -> Result<SecretText, CliError> {
        match (&self.password_file, self.password_fd) {
            (Some(path), _) => from_file(path, MAX_PASSWORD_BYTES),
            (None, Some(descriptor)) => {
                from_file(Path::new(&format!("/dev/fd/{descriptor}")), MAX_PASSWORD_BYTES)
            }
            (None, None) => ask(),
        }
    }
}

/// Asks on the terminal, without showing what is typed.
fn ask() -> Result<SecretText, CliError> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        let advice = "there is no terminal to ask for the password: use --password-file or --password-fd";
        return Err(CliError::Usage(advice.to_owned()));
    }
    let io = |source| CliError::Io { what: "the terminal".to_owned(), source };
    terminal.write_str("Password: ").map_err(io)?;
    Ok(SecretText::new(Zeroizing::new(terminal.read_secure_line().map_err(io)?)))
}

fn from_file(path: &Path, max_bytes: u64) -> Result<SecretText, CliError> {
    let what = path.display().to_string();
    let file = File::open(path).map_err(|source| CliError::Io { what: what.clone(), source })?;
    read(&what, file, max_bytes)
}

fn read(what: &str, input: impl Read, max_bytes: u64) -> Result<SecretText, CliError> {
    // Room for all of it at once: a text that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(max_bytes).unwrap_or(0) + 32));
    input
        .take(max_bytes + 1)
        .read_to_string(&mut text)
        .map_err(|source| CliError::Io { what: what.to_owned(), source })?;
    if text.len() as u64 > max_bytes {
        return Err(CliError::Usage(format!("{what} holds more than {max_bytes} bytes")));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(SecretText::new(text))
}

/// A payload, from a file or standard input.
pub(super) fn payload(file: Option<&Path>) -> Result<Payload, CliError> {
    let Some(file) = file else {
        if io::stdin().is_terminal() {
            return Err(CliError::Usage("give the payload with --payload, or pipe it in".to_owned()));
        }
        let mut text = String::new();
        let read = io::stdin().lock().take(MAX_WALLET_JSON_BYTES).read_to_string(&mut text);
        read.map_err(|source| CliError::Io { what: "standard input".to_owned(), source })?;
        return parse("standard input", &text);
    };
    json_file(file)
}

/// A JSON file of exactly the expected form.
pub(super) fn json_file<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let what = path.display().to_string();
    let text = read_limited(path, MAX_WALLET_JSON_BYTES)
        .map_err(|source| CliError::Io { what: what.clone(), source })?;
    parse(&what, &text)
}

fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, CliError> {
    serde_json::from_str(text)
        .map_err(|error| CliError::Usage(format!("{what} is not the JSON that it should be: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_loses_one_line_end_and_no_more() {
        for (input, left) in [("p\n", "p"), ("p\r\n", "p"), ("p\n\n", "p\n"), (" p ", " p "), ("", "")] {
            assert_eq!(read("input", input.as_bytes(), 16).unwrap().expose(), left);
        }
        assert_eq!(read("input", "12345".as_bytes(), 4).unwrap_err().code(), "usage");
    }
}
