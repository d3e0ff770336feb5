//! Each rule of a call by name, and what holds for every two policies: what is not called looser allows nothing more.

use proptest::collection::vec;
use proptest::prelude::*;
use r3e_neo::Hash160;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{
    HexBytes, KeyType, NeoAccount, NeoContract, NeoInteger, Payload, Policy, Wei, Window,
};
use r3e_proto::wallet::approval::WalletRevision;

use super::super::{Asker, Asking, Decoded, Gate, Usage, check_policy, loosens};
use super::*;

const MAGIC: u32 = 42;
const FEED: Hash160 = Hash160([7; 20]);
const ME: NeoAccount = NeoAccount(Hash160([1; 20]));
const FRIEND: NeoAccount = NeoAccount(Hash160([2; 20]));

/// The native contract of GAS, as nodes show it.
fn gas() -> Hash160 {
    "0xd2a4cff31913016155e38e474a2c06d08be276cf".parse().unwrap()
}

fn integer(number: i128) -> NeoArgument {
    NeoArgument::Integer(NeoInteger(number.into()))
}

/// Sends 100 to the friend, and costs 50.
fn transfer() -> NeoTransaction {
    NeoTransaction {
        magic: MAGIC,
        nonce: 1,
        sender: ME,
        contract: gas(),
        method: "transfer".to_owned(),
        arguments: vec![
            NeoArgument::Account(ME),
            NeoArgument::Account(FRIEND),
            integer(100),
            NeoArgument::Null,
        ],
        scope: NeoScope::CalledByEntry,
        system_fee: Wei(30),
        network_fee: Wei(20),
        valid_until_block: 9,
    }
}

fn rules() -> NeoRules {
    let only = |method: &str| NeoMethods::Only(vec![method.to_owned()]);
    let contracts = vec![
        NeoContract { hash: gas(), methods: only("transfer"), witness: true, recipients: Some(vec![FRIEND]) },
        NeoContract { hash: FEED, methods: only("transmit"), witness: false, recipients: None },
    ];
    NeoRules {
        magic: MAGIC,
        contracts: NeoContracts::Only(contracts),
        max_value: Wei(100),
        max_fee: Wei(50),
        max_data_bytes: 200,
        max_spend: Wei(400),
    }
}

fn policy(rules: NeoRules) -> Policy {
    Policy {
        chains: Vec::new(),
        neo: vec![rules],
        messages: false,
        typed_data: Vec::new(),
        raw: false,
        window: Window { seconds: 60, max_signatures: 10 },
        api_keys: false,
        functions: vec![],
        approval: None,
        export: false,
    }
}

fn decide(
    policy: &Policy,
    transaction: &NeoTransaction,
    usage: &Usage,
    now_ms: u64,
) -> Result<Usage, Denied> {
    let wallet = WalletRevision { tenant: TenantId([9; 16]), name: "hot", public_key: &[2; 33], revision: 1 };
    let payload = Payload::NeoTransaction(transaction.clone());
    let decoded = Decoded::of(KeyType::Secp256r1, &payload).unwrap();
    let asking = Asking { by: Asker::Tenant, now_ms, approvals: &[] };
    Gate { wallet, policy }.sign(decoded, usage, &asking).map(|allowed| allowed.usage().clone())
}

fn code(policy: &Policy, transaction: &NeoTransaction) -> &'static str {
    decide(policy, transaction, &Usage::default(), 0).map_or_else(|denied| denied.code(), |_| "allowed")
}

