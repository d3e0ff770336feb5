//! Each rule by name, and what holds for every policy: a window is never exceeded, and what is not called looser allows
//! nothing more.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use r3e_proto::api::identity::{PublicKey, TenantId};
use r3e_proto::api::wallets::{
    AccessEntry, ApprovalRule, ChainRules, Eip712Domain, EvmAddress, EvmTransaction, Fee, HexBytes, Methods,
    Recipient, Recipients, Selector, Signature64, TypedData, TypedDataDomain, Wei, Window,
};
use r3e_proto::wallet::approval::message;

use super::*;
use crate::limits::{
    MAX_APPROVAL_LIFETIME_MS, MAX_POLICY_FUNCTIONS, MAX_WINDOW_SECONDS, MAX_WINDOW_SIGNATURES,
};

const NOW: u64 = 1_800_000_000_000;
const TO: EvmAddress = EvmAddress([1; 20]);
const OTHER: EvmAddress = EvmAddress([2; 20]);
const TRANSFER: Selector = Selector([0xa9, 0x05, 0x9c, 0xbb]);

fn wallet(revision: u64) -> WalletRevision<'static> {
    WalletRevision { tenant: TenantId([9; 16]), name: "hot", public_key: &[2; 33], revision }
}

fn chain() -> ChainRules {
    let recipient = Recipient { address: TO, transfer: false, methods: Methods::Only(vec![TRANSFER]) };
    ChainRules {
        chain_id: 1,
        recipients: Recipients::Only(vec![recipient]),
        creation: false,
        max_value: Wei(100),
        max_fee: Wei(50),
        max_data_bytes: 100,
        max_spend: Wei(300),
    }
}

fn policy() -> Policy {
    Policy {
        chains: vec![chain()],
        messages: false,
        neo: Vec::new(),
        typed_data: vec![TypedDataDomain { chain_id: 1, verifying_contract: TO }],
        raw: false,
        window: Window { seconds: 60, max_signatures: 4 },
        api_keys: false,
        functions: vec![],
        approval: None,
        export: false,
    }
}

fn call() -> EvmTransaction {
    EvmTransaction {
        chain_id: 1,
        nonce: 0,
        to: Some(TO),
        value: Wei(100),
        data: HexBytes([TRANSFER.0.as_slice(), &[0; 64]].concat()),
        gas_limit: 10,
        fee: Fee::Legacy { gas_price: Wei(5) },
        access_list: Vec::new(),
    }
}

fn typed(chain_id: u64, verifying_contract: EvmAddress) -> Payload {
    let domain = Eip712Domain { name: None, version: None, chain_id, verifying_contract, salt: None };
    Payload::TypedData(TypedData { domain, struct_hash: Hash32([0; 32]) })
}

fn tenant(approvals: &[Approval]) -> Asking<'_> {
    Asking { by: Asker::Tenant, now_ms: NOW, approvals }
}

fn decide(policy: &Policy, payload: &Payload, usage: &Usage, asking: &Asking<'_>) -> Result<Usage, Denied> {
    let gate = Gate { wallet: wallet(1), policy };
    let decoded = Decoded::of(KeyType::Secp256k1, payload).unwrap();
    gate.sign(decoded, usage, asking).map(|allowed| allowed.usage().clone())
}

fn denied(policy: &Policy, payload: &Payload) -> &'static str {
    decide(policy, payload, &Usage::default(), &tenant(&[]))
        .map_or_else(|denied| denied.code(), |_| "allowed")
}

