//! What ends a command, and the exit code it ends with.

use std::error::Error;
use std::io;

use r3e_client::{AddressError, ApiKeyError, ClientError, ErrorClass, KeyError, PolicyError};
use thiserror::Error as ThisError;

/// Why a command failed. Its text does not repeat its source's.
#[derive(Debug, ThisError)]
pub(crate) enum CliError {
    /// What was asked cannot be done so.
    #[error("{0}")]
    Usage(String),
    /// A setting that the command needs is nowhere.
    #[error("no {what}: give {option}, set {variable}, or write `{key}` in the profile ({file})")]
    Missing {
        what: &'static str,
        option: &'static str,
        variable: &'static str,
        key: &'static str,
        file: String,
    },
    /// A file or a stream of this machine.
    #[error("{what} cannot be used")]
    Io { what: String, source: io::Error },
    /// A profile file that is not one.
    #[error("{file} is not a profile file")]
    Profile { file: String, source: toml::de::Error },
    #[error("the address is not one")]
    Address(#[from] AddressError),
    #[error("the appraisal policy cannot be built")]
    Policy(#[from] PolicyError),
    /// The file of known configurations is not as this tool writes it.
    #[error("{file}, the record of accepted configurations, cannot be relied on: {what}")]
    KnownConfigurations { file: String, what: String },
    /// An appliance runs another configuration than the one that was seen there.
    #[error(
        "the configuration of {address} changed: {old} was accepted there before, and {new} runs there now; nothing was sent \
         to it"
    )]
    ConfigurationChanged { address: String, old: String, new: String, file: String },
    #[error("there is no key to use")]
    Key(#[from] KeyError),
    #[error("{place} holds no API key")]
    ApiKey { place: String, source: ApiKeyError },
    /// The appliance refused, was refused, or could not be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The function failed; its invocation was printed.
    #[error("the function failed: {message} ({code})")]
    Function { code: String, message: String },
}

impl CliError {
    /// A stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Usage(_) => "usage",
            Self::Missing { .. } => "no_setting",
            Self::Io { .. } => "io",
            Self::Profile { .. } => "profile",
            Self::Address(_) => "address",
            Self::Policy(error) => error.code(),
            Self::KnownConfigurations { .. } => "known_configurations",
            Self::ConfigurationChanged { .. } => "configuration_changed",
            Self::Key(_) => "key_file",
            Self::ApiKey { .. } => "api_key",
            Self::Client(error) => error.code(),
            Self::Function { code, .. } => code,
        }
    }

    /// The process's exit code: see `main`.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => match error.class() {
                ErrorClass::Connection => 3,
                ErrorClass::Attestation | ErrorClass::Refused => 1,
                ErrorClass::Local => 2,
            },
            Self::ConfigurationChanged { .. } => 1,
            Self::Function { .. } => 4,
            _ => 2,
        }
    }

    /// What to do next.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Client(ClientError::RolledBack { .. }) => Some(
                "The parent gave the appliance an older copy of its store. If its owner restored a backup on purpose, \
                 run the command once with --accept-rolled-back."
                    .to_owned(),
            ),
            Self::Client(ClientError::Api { code, .. }) if code == "unauthenticated" => Some(
                "Sign in with a key that the operator admitted (--key-file), or run `r3e login` again.".to_owned(),
            ),
            Self::Client(error) => error.advice().map(str::to_owned),
            Self::ConfigurationChanged { new, file, .. } => Some(format!(
                "Another operator's appliance may have taken its place. Ask the operator, on another way, for the SHA-384 \
                 of the configuration; if it is the new one, run the command once with --accept-configuration {new}, which \
                 writes it to {file}."
            )),
            Self::KnownConfigurations { file, .. } => Some(format!(
                "Mend {file}, or remove it: then the next configuration seen at each address is taken for the first."
            )),
            Self::Policy(PolicyError::Appraisal(r3e_attestation::PolicyError::NoPolicy)) => Some(
                "Give --reference-values FILE: without reference values any image would be accepted.".to_owned(),
            ),
            _ => None,
        }
    }

    /// The error and its sources, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}
