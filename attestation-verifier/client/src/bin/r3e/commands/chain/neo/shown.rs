//! Transactions on Neo N3 as they are shown.

use r3e_proto::api::neo_transactions::{NeoInclusion, SentNeoTransaction};
use r3e_proto::api::transactions::{Outcome, Stage};
use r3e_proto::api::wallets::NeoScope;

use super::super::shown::not_done;
use crate::output::{fields, table, time};

pub(super) fn list(transactions: &[SentNeoTransaction]) -> String {
    let row = |it: &SentNeoTransaction| {
        [it.name.clone(), it.magic.to_string(), it.wallet.clone(), it.call.method.clone(), progress(it)]
    };
    table(["NAME", "NETWORK", "WALLET", "METHOD", "STATE"], &transactions.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn one(it: &SentNeoTransaction) -> String {
    let scope = match it.call.scope {
        NeoScope::CalledByEntry => "the contract that is called",
        NeoScope::None => "nobody but the fees",
    };
    let mut pairs = vec![
        ("transaction", it.name.clone()),
        ("network", format!("neo-n3:{}", it.magic)),
        ("from", format!("{} ({})", it.account, it.wallet)),
        ("contract", it.call.contract.to_string()),
        ("method", format!("{} ({} arguments)", it.call.method, it.call.arguments.len())),
        ("signs for", scope.to_owned()),
        ("may cost", format!("{} of 10^-8 GAS", it.call.fee_limit)),
        ("until", time(it.deadline_ms)),
        ("state", progress(it)),
    ];
    if let Some(signed) = &it.signed {
        pairs.push(("hash", signed.hash.to_string()));
        pairs.push(("signed", time(signed.at_ms)));
        pairs.push(("system fee", signed.system_fee.to_string()));
        pairs.push(("network fee", signed.network_fee.to_string()));
        pairs.push(("last block", signed.valid_until_block.to_string()));
    }
    if let Some(Outcome::Included(inclusion)) = &it.outcome {
        pairs.push(("block", inclusion.height.to_string()));
    }
    fields(&pairs)
}

/// How far it is, in a line.
pub(super) fn progress(it: &SentNeoTransaction) -> String {
    let stage = match (&it.outcome, it.stage) {
        (Some(outcome), _) => return ended(outcome),
        (None, Stage::Waiting) => "waiting",
        (None, _) if it.abandoned.is_some() => "given up, and out until its last block",
        (None, _) => "with the nodes",
    };
    match &it.trouble {
        Some(trouble) => format!("{stage}: {trouble}"),
        None => stage.to_owned(),
    }
}

pub(super) fn ended(outcome: &Outcome<NeoInclusion>) -> String {
    match outcome {
        Outcome::Included(inclusion) if inclusion.succeeded => "done".to_owned(),
        Outcome::Included(_) => "failed: it is in the chain, and did nothing but cost".to_owned(),
        other => not_done(other),
    }
}