#[test]
fn each_rule_of_a_transaction_is_kept() {
    let with = |change: fn(&mut EvmTransaction)| {
        let mut transaction = call();
        change(&mut transaction);
        denied(&policy(), &Payload::EvmTransaction(transaction))
    };
    assert_eq!(with(|_| ()), "allowed");
    assert_eq!(with(|t| t.chain_id = 2), "chain_not_allowed");
    assert_eq!(with(|t| t.to = Some(OTHER)), "recipient_not_allowed");
    assert_eq!(with(|t| t.to = None), "creation_not_allowed");
    assert_eq!(with(|t| t.data = HexBytes(vec![])), "transfer_not_allowed");
    assert_eq!(with(|t| t.data = HexBytes(vec![0xa9, 0x05, 0x9c])), "method_not_allowed");
    assert_eq!(with(|t| t.data.0[3] = 0), "method_not_allowed");
    assert_eq!(with(|t| t.value = Wei(101)), "value_over_limit");
    assert_eq!(with(|t| t.gas_limit = 11), "fee_over_limit");
    assert_eq!(with(|t| t.data.0.resize(100, 0)), "allowed");
    assert_eq!(with(|t| t.data.0.resize(101, 0)), "data_over_limit");
    // An access list is paid for like data: 68 bytes of data, 20 and 32 of the list.
    let listed = |t: &mut EvmTransaction| {
        t.fee = Fee::Eip1559 { max_fee_per_gas: Wei(5), max_priority_fee_per_gas: Wei(0) };
        t.access_list = vec![AccessEntry { address: TO, storage_keys: vec![Hash32([0; 32])] }];
    };
    assert_eq!(with(listed), "data_over_limit");
    // The fee that counts is the highest, not the likely one.
    let fee = |t: &mut EvmTransaction| {
        t.fee = Fee::Eip1559 { max_fee_per_gas: Wei(6), max_priority_fee_per_gas: Wei(0) };
    };
    assert_eq!(with(fee), "fee_over_limit");
}

#[test]
fn grants_of_a_chain_are_grants() {
    let with = |change: fn(&mut ChainRules), transaction: EvmTransaction| {
        let mut policy = policy();
        change(&mut policy.chains[0]);
        denied(&policy, &Payload::EvmTransaction(transaction))
    };
    let plain = EvmTransaction { data: HexBytes(vec![]), ..call() };
    let listed = |recipient: Recipient| Recipients::Only(vec![recipient]);
    let creation = EvmTransaction { to: None, ..call() };
    // The code that is created may send its value anywhere.
    assert_eq!(with(|c| c.creation = true, creation.clone()), "creation_value_not_allowed");
    let free = EvmTransaction { value: Wei(0), ..creation.clone() };
    assert_eq!(with(|c| c.creation = true, free.clone()), "allowed");
    assert_eq!(with(|_| (), free), "creation_not_allowed");
    let any = |c: &mut ChainRules| (c.creation, c.recipients) = (true, Recipients::Any);
    assert_eq!(with(any, creation.clone()), "allowed");
    assert_eq!(with(|c| c.recipients = Recipients::Any, plain.clone()), "allowed");
    // Whoever may call anybody may still create nothing.
    assert_eq!(with(|c| c.recipients = Recipients::Any, creation), "creation_not_allowed");
    let mut policy = policy();
    policy.chains[0].recipients =
        listed(Recipient { address: TO, transfer: true, methods: Methods::default() });
    assert_eq!(denied(&policy, &Payload::EvmTransaction(plain.clone())), "allowed");
    assert_eq!(denied(&policy, &Payload::EvmTransaction(call())), "method_not_allowed");
    policy.chains[0].recipients = listed(Recipient { address: TO, transfer: false, methods: Methods::Any });
    assert_eq!(denied(&policy, &Payload::EvmTransaction(plain)), "transfer_not_allowed");
    let short = EvmTransaction { data: HexBytes(vec![1]), ..call() };
    assert_eq!(denied(&policy, &Payload::EvmTransaction(short)), "allowed");
}

#[test]
fn other_payloads_need_their_own_grants() {
    let message = Payload::Message { bytes: HexBytes(vec![1]) };
    let digest = Payload::Digest { digest: Hash32([1; 32]) };
    assert_eq!(denied(&policy(), &message), "message_not_allowed");
    assert_eq!(denied(&policy(), &digest), "raw_not_allowed");
    assert_eq!(denied(&policy(), &typed(1, TO)), "allowed");
    assert_eq!(denied(&policy(), &typed(2, TO)), "typed_data_not_allowed");
    assert_eq!(denied(&policy(), &typed(1, OTHER)), "typed_data_not_allowed");
    assert_eq!(denied(&Policy { messages: true, ..policy() }, &message), "allowed");
    assert_eq!(denied(&Policy { messages: true, ..policy() }, &digest), "raw_not_allowed");
    assert_eq!(denied(&Policy { raw: true, ..policy() }, &digest), "allowed");
    let asking = Asking { by: Asker::ApiKey, now_ms: NOW, approvals: &[] };
    let by_key = |policy: &Policy| decide(policy, &typed(1, TO), &Usage::default(), &asking);
    assert_eq!(by_key(&policy()), Err(Denied::ApiKey));
    assert!(by_key(&Policy { api_keys: true, ..policy() }).is_ok());
}

