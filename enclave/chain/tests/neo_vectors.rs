//! Against neo-mamba: keys, scripts, transactions and blocks (`vectors/neo.json`, made by `tests/chain/neo-vectors.py`).
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod random_neo;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use r3e_chain::neo::{Block, read_block};
use r3e_chain::rpc::AnswerError;
use r3e_neo::{
    AddressError, Argument, Attribute, CallFlags, CodecError, Condition, Hash160, Hash256, PublicKey, Rule,
    Scopes, ScriptBuilder, Signer, Transaction, Witness, address, hash160, multi_verification_script,
    parse_address, sign_data, verification_script,
};
use random_neo::{any_key, signer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Of the main network.
const MAGIC: u32 = 860_833_102;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/neo.json")).unwrap()
}

fn list<'a>(vectors: &'a Value, path: &str) -> &'a Vec<Value> {
    vectors.pointer(path).and_then(Value::as_array).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name)).unwrap()
}

fn digest(of: &str) -> [u8; 32] {
    Sha256::digest(of.as_bytes()).into()
}

fn hash(of: &str) -> Hash160 {
    Hash160(digest(of)[..20].try_into().unwrap())
}

#[test]
fn accounts() {
    for account in list(&vectors(), "/accounts") {
        let key = PublicKey(bytes(account, "public_key").try_into().unwrap());
        let script = verification_script(&key);
        assert_eq!(hex::encode(&script), text(account, "script"));
        let hash = hash160(&script);
        assert_eq!(hash.to_string(), text(account, "hash"));
        assert_eq!(text(account, "hash").parse(), Ok(hash));
        assert_eq!(address(hash), text(account, "address"));
        assert_eq!(parse_address(text(account, "address")), Ok(hash));
    }
}

#[test]
fn accounts_of_several_keys() {
    let vectors = vectors();
    for account in list(&vectors, "/multiple") {
        let threshold = usize::try_from(account["threshold"].as_u64().unwrap()).unwrap();
        let named = account["public_keys"].as_array().unwrap().iter();
        let keys: Vec<PublicKey> = named
            .map(|key| PublicKey(hex::decode(key.as_str().unwrap()).unwrap().try_into().unwrap()))
            .collect();
        let script = multi_verification_script(threshold, &keys).unwrap();
        assert_eq!(hex::encode(&script), text(account, "script"));
        let turned: Vec<PublicKey> = keys.iter().rev().copied().collect();
        assert_eq!(multi_verification_script(threshold, &turned), Ok(script), "in any order");
    }
}

#[test]
fn what_is_no_account_of_several_keys() {
    let key = |number: u8| PublicKey([&[2][..], &[number; 32]].concat().try_into().unwrap());
    let keys: Vec<PublicKey> = (1..=3).map(key).collect();
    let value = |what| Err(CodecError::Value { what });
    for threshold in [0, 4] {
        assert_eq!(multi_verification_script(threshold, &keys), value("a number of signatures"));
    }
    assert_eq!(multi_verification_script(1, &[]), value("a number of signatures"));
    assert_eq!(multi_verification_script(1, &[key(1), key(1)]), value("the keys of an account"));
    // Its own negative, by which somebody might think himself two.
    let negative = PublicKey([&[3][..], &[1; 32]].concat().try_into().unwrap());
    assert_eq!(multi_verification_script(2, &[key(1), negative]), value("the keys of an account"));
    let many: Vec<PublicKey> = (1..=30).map(key).collect();
    assert!(matches!(multi_verification_script(1, &many), Err(CodecError::TooLong { .. })));
    assert!(multi_verification_script(1, &many[..29]).is_ok());

    assert!(multi_verification_script(15, &many[..29]).is_ok());
    assert!(matches!(multi_verification_script(16, &many[..29]), Err(CodecError::TooLong { .. })));

    let by = |number: u8| (key(number), [number; 64]);
    let witness = |signatures: &[_]| Witness::of_signatures(2, &keys, signatures);
    let good = witness(&[by(3), by(1)]).unwrap();
    assert_eq!(witness(&[by(1), by(3)]).unwrap(), good, "the machine takes them in the order of their keys");
    let ordered = [&[0x0c, 64][..], &[1; 64], &[0x0c, 64], &[3; 64]].concat();
    assert_eq!(good.invocation, ordered);
    for wrong in [&[by(1)][..], &[by(1), by(2), by(3)], &[by(1), by(4)]] {
        assert_eq!(witness(wrong).err(), value("the signatures of an account").err());
    }
    assert_eq!(witness(&[by(1), by(1)]).err(), value("the keys of an account").err());
}

