//! Transactions as they are shown.

use r3e_proto::api::chains::ChainStatus;
use r3e_proto::api::transactions::{Kind, Outcome, Reason, Stage, Transaction};

use crate::output::{fields, table, time};

pub(super) fn list(transactions: &[Transaction]) -> String {
    let row = |it: &Transaction| {
        let nonce = it.nonce.map_or("-".to_owned(), |nonce| nonce.to_string());
        [it.name.clone(), it.chain_id.to_string(), it.wallet.clone(), nonce, progress(it)]
    };
    table(["NAME", "CHAIN", "WALLET", "NONCE", "STATE"], &transactions.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn chains(chains: &[ChainStatus]) -> String {
    let row = |it: &ChainStatus| {
        let height = it.height.map_or("?".to_owned(), |height| height.to_string());
        let nodes = format!("{} of {}", it.agree, it.nodes);
        [it.network.clone(), nodes, height, it.trouble.clone().unwrap_or_default()]
    };
    table(["NETWORK", "MUST AGREE", "HEIGHT", "TROUBLE"], &chains.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn one(it: &Transaction) -> String {
    let to = it.call.to.map_or("a new contract".to_owned(), |to| to.to_string());
    let mut pairs = vec![
        ("transaction", it.name.clone()),
        ("chain", it.chain_id.to_string()),
        ("from", format!("{} ({})", it.account, it.wallet)),
        ("to", to),
        ("value", format!("{} wei", it.call.value.0)),
        ("data", format!("{} bytes", it.call.data.0.len())),
        ("may cost", format!("{} wei for {} gas", it.call.fee_limit.0, it.call.gas_limit)),
        ("until", time(it.deadline_ms)),
        ("state", progress(it)),
    ];
    pairs.extend(it.nonce.map(|nonce| ("nonce", nonce.to_string())));
    pairs.extend(it.creates().map(|contract| ("creates", contract.to_string())));
    if let Some(included) = &it.included {
        pairs.push(("block", format!("{} ({})", included.height, included.block)));
        pairs.push(("hash", included.hash.to_string()));
        pairs.push(("gas used", included.gas_used.to_string()));
    }
    let mut text = fields(&pairs);
    if !it.attempts.is_empty() {
        let rows: Vec<[String; 4]> = it
            .attempts
            .iter()
            .map(|attempt| {
                let what = match attempt.kind {
                    Kind::Call => "call",
                    Kind::Noop => "nothing",
                };
                [
                    time(attempt.at_ms),
                    what.to_owned(),
                    attempt.fees.max.0.to_string(),
                    attempt.hash.to_string(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(["SIGNED", "DOES", "PRICE (WEI)", "HASH"], &rows));
    }
    text
}

/// How far it is, in a line.
pub(super) fn progress(it: &Transaction) -> String {
    let stage = match (&it.outcome, it.stage) {
        (Some(outcome), _) => return ended(outcome),
        (None, Stage::Waiting) => "waiting".to_owned(),
        (None, Stage::Included) => {
            let height = it.included.as_ref().map(|included| included.height).unwrap_or_default();
            format!("in block {height}, not final yet")
        }
        (None, _) if it.abandoned.is_some() => "being replaced by nothing".to_owned(),
        (None, _) => format!("with the nodes ({} signed)", it.attempts.len()),
    };
    match &it.trouble {
        Some(trouble) => format!("{stage}: {trouble}"),
        None => stage,
    }
}

pub(super) fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Included(inclusion) if inclusion.succeeded => "done".to_owned(),
        Outcome::Included(_) => "reverted: it is in the chain, and did nothing but cost".to_owned(),
        other => not_done(other),
    }
}

/// What became of one that no block has, on chains of whichever family.
pub(super) fn not_done<I>(outcome: &Outcome<I>) -> String {
    match outcome {
        Outcome::Abandoned(Reason::Expired) => "not done: its time was over".to_owned(),
        Outcome::Abandoned(Reason::Cancelled) => "not done: cancelled".to_owned(),
        Outcome::Abandoned(Reason::NotTaken(why)) => format!("not done: no node takes it: {why}"),
        Outcome::Abandoned(Reason::Reverts(why)) => format!("not done: {why}"),
        Outcome::Refused { code, message } => format!("not done: {message} ({code})"),
        Outcome::Displaced => {
            "not done: something else that was signed by the same key took its nonce".to_owned()
        }
        _ => "ended".to_owned(),
    }
}
