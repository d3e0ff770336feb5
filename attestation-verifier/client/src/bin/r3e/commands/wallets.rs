//! `r3e wallets`.

mod consent;
mod difference;
mod export;
mod fund_check;
mod input;
mod shown;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use r3e_proto::api::wallets::{
    Approval, CreateWallet, ImportFormat, ImportWallet, KeyType, Policy, SetPolicy, SignRequest,
};
use serde_json::json;

use self::input::{Secret, json_file};
use crate::confirm::confirm;
use crate::error::CliError;
use crate::output::{Printer, note};
use crate::session;
use crate::settings::Settings;

const CREATE_HELP: &str = "\
The key is derived inside the appliance. What is not in the policy is not allowed; docs/wallets.md has every member.

Example, policy.json:
  {
    \"chains\": [{
      \"chain_id\": 1,
      \"recipients\": {\"only\": [{\"address\": \"0xdAC17F958D2ee523a2206206994597C13D831ec7\",
                               \"methods\": {\"only\": [\"0xa9059cbb\"]}}]},
      \"max_value\": \"0\", \"max_fee\": \"5000000000000000\", \"max_spend\": \"50000000000000000\"
    }],
    \"window\": {\"seconds\": 86400, \"max_signatures\": 20}
  }

  r3e wallets create treasury --type secp256k1 --policy policy.json";

const IMPORT_HELP: &str = "\
Neither the key nor its password is ever an argument, which every process of this machine can see. The key comes from
a file or from standard input; the password from a file, a descriptor, or a question on the terminal.

Examples:
  r3e wallets import treasury --format keystore --file UTC--2026-01-01.json --policy policy.json
  r3e wallets import neo --format nep6 --file wallet.json --account NPTmAHDxo6Pkyic8Nvu3kwyXoYJCvcCB6i --policy neo.json
  r3e wallets import hot --format nep2 --file key.txt --password-fd 3 --policy neo.json 3< password.txt";

const POLICY_HELP: &str = "\
With --set this takes the tenant's own key. Where the standing policy has approvers and the new one is looser in any
respect, so many of their approvals must come along: see `r3e wallets ask`.

Examples:
  r3e wallets policy treasury > policy.json
  r3e wallets policy treasury --set policy.json --approval alice.json --approval bob.json";

const SIGN_HELP: &str = "\
Examples:
  r3e wallets sign treasury --payload transaction.json
  echo '{\"kind\": \"message\", \"bytes\": \"0x68656c6c6f\"}' | r3e wallets sign treasury --json

transaction.json:
  {
    \"kind\": \"evm_transaction\", \"chain_id\": 1, \"nonce\": 7, \"to\": \"0xdAC17F958D2ee523a2206206994597C13D831ec7\",
    \"value\": \"0\", \"data\": \"0xa9059cbb…\", \"gas_limit\": 90000,
    \"fee\": {\"eip1559\": {\"max_fee_per_gas\": \"30000000000\", \"max_priority_fee_per_gas\": \"1000000000\"}}
  }";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a wallet with a key that the appliance derives
    #[command(after_help = CREATE_HELP)]
    Create {
        /// The wallet's name
        name: String,
        /// The type of its key
        #[arg(long = "type", value_name = "TYPE")]
        key_type: KeyTypeArgument,
        /// What it may sign: a JSON file
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
    },
    /// Make a wallet with a key that was made elsewhere
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArguments),
    /// List the wallets
    #[command(after_help = "Example:\n  r3e wallets list --json")]
    List,
    /// Show one wallet, its policy, and what of its window is used
    #[command(after_help = "Example:\n  r3e wallets show treasury")]
    Show {
        /// The wallet's name
        name: String,
    },
    /// Show a wallet's policy as JSON, or put another in its place
    #[command(after_help = POLICY_HELP)]
    Policy {
        /// The wallet's name
        name: String,
        /// Put the policy in this JSON file in its place
        #[arg(long, value_name = "FILE")]
        set: Option<PathBuf>,
        /// An approver's consent, a file of `r3e wallets approve`; repeat for several
        #[arg(long = "approval", value_name = "FILE", requires = "set")]
        approvals: Vec<PathBuf>,
    },
    /// Sign a transaction, a message, typed data, or a digest
    #[command(after_help = SIGN_HELP)]
    Sign {
        /// The wallet's name
        name: String,
        /// What to sign: a JSON file; standard input if it is not given
        #[arg(long, value_name = "FILE")]
        payload: Option<PathBuf>,
        /// An approver's consent, a file of `r3e wallets approve`; repeat for several
        #[arg(long = "approval", value_name = "FILE")]
        approvals: Vec<PathBuf>,
    },
    /// Write down what approvers are to consent to
    #[command(after_help = "\