#[test]
fn texts_that_are_no_address() {
    let good = address(hash("account"));
    assert_eq!(parse_address(&good.replacen('N', "A", 1)), Err(AddressError::Checksum));
    // Neo Legacy's, with the version 0x17.
    let old = parse_address("AK2nJJpJr6o664CWJKi1QRXjqeic2zRp8y");
    assert_eq!(old, Err(AddressError::Version { version: 0x17 }));
    for wrong in ["", "N", &good[..33], &format!("{good}1"), "0OIl", &good.replace(&good[5..6], "ä")] {
        assert!(matches!(parse_address(wrong), Err(AddressError::Form | AddressError::Checksum)), "{wrong}");
    }
}

#[test]
fn scripts() {
    let vectors = vectors();
    for vector in list(&vectors, "/scripts/integers") {
        let mut script = ScriptBuilder::default();
        script.integer(text(vector, "number").parse().unwrap());
        assert_eq!(hex::encode(script.finish().unwrap()), text(vector, "script"), "{vector}");
    }
    for vector in list(&vectors, "/scripts/bytes") {
        let length = usize::try_from(vector["length"].as_u64().unwrap()).unwrap();
        let mut script = ScriptBuilder::default();
        script.bytes(&vec![0x5a; length]).unwrap();
        // No script of a transaction is so long, but the bytes are the same.
        let made = script.finish();
        if length < 65_000 {
            assert!(hex::encode(made.unwrap()).starts_with(text(vector, "head")));
        } else {
            assert!(made.is_err());
        }
    }
    for vector in list(&vectors, "/scripts/calls") {
        let arguments = match text(vector, "arguments") {
            "none" => Vec::new(),
            "transfer" => vec![
                Argument::Hash160(hash("from")),
                Argument::Hash160(hash("to")),
                Argument::Integer(12_345_678.into()),
                Argument::Null,
            ],
            _ => vec![
                Argument::Text("text".into()),
                Argument::Boolean(true),
                Argument::Boolean(false),
                Argument::Array(vec![
                    Argument::Integer(1.into()),
                    Argument::Array(vec![Argument::Bytes(vec![1, 2])]),
                ]),
                Argument::Hash256(Hash256(digest("hash"))),
                Argument::PublicKey(PublicKey(
                    bytes(&vectors["accounts"][0], "public_key").try_into().unwrap(),
                )),
            ],
        };
        let contract = text(vector, "contract").parse().unwrap();
        let mut script = ScriptBuilder::default();
        script.call(contract, text(vector, "method"), CallFlags::ALL, &arguments).unwrap();
        assert_eq!(hex::encode(script.finish().unwrap()), text(vector, "script"), "{vector}");
    }
}

#[test]
fn arguments_are_bounded() {
    let mut deep = Argument::Null;
    for _ in 0..20 {
        deep = Argument::Array(vec![deep]);
    }
    assert!(ScriptBuilder::default().argument(&deep).is_err());
    let wide = Argument::Array(vec![Argument::Null; 3_000]);
    assert!(ScriptBuilder::default().argument(&wide).is_err());
    assert!(ScriptBuilder::default().bytes(&vec![0; 200_000]).is_err());
}

#[test]
fn transactions() {
    for vector in list(&vectors(), "/transactions") {
        let encoded = bytes(vector, "bytes");
        let transaction = Transaction::decode(&encoded).unwrap();
        assert_eq!(transaction.encode().unwrap(), encoded);
        let hash = transaction.hash().unwrap();
        assert_eq!(hash.to_string(), text(vector, "hash"));
        assert_eq!(hex::encode(sign_data(MAGIC, hash)), text(vector, "sign_data"));
        assert_eq!(transaction.signers.len() as u64, vector["signers"].as_u64().unwrap());
        // Each cut and each byte more is refused.
        for cut in 0..encoded.len() {
            assert!(Transaction::decode(&encoded[..cut]).is_err(), "{cut}");
        }
        assert_eq!(Transaction::decode(&[&encoded[..], &[0]].concat()), Err(CodecError::Trailing));
    }
}

