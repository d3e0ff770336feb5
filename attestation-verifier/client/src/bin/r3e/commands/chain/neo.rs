//! `r3e chain neo`: transactions of wallets on Neo N3.

mod shown;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use r3e_client::{ClientError, TenantChannel};
use r3e_neo::{Hash160, deployed_contract};
use r3e_proto::api::neo_transactions::{NeoCall, NeoInclusion, SendNeoTransaction, SentNeoTransaction};
use r3e_proto::api::transactions::{DEFAULT_TIMEOUT_MS, Outcome};
use r3e_proto::api::wallets::{HexBytes, NeoAccount, NeoArgument, NeoInteger, NeoScope, Wei};
use serde::{Deserialize, Serialize};

use super::{Awaited, done, ended};
use crate::error::CliError;
use crate::limits::MAX_CALL_FILE_BYTES;
use crate::output::{Printer, fields, note};
use crate::session;
use crate::settings::Settings;

const SEND_HELP: &str = "\
The name makes it once: sent again under it, nothing is done twice. It is run on the nodes before it is signed; what a contract refuses for a minute is
given up. What is signed can neither be replaced nor taken back: it has a last block. The wallet's policy must allow the call. docs/chains.md has all of it.

Examples:
  r3e chain neo send vote-7 --wallet dao --magic 860833102 --contract 0xef4073a0f2b305a38ec4050e4d3d28bc40ea63f5 --method vote \\
    --argument '{\"type\":\"account\",\"value\":\"NQ…\"}' --argument '{\"type\":\"null\"}' --fee-limit 30000000 --wait
  r3e chain neo transfer rent-2026-11 --wallet treasury --magic 860833102 --to NQ… --amount 250000000 --fee-limit 2000000";

const DEPLOY_HELP: &str = "\
Of the same account, program and name, a contract has the same hash, and is deployed once. A deployment costs 10 GAS at the least, and more
where its bytes do. Nodes try no call that takes more than their own limit (MaxGasInvoke): a large contract takes nodes that allow more.

Example:
  r3e chain neo deploy feed --wallet deployer --magic 894710606 --nef feed.nef --manifest feed.manifest.json --fee-limit 1200000000";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call a contract, at most once
    #[command(after_help = SEND_HELP)]
    Send(Box<Send>),
    /// Send GAS or another token (NEP-17), at most once
    #[command(
        after_help = "Example:\n  r3e chain neo transfer rent --wallet treasury --magic 860833102 --to NQ… --amount 250000000 --fee-limit 2000000 --wait"
    )]
    Transfer(Transfer),
    /// Deploy a contract
    #[command(after_help = DEPLOY_HELP)]
    Deploy(Deploy),
    /// Show one transaction, or list them
    #[command(after_help = "Examples:\n  r3e chain neo tx\n  r3e chain neo tx rent --json | jq .outcome")]
    Tx {
        /// The transaction's name
        name: Option<String>,
    },
    /// Give a transaction up: nothing more is signed for it
    #[command(after_help = "Example:\n  r3e chain neo cancel rent")]
    Cancel {
        /// The transaction's name
        name: String,
    },
}

/// What every one of them has.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The transaction's name
    name: String,
    /// The wallet that signs, and whose account pays
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// The network's magic number
    #[arg(long, value_name = "N")]
    magic: u32,
    /// The most that it may cost, in 10^-8 GAS
    #[arg(long, value_name = "UNITS")]
    fee_limit: Wei,
    /// How long it is tried
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_MS / 1_000)]
    timeout_s: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    common: Common,
    /// The contract
    #[arg(long, value_name = "0x…")]
    contract: Hash160,
    /// Its method
    #[arg(long, value_name = "NAME")]
    method: String,
    /// What it is called with, one after the other: JSON such as {"type":"integer","value":"42"}
    #[arg(long = "argument", value_name = "JSON", value_parser = argument)]
    arguments: Vec<NeoArgument>,
    /// For whom the wallet's signature counts
    #[arg(long, value_enum, default_value = "called-by-entry")]
    scope: Scope,
    /// Wait until it has ended
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Transfer {
    #[command(flatten)]
    common: Common,
    /// Who is sent it
    #[arg(long, value_name = "ADDRESS")]
    to: NeoAccount,
    /// How much, in the token's smallest unit
    #[arg(long, value_name = "UNITS")]
    amount: NeoInteger,
    /// The token's contract; GAS where none is given
    #[arg(long, value_name = "0x…")]
    token: Option<Hash160>,
    /// Wait until it has ended
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    common: Common,
    /// The program
    #[arg(long, value_name = "FILE")]
    nef: PathBuf,
    /// Its manifest
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// What the contract is given when it is deployed: JSON such as {"type":"text","value":"…"}
    #[arg(long, value_name = "JSON", value_parser = argument)]
    data: Option<NeoArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    CalledByEntry,
    None,
}

/// What of a manifest names the contract.
#[derive(Deserialize)]
struct Manifest {
    name: String,
}

/// What a deployment comes to.
#[derive(Debug, Serialize)]
struct Deployed {
    contract: Hash160,
    transaction: SentNeoTransaction,
}