The file names the wallet and the revision of its policy, so a consent is worth nothing for another wallet, or after
the policy has changed.

Examples:
  r3e wallets ask treasury --payload transaction.json > ask.json
  r3e wallets ask treasury --policy looser.json > ask.json
  r3e wallets ask treasury --recipient 0x… > ask.json           # for an export")]
    Ask(consent::Ask),
    /// Look at what is asked, and consent to it with an approver's key; connects to nothing
    #[command(after_help = "\
Shows what is asked, in words, and the digest that this tool computes of it; of another policy, what it changes. Then it
asks, unless --yes is said.

Example:
  r3e wallets approve ask.json --key-file alice.pem > alice.json")]
    Approve(consent::Approve),
    /// Export a wallet's key, encrypted to an X25519 key, where its policy lets it
    #[command(after_help = "\
This takes the tenant's own key: no API key exports anything.

Examples:
  r3e wallets export-keygen export.key
  r3e wallets export treasury --recipient 0x… > sealed.json
  r3e wallets export-open sealed.json --export-key export.key --out treasury.hex")]
    Export(export::Export),
    /// Make an X25519 key to export to
    #[command(after_help = "Example:\n  r3e wallets export-keygen export.key")]
    ExportKeygen {
        /// The file to write
        file: PathBuf,
    },
    /// Open an exported key, on a machine that holds the X25519 key; connects to nothing
    #[command(after_help = "\
Example:
  r3e wallets export-open sealed.json --export-key export.key --out treasury.hex")]
    ExportOpen(export::Open),
    /// Delete a wallet and its key, which nobody gets back; what the audit says of it stays
    #[command(after_help = "\
This takes the tenant's own key. A wallet whose policy has approvers is deleted once a policy without them stands.

Example:
  r3e wallets delete old")]
    Delete {
        /// The wallet's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show what was done with a wallet, and what its policy refused
    #[command(after_help = "Example:\n  r3e wallets audit treasury --json")]
    Audit {
        /// The wallet's name
        name: String,
    },
    /// Show what a wallet has, and how many reports of feeds that pays for
    #[command(after_help = fund_check::HELP)]
    FundCheck {
        /// The wallet's name
        name: String,
        /// So many of each are to be paid for
        #[arg(long, value_name = "N", default_value_t = 1)]
        reports: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The wallet's name
    name: String,
    /// The form of the key
    #[arg(long, value_name = "FORMAT")]
    format: FormatArgument,
    /// The type of the key; only `hex` leaves it open
    #[arg(long = "type", value_name = "TYPE")]
    key_type: Option<KeyTypeArgument>,
    /// Which account of a NEP-6 wallet, by its address
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// What the wallet may sign: a JSON file
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    #[command(flatten)]
    secret: Secret,
}

/// A type of key, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyTypeArgument {
    /// Ethereum, and chains like it
    Secp256k1,
    /// Neo N3
    Secp256r1,
    /// Ed25519
    Ed25519,
}

impl From<KeyTypeArgument> for KeyType {
    fn from(argument: KeyTypeArgument) -> Self {
        match argument {
            KeyTypeArgument::Secp256k1 => Self::Secp256k1,
            KeyTypeArgument::Secp256r1 => Self::Secp256r1,
            KeyTypeArgument::Ed25519 => Self::Ed25519,
        }
    }
}

/// A form of key, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// 64 hex digits
    Hex,
    /// Neo's wallet import format
    Wif,
    /// A NEP-2 key
    Nep2,
    /// A NEP-6 wallet file
    Nep6,
    /// An Ethereum keystore, version 3
    Keystore,
}

impl FormatArgument {
    fn format(self) -> ImportFormat {
        match self {
            Self::Hex => ImportFormat::Hex,
            Self::Wif => ImportFormat::Wif,
            Self::Nep2 => ImportFormat::Nep2,
            Self::Nep6 => ImportFormat::Nep6,
            Self::Keystore => ImportFormat::Keystore,
        }
    }

    /// The type of key that the form holds; none where it holds any.
    fn key_type(self) -> Option<KeyType> {
        match self {
            Self::Hex => None,
            Self::Wif | Self::Nep2 | Self::Nep6 => Some(KeyType::Secp256r1),
            Self::Keystore => Some(KeyType::Secp256k1),
        }
    }

