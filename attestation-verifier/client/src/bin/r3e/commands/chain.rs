//! `r3e chain`.

mod aggregator;
mod anchor;
mod artifact;
mod deploy;
mod neo;
mod shown;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use r3e_client::{ClientError, TenantChannel};
use r3e_proto::api::transactions::{Call, DEFAULT_TIMEOUT_MS, Outcome, SendTransaction, Transaction};
use r3e_proto::api::wallets::{EvmAddress, HexBytes, Wei};

use crate::error::CliError;
use crate::limits::MAX_CALL_FILE_BYTES;
use crate::output::{Printer, note};
use crate::session;
use crate::settings::Settings;

/// Between two looks at a transaction that is waited for.
const LOOK: Duration = Duration::from_millis(500);
/// So long after its deadline one is still waited for: until what takes its place is final, or blocks are beyond its last one.
const AFTER_DEADLINE_MS: u64 = 3_600_000;

const SEND_HELP: &str = "\
The name makes it once: sent again under it, nothing is done twice. The wallet's policy must allow the transaction; and for one that is
given up, a transfer of nothing to the wallet's own address. docs/chains.md has all of it.

Examples:
  r3e chain send rent-2026-11 --wallet treasury --chain-id 1 --to 0xdAC17F958D2ee523a2206206994597C13D831ec7 \\
    --data 0xa9059cbb… --gas-limit 90000 --fee-limit 5000000000000000 --wait
  r3e chain send feed --wallet deployer --chain-id 138 --create --data-file Aggregator.hex --gas-limit 4000000 \\
    --fee-limit 40000000000000000";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send a transaction by a wallet, at most once
    #[command(after_help = SEND_HELP)]
    Send(Send),
    /// Show one transaction, with all that was signed for it, or list them
    #[command(after_help = "Examples:\n  r3e chain tx\n  r3e chain tx rent-2026-11 --json | jq .outcome")]
    Tx {
        /// The transaction's name
        name: Option<String>,
    },
    /// Deploy the contract that takes a feed's reports
    #[command(after_help = deploy::HELP)]
    Deploy(deploy::Deploy),
    /// Have the appliance's state remembered by its contract on a chain
    #[command(after_help = anchor::HELP)]
    Anchor(anchor::BringAnchor),
    /// Deploy the contract that remembers appliances' states
    #[command(after_help = anchor::DEPLOY_HELP)]
    DeployAnchor(anchor::DeployAnchor),
    /// Transactions on Neo N3: call contracts, send tokens, deploy
    #[command(subcommand)]
    Neo(neo::Command),
    /// Show the networks that the appliance has nodes of, and how far each is
    #[command(after_help = "Example:\n  r3e chain status --json | jq '.[] | select(.trouble)'")]
    Status,
    /// Give a transaction up: what is out is replaced by nothing, unless the chain takes it first
    #[command(after_help = "Example:\n  r3e chain cancel rent-2026-11")]
    Cancel {
        /// The transaction's name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The transaction's name
    name: String,
    /// The wallet that signs
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// The chain
    #[arg(long, value_name = "N")]
    chain_id: u64,
    /// The recipient
    #[arg(long, value_name = "ADDRESS", required_unless_present = "create")]
    to: Option<EvmAddress>,
    /// Create a contract, whose code is the data
    #[arg(long, conflicts_with = "to")]
    create: bool,
    /// What is sent along, in wei
    #[arg(long, value_name = "WEI", default_value = "0")]
    value: Wei,
    /// The call's data, hexadecimal
    #[arg(long, value_name = "0x…", conflicts_with = "data_file")]
    data: Option<HexBytes>,
    /// A file with the data, hexadecimal
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,
    /// The most gas
    #[arg(long, value_name = "GAS")]
    gas_limit: u64,
    /// The most that it may cost, in wei
    #[arg(long, value_name = "WEI")]
    fee_limit: Wei,
    /// How long it is tried
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_MS / 1_000)]
    timeout_s: u64,
    /// Wait until it has ended: until its block is final
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Send(send) => {
            // Before anything is asked.
            let (name, waits, request) = send.request()?;
            let mut tenant = session::tenant(settings).await?;
            let known = tenant.send_transaction(&name, &request).await?;
            if !waits {
                return printer.result(&known, shown::one);
            }
            let ended = ended(&mut tenant, known).await?;
            printer.result(&ended, shown::one)?;
            done(&ended)
        }
        Command::Deploy(deploy) => deploy::run(deploy, settings, printer).await,
        Command::Anchor(bring) => anchor::bring(bring, settings, printer).await,
        Command::DeployAnchor(deploy) => anchor::deploy(deploy, settings, printer).await,
        Command::Neo(command) => neo::run(command, settings, printer).await,
        Command::Status => {
            let chains = session::tenant(settings).await?.chains().await?;
            printer.result(&chains, |chains| shown::chains(chains))
        }
        Command::Tx { name: Some(name) } => {
            let mut tenant = session::tenant(settings).await?;
            printer.result(&tenant.transaction(&name).await?, shown::one)
        }
        Command::Tx { name: None } => {
            let mut tenant = session::tenant(settings).await?;
            printer.result(&all(&mut tenant).await?, |all| shown::list(all))
        }
        Command::Cancel { name } => {
            let mut tenant = session::tenant(settings).await?;
            printer.result(&tenant.cancel_transaction(&name).await?, shown::one)
        }
    }
}