#[test]
fn each_rule_of_a_call_is_kept() {
    let with = |change: fn(&mut NeoTransaction)| {
        let mut transaction = transfer();
        change(&mut transaction);
        code(&policy(rules()), &transaction)
    };
    assert_eq!(with(|_| ()), "allowed");
    assert_eq!(with(|t| t.magic = 43), "chain_not_allowed");
    assert_eq!(with(|t| t.contract = Hash160([8; 20])), "contract_not_allowed");
    assert_eq!(with(|t| t.method = "Transfer".to_owned()), "method_not_allowed");
    assert_eq!(with(|t| t.arguments[1] = NeoArgument::Account(ME)), "recipient_not_allowed");
    assert_eq!(with(|t| t.arguments[1] = NeoArgument::Hash160(FRIEND.0)), "allowed");
    // The same bytes, in a form that nobody looked at.
    assert_eq!(
        with(|t| t.arguments[1] = NeoArgument::Bytes(HexBytes(FRIEND.0.0.to_vec()))),
        "recipient_not_allowed"
    );
    assert_eq!(with(|t| t.arguments.truncate(1)), "recipient_not_allowed");
    assert_eq!(with(|t| t.arguments[0] = NeoArgument::Account(FRIEND)), "recipient_not_allowed");
    // Whom the recipient is to pass it on to, and another standard's form.
    assert_eq!(with(|t| t.arguments[3] = NeoArgument::Account(ME)), "recipient_not_allowed");
    assert_eq!(with(|t| t.arguments.push(NeoArgument::Null)), "recipient_not_allowed");
    assert_eq!(with(|t| t.arguments[2] = integer(101)), "value_over_limit");
    assert_eq!(with(|t| t.arguments[2] = integer(-1)), "value_over_limit");
    assert_eq!(with(|t| t.arguments[2] = NeoArgument::Bytes(HexBytes(vec![1]))), "value_over_limit");
    assert_eq!(with(|t| t.arguments.truncate(2)), "recipient_not_allowed");
    assert_eq!(with(|t| t.system_fee = Wei(31)), "fee_over_limit");
    assert_eq!(with(|t| t.network_fee = Wei(21)), "fee_over_limit");
    let long: fn(&mut NeoTransaction) = |t| {
        let data = NeoArgument::Bytes(HexBytes(vec![0; 200]));
        (t.contract, t.method, t.scope, t.arguments) =
            (FEED, "transmit".to_owned(), NeoScope::None, vec![data]);
    };
    assert_eq!(with(long), "data_over_limit");
    let feed: fn(&mut NeoTransaction) = |t| (t.contract, t.method) = (FEED, "transmit".to_owned());
    assert_eq!(with(feed), "witness_not_allowed");
    assert_eq!(
        with(|t| {
            (t.contract, t.method, t.scope) = (FEED, "transmit".to_owned(), NeoScope::None);
        }),
        "allowed"
    );
    // Without the account's name on it, a transfer moves nothing.
    assert_eq!(with(|t| (t.scope, t.arguments[2]) = (NeoScope::None, integer(1_000))), "allowed");
}

#[test]
fn what_is_sent_and_what_it_costs_count_together() {
    let policy = policy(rules());
    let mut usage = Usage::default();
    for second in 0..2 {
        usage = decide(&policy, &transfer(), &usage, second * 1_000).unwrap();
    }
    assert_eq!(
        usage.spent(&policy, 1_000).first().map(|spent| (spent.chain_id, spent.spend)),
        Some((42, Wei(300)))
    );
    let denied = decide(&policy, &transfer(), &usage, 2_000).unwrap_err();
    assert_eq!(denied, Denied::Spend { spent: Wei(300), spend: Wei(150), max: Wei(400) });
    assert!(decide(&policy, &transfer(), &usage, 60_000).is_ok(), "the first left the window");
}

