//! `r3e chain deploy`: the contract of a feed, made for the key that an attestation document names.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use clap::Args;
use r3e_proto::api::feeds::Feed;
use r3e_proto::api::transactions::{Call, DEFAULT_TIMEOUT_MS, SendTransaction, Transaction};
use r3e_proto::api::wallets::{EvmAddress, Wei};
use r3e_proto::report::FeedId;
use serde::{Deserialize, Serialize};

use super::aggregator::Aggregator;
use super::{done, ended, shown};
use crate::commands::enclave::document_bytes;
use crate::error::CliError;
use crate::output::{Printer, fields, note};
use crate::session;
use crate::settings::Settings;

pub(super) const HELP: &str = "\
It takes reports of this feed by its definition as it is now, signed by the tenant's key. The document that names the key is saved: its SHA-256 is on
record in the contract, and whoever checks the contract needs it. The wallet's policy must allow creations, and data of 16 KiB.
docs/contracts.md has all of it.

Examples:
  r3e chain deploy btc-usd-2026 --feed btc-usd --wallet deployer --chain-id 138 --admin 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
    --fee-limit 40000000000000000 --document btc-usd.document
  r3e chain deploy btc-usd-2026 … --json | jq -r .target";

/// Gas for the contract, and for each round that it keeps: measured, and a little more.
const GAS: u64 = 2_500_000;
const GAS_A_ROUND: u64 = 25_000;

/// The contract keeps answers in 104 bits.
const MAX_ANSWER: i128 = 1 << 103;

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The transaction's name: under it, it is done once
    name: String,
    /// The feed
    #[arg(long, value_name = "FEED")]
    feed: String,
    /// The wallet that signs and pays
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// The chain
    #[arg(long, value_name = "N")]
    chain_id: u64,
    /// Who admits signers after the delay, and can stop the feed
    #[arg(long, value_name = "ADDRESS")]
    admin: EvmAddress,
    /// Where the document that names the signer is saved
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
    /// What `description()` says; the pair, where nothing is given
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The least answer that it takes; the feed's own, where nothing is given
    #[arg(long, value_name = "DECIMAL", allow_hyphen_values = true)]
    min_answer: Option<String>,
    /// The greatest
    #[arg(long, value_name = "DECIMAL", allow_hyphen_values = true)]
    max_answer: Option<String>,
    /// Rounds that it keeps beside the last one
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256))]
    history: u16,
    /// How long a new signer can be looked at before it holds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(60..=2_592_000))]
    delay_s: u64,
    /// The most gas; some 2.5 million and 25,000 for each round, where nothing is given
    #[arg(long, value_name = "GAS")]
    gas_limit: Option<u64>,
    /// The most that it may cost, in wei
    #[arg(long, value_name = "WEI")]
    fee_limit: Wei,
    /// How long it is tried
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_MS / 1_000)]
    timeout_s: u64,
}

/// What a deployment comes to.
#[derive(Debug, Serialize)]
struct Deployed {
    /// As feeds name it among their targets.
    target: String,
    contract: EvmAddress,
    transaction: Transaction,
}

/// What of a feed's definition goes into the contract.
#[derive(Deserialize)]
struct Definition {
    pair: String,
    policy: Policy,
}

#[derive(Deserialize)]
struct Policy {
    decimals: u8,
    min_answer: String,
    max_answer: String,
}

