//! Calls of contracts of Neo N3.

use r3e_neo::Hash160;
use r3e_proto::api::wallets::{NeoArgument, NeoContracts, NeoMethods, NeoRules, NeoScope, NeoTransaction};
use r3e_proto::wallet::neo_script;

use super::Denied;
use super::usage::Spend;

/// What a call would use up, if the rules allow it.
pub(super) fn judge(rules: &[NeoRules], transaction: &NeoTransaction) -> Result<Spend, Denied> {
    let magic = transaction.magic;
    let rules = rules.iter().find(|rules| rules.magic == magic);
    let rules = rules.ok_or(Denied::Chain { chain_id: magic.into() })?;
    contract(rules, transaction)?;
    // A script that cannot be written was refused before.
    let bytes = neo_script(transaction).map_or(usize::MAX, |script| script.len());
    if bytes > usize::try_from(rules.max_data_bytes).unwrap_or(usize::MAX) {
        return Err(Denied::Data { bytes, max: rules.max_data_bytes });
    }
    let value = transaction.sent();
    if value > rules.max_value {
        return Err(Denied::Value { value, max: rules.max_value });
    }
    let fee = transaction.fee();
    if fee > rules.max_fee {
        return Err(Denied::Fee { fee, max: rules.max_fee });
    }
    Ok(Spend { chain_id: magic.into(), amount: value.0.saturating_add(fee.0) })
}

fn contract(rules: &NeoRules, transaction: &NeoTransaction) -> Result<(), Denied> {
    let contract = transaction.contract;
    let listed = match &rules.contracts {
        NeoContracts::Any => return Ok(()),
        NeoContracts::Only(listed) => listed,
    };
    let found = listed.iter().find(|one| one.hash == contract);
    let found = found.ok_or(Denied::Contract { magic: rules.magic, contract })?;
    match &found.methods {
        NeoMethods::Any => {}
        NeoMethods::Only(methods) if methods.contains(&transaction.method) => {}
        NeoMethods::Only(_) => return Err(Denied::ContractMethod { contract }),
    }
    if !found.witness && transaction.scope != NeoScope::None {
        return Err(Denied::Witness { contract });
    }
    match &found.recipients {
        Some(to) if transaction.is_transfer() => {
            // NEP-17's form alone: another standard's has the recipient elsewhere. What a recipient is told beside could name another, to whom it passes
            // on what it was sent.
            let [from, recipient, _, NeoArgument::Null] = transaction.arguments.as_slice() else {
                return Err(Denied::TransferTo { contract });
            };
            let is_listed = account(recipient).is_some_and(|found| to.iter().any(|one| one.0 == found));
            let is_own = account(from) == Some(transaction.sender.0);
            if is_listed && is_own { Ok(()) } else { Err(Denied::TransferTo { contract }) }
        }
        _ => Ok(()),
    }
}

fn account(argument: &NeoArgument) -> Option<Hash160> {
    match argument {
        NeoArgument::Account(account) => Some(account.0),
        NeoArgument::Hash160(hash) => Some(*hash),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
