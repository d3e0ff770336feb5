//! What ends a command, and the exit code it ends with.

use std::error::Error;
use std::io;

use r3e_client::project::ProjectError;
use r3e_client::{AddressError, ApiKeyError, ClientError, ErrorClass, KeyError, PolicyError};
use r3e_proto::release::ReleaseError;
use r3e_proto::restore::OrderError;
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
    /// A folder or a zip that is no function.
    #[error("nothing was deployed")]
    Project(#[from] ProjectError),
    #[error("the address is not one")]
    Address(#[from] AddressError),
    #[error("the appraisal policy cannot be built")]
    Policy(#[from] PolicyError),
    /// A file of known configurations or setups is not as this tool writes it.
    #[error("{file}, a record of what was accepted, cannot be relied on: {what}")]
    KnownDigests { file: String, what: String },
    /// An appliance runs another configuration than the one that was seen there.
    #[error(
        "the configuration of {address} changed: {old} was accepted there before, and {new} runs there now; nothing was sent \
         to it"
    )]
    ConfigurationChanged { address: String, old: String, new: String, file: String },
    /// A quorum's setup is another than the one that was approved at the address, or that the user named.
    #[error(
        "the setup of {address} is {found}, and {known} is the one that was accepted; nothing was sent to it"
    )]
    OtherSetup { address: String, known: String, found: String, file: String },
    /// A setup is remembered where a new root secret would be made.
    #[error(
        "{address} has a root secret already: its setup {digest} was accepted here before; nothing was made"
    )]
    SetupRemembered { address: String, digest: String, file: String },
    /// There is no setup to approve.
    #[error("there is nothing to approve: {detail}")]
    NothingToApprove { detail: String },
    #[error("there is no key to use")]
    Key(#[from] KeyError),
    #[error("{place} holds no API key")]
    ApiKey { place: String, source: ApiKeyError },
    /// A release cannot be used, or is not approved.
    #[error("the release cannot be relied on")]
    Release(#[from] ReleaseError),
    /// An order to restore cannot be used.
    #[error("the order to restore cannot be used")]
    RestoreOrder(#[from] OrderError),
    /// A release is of another image than the one that was named.
    #[error("the release is not of the image {name:?}: it names other PCRs")]
    OtherImage { name: String },
    /// The appliance refused, was refused, or could not be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A job was waited for, and not to its end.
    #[error("the job {id} has not ended in time; it goes on")]
    StillOpen { id: String },
    /// The function failed; its invocation was printed.
    #[error("the function failed: {message} ({code})")]
    Function { code: String, message: String },
    /// A transaction was waited for, and the chain did not do it.
    #[error("the transaction {name}: {why}")]
    NotDone { name: String, why: String },
    /// A proof does not hold, or proves something else.
    #[error("the proof is rejected: {why}")]
    NotProved { why: String },
    /// What was to be proved has no proof.
    #[error("there is no proof: {why}")]
    NoProof { why: String },
    /// A wallet has too little, or nobody knows what it has.
    #[error("the wallet {wallet}: {why}")]
    Unfunded { wallet: String, why: String },
}

impl CliError {
    /// A stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Usage(_) => "usage",
            Self::Missing { .. } => "no_setting",
            Self::Io { .. } => "io",
            Self::Profile { .. } => "profile",
            Self::Project(_) => "project",
            Self::Address(_) => "address",
            Self::Policy(error) => error.code(),
            Self::KnownDigests { file, .. } if file.ends_with("known_setups") => "known_setups",
            Self::KnownDigests { file, .. } if file.ends_with("known_appliances") => "known_appliances",
            Self::KnownDigests { .. } => "known_configurations",
            Self::ConfigurationChanged { .. } => "configuration_changed",
            Self::OtherSetup { .. } => "other_setup",
            Self::SetupRemembered { .. } => "setup_remembered",
            Self::NothingToApprove { .. } => "nothing_to_approve",
            Self::Key(_) => "key_file",
            Self::ApiKey { .. } => "api_key",
            Self::Release(ReleaseError::NotApproved { .. }) => "release_not_approved",
            Self::Release(ReleaseError::AlreadySigned(_)) => "release_already_signed",
            Self::Release(_) => "release",
            Self::RestoreOrder(OrderError::AlreadySigned(_)) => "restore_order_already_signed",
            Self::RestoreOrder(_) => "restore_order",
            Self::OtherImage { .. } => "other_image",
            Self::Client(error) => memory(error).map_or_else(|| error.code(), Self::code),
            Self::StillOpen { .. } => "still_open",
            Self::Function { code, .. } => code,
            Self::NotDone { .. } => "not_done",
            Self::NotProved { .. } | Self::NoProof { .. } => "not_proved",
            Self::Unfunded { .. } => "unfunded",
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
            Self::ConfigurationChanged { .. }
            | Self::OtherSetup { .. }
            | Self::SetupRemembered { .. }
            | Self::OtherImage { .. }
            | Self::Release(ReleaseError::NotApproved { .. })
            | Self::NothingToApprove { .. }
            | Self::NotProved { .. }
            | Self::NoProof { .. } => 1,
            Self::Function { .. } | Self::NotDone { .. } | Self::Unfunded { .. } => 4,
            Self::StillOpen { .. } => 5,
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
            Self::Client(ClientError::OtherAppliance { known, found }) if known.identity != found.identity => Some(format!(
                "Its parent may have begun a new, empty appliance in the place of the one you know. Ask its operator, on another \
                 way, for the identity; if it is the new one, run the command once with --accept-identity {}, which writes it \
                 to ~/.config/r3e/known_appliances.",
                hex::encode(found.identity)
            )),
            Self::Client(error) => match memory(error) {
                Some(error) => error.advice(),
                None => error.advice().map(str::to_owned),
            },
            Self::ConfigurationChanged { new, file, .. } => Some(format!(
                "Another operator's appliance may have taken its place. Ask the operator, on another way, for the SHA-384 \
                 of the configuration; if it is the new one, run the command once with --accept-configuration {new}, which \
                 writes it to {file}."
            )),
            Self::OtherSetup { found, file, .. } => Some(format!(
                "The parent may have put back an older setup, or another appliance's. Ask the other members, on another way, \
                 for the digest of theirs; if it is this one, run the command once with --accept-setup {found}, which \
                 writes it to {file}."
            )),
            Self::SetupRemembered { file, .. } => Some(format!(
                "If the parent lost its data, restore it from a backup: a new root secret does not open the old state. To \
                 begin a new appliance at this address, say --new-appliance, which writes its setup to {file}."
            )),
            Self::KnownDigests { file, .. } => Some(format!(
                "Mend {file}, or remove it: then the next one seen at each address is taken for the first."
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

/// What kept the tool's own record of appliances from being used.
fn memory(error: &ClientError) -> Option<&CliError> {
    match error {
        ClientError::Appliances(error) => error.0.downcast_ref(),
        _ => None,
    }
}