#[test]
fn rules_that_contradict_themselves_are_none() {
    let with = |change: fn(&mut Policy)| {
        let mut policy = policy(rules());
        change(&mut policy);
        check_policy(&policy, KeyType::Secp256r1).is_ok()
    };
    assert!(with(|_| ()));
    assert!(!with(|policy| policy.neo[0].magic = 0));
    assert!(!with(|policy| policy.neo.push(rules())));
    assert!(!with(|policy| {
        let NeoContracts::Only(list) = &mut policy.neo[0].contracts else { return };
        list.push(list[0].clone());
    }));
    assert!(!with(|policy| {
        let NeoContracts::Only(list) = &mut policy.neo[0].contracts else { return };
        list[0].methods = NeoMethods::Only(vec!["x".repeat(65)]);
    }));
    assert!(!with(|policy| {
        let NeoContracts::Only(list) = &mut policy.neo[0].contracts else { return };
        list[0].recipients = Some(vec![FRIEND, FRIEND]);
    }));
    assert!(!with(|policy| {
        let NeoContracts::Only(list) = &mut policy.neo[0].contracts else { return };
        list[0].methods = NeoMethods::Any;
    }));
    for other in [KeyType::Secp256k1, KeyType::Ed25519] {
        assert!(check_policy(&policy(rules()), other).is_err(), "{other:?}");
    }
}

fn hash() -> impl Strategy<Value = Hash160> {
    prop_oneof![Just(gas()), Just(FEED)]
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![Just("transfer".to_owned()), Just("transmit".to_owned())]
}

fn account() -> impl Strategy<Value = NeoAccount> {
    prop_oneof![Just(ME), Just(FRIEND)]
}

fn any_rules() -> impl Strategy<Value = NeoRules> {
    let methods = prop_oneof![
        Just(NeoMethods::Any),
        proptest::sample::subsequence(vec!["transfer".to_owned(), "transmit".to_owned()], 0..=2)
            .prop_map(NeoMethods::Only)
    ];
    let recipients = proptest::option::of(proptest::sample::subsequence(vec![ME, FRIEND], 0..=2));
    let contract = (hash(), methods, any::<bool>(), recipients)
        .prop_map(|(hash, methods, witness, recipients)| NeoContract { hash, methods, witness, recipients });
    let contracts = prop_oneof![
        1 => Just(NeoContracts::Any),
        3 => vec(contract, 0..3).prop_map(|mut list| {
            list.sort_by_key(|one| one.hash);
            list.dedup_by_key(|one| one.hash);
            NeoContracts::Only(list)
        })
    ];
    (42..44_u32, contracts, 0..3_u128, 0..3_u128, 60..160_u32, 0..6_u128).prop_map(
        |(magic, contracts, value, fee, max_data_bytes, spend)| NeoRules {
            magic,
            contracts,
            max_value: Wei(value),
            max_fee: Wei(fee),
            max_data_bytes,
            max_spend: Wei(spend),
        },
    )
}

fn any_transaction() -> impl Strategy<Value = NeoTransaction> {
    let arguments = prop_oneof![
        3 => (account(), 0..4_i128).prop_map(|(to, amount)| {
            vec![NeoArgument::Account(ME), NeoArgument::Account(to), integer(amount), NeoArgument::Null]
        }),
        1 => Just(Vec::new()),
    ];
    let scope = prop_oneof![Just(NeoScope::None), Just(NeoScope::CalledByEntry)];
    (42..44_u32, hash(), method(), arguments, scope, 0..3_u128).prop_map(
        |(magic, contract, method, arguments, scope, fee)| NeoTransaction {
            magic,
            contract,
            method,
            arguments,
            scope,
            system_fee: Wei(fee),
            network_fee: Wei(0),
            ..transfer()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_looser_allows_nothing_more(
        old in any_rules(), new in any_rules(), transactions in vec(any_transaction(), 1..4),
    ) {
        let (old, new) = (policy(old), policy(new));
        prop_assume!(!loosens(&old, &new));
        let (mut before, mut after) = (Usage::default(), Usage::default());
        for transaction in &transactions {
            if let Ok(usage) = decide(&new, transaction, &after, 0) {
                after = usage;
                let allowed = decide(&old, transaction, &before, 0);
                prop_assert!(allowed.is_ok(), "{allowed:?}");
                before = allowed.unwrap();
            }
        }
    }
}
