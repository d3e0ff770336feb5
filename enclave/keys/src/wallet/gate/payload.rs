//! What may be signed, whoever asks and however often.

use r3e_proto::api::wallets::{
    ChainRules, EvmTransaction, Methods, Payload, Policy, Recipients, Selector, TypedDataDomain, Wei,
};

use super::usage::Spend;
use super::{Denied, neo};

/// What `payload` would use up, if the policy allows it.
pub(super) fn judge(policy: &Policy, payload: &Payload) -> Result<Spend, Denied> {
    match payload {
        Payload::EvmTransaction(transaction) => {
            let chain_id = transaction.chain_id;
            let rules = policy.chains.iter().find(|rules| rules.chain_id == chain_id);
            let rules = rules.ok_or(Denied::Chain { chain_id })?;
            recipient(rules, transaction)?;
            amounts(rules, transaction)
        }
        Payload::NeoTransaction(transaction) => neo::judge(&policy.neo, transaction),
        Payload::Message { .. } if policy.messages => Ok(Spend::NOTHING),
        Payload::Message { .. } => Err(Denied::Message),
        Payload::TypedData(typed) => {
            let (chain_id, verifying_contract) = (typed.domain.chain_id, typed.domain.verifying_contract);
            if policy.typed_data.contains(&TypedDataDomain { chain_id, verifying_contract }) {
                Ok(Spend::NOTHING)
            } else {
                Err(Denied::TypedData { chain_id, verifying_contract })
            }
        }
        Payload::Digest { .. } | Payload::Bytes { .. } if policy.raw => Ok(Spend::NOTHING),
        Payload::Digest { .. } | Payload::Bytes { .. } => Err(Denied::Raw),
    }
}

fn recipient(rules: &ChainRules, transaction: &EvmTransaction) -> Result<(), Denied> {
    let chain_id = rules.chain_id;
    let Some(to) = transaction.to else {
        if !rules.creation {
            return Err(Denied::Creation { chain_id });
        }
        // What is created decides where the value goes.
        let bound = rules.recipients != Recipients::Any && transaction.value > Wei(0);
        return if bound { Err(Denied::CreationValue { value: transaction.value }) } else { Ok(()) };
    };
    let listed = match &rules.recipients {
        Recipients::Any => return Ok(()),
        Recipients::Only(listed) => listed,
    };
    let found = listed.iter().find(|recipient| recipient.address == to);
    let found = found.ok_or(Denied::Recipient { chain_id, to })?;
    let data = &transaction.data.0;
    if data.is_empty() {
        return if found.transfer { Ok(()) } else { Err(Denied::Transfer { to }) };
    }
    match &found.methods {
        Methods::Any => Ok(()),
        Methods::Only(methods) => {
            let selector = data.first_chunk::<4>().ok_or(Denied::ShortData { to })?;
            let selector = Selector(*selector);
            if methods.contains(&selector) { Ok(()) } else { Err(Denied::Method { to, selector }) }
        }
    }
}

fn amounts(rules: &ChainRules, transaction: &EvmTransaction) -> Result<Spend, Denied> {
    let bytes = transaction.data_bytes();
    if bytes > usize::try_from(rules.max_data_bytes).unwrap_or(usize::MAX) {
        return Err(Denied::Data { bytes, max: rules.max_data_bytes });
    }
    // What does not fit 128 bits was refused before; as the highest number it is over any limit but that one.
    let fee = Wei(transaction.highest_fee().unwrap_or(u128::MAX));
    if transaction.value > rules.max_value {
        return Err(Denied::Value { value: transaction.value, max: rules.max_value });
    }
    if fee > rules.max_fee {
        return Err(Denied::Fee { fee, max: rules.max_fee });
    }
    Ok(Spend { chain_id: rules.chain_id, amount: transaction.value.0.saturating_add(fee.0) })
}
