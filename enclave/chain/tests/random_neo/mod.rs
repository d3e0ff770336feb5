//! Signers at random, for transactions that nobody would write.

use proptest::prelude::*;
use r3e_neo::{Condition, Hash160, PublicKey, Rule, Scopes, Signer};

/// A key that need not lie on the curve.
#[allow(dead_code, reason = "each test file uses its own part")]
pub(crate) fn any_key() -> BoxedStrategy<PublicKey> {
    let of = |(odd, x): (bool, [u8; 32])| {
        let mut key = [2 + u8::from(odd); 33];
        key[1..].copy_from_slice(&x);
        PublicKey(key)
    };
    (any::<bool>(), any::<[u8; 32]>()).prop_map(of).boxed()
}

/// A signer whose groups are among `keys`, of any account.
pub(crate) fn signer(keys: BoxedStrategy<PublicKey>) -> impl Strategy<Value = Signer> {
    let rule =
        (any::<bool>(), condition(keys.clone())).prop_map(|(allow, condition)| Rule { allow, condition });
    let lists = (
        proptest::collection::vec(script_hash(), 0..4),
        proptest::collection::vec(keys, 0..4),
        proptest::collection::vec(rule, 0..3),
    );
    (script_hash(), lists).prop_map(|(account, (contracts, groups, rules))| {
        let mut scopes = Scopes::CALLED_BY_ENTRY;
        for (there, scope) in [
            (!contracts.is_empty(), Scopes::CUSTOM_CONTRACTS),
            (!groups.is_empty(), Scopes::CUSTOM_GROUPS),
            (!rules.is_empty(), Scopes::WITNESS_RULES),
        ] {
            scopes = if there { scopes.and(scope) } else { scopes };
        }
        Signer { account, scopes, contracts, groups, rules }
    })
}

fn script_hash() -> impl Strategy<Value = Hash160> {
    any::<[u8; 20]>().prop_map(Hash160)
}

fn condition(keys: BoxedStrategy<PublicKey>) -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Condition::Boolean),
        script_hash().prop_map(Condition::ScriptHash),
        keys.clone().prop_map(Condition::Group),
        Just(Condition::CalledByEntry),
        script_hash().prop_map(Condition::CalledByContract),
        keys.prop_map(Condition::CalledByGroup),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            proptest::collection::vec(inner, 1..4).prop_map(Condition::Or),
        ]
    })
}
