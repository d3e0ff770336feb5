//! Wallets, signatures and the audit as text.

use r3e_proto::api::wallets::{
    Action, ImportFormat, Methods, NeoContracts, NeoRules, Origin, Policy, Recipients, Signed, Wallet,
    WalletAudit, WalletDetails,
};

use crate::output::{fields, table, time};

pub(super) fn list(wallets: &[Wallet]) -> String {
    let rows: Vec<[String; 5]> = wallets
        .iter()
        .map(|wallet| {
            [
                wallet.name.clone(),
                wallet.key_type.as_str().to_owned(),
                wallet.address.clone(),
                origin(wallet.origin),
                time(wallet.created_at_ms),
            ]
        })
        .collect();
    table(["NAME", "KEY", "ADDRESS", "FROM", "CREATED"], &rows)
}

pub(super) fn details(details: &WalletDetails) -> String {
    let WalletDetails { wallet, policy, signatures_in_window, spent_in_window } = details;
    let mut pairs = vec![
        ("name", wallet.name.clone()),
        ("key", wallet.key_type.as_str().to_owned()),
        ("address", wallet.address.clone()),
        ("public key", wallet.public_key.to_string()),
        ("from", origin(wallet.origin)),
        ("created", time(wallet.created_at_ms)),
        ("revision", wallet.revision.to_string()),
    ];
    for (name, text) in rules(policy) {
        pairs.push((name, text));
    }
    let window = policy.window;
    pairs.push((
        "window",
        format!("{signatures_in_window} of {} signatures in {} s", window.max_signatures, window.seconds),
    ));
    for spent in spent_in_window {
        pairs.push(("spent", format!("{} on chain {}", spent.spend, spent.chain_id)));
    }
    fields(&pairs)
}

fn rules(policy: &Policy) -> Vec<(&'static str, String)> {
    let may = |may: bool| if may { "yes" } else { "no" }.to_owned();
    let mut rules: Vec<(&'static str, String)> = policy
        .chains
        .iter()
        .map(|chain| {
            let to = match &chain.recipients {
                Recipients::Any => "ANY recipient and method".to_owned(),
                Recipients::Only(list) => {
                    let all = list.iter().filter(|recipient| recipient.methods == Methods::Any).count();
                    format!("{} recipients, {all} of them with any method", list.len())
                }
            };
            let creation = if chain.creation { ", may create contracts" } else { "" };
            let (value, fee, spend) = (chain.max_value, chain.max_fee, chain.max_spend);
            let (id, data) = (chain.chain_id, chain.max_data_bytes);
            let text =
                format!("{id}: {to}{creation}; value {value}, fee {fee}, data {data} bytes, window {spend}");
            ("chain", text)
        })
        .collect();
    for network in &policy.neo {
        let what = match &network.contracts {
            NeoContracts::Any => "ANY contract, in the account's name".to_owned(),
            NeoContracts::Only(list) => {
                let named = list.iter().filter(|contract| contract.witness).count();
                format!("{} contracts, {named} of them in the account's name", list.len())
            }
        };
        let NeoRules { magic, max_value, max_fee, max_data_bytes, max_spend, .. } = network;
        let text = format!(
            "{magic}: {what}; value {max_value}, fee {max_fee}, script {max_data_bytes} bytes, window {max_spend}"
        );
        rules.push(("Neo network", text));
    }
    for domain in &policy.typed_data {
        rules.push(("typed data", format!("{} on chain {}", domain.verifying_contract, domain.chain_id)));
    }
    rules.push(("messages", may(policy.messages)));
    rules.push(("raw digests", may(policy.raw)));
    rules.push(("API keys", may(policy.api_keys)));
    for function in &policy.functions {
        rules.push(("function", function.clone()));
    }
    rules.push(("export", may(policy.export)));
    if let Some(rule) = &policy.approval {
        rules.push(("approval", format!("{} of {}", rule.threshold, rule.approvers.len())));
    }
    rules
}

pub(super) fn signed(signed: &Signed) -> String {
    let mut pairs = vec![("digest", signed.digest.to_string()), ("signature", signed.signature.to_string())];
    if let Some(hash) = &signed.transaction_hash {
        pairs.push(("transaction hash", hash.to_string()));
    }
    if let Some(transaction) = &signed.transaction {
        pairs.push(("transaction", transaction.to_string()));
    }
    pairs.push(("signatures left", signed.signatures_left.to_string()));
    fields(&pairs)
}

pub(super) fn audit(audit: &WalletAudit) -> String {
    let rows: Vec<[String; 7]> = audit
        .entries
        .iter()
        .map(|entry| {
            let what = match (&entry.payload, entry.chain_id) {
                (Some(kind), Some(chain_id)) => format!("{kind}, chain {chain_id}"),
                (Some(kind), None) => kind.clone(),
                _ => String::new(),
            };
            [
                entry.number.to_string(),
                time(entry.at_ms),
                action(entry.action).to_owned(),
                entry.denied.clone().unwrap_or_else(|| "done".to_owned()),
                entry.by.clone(),
                what,
                entry.digest.map(|digest| digest.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    let entries = table(["NUMBER", "AT", "ACTION", "OUTCOME", "BY", "WHAT", "DIGEST"], &rows);
    if audit.dropped == 0 {
        entries
    } else {
        format!("{entries}\n\n{} older entries are not kept", audit.dropped)
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Import => "import",
        Action::Sign => "sign",
        Action::SetPolicy => "set policy",
        Action::Export => "export",
        Action::Delete => "delete",
    }
}

fn origin(origin: Origin) -> String {
    match origin {
        Origin::Derived(_) => "derived".to_owned(),
        Origin::Imported(format) => {
            let format = match format {
                ImportFormat::Hex => "hex",
                ImportFormat::Wif => "WIF",
                ImportFormat::Nep2 => "NEP-2",
                ImportFormat::Nep6 => "NEP-6",
                ImportFormat::Keystore => "keystore",
            };
            format!("imported, {format}")
        }
    }
}