#[test]
fn a_wallet_serves_the_versions_that_its_policy_names() {
    let [first, second] = functions();
    let naming = |versions: &[&String]| Policy {
        functions: versions.iter().map(|version| (*version).clone()).collect(),
        ..policy()
    };
    let by = |policy: &Policy, version: &str| {
        let asking = Asking { by: Asker::Function(version), now_ms: NOW, approvals: &[] };
        decide(policy, &typed(1, TO), &Usage::default(), &asking)
    };
    assert_eq!(by(&Policy { api_keys: true, ..policy() }, &first), Err(Denied::Function));
    assert!(by(&naming(&[&first]), &first).is_ok());
    assert_eq!(by(&naming(&[&first]), &second), Err(Denied::Function));
    assert_eq!(by(&naming(&[&first]), first.split('@').next().unwrap()), Err(Denied::Function));
    // It is a signature's, and nothing else's.
    let wide = Policy { export: true, ..naming(&[&first]) };
    let gate = Gate { wallet: wallet(1), policy: &wide };
    let asking = Asking { by: Asker::Function(&first), now_ms: NOW, approvals: &[] };
    assert_eq!(gate.set_policy(&policy(), &asking), Err(Denied::Function));
    assert_eq!(gate.export(Hash32([1; 32]), &asking).unwrap_err(), Denied::Function);
    assert_eq!(gate.delete(Asker::Function(&first)), Err(Denied::Function));
    // To name another one is looser, to name fewer is not.
    assert!(loosens(&naming(&[&first]), &naming(&[&first, &second])));
    assert!(loosens(&naming(&[&first]), &naming(&[&second])));
    assert!(!loosens(&naming(&[&first, &second]), &naming(&[&second])));
    for wrong in ["f", "f@12", "@", "", &first.to_uppercase()] {
        let policy = Policy { functions: vec![wrong.to_owned()], ..policy() };
        assert_eq!(check_policy(&policy, KeyType::Secp256k1), Err(PolicyError::Function), "{wrong}");
    }
    assert!(check_policy(&naming(&[&first, &second]), KeyType::Secp256k1).is_ok());
    let many = Policy { functions: vec![first; MAX_POLICY_FUNCTIONS + 1], ..policy() };
    assert!(matches!(check_policy(&many, KeyType::Secp256k1), Err(PolicyError::TooMany { .. })));
}

/// Two versions of a function.
fn functions() -> [String; 2] {
    ["aa", "bb"].map(|byte| format!("payer@{}", byte.repeat(32)))
}

#[test]
fn the_window_moves_with_the_clock() {
    let payload = Payload::EvmTransaction(call());
    let at = |usage: &Usage, payload: &Payload, now_ms| {
        decide(&policy(), payload, usage, &Asking { now_ms, ..tenant(&[]) })
    };
    // 150 each, of 300.
    let one = at(&Usage::default(), &payload, NOW).unwrap();
    let two = at(&one, &payload, NOW + 1_000).unwrap();
    assert_eq!(
        two.spent(&policy(), NOW + 1_000),
        [r3e_proto::api::wallets::ChainSpend { chain_id: 1, spend: Wei(300) }]
    );
    let over = at(&two, &payload, NOW + 2_000);
    assert_eq!(over, Err(Denied::Spend { spent: Wei(300), spend: Wei(150), max: Wei(300) }));
    // Typed data spends nothing, but is a signature.
    let three = at(&two, &typed(1, TO), NOW + 3_000).unwrap();
    let four = at(&three, &typed(1, TO), NOW + 4_000).unwrap();
    let fifth = at(&four, &typed(1, TO), NOW + 5_000);
    assert_eq!(fifth, Err(Denied::Rate { max: 4, next_ms: NOW + 60_000 }));
    assert!(at(&four, &payload, NOW + 59_999).is_err());
    assert_eq!(four.signatures(&policy(), NOW + 60_000), 3);
    assert!(at(&four, &payload, NOW + 60_000).is_ok());
    // A clock that was set back opens nothing.
    assert!(at(&four, &payload, NOW - 1_000_000).is_err());
}

