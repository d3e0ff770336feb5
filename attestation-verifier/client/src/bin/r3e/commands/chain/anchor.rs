//! `r3e chain anchor` and `r3e chain deploy-anchor`: the appliance's state, remembered by a contract on a chain.

use clap::Args;
use r3e_client::{ClientError, TenantChannel};
use r3e_proto::api::anchor::SignedAnchor;
use r3e_proto::api::codes;
use r3e_proto::api::transactions::{Call, DEFAULT_TIMEOUT_MS, Outcome, SendTransaction, Transaction};
use r3e_proto::api::wallets::{EvmAddress, HexBytes, Wei};
use serde::Serialize;

use super::{artifact, done, ended, shown};
use crate::error::CliError;
use crate::output::{Printer, fields};
use crate::session;
use crate::settings::Settings;

pub(super) const HELP: &str = "\
The appliance signs how far its state is, and the wallet brings that to the contract that its configuration names. Each state that it is started with
must then know of it: docs/witness.md says what that keeps out. The anchor's number names the transaction, anchor-N, so that it is made once.
The wallet's policy must allow the call.

Examples:
  r3e chain anchor --wallet anchors --fee-limit 2000000000000000
  0 * * * *  r3e chain anchor --wallet anchors --fee-limit 2000000000000000 --wait --json >>/var/log/anchors   # each hour";

pub(super) const DEPLOY_HELP: &str = "\
Nobody administers the contract, and appliances share it: each has its own anchors there. The wallet's policy must allow creations, and data of 4 KiB.

Example:
  r3e chain deploy-anchor state-anchor --wallet deployer --chain-id 138 --fee-limit 40000000000000000";

/// The contract as it was compiled; docs/contracts.md says how.
const ARTIFACT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/evm/artifacts/StateAnchor.json"));
/// Gas for an appliance's first anchor, and for the contract: measured, and a little more.
const GAS: u64 = 120_000;
const DEPLOYMENT_GAS: u64 = 450_000;
/// Transactions for one anchor, of which each was given up before the next.
const MAX_TRIES: u32 = 20;

#[derive(Debug, Args)]
pub(crate) struct BringAnchor {
    /// The wallet that pays
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// The most that it may cost, in wei
    #[arg(long, value_name = "WEI")]
    fee_limit: Wei,
    /// The most gas
    #[arg(long, value_name = "GAS", default_value_t = GAS)]
    gas_limit: u64,
    /// How long it is tried
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_MS / 1_000)]
    timeout_s: u64,
    /// Wait until its block is final
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeployAnchor {
    /// The transaction's name: under it, it is done once
    name: String,
    /// The wallet that signs and pays
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// The chain
    #[arg(long, value_name = "N")]
    chain_id: u64,
    /// The most that it may cost, in wei
    #[arg(long, value_name = "WEI")]
    fee_limit: Wei,
    /// The most gas
    #[arg(long, value_name = "GAS", default_value_t = DEPLOYMENT_GAS)]
    gas_limit: u64,
    /// How long it is tried
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_MS / 1_000)]
    timeout_s: u64,
}

#[derive(Debug, Serialize)]
struct Brought {
    anchor: SignedAnchor,
    transaction: Transaction,
}

#[derive(Debug, Serialize)]
struct Deployed {
    network: String,
    contract: EvmAddress,
    transaction: Transaction,
}

pub(super) async fn bring(bring: BringAnchor, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    let anchor = tenant.anchor().await?;
    let chain_id = anchor.network.strip_prefix("eip155:").and_then(|id| id.parse().ok());
    let chain_id = chain_id.ok_or_else(|| {
        CliError::Usage(format!("{} is no network of this release's: update r3e", anchor.network))
    })?;
    let BringAnchor { wallet, fee_limit, gas_limit, timeout_s, wait } = bring;
    let call =
        Call { to: Some(anchor.contract), value: Wei(0), data: anchor.data.clone(), gas_limit, fee_limit };
    let request =
        SendTransaction { wallet, chain_id, call, timeout_ms: Some(timeout_s.saturating_mul(1_000)) };
    let mut transaction = send(&mut tenant, anchor.anchor.sequence, &request).await?;
    if wait {
        transaction = ended(&mut tenant, transaction).await?;
    }
    let brought = Brought { anchor, transaction };
    printer.result(&brought, |Brought { anchor, transaction }| {
        let pairs = [
            ("sequence", anchor.anchor.sequence.to_string()),
            ("head", anchor.anchor.head.to_string()),
            ("contract", format!("{}:{}", anchor.network, anchor.contract)),
            ("appliance", anchor.appliance.to_string()),
        ];
        format!("{}{}", fields(&pairs), shown::one(transaction))
    })?;
    if wait { done(&brought.transaction) } else { Ok(()) }
}

/// Sends it under a name of its own; where that one was given up, under another.
async fn send(
    tenant: &mut TenantChannel,
    sequence: u64,
    request: &SendTransaction,
) -> Result<Transaction, CliError> {
    let mut name = format!("anchor-{sequence}");
    for again in 2..=MAX_TRIES {
        let known = match tenant.transaction(&name).await {
            Ok(known) => known,
            Err(ClientError::Api { code, .. }) if code == codes::NOT_FOUND => break,
            Err(error) => return Err(error.into()),
        };
        match &known.outcome {
            Some(Outcome::Included(inclusion)) if inclusion.succeeded => return Ok(known),
            Some(_) => name = format!("anchor-{sequence}-{again}"),
            None => return Ok(known),
        }
    }
    Ok(tenant.send_transaction(&name, request).await?)
}

pub(super) async fn deploy(
    deploy: DeployAnchor,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let DeployAnchor { name, wallet, chain_id, fee_limit, gas_limit, timeout_s } = deploy;
    let data = HexBytes(artifact::program(ARTIFACT)?);
    let call = Call { to: None, value: Wei(0), data, gas_limit, fee_limit };
    let request =
        SendTransaction { wallet, chain_id, call, timeout_ms: Some(timeout_s.saturating_mul(1_000)) };
    let mut tenant = session::tenant(settings).await?;
    let sent = tenant.send_transaction(&name, &request).await?;
    let ended = ended(&mut tenant, sent).await?;
    let Some(contract) = ended.creates() else {
        crate::output::note(&shown::one(&ended));
        return done(&ended);
    };
    let deployed = Deployed { network: format!("eip155:{chain_id}"), contract, transaction: ended };
    printer.result(&deployed, |Deployed { network, contract, transaction }| {
        let table = format!("[anchor]\nnetwork = \"{network}\"\ncontract = \"{contract}\"\n");
        format!("{}\nFor the appliance's configuration:\n\n{table}", shown::one(transaction))
    })?;
    done(&deployed.transaction)
}