    fn has_password(self) -> bool {
        matches!(self, Self::Nep2 | Self::Nep6 | Self::Keystore)
    }
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Create { name, key_type, policy } => {
            let request = CreateWallet { key_type: key_type.into(), policy: json_file(&policy)? };
            let mut tenant = session::signed_in(settings).await?.into_tenant();
            let made = tenant.create_wallet(&name, &request).await?;
            printer
                .result(&made, |made| format!("created {}\n\n{}", made.wallet.name, shown::details(made)))?;
            session::remembered(tenant.check_state().await)
        }
        Command::Import(arguments) => {
            let (name, request) = arguments.read()?;
            let mut tenant = session::signed_in(settings).await?.into_tenant();
            let made = tenant.import_wallet(&name, &request).await?;
            printer
                .result(&made, |made| format!("imported {}\n\n{}", made.wallet.name, shown::details(made)))?;
            session::remembered(tenant.check_state().await)
        }
        Command::List => {
            let wallets = session::tenant(settings).await?.wallets().await?;
            printer.result(&wallets, |wallets| shown::list(wallets))
        }
        Command::Show { name } => {
            let wallet = session::tenant(settings).await?.wallet(&name).await?;
            printer.result(&wallet, shown::details)
        }
        Command::Policy { name, set: None, .. } => {
            let wallet = session::tenant(settings).await?.wallet(&name).await?;
            // A policy has one form, which is also what --set reads.
            Printer::new(true).result(&wallet.policy, |_| String::new())
        }
        Command::Policy { name, set: Some(file), approvals } => {
            let (policy, approvals) = (json_file::<Policy>(&file)?, approvals_in(&approvals)?);
            let mut tenant = session::signed_in(settings).await?;
            let revision = tenant.tenant().wallet(&name).await?.wallet.revision;
            let request = SetPolicy { revision, policy, approvals };
            let set = tenant.set_wallet_policy(&name, &request).await?;
            printer.result(&set, |set| {
                format!("set the policy of {}\n\n{}", set.wallet.name, shown::details(set))
            })?;
            session::remembered(tenant.tenant().check_state().await)
        }
        Command::Sign { name, payload, approvals } => {
            let payload = input::payload(payload.as_deref())?;
            let request = SignRequest { payload, approvals: approvals_in(&approvals)? };
            let mut tenant = session::tenant(settings).await?;
            let signed = tenant.sign(&name, &request).await?;
            printer.result(&signed, shown::signed)?;
            session::remembered(tenant.check_state().await)
        }
        Command::Ask(ask) => ask.run(settings).await,
        Command::Approve(approve) => approve.run(settings),
        Command::Export(export) => export.run(settings).await,
        Command::ExportKeygen { file } => export::keygen(&file, printer),
        Command::ExportOpen(open) => open.run(printer),
        Command::Delete { name, yes } => {
            let mut tenant = session::signed_in(settings).await?;
            let standing = tenant.tenant().wallet(&name).await?;
            note(&shown::details(&standing));
            confirm("Delete this wallet? What its key holds is lost.", yes)?;
            tenant.delete_wallet(&name).await?;
            printer.result(&json!({ "deleted": name }), |_| format!("deleted {name}"))?;
            session::remembered(tenant.tenant().check_state().await)
        }
        Command::Audit { name } => {
            let entries = session::tenant(settings).await?.wallet_audit(&name).await?;
            printer.result(&entries, shown::audit)
        }
        Command::FundCheck { name, reports } => fund_check::run(&name, reports, settings, printer).await,
    }
}

impl ImportArguments {
    fn read(self) -> Result<(String, ImportWallet), CliError> {
        let stated = self.key_type.map(KeyType::from);
        let key_type = match (self.format.key_type(), stated) {
            (Some(held), None) => held,
            (Some(held), Some(stated)) if held == stated => held,
            (None, Some(stated)) => stated,
            (Some(held), Some(_)) => {
                let message = format!("this format holds a {} key: leave --type out", held.as_str());
                return Err(CliError::Usage(message));
            }
            (None, None) => return Err(CliError::Usage("say what key it is: --type".to_owned())),
        };
        let policy = json_file(&self.policy)?;
        let (secret, password) = self.secret.read(self.format.has_password())?;
        let format = self.format.format();
        Ok((self.name, ImportWallet { key_type, format, secret, password, account: self.account, policy }))
    }
}

fn approvals_in(files: &[PathBuf]) -> Result<Vec<Approval>, CliError> {
    files.iter().map(|file| json_file(file)).collect()
}
