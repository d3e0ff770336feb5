//! `r3e operator`: the operator's own key, what the members of an unlock quorum do, and rollback witnesses.

mod billing;
mod restore_order;
mod shown;
mod unlock;
pub(super) mod witness;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use r3e_client::MemberKey;
use r3e_proto::api::is_name;
use serde::Serialize;

use super::keygen::{Keygen, Owner, make_folder};
use crate::error::CliError;
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the operator's key, or a quorum member's keys; the public halves go into the appliance's measured configuration
    #[command(after_help = "\
Examples:
  r3e operator keygen --out operator.pem                  # admits tenants: [operator]
  r3e operator keygen --member alice --out alice.pem      # unlocks: [[unlock.quorum.member]]

A member's file has two private keys, Ed25519 to sign with and X25519 that its share is sealed to. Whoever has the
files of as many members as the threshold, and the parent's data, has everything that the appliance keeps.")]
    Keygen(OperatorKeygen),
    /// Have a new appliance make its root secret, split for its quorum; a member does this once
    #[command(after_help = "\
Nothing is made where a setup stands, or where this machine remembers one for the address: --new-appliance says
that this is to be another appliance.

Example:
  r3e operator init --member-key-file alice.pem")]
    Init(unlock::Init),
    /// Verify a locked appliance and its setup, and send this member's share to it
    #[command(after_help = "\
Shows the release, the registers, the configuration, the setup and who has approved, and asks. The setup that is
approved first at an address is remembered in ~/.config/r3e/known_setups, and no other is approved there until
--accept-setup names it.

Exit code: 0 if the approval was taken, 1 if the appliance, its setup or the approval was refused.

Example:
  r3e operator approve --member-key-file bob.pem")]
    Approve(unlock::Approve),
    /// Show who unlocks the appliance and how far they are; verifies the setup, and changes nothing
    #[command(after_help = "\
Example:
  r3e operator status --json
  r3e operator status --member-key-file bob.pem    # besides, whether this member's share opens")]
    Status,
    /// Put a tenant under a price plan of the measured configuration
    Plan(billing::Plan),
    /// Give a tenant a quota of its own, or the configuration's again
    Quota(billing::SetQuota),
    /// Record money that a tenant paid in
    Deposit(billing::Deposit),
    /// Record money that is paid out to a tenant
    Withdraw(billing::Withdraw),
    /// Show a tenant's plan and balance
    Balance(billing::Balance),
    /// Show all accounts together: they sum to zero
    #[command(after_help = "Example:\n  r3e operator books --json")]
    Books,
    /// Whose commits this appliance remembers, as their rollback witness
    #[command(subcommand)]
    Witness(witness::Command),
    /// Orders to restore an older state than an appliance's rollback witnesses hold
    #[command(subcommand)]
    RestoreOrder(restore_order::Command),
}

#[derive(Debug, Args)]
pub(crate) struct OperatorKeygen {
    /// Make the keys of the quorum member of this name instead
    #[arg(long, value_name = "NAME")]
    member: Option<String>,
    #[command(flatten)]
    keygen: Keygen,
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Keygen(OperatorKeygen { member: None, keygen }) => {
            keygen.run(Owner::Operator, &settings.operator_key_file.value, printer)
        }
        Command::Keygen(OperatorKeygen { member: Some(name), keygen }) => {
            member_keygen(&name, keygen.out(&settings.member_key_file.value), printer)
        }
        Command::Init(init) => unlock::init(&init, settings, printer).await,
        Command::Approve(approve) => unlock::approve(&approve, settings, printer).await,
        Command::Status => unlock::status(settings, printer).await,
        Command::Plan(command) => billing::plan(&command, settings, printer).await,
        Command::Quota(command) => billing::quota(&command, settings, printer).await,
        Command::Deposit(command) => billing::deposit(&command, settings, printer).await,
        Command::Withdraw(command) => billing::withdraw(&command, settings, printer).await,
        Command::Balance(command) => billing::balance(&command, settings, printer).await,
        Command::Books => billing::books(settings, printer).await,
        Command::Witness(command) => witness::run(command, settings, printer).await,
        Command::RestoreOrder(command) => restore_order::run(command, printer),
    }
}

#[derive(Serialize)]
struct MadeMember<'a> {
    key_file: PathBuf,
    member: &'a str,
    signing_key: String,
    encryption_key: String,
}

fn member_keygen(name: &str, path: &Path, printer: Printer) -> Result<(), CliError> {
    if !is_name(name) {
        return Err(CliError::Usage(format!(
            "{name:?} cannot name a member: use 1 to 64 letters, digits, -, _ and ., not - or . first"
        )));
    }
    make_folder(path)?;
    let key = MemberKey::generate()?;
    key.write_new(path)?;
    let made = MadeMember {
        key_file: path.to_owned(),
        member: name,
        signing_key: key.signing_key().to_string(),
        encryption_key: hex::encode(key.encryption_key()),
    };
    printer.result(&made, |made| {
        format!(
            "key file        {}\nsigning key     {}\nencryption key  {}\n\nPut it into the appliance's configuration, beside \
             those of the other members:\n\n[[unlock.quorum.member]]\nname = \"{}\"\nsigning_key = \"{}\"\n\
             encryption_key = \"{}\"",
            made.key_file.display(),
            made.signing_key,
            made.encryption_key,
            made.member,
            made.signing_key,
            made.encryption_key
        )
    })
}