pub(super) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Send(send) => {
            let Send { common, contract, method, arguments, scope, wait } = *send;
            let scope = match scope {
                Scope::CalledByEntry => NeoScope::CalledByEntry,
                Scope::None => NeoScope::None,
            };
            let call = NeoCall { contract, method, arguments, scope, fee_limit: common.fee_limit };
            let mut tenant = session::tenant(settings).await?;
            sent(&mut tenant, common, call, (wait, printer)).await
        }
        Command::Transfer(Transfer { common, to, amount, token, wait }) => {
            let mut tenant = session::tenant(settings).await?;
            let from = account(&mut tenant, &common.wallet).await?;
            let call = NeoCall {
                contract: token.unwrap_or(Hash160::GAS),
                method: "transfer".to_owned(),
                arguments: vec![
                    NeoArgument::Account(from),
                    NeoArgument::Account(to),
                    NeoArgument::Integer(amount),
                    NeoArgument::Null,
                ],
                scope: NeoScope::CalledByEntry,
                fee_limit: common.fee_limit,
            };
            sent(&mut tenant, common, call, (wait, printer)).await
        }
        Command::Deploy(deploy) => deployed(deploy, settings, printer).await,
        Command::Tx { name: Some(name) } => {
            let mut tenant = session::tenant(settings).await?;
            printer.result(&tenant.neo_transaction(&name).await?, shown::one)
        }
        Command::Tx { name: None } => {
            let mut tenant = session::tenant(settings).await?;
            printer.result(&all(&mut tenant).await?, |all| shown::list(all))
        }
        Command::Cancel { name } => {
            let mut tenant = session::tenant(settings).await?;
            printer.result(&tenant.cancel_neo_transaction(&name).await?, shown::one)
        }
    }
}

async fn sent(
    tenant: &mut TenantChannel,
    common: Common,
    call: NeoCall,
    (waits, printer): (bool, Printer),
) -> Result<(), CliError> {
    let (name, request) = common.request(call);
    let known = tenant.send_neo_transaction(&name, &request).await?;
    if !waits {
        return printer.result(&known, shown::one);
    }
    let ended = ended(tenant, known).await?;
    printer.result(&ended, shown::one)?;
    done(&ended)
}

async fn deployed(deploy: Deploy, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let Deploy { common, nef: nef_file, manifest: manifest_file, data } = deploy;
    let nef = file(&nef_file)?;
    let manifest = String::from_utf8(file(&manifest_file)?);
    let wrong = |file: &Path, why: &str| CliError::Usage(format!("{}: {why}", file.display()));
    let manifest = manifest.map_err(|_| wrong(&manifest_file, "no text"))?;
    let of_it: Manifest =
        serde_json::from_str(&manifest).map_err(|error| wrong(&manifest_file, &error.to_string()))?;
    let mut tenant = session::tenant(settings).await?;
    let account = account(&mut tenant, &common.wallet).await?;
    let contract = deployed_contract(account.0, &nef, &of_it.name);
    let contract = contract.map_err(|error| wrong(&manifest_file, &error.to_string()))?;
    let contract = contract.ok_or_else(|| wrong(&nef_file, "no program of Neo N3 (NEF3)"))?;
    let mut arguments = vec![NeoArgument::Bytes(HexBytes(nef)), NeoArgument::Text(manifest)];
    arguments.extend(data);
    let call = NeoCall {
        contract: Hash160::CONTRACT_MANAGEMENT,
        method: "deploy".to_owned(),
        arguments,
        scope: NeoScope::CalledByEntry,
        fee_limit: common.fee_limit,
    };
    let (name, request) = common.request(call);
    let known = tenant.send_neo_transaction(&name, &request).await?;
    let ended = ended(&mut tenant, known).await?;
    if done(&ended).is_err() {
        note(&shown::one(&ended));
        return done(&ended);
    }
    printer.result(&Deployed { contract, transaction: ended }, |it| {
        format!("{}{}", fields(&[("contract", it.contract.to_string())]), shown::one(&it.transaction))
    })
}

impl Common {
    fn request(self, call: NeoCall) -> (String, SendNeoTransaction) {
        let timeout_ms = Some(self.timeout_s.saturating_mul(1_000));
        (self.name, SendNeoTransaction { wallet: self.wallet, magic: self.magic, call, timeout_ms })
    }
}

fn argument(text: &str) -> Result<NeoArgument, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// The wallet's own.
async fn account(tenant: &mut TenantChannel, wallet: &str) -> Result<NeoAccount, CliError> {
    let address = tenant.wallet(wallet).await?.wallet.address;
    address.parse().map_err(|_| CliError::Usage(format!("the wallet {wallet:?} has no account on Neo N3")))
}

fn file(file: &Path) -> Result<Vec<u8>, CliError> {
    let what = file.display().to_string();
    let io = |source| CliError::Io { what: what.clone(), source };
    if std::fs::metadata(file).map_err(io)?.len() > MAX_CALL_FILE_BYTES {
        return Err(CliError::Usage(format!("{what} is over {MAX_CALL_FILE_BYTES} bytes")));
    }
    std::fs::read(file).map_err(io)
}

async fn all(tenant: &mut TenantChannel) -> Result<Vec<SentNeoTransaction>, CliError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = tenant.neo_transactions(after.as_deref()).await?;
        all.extend(page.transactions);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

impl Awaited for SentNeoTransaction {
    fn name(&self) -> &str {
        &self.name
    }

    fn progress(&self) -> String {
        shown::progress(self)
    }

    fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    fn was_done(&self) -> Option<bool> {
        let is_done =
            |it: &Outcome<NeoInclusion>| matches!(it, Outcome::Included(inclusion) if inclusion.succeeded);
        self.outcome.as_ref().map(is_done)
    }

    async fn again(&self, tenant: &mut TenantChannel) -> Result<Self, ClientError> {
        tenant.neo_transaction(&self.name).await
    }
}
