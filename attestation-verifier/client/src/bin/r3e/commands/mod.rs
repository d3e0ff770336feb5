//! The commands, one file a noun. Each turns options into calls of the library, and answers into text.

pub(crate) mod billing;
pub(crate) mod chain;
pub(crate) mod deploy;
pub(crate) mod enclave;
pub(crate) mod feeds;
pub(crate) mod functions;
pub(crate) mod init;
pub(crate) mod invoke;
pub(crate) mod jobs;
pub(crate) mod keygen;
pub(crate) mod keys;
pub(crate) mod local;
pub(crate) mod login;
pub(crate) mod metrics;
pub(crate) mod operator;
mod profile;
pub(crate) mod random;
pub(crate) mod release;
pub(crate) mod secrets;
pub(crate) mod state;
pub(crate) mod tenants;
pub(crate) mod triggers;
pub(crate) mod wallets;
mod whoami;
pub(crate) mod zk;

use clap::{ArgMatches, CommandFactory as _};

use crate::Settings;
use crate::cli::{Cli, Command, ProfileCommand};
use crate::error::CliError;
use crate::output::{Printer, text};

/// Runs a command.
pub(crate) async fn run(cli: Cli, matches: &ArgMatches, printer: Printer) -> Result<(), CliError> {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "r3e", &mut script);
        return text(&String::from_utf8_lossy(&script));
    }
    let resolved = Settings::resolve(cli.global, matches)?;
    if let Command::Metrics(command) = cli.command {
        return metrics::run(command, resolved, printer).await;
    }
    let settings = &resolved;
    match cli.command {
        Command::Enclave(command) => enclave::run(command, settings, printer).await,
        Command::Secrets(command) => secrets::run(command, settings, printer).await,
        Command::Init(command) => init::run(command, printer),
        Command::Dev(arguments) => local::run("run", arguments, printer),
        Command::Deploy(command) => deploy::run(command, settings, printer).await,
        Command::Functions(command) => functions::run(command, settings, printer).await,
        Command::Jobs(command) => jobs::run(command, settings, printer).await,
        Command::Triggers(command) => triggers::run(command, settings, printer).await,
        Command::Chain(command) => chain::run(command, settings, printer).await,
        Command::Feeds(command) => feeds::run(command, settings, printer).await,
        Command::Random(command) => random::run(command, settings, printer).await,
        Command::Zk(command) => zk::run(command, settings, printer).await,
        Command::Publish(command) => triggers::publish(command, settings, printer).await,
        Command::Wallets(command) => wallets::run(command, settings, printer).await,
        Command::Usage(command) => billing::usage(&command, settings, printer).await,
        Command::Balance => billing::balance(settings, printer).await,
        Command::Ledger(command) => billing::ledger(&command, settings, printer).await,
        Command::Login(command) => login::run(command, settings, printer).await,
        Command::Whoami => whoami::run(settings, printer).await,
        Command::Keys(command) => keys::run(command, settings, printer).await,
        Command::Operator(command) => operator::run(command, settings, printer).await,
        Command::Release(command) => release::run(command, settings, printer),
        Command::State(command) => state::run(command, settings, printer).await,
        Command::Tenants(command) => tenants::run(command, settings, printer).await,
        Command::Profile(ProfileCommand::Show) => profile::show(settings, printer),
        Command::Completions { .. } | Command::Metrics(_) => Ok(()),
    }
}
