//! Wallets as their owners and their attackers meet them: what is signed is what was asked for, what the policy refuses is
//! refused by name, and neither a restart nor many at once give any allowance twice.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use r3e_client::{ApiKey, ClientError, ExportKey, SigningKey, TenantChannel, approve};
use r3e_e2e::command::{Home, argument};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::wallets::{
    Action, Approval, ApprovalRule, ChainRules, CreateWallet, Eip712Domain, EvmAddress, EvmTransaction,
    ExportRequest, Fee, Hash32, HexBytes, ImportFormat, ImportWallet, KeyType, Methods, Payload, Policy,
    Recipient, Recipients, SecretText, Selector, SetPolicy, SignRequest, Signed, TypedData, TypedDataDomain,
    WalletDetails, Wei, Window, keccak256,
};
use r3e_proto::wallet::approval::{Subject, WalletRevision, policy_digest};
use r3e_proto::wallet::digest;
use serde_json::json;
use zeroize::Zeroizing;

const TO: EvmAddress = EvmAddress([0x11; 20]);
const TRANSFER: Selector = Selector([0xa9, 0x05, 0x9c, 0xbb]);

fn policy() -> Policy {
    let recipient = Recipient { address: TO, transfer: true, methods: Methods::Only(vec![TRANSFER]) };
    Policy {
        chains: vec![ChainRules {
            chain_id: 138,
            recipients: Recipients::Only(vec![recipient]),
            creation: false,
            max_value: Wei(1_000),
            max_fee: Wei(10_000_000),
            max_data_bytes: 256,
            max_spend: Wei(100_000_000),
        }],
        messages: false,
        neo: Vec::new(),
        typed_data: vec![TypedDataDomain { chain_id: 138, verifying_contract: TO }],
        raw: false,
        window: Window { seconds: 3_600, max_signatures: 50 },
        api_keys: false,
        functions: vec![],
        approval: None,
        export: false,
    }
}

fn transaction() -> EvmTransaction {
    EvmTransaction {
        chain_id: 138,
        nonce: 3,
        to: Some(TO),
        value: Wei(999),
        data: HexBytes([TRANSFER.0.as_slice(), &[7; 64]].concat()),
        gas_limit: 90_000,
        fee: Fee::Eip1559 { max_fee_per_gas: Wei(100), max_priority_fee_per_gas: Wei(2) },
        access_list: vec![],
    }
}

fn request(payload: Payload) -> SignRequest {
    SignRequest { payload, approvals: vec![] }
}

fn call(change: impl FnOnce(&mut EvmTransaction)) -> SignRequest {
    let mut transaction = transaction();
    change(&mut transaction);
    request(Payload::EvmTransaction(transaction))
}

fn typed(chain_id: u64, verifying_contract: EvmAddress) -> SignRequest {
    let domain =
        Eip712Domain { name: Some("T".into()), version: None, chain_id, verifying_contract, salt: None };
    request(Payload::TypedData(TypedData { domain, struct_hash: Hash32([5; 32]) }))
}

fn message() -> SignRequest {
    request(Payload::Message { bytes: HexBytes(b"hello".to_vec()) })
}

async fn create(channel: &mut TenantChannel, name: &str, policy: Policy) -> WalletDetails {
    let request = CreateWallet { key_type: KeyType::Secp256k1, policy };
    channel.create_wallet(name, &request).await.unwrap()
}

fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    answer.unwrap_err().code().to_owned()
}

/// The address of whoever made a signature of r, s and v.
fn signer(digest: &[u8; 32], bytes: &[u8]) -> String {
    let (rs, v) = bytes.split_at(64);
    let recovery = RecoveryId::from_byte(v[0] - 27).unwrap();
    let key =
        VerifyingKey::recover_from_prehash(digest, &Signature::from_slice(rs).unwrap(), recovery).unwrap();
    let hash = keccak256(&[&key.to_sec1_point(false).as_bytes()[1..]]);
    EvmAddress(hash[12..].try_into().unwrap()).to_string()
}

/// RLP, read by another hand than the one that wrote it.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Bytes(Vec<u8>),
    List(Vec<Self>),
}

fn items(mut bytes: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    while let Some((first, rest)) = bytes.split_first() {
        let long = |base: u8| {
            let (length, rest) = rest.split_at(usize::from(first - base));
            (length.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)), rest)
        };
        let (length, rest) = match first {
            0..=0x7f => (1, bytes),
            0x80..=0xb7 => (usize::from(first - 0x80), rest),
            0xb8..=0xbf => long(0xb7),
            0xc0..=0xf7 => (usize::from(first - 0xc0), rest),
            0xf8.. => long(0xf7),
        };
        let (item, rest) = rest.split_at(length);
        items.push(if *first < 0xc0 { Item::Bytes(item.to_vec()) } else { Item::List(self::items(item)) });
        bytes = rest;
    }
    items
}

