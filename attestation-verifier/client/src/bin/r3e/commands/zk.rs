//! `r3e zk`.

mod circuit;
mod contract;
mod groth16;
mod range;

use clap::Subcommand;

use crate::error::CliError;
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prove that hidden numbers are between bounds, and verify it
    #[command(subcommand)]
    Range(range::Command),
    /// Make the keys of a circuit, on this machine
    #[command(after_help = circuit::SETUP_HELP)]
    Setup(circuit::Setup),
    /// Make a Groth16 proof of a circuit, on this machine
    #[command(after_help = circuit::PROVE_HELP)]
    Prove(circuit::Prove),
    /// Verify a Groth16 proof of a circuit, on this machine
    #[command(after_help = groth16::HELP)]
    Verify(groth16::Verify),
    /// Show the verification key of a proving key
    #[command(after_help = circuit::EXPORT_KEY_HELP)]
    ExportKey(circuit::ExportKey),
    /// Make a contract that verifies proofs, of a verification key
    #[command(after_help = contract::VERIFIER_HELP)]
    ExportVerifier(contract::ExportVerifier),
    /// Show a proof as the arguments of such a contract
    #[command(after_help = contract::ARGUMENTS_HELP)]
    ExportArguments(contract::ExportArguments),
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Range(command) => range::run(command, settings, printer).await,
        Command::Setup(arguments) => circuit::setup(&arguments, printer),
        Command::Prove(arguments) => circuit::prove(&arguments, printer),
        Command::Verify(arguments) => groth16::run(&arguments, printer),
        Command::ExportKey(arguments) => circuit::export_key(&arguments, printer),
        Command::ExportVerifier(arguments) => contract::verifier(&arguments, printer),
        Command::ExportArguments(arguments) => contract::arguments(&arguments, printer),
    }
}