#[test]
fn blocks() {
    for vector in list(&vectors(), "/blocks") {
        let encoded = bytes(vector, "bytes");
        let block = Block::decode(&encoded).unwrap();
        assert_eq!(block.encode(), encoded);
        assert_eq!(block.header.hash().to_string(), text(vector, "hash"));
        assert_eq!(block.header.merkle_root.to_string(), text(vector, "merkle_root"));
        let hashes: Vec<_> = block.hashes().iter().map(Hash256::to_string).collect();
        assert_eq!(json!(hashes), vector["transactions"]);
        let answer = json!(STANDARD.encode(&encoded));
        assert_eq!(read_block(&answer, block.header.index), Ok(block.clone()));
        assert_eq!(read_block(&answer, 5), Err(AnswerError::Other { what: "height" }));
        // A transaction more or fewer does not fit the header.
        if !block.transactions.is_empty() {
            let mut fewer = block.clone();
            fewer.transactions.pop();
            assert!(Block::decode(&fewer.encode()).is_err());
        }
        // The root of an odd row is that of the row with its last twice.
        if block.transactions.len() == 3 {
            let mut twice = block.clone();
            twice.transactions.push(twice.transactions[2].clone());
            let refused = Block::decode(&twice.encode());
            assert_eq!(refused, Err(CodecError::Repeated { what: "a transaction" }));
        }
    }
    for wrong in [json!(null), json!({}), json!("!"), json!(""), json!("AAAA")] {
        assert!(read_block(&wrong, 0).is_err());
    }
}

fn simple() -> Transaction {
    Transaction {
        nonce: 1,
        system_fee: 2,
        network_fee: 3,
        valid_until_block: 4,
        signers: vec![Signer::called_by_entry(hash("signer"))],
        attributes: Vec::new(),
        script: vec![0x40],
        witnesses: Vec::new(),
    }
}

#[test]
fn what_no_node_takes() {
    assert!(simple().encode().is_ok());
    let changes: [fn(&mut Transaction); 14] = [
        |t| t.system_fee = -1,
        |t| t.network_fee = -1,
        |t| (t.system_fee, t.network_fee) = (i64::MAX, 1),
        |t| t.signers.clear(),
        |t| t.signers = vec![t.signers[0].clone(), t.signers[0].clone()],
        |t| t.script.clear(),
        |t| t.script = vec![0; 65_536],
        |t| t.attributes = vec![Attribute::HighPriority, Attribute::HighPriority],
        |t| t.attributes = vec![Attribute::Conflicts(Hash256([1; 32])); 16],
        |t| t.witnesses = vec![Witness::default(); 2],
        |t| t.witnesses = vec![Witness { invocation: vec![0; 1_025], verification: Vec::new() }],
        |t| t.signers[0].scopes = Scopes::GLOBAL.and(Scopes::CALLED_BY_ENTRY),
        // What would be dropped unseen.
        |t| t.signers[0].contracts = vec![Hash160([1; 20])],
        |t| {
            let nested = |inner| Condition::And(vec![inner]);
            let condition = nested(nested(nested(Condition::CalledByEntry)));
            t.signers[0].scopes = Scopes::WITNESS_RULES;
            t.signers[0].rules = vec![Rule { allow: true, condition }];
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut transaction = simple();
        change(&mut transaction);
        assert!(transaction.encode().is_err(), "change {at}");
        assert!(transaction.hash().is_err(), "change {at}");
    }
}

proptest! {
    #[test]
    fn transactions_come_back(
        nonce: u32,
        fees in (0..i64::MAX / 2, 0..i64::MAX / 2),
        signers in proptest::collection::btree_map(any::<[u8; 20]>(), signer(any_key()), 1..4),
        script in proptest::collection::vec(any::<u8>(), 1..300),
        before: u32,
        conflicts in proptest::collection::vec(any::<[u8; 32]>(), 0..3),
        signed: bool,
    ) {
        let signers: Vec<Signer> =
            signers.into_iter().map(|(account, signer)| Signer { account: Hash160(account), ..signer }).collect();
        let mut attributes = vec![Attribute::NotValidBefore(before), Attribute::NotaryAssisted(3)];
        attributes.extend(conflicts.into_iter().map(|hash| Attribute::Conflicts(Hash256(hash))));
        let witness = Witness { invocation: vec![1, 2], verification: vec![3] };
        let witnesses = vec![witness; if signed { signers.len() } else { 0 }];
        let transaction = Transaction {
            nonce, system_fee: fees.0, network_fee: fees.1, valid_until_block: nonce, signers, attributes, script, witnesses,
        };
        let encoded = transaction.encode().unwrap();
        prop_assert_eq!(Transaction::decode(&encoded), Ok(transaction));
    }

    #[test]
    fn what_is_read_is_written_so(at in any::<prop::sample::Index>(), byte: u8, which in 0_usize..4) {
        let mut encoded = bytes(&vectors()["transactions"][which], "bytes");
        let place = at.index(encoded.len());
        encoded[place] = byte;
        if let Ok(transaction) = Transaction::decode(&encoded) {
            prop_assert_eq!(transaction.encode().unwrap(), encoded);
        }
    }
}