fn number(number: u64) -> Item {
    Item::Bytes(number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_what_was_asked_for_by_the_wallets_own_key() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    let made = create(&mut channel, "hot", policy()).await;
    assert_eq!((made.wallet.name.as_str(), made.wallet.revision), ("hot", 1));
    assert_eq!(made.wallet.address.parse::<EvmAddress>().unwrap().to_string(), made.wallet.address);

    let signed: Signed = channel.sign("hot", &call(|_| ())).await.unwrap();
    let raw = signed.transaction.unwrap().0;
    assert_eq!(raw[0], 2);
    let read = items(&raw[1..]);
    let [Item::List(fields)] = read.as_slice() else { panic!("no list: {read:?}") };
    let t = transaction();
    let expected = [
        number(138),
        number(3),
        number(2),
        number(100),
        number(90_000),
        Item::Bytes(TO.0.to_vec()),
        number(999),
    ];
    assert_eq!(fields[..7], expected);
    assert_eq!(fields[7..9], [Item::Bytes(t.data.0.clone()), Item::List(vec![])]);
    // The signature that stands in the transaction, over the hash of what stands before it.
    let [Item::Bytes(odd), Item::Bytes(r), Item::Bytes(s)] = &fields[9..] else { panic!("no signature") };
    let word = |bytes: &[u8]| [vec![0; 32 - bytes.len()], bytes.to_vec()].concat();
    let v = 27 + odd.first().copied().unwrap_or_default();
    assert_eq!(signed.signature.0, [word(r), word(s), vec![v]].concat());
    assert_eq!(signer(&signed.digest.0, &signed.signature.0), made.wallet.address);
    assert_eq!(signed.transaction_hash, Some(Hash32(keccak256(&[&raw]))));
    assert_eq!(signed.signatures_left, 49);

    // The same again is the same signature, and one allowance less.
    let again = channel.sign("hot", &call(|_| ())).await.unwrap();
    assert_eq!((again.signature, again.signatures_left), (signed.signature, 48));
    let shown = channel.wallet("hot").await.unwrap();
    assert_eq!((shown.signatures_in_window, shown.spent_in_window[0].spend), (2, Wei(2 * (9_000_000 + 999))));
    let typed = channel.sign("hot", &typed(138, TO)).await.unwrap();
    assert_eq!(signer(&typed.digest.0, &typed.signature.0), made.wallet.address);

    // Another wallet has another key; one of this name is never replaced.
    let other = create(&mut channel, "other", policy()).await;
    assert_ne!(other.wallet.address, made.wallet.address);
    let request = CreateWallet { key_type: KeyType::Secp256k1, policy: policy() };
    assert_eq!(code(channel.create_wallet("hot", &request).await), "conflict");
    let names: Vec<_> = channel.wallets().await.unwrap().into_iter().map(|wallet| wallet.name).collect();
    assert_eq!(names, ["hot", "other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_without_end_are_answered_and_not_all_written_down() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    create(&mut channel, "hot", policy()).await;
    let other_chain = call(|t| t.chain_id = 1);
    let before = channel.check_state().await.unwrap().sequence;
    for _ in 0..100 {
        assert_eq!(code(channel.sign("hot", &other_chain).await), "chain_not_allowed");
    }
    let audit = channel.wallet_audit("hot").await.unwrap();
    let denied = audit.entries.iter().filter(|entry| entry.denied.is_some()).count();
    // A minute may have ended meanwhile.
    assert!((60..100).contains(&denied), "{denied}");
    assert!(channel.check_state().await.unwrap().sequence < before + 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_refuses_is_refused_by_name_and_written_down() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    create(&mut channel, "hot", policy()).await;
    let other = EvmAddress([0x22; 20]);
    let refused = [
        (call(|t| t.chain_id = 1), "chain_not_allowed"),
        (call(|t| t.to = Some(other)), "recipient_not_allowed"),
        (call(|t| t.to = None), "creation_not_allowed"),
        (call(|t| t.data.0.resize(257, 0)), "data_over_limit"),
        (call(|t| t.data.0[0] = 0), "method_not_allowed"),
        (call(|t| t.data = HexBytes(vec![0xa9])), "method_not_allowed"),
        (call(|t| t.value = Wei(1_001)), "value_over_limit"),
        (call(|t| t.gas_limit = 100_001), "fee_over_limit"),
        (typed(1, TO), "typed_data_not_allowed"),
        (typed(138, other), "typed_data_not_allowed"),
        (message(), "message_not_allowed"),
        (request(Payload::Digest { digest: Hash32([1; 32]) }), "raw_not_allowed"),
    ];
    for (request, expected) in &refused {
        assert_eq!(code(channel.sign("hot", request).await), *expected);
    }
    // Nothing of it used up anything.
    assert_eq!(channel.wallet("hot").await.unwrap().signatures_in_window, 0);
    let audit = channel.wallet_audit("hot").await.unwrap().entries;
    assert_eq!((audit[0].action, audit[0].denied.as_deref()), (Action::Create, None));
    let denied: Vec<_> = audit[1..].iter().map(|entry| entry.denied.as_deref().unwrap()).collect();
    assert_eq!(denied, refused.iter().map(|(_, code)| *code).collect::<Vec<_>>());
    assert!(audit[1..].iter().all(|entry| entry.action == Action::Sign && entry.by == "tenant"));

    // What no policy could allow is no matter of the policy.
    for request in [call(|t| t.chain_id = 0), request(Payload::Bytes { bytes: HexBytes(vec![1]) })] {
        assert_eq!(code(channel.sign("hot", &request).await), "bad_request");
    }
    assert_eq!(code(channel.sign("cold", &call(|_| ())).await), "not_found");
    // Whoever is denied often drives out refusals, and not what was done.
    channel.sign("hot", &call(|_| ())).await.unwrap();
    for _ in 0..300 {
        assert_eq!(code(channel.sign("hot", &message()).await), "message_not_allowed");
    }
    let audit = channel.wallet_audit("hot").await.unwrap().entries;
    assert!(audit.len() < 300, "{}", audit.len());
    let done: Vec<_> =
        audit.iter().filter(|entry| entry.denied.is_none()).map(|entry| entry.action).collect();
    assert_eq!(done, [Action::Create, Action::Sign]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_signatures_drives_out_what_a_wallet_is() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut own = tenant.signed_in().await;
    let wide = Policy { window: Window { seconds: 60, max_signatures: 1_000 }, export: true, ..policy() };
    create(own.tenant(), "hot", wide.clone()).await;
    let key = ExportKey::generate().unwrap();
    let export = ExportRequest { recipient: key.public_key(), approvals: vec![] };
    own.export_wallet("hot", &export).await.unwrap();
    let looser = SetPolicy { revision: 1, policy: Policy { messages: true, ..wide }, approvals: vec![] };
    own.set_wallet_policy("hot", &looser).await.unwrap();
    for _ in 0..300 {
        own.tenant().sign("hot", &message()).await.unwrap();
    }
    let audit = own.tenant().wallet_audit("hot").await.unwrap();
    let first: Vec<_> = audit.entries[..3].iter().map(|entry| (entry.number, entry.action)).collect();
    assert_eq!(first, [(1, Action::Create), (2, Action::Export), (3, Action::SetPolicy)]);
    // What is not kept is counted, and the numbers say which.
    assert!(audit.dropped > 0);
    assert_eq!(audit.dropped + audit.entries.len() as u64, 303);
    assert_eq!(audit.entries.last().unwrap().number, 303);
    assert_eq!(audit.entries[3].number, 3 + audit.dropped + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_survives_a_restart_and_a_kill() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let tight = Policy { window: Window { seconds: 3_600, max_signatures: 3 }, ..policy() };
    let made = create(&mut tenant.channel().await, "hot", tight).await;
    for left in [2, 1, 0] {
        let signed = tenant.channel().await.sign("hot", &call(|t| t.nonce = left)).await.unwrap();
        assert_eq!(u64::from(signed.signatures_left), left);
        assert_eq!(signer(&signed.digest.0, &signed.signature.0), made.wallet.address);
        if left == 2 {
            appliance.restart().await;
        } else {
            appliance.kill_enclave();
            appliance.start_enclave();
            appliance.ready().await;
        }
    }
    let refused = tenant.channel().await.sign("hot", &call(|_| ())).await;
    assert_eq!(code(refused), "window_signatures_over_limit");
    let done = tenant.channel().await.wallet_audit("hot").await.unwrap().entries;
    assert_eq!(done.iter().filter(|e| e.denied.is_none() && e.action == Action::Sign).count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_one_allowance() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let tight = Policy { window: Window { seconds: 3_600, max_signatures: 5 }, ..policy() };
    create(&mut tenant.channel().await, "hot", tight).await;
    let mut askers = Vec::new();
    for nonce in 0..24 {
        let mut channel = tenant.channel().await;
        askers.push(tokio::spawn(async move { channel.sign("hot", &call(|t| t.nonce = nonce)).await }));
    }
    let mut left = Vec::new();
    for asker in askers {
        match asker.await.unwrap() {
            Ok(signed) => left.push(signed.signatures_left),
            Err(error) => assert_eq!(error.code(), "window_signatures_over_limit"),
        }
    }
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);

    // The same of what is spent: room for two of these.
    let mut rules = policy();
    rules.chains[0].max_spend = Wei(20_000_000);
    create(&mut tenant.channel().await, "spender", rules).await;
    let mut askers = Vec::new();
    for nonce in 0..8 {
        let mut channel = tenant.channel().await;
        askers.push(tokio::spawn(async move { channel.sign("spender", &call(|t| t.nonce = nonce)).await }));
    }
    let mut signed = 0;
    for asker in askers {
        match asker.await.unwrap() {
            Ok(_) => signed += 1,
            Err(error) => assert_eq!(error.code(), "window_spend_over_limit"),
        }
    }
    assert_eq!(signed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enclave_that_is_killed_forgets_no_signature_that_it_gave() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Arc::new(Tenant::admitted(&appliance, "alice").await);
    let wide = Policy { window: Window { seconds: 86_400, max_signatures: 1_000 }, ..policy() };
    create(&mut tenant.channel().await, "hot", wide).await;
    let given = Arc::new(AtomicU32::new(0));
    for _ in 0..3 {
        let mut askers = Vec::new();
        for number in 0..3 {
            let (tenant, given) = (Arc::clone(&tenant), Arc::clone(&given));
            askers.push(tokio::spawn(async move {
                let mut channel = tenant.channel().await;
                let request = typed(138, TO);
                while given.load(Ordering::Relaxed) < 900 && channel.sign("hot", &request).await.is_ok() {
                    given.fetch_add(1, Ordering::Relaxed);
                }
                number
            }));
        }
        let before = given.load(Ordering::Relaxed);
        for _ in 0..12_000 {
            if given.load(Ordering::Relaxed) >= before + 20 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(given.load(Ordering::Relaxed) >= before + 20, "nobody signs");
        appliance.kill_enclave();
        for asker in askers {
            asker.await.unwrap();
        }
        appliance.start_enclave();
        appliance.ready().await;
        let counted = tenant.channel().await.wallet("hot").await.unwrap().signatures_in_window;
        let given = given.load(Ordering::Relaxed);
        // What was on its way to somebody when the enclave ended may count, and be nobody's.
        assert!(counted >= given && counted <= given + 9, "{given} were given, {counted} count");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_are_their_tenants_alone_and_api_keys_do_what_they_are_let() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let mut own = alice.channel().await;
    let made = create(&mut own, "hot", policy()).await;
    let shared = create(&mut own, "shared", Policy { api_keys: true, ..policy() }).await;

    let mut stranger = bob.channel().await;
    assert_eq!(stranger.wallets().await.unwrap(), []);
    assert_eq!(code(stranger.wallet("hot").await), "not_found");
    assert_eq!(code(stranger.wallet_audit("hot").await), "not_found");
    assert_eq!(code(stranger.sign("hot", &call(|_| ())).await), "not_found");
    let theirs = create(&mut stranger, "hot", policy()).await;
    assert_ne!(theirs.wallet.address, made.wallet.address);

    // One tenant's wallets take no other's places.
    for number in 1..64 {
        create(&mut stranger, &format!("w{number}"), policy()).await;
    }
    let one_more = CreateWallet { key_type: KeyType::Secp256k1, policy: policy() };
    assert_eq!(code(stranger.create_wallet("w64", &one_more).await), "conflict");
    assert_eq!(stranger.wallets().await.unwrap().len(), 64);
    create(&mut own, "spare", policy()).await;

    let minted = |scopes: Vec<Scope>| {
        let alice = &alice;
        async move {
            let secret = alice.signed_in().await.create_key("k", &scopes).await.unwrap().secret;
            let key = ApiKey::parse(Zeroizing::new(secret)).unwrap();
            (key.id().to_owned(), alice.connect().await.with_api_key(&key).await.unwrap())
        }
    };
    let (_, mut without) = minted(vec![Scope::Invoke, Scope::Deploy, Scope::Secrets]).await;
    assert_eq!(code(without.wallets().await), "forbidden");
    assert_eq!(code(without.wallet("shared").await), "forbidden");
    assert_eq!(code(without.sign("shared", &call(|_| ())).await), "forbidden");
    let create_request = CreateWallet { key_type: KeyType::Ed25519, policy: policy() };
    assert_eq!(code(without.create_wallet("x", &create_request).await), "unauthenticated");

    let (id, mut with) = minted(vec![Scope::Wallets]).await;
    assert_eq!(with.wallets().await.unwrap().len(), 3);
    assert_eq!(code(with.sign("hot", &call(|_| ())).await), "api_key_not_allowed");
    let signed = with.sign("shared", &call(|_| ())).await.unwrap();
    assert_eq!(signer(&signed.digest.0, &signed.signature.0), shared.wallet.address);
    assert_eq!(own.wallet_audit("shared").await.unwrap().entries.last().unwrap().by, id);

    // An API key plants no key of its own making, and fills no places.
    assert_eq!(code(with.create_wallet("x", &create_request).await), "unauthenticated");
    let planted = import(ImportFormat::Hex, &"1".repeat(64), None);
    assert_eq!(code(with.import_wallet("x", &planted).await), "unauthenticated");
    assert_eq!(own.wallets().await.unwrap().len(), 3);

    // Neither policy nor key is an API key's to touch: not by the tool, and not by hand.
    let bearer = minted_text(&alice).await;
    let mut http = r3e_e2e::raw::Http::attested(&appliance.address()).await.unwrap();
    for (method, path, body) in [
        (http::Method::PUT, "/v1/wallets/shared/policy", json!({ "revision": 1, "policy": policy() })),
        (http::Method::POST, "/v1/wallets/shared/export", json!({ "recipient": Hash32([9; 32]) })),
        (http::Method::DELETE, "/v1/wallets/shared", json!({})),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let answer = http.send(method, path, &headers, body.to_string()).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{path}");
    }
}

async fn minted_text(tenant: &Tenant) -> String {
    let minted = tenant.signed_in().await.create_key("k", &[Scope::Wallets]).await.unwrap();
    format!("Bearer {}", minted.secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_change_by_revision_and_approvers_hold_what_they_hold() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let approvers = [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()];
    let rule =
        ApprovalRule { threshold: 2, approvers: approvers.iter().map(SigningKey::public_key).collect() };
    let guarded = Policy { approval: Some(rule), export: true, ..policy() };
    let made = create(&mut tenant.channel().await, "vault", guarded.clone()).await.wallet;
    let mut own = tenant.signed_in().await;
    let now_ms = own.tenant().channel().status().await.unwrap().time_ms;
    let consents = |revision: u64, subject: Subject| -> Vec<Approval> {
        let wallet =
            WalletRevision { tenant: tenant.id(), name: "vault", public_key: &made.public_key.0, revision };
        approvers.iter().map(|key| approve(key, &wallet, subject, now_ms + 3_600_000)).collect()
    };

    // A signature: with both consents, for this payload, and with nothing less.
    let payload = Payload::EvmTransaction(transaction());
    let subject = Subject::Sign(Hash32(digest(KeyType::Secp256k1, &payload).unwrap()));
    let approvals = consents(1, subject);
    let ask =
        |approvals: &[Approval]| SignRequest { payload: payload.clone(), approvals: approvals.to_vec() };
    assert_eq!(code(own.tenant().sign("vault", &ask(&[])).await), "approval_missing");
    assert_eq!(code(own.tenant().sign("vault", &ask(&approvals[..1])).await), "approval_missing");
    let other = SignRequest { approvals: approvals.clone(), ..call(|t| t.nonce = 9) };
    assert_eq!(code(own.tenant().sign("vault", &other).await), "approval_invalid");
    assert!(own.tenant().sign("vault", &ask(&approvals)).await.is_ok());

    // A looser policy needs them, a tighter one does not; and with it the consents of before are worth nothing.
    let looser = Policy { messages: true, ..guarded.clone() };
    let set =
        |revision, policy: &Policy, approvals| SetPolicy { revision, policy: policy.clone(), approvals };
    assert_eq!(code(own.set_wallet_policy("vault", &set(1, &looser, vec![])).await), "approval_missing");
    assert_eq!(code(own.set_wallet_policy("vault", &set(2, &looser, vec![])).await), "conflict");
    let tighter = Policy { typed_data: vec![], ..guarded.clone() };
    let changed = own.set_wallet_policy("vault", &set(1, &tighter, vec![])).await.unwrap();
    assert_eq!((changed.wallet.revision, changed.signatures_in_window), (2, 1));
    assert_eq!(code(own.tenant().sign("vault", &ask(&approvals)).await), "approval_invalid");
    let subject = Subject::SetPolicy(policy_digest(&looser).unwrap());
    assert_eq!(
        code(own.set_wallet_policy("vault", &set(2, &looser, consents(1, subject))).await),
        "approval_invalid"
    );
    own.set_wallet_policy("vault", &set(2, &looser, consents(2, subject))).await.unwrap();

    // So does an export.
    let key = ExportKey::generate().unwrap();
    let export = |approvals| ExportRequest { recipient: key.public_key(), approvals };
    assert_eq!(code(own.export_wallet("vault", &export(vec![])).await), "approval_missing");
    let exported =
        own.export_wallet("vault", &export(consents(3, Subject::Export(key.public_key())))).await.unwrap();
    assert_eq!(key.open(&exported).unwrap().len(), 32);

    // Export is decided when the wallet is made.
    create(own.tenant(), "closed", policy()).await;
    assert_eq!(code(own.export_wallet("closed", &export(vec![])).await), "export_not_allowed");
    let on = Policy { export: true, ..policy() };
    assert_eq!(code(own.set_wallet_policy("closed", &set(1, &on, vec![])).await), "export_stays_off");
    let contradictory = Policy { window: Window { seconds: 0, max_signatures: 1 }, ..policy() };
    assert_eq!(code(own.set_wallet_policy("closed", &set(1, &contradictory, vec![])).await), "bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_wallet_leaves_its_audit_and_nothing_that_holds_for_the_next() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let approver = SigningKey::generate().unwrap();
    let rule = ApprovalRule { threshold: 1, approvers: vec![approver.public_key()] };
    let guarded = Policy { approval: Some(rule), ..policy() };
    let mut own = tenant.signed_in().await;
    let first = create(own.tenant(), "vault", guarded.clone()).await.wallet;

    // Approvers hold it, until they consent to a policy without them.
    assert_eq!(code(own.delete_wallet("vault").await), "approvers_hold");
    let now_ms = own.tenant().channel().status().await.unwrap().time_ms;
    let subject = Subject::SetPolicy(policy_digest(&policy()).unwrap());
    let wallet =
        WalletRevision { tenant: tenant.id(), name: "vault", public_key: &first.public_key.0, revision: 1 };
    let approvals = vec![approve(&approver, &wallet, subject, now_ms + 3_600_000)];
    let free = SetPolicy { revision: 1, policy: policy(), approvals };
    own.set_wallet_policy("vault", &free).await.unwrap();
    own.delete_wallet("vault").await.unwrap();
    assert_eq!(code(own.delete_wallet("vault").await), "not_found");
    assert_eq!(code(own.tenant().wallet("vault").await), "not_found");
    assert_eq!(code(own.tenant().sign("vault", &call(|_| ())).await), "not_found");
    let actions = |audit: Vec<r3e_proto::api::wallets::AuditEntry>| {
        audit.into_iter().map(|entry| (entry.action, entry.denied.is_none())).collect::<Vec<_>>()
    };
    let told = vec![
        (Action::Create, true),
        (Action::Delete, false),
        (Action::SetPolicy, true),
        (Action::Delete, true),
    ];
    assert_eq!(actions(own.tenant().wallet_audit("vault").await.unwrap().entries), told);

    // After a restart, one of the same name has another key and the next revision, and the audit goes on.
    appliance.restart().await;
    let mut own = tenant.signed_in().await;
    assert_eq!(actions(own.tenant().wallet_audit("vault").await.unwrap().entries), told);
    let second = create(own.tenant(), "vault", guarded).await.wallet;
    assert_ne!(second.address, first.address);
    assert_eq!(second.revision, 3);
    let replayed = own.set_wallet_policy("vault", &SetPolicy { revision: 3, ..free }).await;
    assert_eq!(code(replayed), "approval_invalid");
    assert_eq!(own.tenant().wallet_audit("vault").await.unwrap().entries.len(), 6);

    // An imported key goes with its wallet, and its place is free.
    let imported = import(ImportFormat::Hex, &"1".repeat(64), None);
    own.tenant().import_wallet("hot", &imported).await.unwrap();
    own.tenant().sign("hot", &call(|_| ())).await.unwrap();
    own.delete_wallet("hot").await.unwrap();
    let again = own.tenant().import_wallet("hot", &imported).await.unwrap();
    assert_eq!((again.wallet.revision, again.signatures_in_window), (2, 0));
}

fn import(format: ImportFormat, secret: &str, password: Option<&str>) -> ImportWallet {
    let text = |text: &str| SecretText::new(Zeroizing::new(text.to_owned()));
    let key_type = match format {
        ImportFormat::Keystore | ImportFormat::Hex => KeyType::Secp256k1,
        _ => KeyType::Secp256r1,
    };
    let evm = key_type == KeyType::Secp256k1;
    let policy = if evm {
        policy()
    } else {
        Policy { chains: vec![], typed_data: vec![], messages: true, ..policy() }
    };
    ImportWallet {
        key_type,
        format,
        secret: text(secret),
        password: password.map(text),
        account: None,
        policy,
    }
}

const KEYSTORE: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
const NEP2: &str = "6PYUUUFei9PBBfVkSn8q7hFCnewWFRBKPxcn6Kz6Bmk3FqWyLyuTQE2XFH";

#[tokio::test(flavor = "multi_thread")]
async fn imported_keys_sign_and_tampered_files_give_no_wallet() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    let keystore = import(ImportFormat::Keystore, KEYSTORE, Some("testpassword"));
    let made = channel.import_wallet("eth", &keystore).await.unwrap().wallet;
    assert_eq!(made.address.to_lowercase(), "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    let neo = import(ImportFormat::Nep2, NEP2, Some("city of zion"));
    let made_neo = channel.import_wallet("neo", &neo).await.unwrap().wallet;
    assert_eq!(made_neo.address, "NPTmAHDxo6Pkyic8Nvu3kwyXoYJCvcCB6i");
    assert_eq!(code(channel.import_wallet("neo", &neo).await), "conflict");

    let changed = KEYSTORE.replacen("5318b4", "5318b5", 1);
    let hostile = KEYSTORE
        .replace("\"pbkdf2\"", "\"scrypt\"")
        .replace("\"c\":262144,", "\"n\":1073741824,\"r\":8,\"p\":1,")
        .replace("\"prf\":\"hmac-sha256\",", "");
    let wrong = [
        import(ImportFormat::Keystore, KEYSTORE, Some("testpasswore")),
        import(ImportFormat::Keystore, KEYSTORE, None),
        import(ImportFormat::Keystore, &changed, Some("testpassword")),
        import(ImportFormat::Keystore, &hostile, Some("testpassword")),
        import(ImportFormat::Keystore, "{", Some("testpassword")),
        import(ImportFormat::Nep2, &NEP2.replace("6PYU", "6PYV"), Some("city of zion")),
        import(ImportFormat::Nep2, NEP2, Some("city of Zion")),
        import(ImportFormat::Hex, &"0".repeat(64), None),
        import(ImportFormat::Wif, NEP2, None),
    ];
    for request in &wrong {
        let refused = channel.import_wallet("bad", request).await.unwrap_err();
        assert_eq!(refused.code(), "bad_request", "{refused}");
        for secret in ["testpass", "city of", "5318b4"] {
            assert!(!refused.to_string().contains(secret), "{refused}");
        }
    }
    assert_eq!(channel.wallets().await.unwrap().len(), 2);

    // An imported key is sealed state: it is there after a restart, and signs.
    appliance.restart().await;
    let mut channel = tenant.channel().await;
    let signed = channel.sign("eth", &call(|_| ())).await.unwrap();
    assert_eq!(signer(&signed.digest.0, &signed.signature.0), made.address);
    assert_eq!(channel.sign("neo", &message()).await.unwrap().signature.0.len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_keeps_wallets_for_a_person() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let home = Home::new(&appliance, "alice");
    tenant.key().write_new(&home.path(".config/r3e/tenant.pem")).unwrap();
    let approver = SigningKey::generate().unwrap();
    approver.write_new(&home.path("approver.pem")).unwrap();
    let write =
        |name: &str, value: &serde_json::Value| std::fs::write(home.path(name), value.to_string()).unwrap();
    let rule = ApprovalRule { threshold: 1, approvers: vec![approver.public_key()] };
    let guarded = Policy { approval: Some(rule), export: true, ..policy() };
    write("policy.json", &json!(guarded));
    write("transaction.json", &json!(Payload::EvmTransaction(transaction())));

    let create = ["wallets", "create", "vault", "--type", "secp256k1", "--policy", "policy.json", "--json"];
    let made = home.r3e(&create).ok().json();
    let address = made["wallet"]["address"].as_str().unwrap().to_owned();
    assert!(home.r3e(&["wallets", "list"]).ok().out.contains(&address));
    assert!(home.r3e(&["wallets", "show", "vault"]).ok().out.contains("1 of 1"));
    let shown = home.r3e(&["wallets", "policy", "vault"]).ok().json();
    assert_eq!(shown, json!(guarded));

    // Whoever is asked to approve sees what changes, and signs nothing without saying so.
    write("looser.json", &json!(Policy { messages: true, ..guarded.clone() }));
    let asked = home.r3e(&["wallets", "ask", "vault", "--policy", "looser.json"]).ok();
    std::fs::write(home.path("ask.json"), &asked.out).unwrap();
    let unasked = home.r3e(&["wallets", "approve", "ask.json", "--key-file", "approver.pem"]).exits(2);
    assert!(unasked.err.contains("+ messages: true") && unasked.err.contains("--yes"), "{}", unasked.err);
    assert!(!unasked.out.contains("signature"), "{}", unasked.out);

    // Asked, consented to on another machine, signed.
    let sign = ["wallets", "sign", "vault", "--payload", "transaction.json", "--json"];
    home.r3e(&sign).fails_with("approval_missing");
    let asked = home.r3e(&["wallets", "ask", "vault", "--payload", "transaction.json"]).ok();
    std::fs::write(home.path("ask.json"), &asked.out).unwrap();
    let consent = home.r3e(&["wallets", "approve", "ask.json", "--key-file", "approver.pem", "--yes"]).ok();
    assert!(
        consent.err.contains("may sign this payload") && consent.err.contains("\"nonce\": 3"),
        "{}",
        consent.err
    );
    std::fs::write(home.path("consent.json"), &consent.out).unwrap();
    let signed = home.r3e(&[&sign[..], &["--approval", "consent.json"]].concat()).ok().json();
    assert!(signed["transaction"].as_str().unwrap().starts_with("0x02"));

    // Exported to a key of one's own, opened, and imported again: the same address.
    let made = home.r3e(&["wallets", "export-keygen", "export.key", "--json"]).ok().json();
    let recipient = made["recipient"].as_str().unwrap();
    let asked = home.r3e(&["wallets", "ask", "vault", "--recipient", recipient]).ok();
    std::fs::write(home.path("ask.json"), &asked.out).unwrap();
    let consent = home.r3e(&["wallets", "approve", "ask.json", "--key-file", "approver.pem", "--yes"]).ok();
    assert!(consent.err.contains("EXPORT ITS PRIVATE KEY"), "{}", consent.err);
    std::fs::write(home.path("consent.json"), &consent.out).unwrap();
    let export = ["wallets", "export", "vault", "--recipient", recipient, "--approval", "consent.json"];
    let sealed = home.r3e(&export).ok();
    std::fs::write(home.path("sealed.json"), &sealed.out).unwrap();
    home.r3e(&["wallets", "export-open", "sealed.json", "--export-key", "export.key", "--out", "vault.hex"])
        .ok();
    let private = std::fs::read_to_string(home.path("vault.hex")).unwrap();
    assert!(!sealed.out.contains(&private));
    let import = [
        "wallets",
        "import",
        "copy",
        "--format",
        "hex",
        "--type",
        "secp256k1",
        "--policy",
        "policy.json",
        "--json",
    ];
    let copy = home.r3e_with_input(&import, private.as_bytes()).ok().json();
    assert_eq!(copy["wallet"]["address"], address);

    // A password comes from a file, and no argument takes one.
    std::fs::write(home.path("password"), "city of zion\n").unwrap();
    let neo = Policy { chains: vec![], typed_data: vec![], messages: true, ..policy() };
    write("neo.json", &json!(neo));
    let import = ["wallets", "import", "neo", "--format", "nep2", "--policy", "neo.json"];
    let password = home.path("password");
    let from_file = [&import[..], &["--password-file", argument(&password)]].concat();
    assert!(
        home.r3e_with_input(&from_file, NEP2.as_bytes())
            .ok()
            .out
            .contains("NPTmAHDxo6Pkyic8Nvu3kwyXoYJCvcCB6i")
    );
    let unasked = home.r3e_with_input(&import, NEP2.as_bytes()).exits(2);
    assert!(unasked.err.contains("--password-file"), "{}", unasked.err);
    home.r3e(&[&import[..], &["--password", "city of zion"]].concat()).exits(2);
    // Deleting asks first; held by approvers, not even then.
    home.r3e(&["wallets", "delete", "neo"]).exits(2);
    home.r3e(&["wallets", "delete", "vault", "--yes", "--json"]).fails_with("approvers_hold");
    home.r3e(&["wallets", "delete", "neo", "--yes"]).ok();
    assert!(!home.r3e(&["wallets", "list"]).ok().out.contains("NPTmAHDxo6Pkyic8Nvu3kwyXoYJCvcCB6i"));
    let audit = home.r3e(&["wallets", "audit", "vault"]).ok().out;
    for word in ["create", "sign", "approval_missing", "export"] {
        assert!(audit.contains(word), "{audit}");
    }
}