#[test]
fn a_longer_window_counts_what_a_shorter_one_no_longer_did() {
    let payload = Payload::EvmTransaction(call());
    let with = |seconds, max_signatures| Policy { window: Window { seconds, max_signatures }, ..policy() };
    let at = |policy: &Policy, usage: &Usage, now_ms| {
        decide(policy, &payload, usage, &Asking { now_ms, ..tenant(&[]) })
    };
    let mut usage = Usage::default();
    // Of 300 in a second, 150 each; a day's worth.
    for hour in 0..24 {
        usage = at(&with(1, 1), &usage, NOW + hour * 3_600_000).unwrap();
    }
    let end = NOW + 24 * 3_600_000;
    assert_eq!((usage.signatures(&with(1, 1), end), usage.signatures(&with(86_401, 24), end)), (0, 24));
    assert!(matches!(at(&with(86_401, 24), &usage, end), Err(Denied::Rate { max: 24, .. })));
    let over = at(&with(86_401, 25), &usage, end);
    assert_eq!(over, Err(Denied::Spend { spent: Wei(24 * 150), spend: Wei(150), max: Wei(300) }));
    // Beyond the longest window nothing is kept, and never more than any window has room for.
    let late = at(&with(1, 1), &usage, end + u64::from(MAX_WINDOW_SECONDS) * 1000).unwrap();
    assert_eq!(late.signatures(&with(MAX_WINDOW_SECONDS, 1_000), end), 1);
    let typed = typed(1, TO);
    for second in 0..1_100 {
        let asking = Asking { now_ms: end + second * 1_000, ..tenant(&[]) };
        usage = decide(&with(1, 1), &typed, &usage, &asking).unwrap();
    }
    let full = with(MAX_WINDOW_SECONDS, MAX_WINDOW_SIGNATURES);
    assert_eq!(usage.signatures(&full, end + 1_100_000), MAX_WINDOW_SIGNATURES);
    assert!(matches!(at(&full, &usage, end + 1_100_000), Err(Denied::Rate { .. })));
}

struct Approver(Ed25519KeyPair);

impl Approver {
    fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    fn key(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().unwrap())
    }

    fn approve(&self, wallet: &WalletRevision<'_>, subject: Subject, expires_at_ms: u64) -> Approval {
        let signature = self.0.sign(&message(wallet, subject, expires_at_ms));
        Approval {
            public_key: self.key(),
            expires_at_ms,
            signature: Signature64(signature.as_ref().try_into().unwrap()),
        }
    }
}

