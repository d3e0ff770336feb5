//! Keys and signatures of wallets against published vectors and another implementation's verdict.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::collections::BTreeSet;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use k256::ecdsa::{RecoveryId, VerifyingKey};
use r3e_keys::RootSecret;
use r3e_keys::wallet::gate::{Asker, Asking, Decoded, Gate, Usage};
use r3e_keys::wallet::import::{Import, import};
use r3e_keys::wallet::{Signature, WalletSecret};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{
    ChainRules, EvmTransaction, Fee, Hash32, HexBytes, ImportFormat, KeyType, Payload, Policy, Recipients,
    Wei, Window,
};
use r3e_proto::wallet::approval::WalletRevision;
use r3e_proto::wallet::export_info;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _};
use zeroize::Zeroizing;

const TENANT: TenantId = TenantId([7; 16]);
const KEY_TYPES: [KeyType; 3] = [KeyType::Secp256k1, KeyType::Secp256r1, KeyType::Ed25519];

fn root(byte: u8) -> RootSecret {
    RootSecret::from_recovered(&Zeroizing::new([byte; 32]))
}

fn private(key_type: KeyType, secret: &str) -> WalletSecret {
    import(&Import { key_type, format: ImportFormat::Hex, secret, password: None, account: None }).unwrap()
}

/// A policy that allows everything of one chain.
fn open() -> Policy {
    let wide = Wei(u128::MAX);
    let chain = |chain_id| ChainRules {
        chain_id,
        recipients: Recipients::Any,
        creation: true,
        max_value: wide,
        max_fee: wide,
        max_data_bytes: u32::MAX,
        max_spend: wide,
    };
    Policy {
        chains: vec![chain(1), chain(138)],
        messages: true,
        neo: Vec::new(),
        typed_data: vec![],
        raw: true,
        window: Window { seconds: 1, max_signatures: 1_000 },
        api_keys: false,
        functions: vec![],
        approval: None,
        export: true,
    }
}

fn gate(policy: &Policy) -> Gate<'_> {
    let wallet = WalletRevision { tenant: TENANT, name: "w", public_key: &[], revision: 1 };
    Gate { wallet, policy }
}

const ASKING: Asking<'static> = Asking { by: Asker::Tenant, now_ms: 1, approvals: &[] };

fn sign(secret: &WalletSecret, payload: &Payload) -> Signature {
    let decoded = Decoded::of(secret.key_type(), payload).unwrap();
    let policy = open();
    let allowed = gate(&policy).sign(decoded, &Usage::default(), &ASKING).unwrap();
    secret.key().unwrap().sign(&allowed).unwrap()
}

fn id(number: u8) -> Hash32 {
    Hash32([number; 32])
}

fn message(text: &str) -> Payload {
    Payload::Message { bytes: HexBytes(text.as_bytes().to_vec()) }
}

#[test]
fn derivation_is_the_same_for_ever_and_different_for_everything() {
    let derived = |root: &RootSecret, tenant, key_type, index| {
        let secret = WalletSecret::derive(root, tenant, key_type, &id(index)).unwrap();
        hex::encode(secret.stored_form().as_slice())
    };
    let mut seen = BTreeSet::new();
    for root in [root(1), root(2)] {
        for tenant in [TENANT, TenantId([8; 16])] {
            for key_type in KEY_TYPES {
                for index in [0, 1, u8::MAX] {
                    let one = derived(&root, tenant, key_type, index);
                    assert_eq!(one, derived(&root, tenant, key_type, index));
                    assert!(seen.insert(one));
                }
            }
        }
    }
    // Written down: a change here would lose every derived wallet.
    let addresses = KEY_TYPES.map(|key_type| {
        WalletSecret::derive(&root(1), TENANT, key_type, &id(0)).unwrap().key().unwrap().address().to_owned()
    });
    assert_eq!(addresses, PINNED);
}

const PINNED: [&str; 3] = [
    "0x8a35c905E5C06E75a4C2621fB7cd98fB5D6fd4B4",
    "NatKAnZBsPoRN9Kqi2so3dGjep4yM2yTKa",
    "c5d6d7d46048e30e3f5f3bd1c0fa8e26ff162e9e532e92bde50ef36d60e6c833",
];

