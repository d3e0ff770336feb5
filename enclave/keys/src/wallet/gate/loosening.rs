//! Whether a policy allows anything that another does not.

use r3e_proto::api::wallets::{
    ApprovalRule, ChainRules, Methods, NeoContract, NeoContracts, NeoMethods, NeoRules, Policy, Recipient,
    Recipients, Window,
};

/// Whether `new` is looser than `old` in any respect. Where this is false, whatever `new` allows, `old` allows too, to the
/// same who ask and with no fewer consents. It errs to one side alone: it may call a policy looser that is not.
pub fn loosens(old: &Policy, new: &Policy) -> bool {
    let grants = [
        (old.messages, new.messages),
        (old.raw, new.raw),
        (old.api_keys, new.api_keys),
        (old.export, new.export),
    ];
    let within = grants.iter().all(|(old, new)| *old || !new)
        && new.functions.iter().all(|function| old.functions.contains(function))
        && new.typed_data.iter().all(|domain| old.typed_data.contains(domain))
        && new.chains.iter().all(|new| old.chains.iter().any(|old| chain_within(old, new)))
        && new.neo.iter().all(|new| old.neo.iter().any(|old| network_within(old, new)))
        && window_within(old.window, new.window)
        && approval_within(old.approval.as_ref(), new.approval.as_ref());
    !within
}

fn chain_within(old: &ChainRules, new: &ChainRules) -> bool {
    old.chain_id == new.chain_id
        && recipients_within(&old.recipients, &new.recipients)
        && (old.creation || !new.creation)
        && new.max_value <= old.max_value
        && new.max_fee <= old.max_fee
        && new.max_data_bytes <= old.max_data_bytes
        && new.max_spend <= old.max_spend
}

fn recipients_within(old: &Recipients, new: &Recipients) -> bool {
    match (old, new) {
        (Recipients::Any, _) => true,
        (Recipients::Only(_), Recipients::Any) => false,
        (Recipients::Only(old), Recipients::Only(new)) => {
            new.iter().all(|new| old.iter().any(|old| recipient_within(old, new)))
        }
    }
}

fn recipient_within(old: &Recipient, new: &Recipient) -> bool {
    let methods = match (&old.methods, &new.methods) {
        (Methods::Any, _) => true,
        (Methods::Only(_), Methods::Any) => false,
        (Methods::Only(old), Methods::Only(new)) => new.iter().all(|method| old.contains(method)),
    };
    old.address == new.address && (old.transfer || !new.transfer) && methods
}

fn network_within(old: &NeoRules, new: &NeoRules) -> bool {
    let contracts = match (&old.contracts, &new.contracts) {
        (NeoContracts::Any, _) => true,
        (NeoContracts::Only(_), NeoContracts::Any) => false,
        (NeoContracts::Only(old), NeoContracts::Only(new)) => {
            new.iter().all(|new| old.iter().any(|old| contract_within(old, new)))
        }
    };
    old.magic == new.magic
        && contracts
        && new.max_value <= old.max_value
        && new.max_fee <= old.max_fee
        && new.max_data_bytes <= old.max_data_bytes
        && new.max_spend <= old.max_spend
}

fn contract_within(old: &NeoContract, new: &NeoContract) -> bool {
    let methods = match (&old.methods, &new.methods) {
        (NeoMethods::Any, _) => true,
        (NeoMethods::Only(_), NeoMethods::Any) => false,
        (NeoMethods::Only(old), NeoMethods::Only(new)) => new.iter().all(|method| old.contains(method)),
    };
    let recipients = match (&old.recipients, &new.recipients) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new.iter().all(|account| old.contains(account)),
    };
    old.hash == new.hash && (old.witness || !new.witness) && methods && recipients
}

/// No fewer seconds, and no more in them.
fn window_within(old: Window, new: Window) -> bool {
    new.seconds >= old.seconds && new.max_signatures <= old.max_signatures
}

/// No fewer consents, of no others.
fn approval_within(old: Option<&ApprovalRule>, new: Option<&ApprovalRule>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => {
            new.threshold >= old.threshold && new.approvers.iter().all(|key| old.approvers.contains(key))
        }
    }
}