#[test]
fn consents_are_of_different_approvers_for_this_very_thing() {
    let approvers = [Approver::new(), Approver::new(), Approver::new()];
    let rule = ApprovalRule { threshold: 2, approvers: approvers.iter().map(Approver::key).collect() };
    let policy = Policy { approval: Some(rule), ..policy() };
    let payload = typed(1, TO);
    let subject = Subject::Sign(Hash32(*Decoded::of(KeyType::Secp256k1, &payload).unwrap().digest()));
    let soon = NOW + 1_000;
    let good: Vec<Approval> = approvers.iter().map(|a| a.approve(&wallet(1), subject, soon)).collect();
    let judge = |approvals: &[Approval]| decide(&policy, &payload, &Usage::default(), &tenant(approvals));
    let fault = |approvals: &[Approval]| match judge(approvals) {
        Err(Denied::Approval { index, fault }) => Some((index, fault)),
        other => panic!("{other:?}"),
    };
    assert!(judge(&good[..2]).is_ok() && judge(&good[1..]).is_ok() && judge(&good).is_ok());
    assert_eq!(judge(&[]), Err(Denied::ApprovalMissing { need: 2, have: 0 }));
    assert_eq!(judge(&good[..1]), Err(Denied::ApprovalMissing { need: 2, have: 1 }));
    let twice = [good[0].clone(), good[0].clone()];
    assert_eq!(fault(&twice), Some((1, ApprovalFault::Twice)));
    let with = |other: Approval| [good[0].clone(), other];
    let stranger = Approver::new().approve(&wallet(1), subject, soon);
    assert_eq!(fault(&with(stranger)), Some((1, ApprovalFault::Stranger)));
    let by = &approvers[1];
    assert_eq!(fault(&with(by.approve(&wallet(1), subject, NOW))), Some((1, ApprovalFault::Expired)));
    let long = by.approve(&wallet(1), subject, NOW + MAX_APPROVAL_LIFETIME_MS + 1);
    assert_eq!(fault(&with(long)), Some((1, ApprovalFault::TooLong)));
    // For another revision, wallet, tenant, digest, kind of thing, or with another expiry than was signed.
    let mut wrong = vec![
        by.approve(&wallet(2), subject, soon),
        by.approve(&WalletRevision { name: "cold", ..wallet(1) }, subject, soon),
        by.approve(&WalletRevision { tenant: TenantId([8; 16]), ..wallet(1) }, subject, soon),
        by.approve(&WalletRevision { public_key: &[3; 33], ..wallet(1) }, subject, soon),
        by.approve(&wallet(1), Subject::Sign(Hash32([0; 32])), soon),
    ];
    let Subject::Sign(digest) = subject else { unreachable!() };
    wrong.push(by.approve(&wallet(1), Subject::Export(digest), soon));
    wrong.push(by.approve(&wallet(1), Subject::SetPolicy(digest), soon));
    wrong.push(Approval { expires_at_ms: soon + 1, ..good[1].clone() });
    for approval in wrong {
        assert_eq!(fault(&with(approval)), Some((1, ApprovalFault::Signature)));
    }
    let many = vec![good[0].clone(); 17];
    assert_eq!(fault(&many), Some((16, ApprovalFault::TooMany)));
}

#[test]
fn a_looser_policy_and_an_export_need_consent_too() {
    let approver = Approver::new();
    let rule = ApprovalRule { threshold: 1, approvers: vec![approver.key()] };
    let old = Policy { approval: Some(rule), export: true, ..policy() };
    let gate = Gate { wallet: wallet(1), policy: &old };
    let looser = Policy { messages: true, ..old.clone() };
    let tighter = Policy { typed_data: vec![], ..old.clone() };
    let missing = Err(Denied::ApprovalMissing { need: 1, have: 0 });
    assert_eq!(gate.set_policy(&tighter, &tenant(&[])), Ok(()));
    assert_eq!(gate.set_policy(&looser, &tenant(&[])), missing);
    assert_eq!(gate.set_policy(&Policy { approval: None, ..old.clone() }, &tenant(&[])), missing);
    let subject = Subject::SetPolicy(policy_digest(&looser).unwrap());
    let consent = approver.approve(&wallet(1), subject, NOW + 1);
    assert_eq!(gate.set_policy(&looser, &tenant(std::slice::from_ref(&consent))), Ok(()));
    let other = Policy { raw: true, ..looser };
    assert!(gate.set_policy(&other, &tenant(&[consent])).is_err());

    let recipient = Hash32([4; 32]);
    assert_eq!(gate.export(recipient, &tenant(&[])).unwrap_err().code(), "approval_missing");
    let consent = approver.approve(&wallet(1), Subject::Export(recipient), NOW + 1);
    assert!(gate.export(recipient, &tenant(std::slice::from_ref(&consent))).is_ok());
    assert!(gate.export(Hash32([5; 32]), &tenant(&[consent])).is_err());
}

#[test]
fn export_is_never_turned_on_again_and_nothing_of_this_is_an_api_keys() {
    let off = policy();
    let on = Policy { export: true, ..policy() };
    let gate = Gate { wallet: wallet(1), policy: &off };
    assert_eq!(gate.set_policy(&on, &tenant(&[])), Err(Denied::ExportStaysOff));
    assert_eq!(gate.export(Hash32([1; 32]), &tenant(&[])).unwrap_err(), Denied::Export);
    let gate = Gate { policy: &on, ..gate };
    assert_eq!(gate.set_policy(&off, &tenant(&[])), Ok(()));
    let by_key = Asking { by: Asker::ApiKey, ..tenant(&[]) };
    assert_eq!(gate.set_policy(&off, &by_key), Err(Denied::ApiKey));
    assert_eq!(gate.export(Hash32([1; 32]), &by_key).unwrap_err(), Denied::ApiKey);
    assert_eq!(gate.delete(Asker::ApiKey), Err(Denied::ApiKey));
}