pub(super) async fn run(deploy: Deploy, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    let feed = tenant.feed(&deploy.feed).await?;
    let key = tenant.oracle_key().await?;
    let document = document_bytes(&key.document)?;
    let mut attestation = [0; 32];
    attestation.copy_from_slice(digest(&SHA256, &document).as_ref());
    let aggregator = deploy.aggregator(&feed, key.evm_address, attestation)?;
    let rounds = u64::from(deploy.history).saturating_mul(GAS_A_ROUND);
    let request = SendTransaction {
        wallet: deploy.wallet.clone(),
        chain_id: deploy.chain_id,
        call: Call {
            to: None,
            value: Wei(0),
            data: aggregator.creation()?,
            gas_limit: deploy.gas_limit.unwrap_or(GAS.saturating_add(rounds)),
            fee_limit: deploy.fee_limit,
        },
        timeout_ms: Some(deploy.timeout_s.saturating_mul(1_000)),
    };
    deploy.save(&document)?;
    let sent = tenant.send_transaction(&deploy.name, &request).await;
    if sent.is_err() {
        note(&format!("r3e: {} may be the document of no contract", deploy.document.display()));
    }
    let ended = ended(&mut tenant, sent?).await?;
    let Some(contract) = ended.creates() else {
        note(&shown::one(&ended));
        return done(&ended);
    };
    let target = format!("eip155:{}:{contract}", deploy.chain_id);
    let deployed = Deployed { target, contract, transaction: ended };
    printer.result(&deployed, |it| {
        format!("{}{}", fields(&[("target", it.target.clone())]), shown::one(&it.transaction))
    })?;
    done(&deployed.transaction)
}

impl Deploy {
    fn aggregator(
        &self,
        feed: &Feed,
        signer: EvmAddress,
        attestation: [u8; 32],
    ) -> Result<Aggregator, CliError> {
        let Definition { pair, policy } =
            serde_json::from_value(feed.definition.clone()).map_err(|error| {
                CliError::Usage(format!("the feed's definition is another release's: {error}"))
            })?;
        let bound = |given: &Option<String>, own: &str| {
            let text = given.as_deref().unwrap_or(own);
            units(text, policy.decimals).ok_or_else(|| {
                CliError::Usage(format!("{text} is no answer with at most {} places", policy.decimals))
            })
        };
        let (min_answer, max_answer) =
            (bound(&self.min_answer, &policy.min_answer)?, bound(&self.max_answer, &policy.max_answer)?);
        if min_answer > max_answer || min_answer < -MAX_ANSWER || max_answer >= MAX_ANSWER {
            let why = "the least answer is not above the greatest, and both have at most 103 bits in the feed's units";
            return Err(CliError::Usage(why.to_owned()));
        }
        let id = FeedId::named(&feed.name);
        Ok(Aggregator {
            feed_id: id.ok_or_else(|| CliError::Usage("a feed without a name".to_owned()))?.0,
            decimals: policy.decimals,
            description: self.description.clone().unwrap_or(pair),
            min_answer,
            max_answer,
            history: self.history,
            delay_seconds: self.delay_s,
            admin: self.admin,
            signer,
            config_digest: feed.config_digest.0,
            attestation,
        })
    }

    /// Writes the document to a file that is not there yet: what is there may be the only copy of another contract's.
    fn save(&self, document: &[u8]) -> Result<(), CliError> {
        if std::fs::read(&self.document).is_ok_and(|found| found == document) {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let written = options.write(true).create_new(true).open(&self.document).and_then(|mut file| {
            let written = file.write_all(document).and_then(|()| file.sync_all());
            // Half of a document is none.
            written.inspect_err(|_| drop(std::fs::remove_file(&self.document)))
        });
        let file = self.document.display();
        written.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => CliError::Usage(format!(
                "{file} is there already, and may be the only copy of a document; `r3e chain tx {}` shows what was deployed",
                self.name
            )),
            _ => CliError::Io { what: file.to_string(), source },
        })
    }
}

/// A decimal number in units of its last place.
fn units(text: &str, places: u8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::from(places).checked_sub(fraction.len())?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if digits.is_empty() || !are_digits(digits) || !are_digits(fraction) {
        return None;
    }
    format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn decimals_in_units() {
        for (text, places, expected) in [
            ("1", 8, Some(100_000_000)),
            ("-0.5", 2, Some(-50)),
            ("10000000", 0, Some(10_000_000)),
            ("1.25", 2, Some(125)),
            ("1.250", 2, None),
            ("", 2, None),
            (".5", 2, None),
            ("-", 2, None),
            ("+1", 2, None),
            ("1e3", 2, None),
            ("1.-5", 2, None),
            ("99999999999999999999999999999999999999", 18, None),
        ] {
            assert_eq!(units(text, places), expected, "{text}");
        }
    }
}