impl Send {
    fn request(self) -> Result<(String, bool, SendTransaction), CliError> {
        let data = match (self.data, &self.data_file) {
            (Some(data), _) => data,
            (None, Some(file)) => hexadecimal(file)?,
            (None, None) => HexBytes::default(),
        };
        let call = Call {
            to: self.to,
            value: self.value,
            data,
            gas_limit: self.gas_limit,
            fee_limit: self.fee_limit,
        };
        let timeout_ms = Some(self.timeout_s.saturating_mul(1_000));
        let request = SendTransaction { wallet: self.wallet, chain_id: self.chain_id, call, timeout_ms };
        Ok((self.name, self.wait, request))
    }
}

/// The bytes in a file of hexadecimal digits, with or without `0x`.
fn hexadecimal(file: &Path) -> Result<HexBytes, CliError> {
    let what = file.display().to_string();
    let io = |source| CliError::Io { what: what.clone(), source };
    let length = std::fs::metadata(file).map_err(io)?.len();
    if length > MAX_CALL_FILE_BYTES {
        return Err(CliError::Usage(format!("{what} is over {MAX_CALL_FILE_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(io)?;
    let digits = text.trim();
    let prefixed = if digits.starts_with("0x") { digits.to_owned() } else { format!("0x{digits}") };
    prefixed.parse().map_err(|_| CliError::Usage(format!("{what} holds no hexadecimal digits")))
}

async fn all(tenant: &mut TenantChannel) -> Result<Vec<Transaction>, CliError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = tenant.transactions(after.as_deref()).await?;
        all.extend(page.transactions);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// A transaction that is waited for, on a chain of whichever family.
trait Awaited: Sized {
    fn name(&self) -> &str;
    /// How far it is, in a line.
    fn progress(&self) -> String;
    /// When it is given up, in Unix milliseconds.
    fn deadline_ms(&self) -> u64;
    /// Once it has ended, whether it was done.
    fn was_done(&self) -> Option<bool>;
    /// As it is by now.
    async fn again(&self, tenant: &mut TenantChannel) -> Result<Self, ClientError>;
}

impl Awaited for Transaction {
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
        let is_done = |it: &Outcome| matches!(it, Outcome::Included(inclusion) if inclusion.succeeded);
        self.outcome.as_ref().map(is_done)
    }

    async fn again(&self, tenant: &mut TenantChannel) -> Result<Self, ClientError> {
        tenant.transaction(&self.name).await
    }
}

/// Waits for a transaction's end, and says each stage on standard error. The appliance gives it up at its deadline; where it cannot find out
/// what became of it for long after that, it is given as it is.
async fn ended<T: Awaited>(tenant: &mut TenantChannel, sent: T) -> Result<T, CliError> {
    let begun = Instant::now();
    let (mut now, mut said) = (sent, None);
    while now.was_done().is_none() && unix_ms() < now.deadline_ms().saturating_add(AFTER_DEADLINE_MS) {
        let line = now.progress();
        if said.as_ref() != Some(&line) {
            note(&format!("{:>4} s  {line}", begun.elapsed().as_secs()));
            said = Some(line);
        }
        tokio::time::sleep(LOOK).await;
        now = now.again(tenant).await?;
    }
    Ok(now)
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What was not done fails the command.
fn done(ended: &impl Awaited) -> Result<(), CliError> {
    match ended.was_done() {
        Some(true) => Ok(()),
        Some(false) => Err(CliError::NotDone { name: ended.name().to_owned(), why: ended.progress() }),
        None => Err(CliError::StillOpen { id: ended.name().to_owned() }),
    }
}