#[test]
fn signatures_that_others_have_published() {
    // The examples of web3.js, signed with RFC 6979's nonces.
    let secret =
        private(KeyType::Secp256k1, "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318");
    assert_eq!(secret.key().unwrap().address(), "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
    let signed = sign(&secret, &message("Some data"));
    assert_eq!(
        hex::encode(&signed.bytes),
        "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a\
         5f5d4300f8e1a0291c"
    );
    let transaction = EvmTransaction {
        chain_id: 1,
        nonce: 0,
        to: Some("0xF0109fC8DF283027b6285cc889F5aA624EaC1F55".parse().unwrap()),
        value: Wei(1_000_000_000),
        data: HexBytes::default(),
        gas_limit: 2_000_000,
        fee: Fee::Legacy { gas_price: Wei(234_567_897_654_321) },
        access_list: vec![],
    };
    let signed = sign(&secret, &Payload::EvmTransaction(transaction.clone()));
    assert_eq!(
        hex::encode(signed.transaction.unwrap()),
        "f86a8086d55698372431831e848094f0109fc8df283027b6285cc889f5aa624eac1f55843b9aca008025a009ebb6ca057a0535d6186462bc\
         0b465b561c94a295bdb0621fc19208ab149a9ca0440ffd775ce91a833ab410777204d5341a6f9fa91216a6f3ee2c051fea6a0428"
    );

    // RFC 6979, A.2.5: P-256 with SHA-256, "sample".
    let secret =
        private(KeyType::Secp256r1, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let sample = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"sample");
    let digest = Hash32(sample.as_ref().try_into().unwrap());
    assert_eq!(
        hex::encode(sign(&secret, &Payload::Digest { digest }).bytes),
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff406\
         4dc4ab2f843acda8"
    );

    // RFC 8032, 7.1, test 3.
    let secret =
        private(KeyType::Ed25519, "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    assert_eq!(
        hex::encode(sign(&secret, &Payload::Bytes { bytes: HexBytes(vec![0xaf, 0x82]) }).bytes),
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d\
         c027beceea1ec40a"
    );
}

#[test]
fn signatures_hold_for_other_implementations_and_recover_their_key() {
    for number in 0..24 {
        let secret = WalletSecret::derive(&root(3), TENANT, KeyType::Secp256k1, &id(number)).unwrap();
        let signed = sign(&secret, &message(&format!("message {number}")));
        let (rs, v) = signed.bytes.split_at(64);
        let signature = k256::ecdsa::Signature::from_slice(rs).unwrap();
        // EIP-2: the lower s.
        assert_eq!(signature.normalize_s(), signature);
        let recovery = RecoveryId::from_byte(v[0] - 27).unwrap();
        let recovered = VerifyingKey::recover_from_prehash(&signed.digest, &signature, recovery).unwrap();
        assert_eq!(recovered.to_sec1_point(true).as_bytes(), secret.key().unwrap().public_key());

        let secret = WalletSecret::derive(&root(3), TENANT, KeyType::Secp256r1, &id(number)).unwrap();
        let text = format!("message {number}");
        let signed = sign(&secret, &message(&text));
        // aws-lc-rs hashes by itself: the bytes that Neo's wallets hash, whole.
        let length = u8::try_from(text.len()).unwrap();
        let bytes = [&[1, 0, 1, 0xf0, length], text.as_bytes(), &[0, 0]].concat();
        let point = p256::PublicKey::from_sec1_bytes(secret.key().unwrap().public_key()).unwrap();
        let point = p256::ecdsa::VerifyingKey::from(point).to_sec1_point(false);
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes());
        assert!(key.verify(&bytes, &signed.bytes).is_ok());

        let secret = WalletSecret::derive(&root(3), TENANT, KeyType::Ed25519, &id(number)).unwrap();
        let signed = sign(&secret, &Payload::Bytes { bytes: HexBytes(bytes.clone()) });
        let key = secret.key().unwrap();
        assert!(UnparsedPublicKey::new(&ED25519, key.public_key()).verify(&bytes, &signed.bytes).is_ok());
    }
}

#[test]
fn an_export_opens_for_its_recipient_as_this_wallets_key() {
    let suite = DH_KEM_X25519_HKDF_SHA256_AES_256;
    let (public, key) = suite.generate_key_pair().unwrap();
    let (_, another) = suite.generate_key_pair().unwrap();
    let policy = open();
    for key_type in KEY_TYPES {
        let secret = WalletSecret::derive(&root(4), TENANT, key_type, &id(0)).unwrap();
        let recipient = Hash32(public.0.clone().try_into().unwrap());
        let allowed = gate(&policy).export(recipient, &ASKING).unwrap();
        let sealed = secret.seal(&allowed, TENANT, "w").unwrap();
        let public_key = secret.key().unwrap().public_key().to_vec();
        let open = |info: &[u8], key| {
            let encapsulated = EncapsulatedSecret(sealed.encapsulated_key.to_vec());
            suite.open(&encapsulated, info, b"", &sealed.ciphertext, key)
        };
        let info = export_info(TENANT, "w", &public_key);
        assert_eq!(open(&info, &key).unwrap(), *secret.stored_form());
        assert!(open(&info, &another).is_err());
        assert!(open(&export_info(TENANT, "x", &public_key), &key).is_err());
        assert!(open(&export_info(TenantId([0; 16]), "w", &public_key), &key).is_err());
    }
    // A point of small order: everybody could open what is encrypted to it.
    let secret = WalletSecret::derive(&root(4), TENANT, KeyType::Ed25519, &id(0)).unwrap();
    for point in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let allowed = gate(&policy).export(Hash32(point), &ASKING).unwrap();
        assert!(secret.seal(&allowed, TENANT, "w").is_err());
    }
}

#[test]
fn records_hold_keys_or_nothing() {
    for key_type in KEY_TYPES {
        let secret = WalletSecret::derive(&root(5), TENANT, key_type, &id(0)).unwrap();
        let stored = secret.stored_form();
        let read = WalletSecret::from_stored(key_type, &stored).unwrap();
        assert_eq!(read.key().unwrap().address(), secret.key().unwrap().address());
        for wrong in [&stored[..31], &[], &[stored.as_slice(), &[0]].concat()] {
            assert!(WalletSecret::from_stored(key_type, wrong).is_err());
        }
        let shown = format!("{secret:?} {:?}", secret.key().unwrap());
        assert!(!shown.contains(&hex::encode(stored.as_slice())), "{shown}");
    }
    assert!(WalletSecret::from_stored(KeyType::Secp256k1, &[0; 32]).is_err());
    assert!(WalletSecret::from_stored(KeyType::Secp256r1, &[0xff; 32]).is_err());
}
