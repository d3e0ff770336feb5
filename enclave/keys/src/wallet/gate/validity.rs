//! Whether a policy can be kept at all: within the limits, without contradictions, and for the wallet's type of key.

use std::collections::BTreeSet;

use r3e_proto::api::secrets::Grantee;
use r3e_proto::api::wallets::{
    ChainRules, KeyType, Methods, NeoContracts, NeoMethods, NeoRules, Policy, Recipients,
};
use r3e_proto::limits::MAX_NEO_METHOD_BYTES;
use thiserror::Error;

use crate::limits::{
    MAX_APPROVERS, MAX_POLICY_CHAINS, MAX_POLICY_DOMAINS, MAX_POLICY_FUNCTIONS, MAX_POLICY_METHODS,
    MAX_POLICY_RECIPIENTS, MAX_WINDOW_SECONDS, MAX_WINDOW_SIGNATURES,
};

/// Why a policy is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Something is over its limit.
    #[error("{what}: at most {max}")]
    TooMany {
        /// What.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Something is there twice, and which of the two holds would be a guess.
    #[error("{what} stands there twice")]
    Twice {
        /// What.
        what: &'static str,
    },
    /// The window.
    #[error(
        "window: seconds from 1 to {MAX_WINDOW_SECONDS}, max_signatures from 1 to {MAX_WINDOW_SIGNATURES}; \
         more signatures need a shorter window"
    )]
    Window,
    /// EIP-155 has no chain 0, Neo N3 no such network.
    #[error("chain_id or magic is 0, which is no chain")]
    NoChain,
    /// Recipients bind `transfer` alone.
    #[error("recipients of a contract bind nothing where it may be called by any method: name its methods")]
    Recipients,
    /// A function.
    #[error(
        "functions: each is NAME@VERSION, with all 64 digits of its version: a wallet serves code, and no name"
    )]
    Function,
    /// The threshold.
    #[error("approval: threshold from 1 to the number of approvers")]
    Threshold,
    /// A rule that a key of this type has no use for.
    #[error("{rule} means nothing for a {key_type} wallet", key_type = key_type.as_str())]
    KeyType {
        /// The rule.
        rule: &'static str,
        /// The wallet's key.
        key_type: KeyType,
    },
}

/// Checks a policy for a wallet with a key of this type.
///
/// # Errors
/// [`PolicyError`].
pub fn check_policy(policy: &Policy, key_type: KeyType) -> Result<(), PolicyError> {
    let unfit = |rule| Err(PolicyError::KeyType { rule, key_type });
    if key_type != KeyType::Secp256r1 && !policy.neo.is_empty() {
        return unfit("neo");
    }
    match key_type {
        KeyType::Secp256k1 => {}
        _ if !policy.chains.is_empty() => return unfit("chains"),
        _ if !policy.typed_data.is_empty() => return unfit("typed_data"),
        KeyType::Ed25519 if policy.messages => return unfit("messages"),
        _ => {}
    }
    if policy.functions.len() > MAX_POLICY_FUNCTIONS {
        return Err(PolicyError::TooMany { what: "functions", max: MAX_POLICY_FUNCTIONS });
    }
    let is_version = |text: &String| Grantee::parse(text).is_some_and(|grantee| grantee.version().is_some());
    if !policy.functions.iter().all(is_version) {
        return Err(PolicyError::Function);
    }
    let window = policy.window;
    if !(1..=MAX_WINDOW_SECONDS).contains(&window.seconds)
        || !(1..=MAX_WINDOW_SIGNATURES).contains(&window.max_signatures)
    {
        return Err(PolicyError::Window);
    }
    bounded("chains", &policy.chains, MAX_POLICY_CHAINS, |rules| rules.chain_id)?;
    bounded("typed_data", &policy.typed_data, MAX_POLICY_DOMAINS, |domain| {
        (domain.chain_id, domain.verifying_contract)
    })?;
    policy.chains.iter().try_for_each(check_chain)?;
    bounded("neo", &policy.neo, MAX_POLICY_CHAINS, |rules| rules.magic)?;
    policy.neo.iter().try_for_each(check_network)?;
    if let Some(rule) = &policy.approval {
        bounded("approvers", &rule.approvers, MAX_APPROVERS, |key| key.0)?;
        if rule.threshold == 0 || usize::from(rule.threshold) > rule.approvers.len() {
            return Err(PolicyError::Threshold);
        }
    }
    Ok(())
}

fn check_chain(rules: &ChainRules) -> Result<(), PolicyError> {
    if rules.chain_id == 0 {
        return Err(PolicyError::NoChain);
    }
    if let Recipients::Only(recipients) = &rules.recipients {
        bounded("recipients of one chain", recipients, MAX_POLICY_RECIPIENTS, |recipient| recipient.address)?;
        for recipient in recipients {
            if let Methods::Only(methods) = &recipient.methods {
                bounded("methods of one recipient", methods, MAX_POLICY_METHODS, |method| *method)?;
            }
        }
    }
    Ok(())
}

fn check_network(rules: &NeoRules) -> Result<(), PolicyError> {
    if rules.magic == 0 {
        return Err(PolicyError::NoChain);
    }
    let NeoContracts::Only(contracts) = &rules.contracts else { return Ok(()) };
    bounded("contracts of one network", contracts, MAX_POLICY_RECIPIENTS, |contract| contract.hash)?;
    for contract in contracts {
        if let NeoMethods::Only(methods) = &contract.methods {
            bounded("methods of one contract", methods, MAX_POLICY_METHODS, String::clone)?;
            if methods.iter().any(|method| method.len() > MAX_NEO_METHOD_BYTES) {
                let what = "bytes of a method's name";
                return Err(PolicyError::TooMany { what, max: MAX_NEO_METHOD_BYTES });
            }
        }
        // A token may have other methods by which it is moved.
        if contract.recipients.is_some() && contract.methods == NeoMethods::Any {
            return Err(PolicyError::Recipients);
        }
        let recipients = contract.recipients.as_deref().unwrap_or_default();
        bounded("recipients of one contract", recipients, MAX_POLICY_RECIPIENTS, |account| *account)?;
    }
    Ok(())
}

/// Not too many, and none twice.
fn bounded<T, K: Ord>(
    what: &'static str,
    list: &[T],
    max: usize,
    key: impl Fn(&T) -> K,
) -> Result<(), PolicyError> {
    if list.len() > max {
        return Err(PolicyError::TooMany { what, max });
    }
    let distinct: BTreeSet<K> = list.iter().map(key).collect();
    if distinct.len() < list.len() { Err(PolicyError::Twice { what }) } else { Ok(()) }
}
