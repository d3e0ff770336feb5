//! `r3e operator`.

use clap::Subcommand;

use super::keygen::{Keygen, Owner};
use crate::error::CliError;
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the operator's key; its public half goes into the appliance's measured configuration
    #[command(after_help = "Example:\n  r3e operator keygen --out operator.pem")]
    Keygen(Keygen),
}

pub(crate) fn run(command: &Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let Command::Keygen(keygen) = command;
    keygen.run(Owner::Operator, &settings.operator_key_file.value, printer)
}