#[test]
fn approvers_hold_a_wallet_until_a_policy_without_them_stands() {
    let free = policy();
    let rule = ApprovalRule { threshold: 1, approvers: vec![PublicKey([1; 32])] };
    let held = Policy { approval: Some(rule), ..policy() };
    let gate = Gate { wallet: wallet(1), policy: &held };
    assert_eq!(gate.delete(Asker::Tenant), Err(Denied::ApproversHold));
    // And that policy takes their consent, whatever else it forbids.
    let nothing = Policy { chains: vec![], typed_data: vec![], ..free.clone() };
    assert!(matches!(gate.set_policy(&nothing, &tenant(&[])), Err(Denied::ApprovalMissing { .. })));
    assert_eq!(Gate { policy: &free, ..gate }.delete(Asker::Tenant), Ok(()));
}

#[test]
fn policies_that_contradict_themselves_are_none() {
    let check = |change: &dyn Fn(&mut Policy), key_type| {
        let mut policy = policy();
        change(&mut policy);
        check_policy(&policy, key_type)
    };
    let evm = |change: &dyn Fn(&mut Policy)| check(change, KeyType::Secp256k1);
    assert_eq!(evm(&|_| ()), Ok(()));
    assert_eq!(evm(&|p| p.chains.push(chain())), Err(PolicyError::Twice { what: "chains" }));
    assert_eq!(evm(&|p| p.chains[0].chain_id = 0), Err(PolicyError::NoChain));
    for (seconds, max_signatures) in [(0, 1), (1, 0), (32 * 86_400, 1), (1, 1_001)] {
        assert_eq!(evm(&|p| p.window = Window { seconds, max_signatures }), Err(PolicyError::Window));
    }
    let rule = |threshold, count: u8| {
        let approvers = (0..count).map(|number| PublicKey([number; 32])).collect();
        evm(&move |p: &mut Policy| {
            p.approval = Some(ApprovalRule { threshold, approvers: Vec::clone(&approvers) });
        })
    };
    assert_eq!(rule(1, 1), Ok(()));
    assert_eq!(rule(0, 1), Err(PolicyError::Threshold));
    assert_eq!(rule(2, 1), Err(PolicyError::Threshold));
    assert!(matches!(rule(1, 17), Err(PolicyError::TooMany { .. })));
    let unfit = |change: &dyn Fn(&mut Policy), key_type| {
        matches!(check(change, key_type), Err(PolicyError::KeyType { .. }))
    };
    let bare = |p: &mut Policy| (p.chains, p.typed_data) = (vec![], vec![]);
    assert!(unfit(&|_| (), KeyType::Secp256r1));
    assert!(unfit(&|p| p.chains.clear(), KeyType::Ed25519));
    assert_eq!(check(&bare, KeyType::Ed25519), Ok(()));
    assert!(unfit(
        &|p| {
            bare(p);
            p.messages = true;
        },
        KeyType::Ed25519
    ));
    assert_eq!(
        check(
            &|p| {
                bare(p);
                p.messages = true;
            },
            KeyType::Secp256r1
        ),
        Ok(())
    );
}

fn address() -> impl Strategy<Value = EvmAddress> {
    select(vec![TO, OTHER])
}

fn selector() -> impl Strategy<Value = Selector> {
    select(vec![TRANSFER, Selector([1, 2, 3, 4])])
}

fn methods() -> impl Strategy<Value = Methods> {
    prop_oneof![Just(Methods::Any), vec(selector(), 0..3).prop_map(Methods::Only)]
}

fn recipients() -> impl Strategy<Value = Recipients> {
    let one = (address(), any::<bool>(), methods()).prop_map(|(address, transfer, methods)| Recipient {
        address,
        transfer,
        methods,
    });
    prop_oneof![
        Just(Recipients::Any),
        vec(one, 0..3).prop_map(|mut list| {
            list.sort_by_key(|recipient| recipient.address);
            list.dedup_by_key(|recipient| recipient.address);
            Recipients::Only(list)
        })
    ]
}

fn any_chain(chain_id: u64) -> impl Strategy<Value = ChainRules> {
    (recipients(), any::<bool>(), 0..4_u128, 0..4_u128, 0..12_u128, select(vec![0, 1, 36, 100])).prop_map(
        move |(recipients, creation, value, fee, spend, max_data_bytes)| ChainRules {
            chain_id,
            recipients,
            creation,
            max_value: Wei(value),
            max_fee: Wei(fee),
            max_data_bytes,
            max_spend: Wei(spend),
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let chains = (proptest::option::of(any_chain(1)), proptest::option::of(any_chain(2)))
        .prop_map(|(one, two)| one.into_iter().chain(two).collect());
    let typed = proptest::option::of(address()).prop_map(|address| {
        address
            .into_iter()
            .map(|verifying_contract| TypedDataDomain { chain_id: 1, verifying_contract })
            .collect()
    });
    let window =
        (1..4_u32, 1..5_u32).prop_map(|(seconds, max_signatures)| Window { seconds, max_signatures });
    let named = subsequence(functions().to_vec(), 0..=2);
    (chains, any::<[bool; 4]>(), typed, window, approval(), named).prop_map(
        |(chains, [messages, raw, api_keys, export], typed_data, window, approval, functions)| Policy {
            chains,
            neo: Vec::new(),
            messages,
            typed_data,
            raw,
            window,
            api_keys,
            functions,
            approval,
            export,
        },
    )
}

/// Three people who may be approvers.
fn people() -> &'static [Approver; 3] {
    static PEOPLE: LazyLock<[Approver; 3]> = LazyLock::new(|| std::array::from_fn(|_| Approver::new()));
    &PEOPLE
}

fn approval() -> impl Strategy<Value = Option<ApprovalRule>> {
    let rule = (subsequence(vec![0_usize, 1, 2], 1..=3), any::<bool>()).prop_map(|(who, all)| ApprovalRule {
        threshold: if all { u8::try_from(who.len()).unwrap() } else { 1 },
        approvers: who.iter().map(|person| people()[*person].key()).collect(),
    });
    proptest::option::of(rule)
}

/// Those of three people who consent.
fn consenting() -> impl Strategy<Value = Vec<usize>> {
    subsequence(vec![0_usize, 1, 2], 0..=3)
}

fn consents(who: &[usize], subject: Subject, now_ms: u64) -> Vec<Approval> {
    who.iter().map(|person| people()[*person].approve(&wallet(1), subject, now_ms + 1_000)).collect()
}

/// A second policy that is often a part of the first.
fn two_policies() -> impl Strategy<Value = (Policy, Policy)> {
    (any_policy(), any_policy(), any::<[bool; 9]>()).prop_map(|(old, other, take)| {
        let mut new = old.clone();
        if take[0] {
            new.chains = other.chains;
        }
        if take[1] {
            new.messages = other.messages;
        }
        if take[2] {
            new.raw = other.raw;
        }
        if take[3] {
            new.window = other.window;
        }
        if take[4] {
            new.api_keys = other.api_keys;
        }
        if take[5] {
            new.typed_data = other.typed_data;
        }
        if take[6] {
            new.approval = other.approval;
        }
        if take[7] {
            new.export = other.export;
        }
        if take[8] {
            new.functions = other.functions;
        }
        (old, new)
    })
}

fn any_payload() -> impl Strategy<Value = Payload> {
    let data = prop_oneof![
        Just(HexBytes::default()),
        Just(HexBytes(vec![1])),
        selector().prop_map(|selector| HexBytes([selector.0.as_slice(), &[7; 32]].concat()))
    ];
    let transaction = (1..4_u64, proptest::option::of(address()), 0..4_u128, data, 0..4_u64).prop_map(
        |(chain_id, to, value, data, gas_limit)| {
            let fee = Fee::Legacy { gas_price: Wei(1) };
            Payload::EvmTransaction(EvmTransaction {
                chain_id,
                to,
                value: Wei(value),
                data,
                gas_limit,
                fee,
                ..call()
            })
        },
    );
    prop_oneof![
        4 => transaction,
        1 => Just(Payload::Message { bytes: HexBytes(vec![1]) }),
        1 => Just(Payload::Digest { digest: Hash32([1; 32]) }),
        1 => (1..3_u64, address()).prop_map(|(chain_id, contract)| typed(chain_id, contract)),
    ]
}

#[test]
fn each_part_of_an_approval_and_of_an_export_counts_as_looser() {
    let key = |person: usize| people()[person].key();
    let rule = |threshold, who: &[usize]| {
        let approvers = who.iter().map(|person| key(*person)).collect();
        Policy { approval: Some(ApprovalRule { threshold, approvers }), ..policy() }
    };
    let standing = rule(2, &[0, 1]);
    assert!(!loosens(&standing, &standing));
    assert!(!loosens(&rule(1, &[0, 1]), &standing), "a higher threshold");
    assert!(!loosens(&rule(1, &[0, 1]), &rule(1, &[1])), "fewer who may consent");
    assert!(!loosens(&policy(), &standing), "consent where none was needed");
    for looser in [policy(), rule(1, &[0, 1]), rule(2, &[0, 1, 2]), rule(2, &[0, 2])] {
        assert!(loosens(&standing, &looser), "{looser:?}");
    }
    assert!(loosens(&policy(), &Policy { export: true, ..policy() }));
    assert!(!loosens(&Policy { export: true, ..policy() }, &policy()));
}

proptest! {
    // Most pairs of policies are not one within the other.
    #![proptest_config(ProptestConfig { cases: 1_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    /// Whatever a policy allows that is not called looser, the one before allows too, with the same usage behind both.
    #[test]
    fn what_is_not_looser_allows_nothing_more(
        (old, new) in two_policies(),
        payloads in vec((any_payload(), 0..1_500_u64, 0..4_usize, consenting()), 1..12),
    ) {
        prop_assume!(!loosens(&old, &new));
        let mut usage = Usage::default();
        let mut now_ms = NOW;
        let versions = functions();
        for (payload, step, asker, who) in payloads {
            now_ms += step;
            let by = match asker {
                0 => Asker::Tenant,
                1 => Asker::ApiKey,
                which => Asker::Function(&versions[which - 2]),
            };
            // To whomever the key would go, with these very consents.
            let recipient = Hash32([4; 32]);
            let approvals = consents(&who, Subject::Export(recipient), now_ms);
            let asking = Asking { by, now_ms, approvals: &approvals };
            let export = |policy| Gate { wallet: wallet(1), policy }.export(recipient, &asking).is_ok();
            prop_assert!(export(&old) || !export(&new));
            let subject = Subject::Sign(Hash32(*Decoded::of(KeyType::Secp256k1, &payload).unwrap().digest()));
            let approvals = consents(&who, subject, now_ms);
            let asking = Asking { by, now_ms, approvals: &approvals };
            if let Ok(after) = decide(&new, &payload, &usage, &asking) {
                prop_assert!(decide(&old, &payload, &usage, &asking).is_ok());
                usage = after;
            }
        }
    }

    /// However requests come, no span of a window's length holds more signatures, or spends more, than the policy says.
    #[test]
    fn no_window_is_ever_exceeded(
        policy in any_policy(),
        requests in vec((any_payload(), 0..1_500_u64), 1..40),
    ) {
        let mut usage = Usage::default();
        let mut now_ms = NOW;
        let mut signed: Vec<(u64, u64, u128)> = Vec::new();
        for (payload, step) in requests {
            now_ms += step;
            let policy = Policy { approval: None, ..policy.clone() };
            if let Ok(after) = decide(&policy, &payload, &usage, &Asking { now_ms, ..tenant(&[]) }) {
                usage = after;
                signed.push(match &payload {
                    Payload::EvmTransaction(t) => (now_ms, t.chain_id, t.value.0 + u128::from(t.gas_limit)),
                    _ => (now_ms, 0, 0),
                });
            }
        }
        let window_ms = u64::from(policy.window.seconds) * 1000;
        for (start, ..) in &signed {
            let within: Vec<_> = signed.iter().filter(|(at, ..)| (*start..start + window_ms).contains(at)).collect();
            prop_assert!(within.len() <= policy.window.max_signatures as usize);
            for rules in &policy.chains {
                let of_chain = within.iter().filter(|(_, chain, _)| *chain == rules.chain_id);
                prop_assert!(of_chain.map(|(_, _, spend)| spend).sum::<u128>() <= rules.max_spend.0);
            }
        }
    }
}
