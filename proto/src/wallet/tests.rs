//! Published vectors: EIP-155, EIP-191, EIP-712, EIP-55, and EIP-1559 transactions that `eth-account` 0.13 signed.

use proptest::prelude::*;

use super::*;
use crate::api::wallets::{
    AccessEntry, Eip712Domain, EvmAddress, EvmTransaction, Fee, Hash32, HexBytes, TypedData, ValueError, Wei,
};

fn bytes(text: &str) -> HexBytes {
    text.parse().unwrap()
}

fn hash(text: &str) -> Hash32 {
    text.parse().unwrap()
}

fn evm(payload: &Payload) -> String {
    Hash32(digest(KeyType::Secp256k1, payload).unwrap()).to_string()
}

/// The example of EIP-155.
fn legacy() -> EvmTransaction {
    EvmTransaction {
        chain_id: 1,
        nonce: 9,
        to: Some("0x3535353535353535353535353535353535353535".parse().unwrap()),
        value: Wei(1_000_000_000_000_000_000),
        data: HexBytes::default(),
        gas_limit: 21_000,
        fee: Fee::Legacy { gas_price: Wei(20_000_000_000) },
        access_list: Vec::new(),
    }
}

fn eip1559() -> EvmTransaction {
    let to: EvmAddress = "0xF0109fC8DF283027b6285cc889F5aA624EaC1F55".parse().unwrap();
    let mut data = vec![0xa9, 0x05, 0x9c, 0xbb];
    data.extend([0; 63]);
    data.push(1);
    let slots = vec![Hash32(std::array::from_fn(|at| if at == 31 { 5 } else { 0 })), Hash32([0xff; 32])];
    EvmTransaction {
        chain_id: 138,
        nonce: 7,
        to: Some(to),
        value: Wei(1_000_000_000_000_000_000),
        data: HexBytes(data),
        gas_limit: 90_000,
        fee: Fee::Eip1559 {
            max_fee_per_gas: Wei(30_000_000_000),
            max_priority_fee_per_gas: Wei(1_000_000_000),
        },
        access_list: vec![
            AccessEntry { address: to, storage_keys: slots },
            AccessEntry { address: EvmAddress([0x35; 20]), storage_keys: Vec::new() },
        ],
    }
}

#[test]
fn the_transaction_of_eip_155() {
    let expected = "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
    assert_eq!(evm(&Payload::EvmTransaction(legacy())), expected);
    let r = hash("0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
    let s = hash("0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
    let signed = HexBytes(signed_transaction(&legacy(), &r.0, &s.0, false));
    assert_eq!(
        signed.to_string(),
        "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc21\
         95fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );
}

#[test]
fn transactions_of_eip_1559_as_another_implementation_signs_them() {
    let creation = EvmTransaction {
        chain_id: 1,
        nonce: 0,
        to: None,
        value: Wei(0),
        data: HexBytes(vec![0x60; 300]),
        gas_limit: 500_000,
        fee: Fee::Eip1559 { max_fee_per_gas: Wei(1_000_000_000), max_priority_fee_per_gas: Wei(0) },
        access_list: Vec::new(),
    };
    let call = [
        "0xd4084397cb95f6bb9467375a9144f0ee570c5680ba8682fc3cbc2c5e170fc982",
        "0x7f9686aba7b324b848a46e94941d3bb83c01bdbf49b478ce9c83d6843a31b19a",
        "0x02f9012d818a07843b9aca008506fc23ac0083015f9094f0109fc8df283027b6285cc889f5aa624eac1f55880de0b6b3a7\
         640000b844a9059cbb0000000000000000000000000000000000000000000000000000000000000000000000000000000000\
         0000000000000000000000000000000000000000000001f872f85994f0109fc8df283027b6285cc889f5aa624eac1f55f842\
         a00000000000000000000000000000000000000000000000000000000000000005a0ffffffffffffffffffffffffffffffff\
         ffffffffffffffffffffffffffffffffd6943535353535353535353535353535353535353535c001a0d4084397cb95f6bb94\
         67375a9144f0ee570c5680ba8682fc3cbc2c5e170fc982a07f9686aba7b324b848a46e94941d3bb83c01bdbf49b478ce9c83\
         d6843a31b19a",
        "0x41cb0b2683ce1b2ca002b4b62baed8bc179581275f54b1fe37834c3af5b4609c",
    ];
    let create = [
        "0xc423131943a722cf7b86b0cf7a7a2fb9a84ade8d4dba62d0db42154447905260",
        "0x328cc84bdd05e80310840521e39e4db3750f956e30c3242b06b2de40825d7327",
        "0x02f90181018080843b9aca008307a1208080b9012c60606060606060606060606060606060606060606060606060606060\
         6060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060\
         6060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060\
         6060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060\
         6060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060\
         6060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060\
         60606060606060606060606060606060606060606060c001a0c423131943a722cf7b86b0cf7a7a2fb9a84ade8d4dba62d0db\
         42154447905260a0328cc84bdd05e80310840521e39e4db3750f956e30c3242b06b2de40825d7327",
        "0xc72de624eab3d36869b25c4beec2b2426d9b95c70136a79937aef0163824d8c4",
    ];
    for (transaction, [r, s, signed, name]) in [(eip1559(), call), (creation, create)] {
        let made = signed_transaction(&transaction, &hash(r).0, &hash(s).0, true);
        assert_eq!(HexBytes(made.clone()).to_string(), signed);
        assert_eq!(Hash32(transaction_hash(&made)).to_string(), name);
        assert!(digest(KeyType::Secp256k1, &Payload::EvmTransaction(transaction)).is_ok());
    }
}

#[test]
fn the_message_of_eip_191() {
    let message = |text: &str| Payload::Message { bytes: HexBytes(text.as_bytes().to_vec()) };
    for (text, expected) in [
        ("Hello World", "0xa1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2"),
        ("Some data", "0x1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"),
    ] {
        assert_eq!(evm(&message(text)), expected);
    }
    // Neo's form of the same message is another digest, whatever its length's form.
    let lengths = [0, 1, 0xfc, 0xfd, 0xffff, 0x1_0000];
    let digests = lengths.map(|length| {
        let payload = Payload::Message { bytes: HexBytes(vec![b'a'; length]) };
        digest(KeyType::Secp256r1, &payload).unwrap()
    });
    let of = |bytes: &[u8]| -> [u8; 32] { Sha256::digest(bytes).into() };
    assert_eq!(digests[0], of(&[1, 0, 1, 0xf0, 0, 0, 0]));
    assert_eq!(digests[1], of(&[1, 0, 1, 0xf0, 1, b'a', 0, 0]));
    let long = [&[1, 0, 1, 0xf0, 0xfd, 0xfd, 0], [b'a'; 0xfd].as_slice(), &[0, 0]].concat();
    assert_eq!(digests[3], of(&long));
}

/// The example of EIP-712.
fn mail() -> TypedData {
    TypedData {
        domain: Eip712Domain {
            name: Some("Ether Mail".into()),
            version: Some("1".into()),
            chain_id: 1,
            verifying_contract: "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC".parse().unwrap(),
            salt: None,
        },
        struct_hash: hash("0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"),
    }
}

#[test]
fn the_mail_of_eip_712() {
    let expected = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2";
    assert_eq!(evm(&Payload::TypedData(mail())), expected);
    // Every part of the domain counts, and so does whether it is there.
    let changes: [fn(&mut Eip712Domain); 6] = [
        |domain| domain.name = None,
        |domain| domain.version = Some("2".into()),
        |domain| domain.version = None,
        |domain| domain.chain_id = 2,
        |domain| domain.verifying_contract = EvmAddress([0; 20]),
        |domain| domain.salt = Some(Hash32([0; 32])),
    ];
    for change in changes {
        let mut typed = mail();
        change(&mut typed.domain);
        assert_ne!(evm(&Payload::TypedData(typed)), expected);
    }
}

#[test]
fn addresses_of_eip_55() {
    for text in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
    ] {
        let address: EvmAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        assert_eq!(text.to_lowercase().parse(), Ok(address));
    }
    let wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
    assert_eq!(wrong.parse::<EvmAddress>(), Err(ValueError::Checksum));
    for wrong in
        ["", "0x", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea"]
    {
        assert_eq!(wrong.parse::<EvmAddress>(), Err(ValueError::Hex { digits: 40 }), "{wrong}");
    }
}

#[test]
fn amounts_have_one_form() {
    assert_eq!("340282366920938463463374607431768211455".parse(), Ok(Wei(u128::MAX)));
    assert_eq!("0".parse(), Ok(Wei(0)));
    for wrong in ["", "-1", "+1", "01", "1.0", "1e3", "0x1", " 1", "340282366920938463463374607431768211456"]
    {
        assert_eq!(wrong.parse::<Wei>(), Err(ValueError::Amount), "{wrong:?}");
    }
}

#[test]
fn what_no_policy_could_allow_is_refused() {
    let refused = |change: fn(&mut EvmTransaction)| {
        let mut transaction = eip1559();
        change(&mut transaction);
        digest(KeyType::Secp256k1, &Payload::EvmTransaction(transaction)).unwrap_err()
    };
    assert_eq!(refused(|t| t.chain_id = 0), PayloadError::NoChain);
    assert_eq!(refused(|t| t.fee = Fee::Legacy { gas_price: Wei(1) }), PayloadError::AccessList);
    let priority = |t: &mut EvmTransaction| {
        t.fee = Fee::Eip1559 { max_fee_per_gas: Wei(1), max_priority_fee_per_gas: Wei(2) };
    };
    assert_eq!(refused(priority), PayloadError::Priority);
    assert_eq!(refused(|t| t.value = Wei(u128::MAX)), PayloadError::Overflow);
    let dear = |t: &mut EvmTransaction| {
        t.fee = Fee::Eip1559 { max_fee_per_gas: Wei(u128::MAX), max_priority_fee_per_gas: Wei(0) };
    };
    assert_eq!(refused(dear), PayloadError::Overflow);
    let long = |t: &mut EvmTransaction| t.data = HexBytes(vec![0; 128 * 1024 + 1]);
    assert!(matches!(refused(long), PayloadError::TooLong { .. }));
    let wide = |t: &mut EvmTransaction| {
        t.access_list = vec![AccessEntry { address: EvmAddress([0; 20]), storage_keys: Vec::new() }; 513];
    };
    assert!(matches!(refused(wide), PayloadError::TooLong { .. }));
    let message = Payload::Message { bytes: HexBytes(vec![0; 64 * 1024 + 1]) };
    for key_type in [KeyType::Secp256k1, KeyType::Secp256r1] {
        assert!(matches!(digest(key_type, &message), Err(PayloadError::TooLong { .. })));
    }
}

#[test]
fn each_key_type_signs_its_own_kinds() {
    let payloads = [
        Payload::EvmTransaction(eip1559()),
        Payload::Message { bytes: bytes("0x00") },
        Payload::TypedData(mail()),
        Payload::Digest { digest: Hash32([7; 32]) },
        Payload::Bytes { bytes: bytes("0x00") },
    ];
    let signs = |key_type| payloads.each_ref().map(|payload| digest(key_type, payload).is_ok());
    assert_eq!(signs(KeyType::Secp256k1), [true, true, true, true, false]);
    assert_eq!(signs(KeyType::Secp256r1), [false, true, false, true, false]);
    assert_eq!(signs(KeyType::Ed25519), [false, false, false, false, true]);
}

#[test]
fn json_that_says_too_little_or_too_much_is_refused() {
    let good = serde_json::to_value(Payload::EvmTransaction(eip1559())).unwrap();
    let read = |value: serde_json::Value| serde_json::from_str::<Payload>(&value.to_string());
    assert_eq!(read(good.clone()).unwrap(), Payload::EvmTransaction(eip1559()));
    let with = |change: fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut value = good.clone();
        change(value.as_object_mut().unwrap());
        read(value)
    };
    // A recipient that is forgotten must not become a contract's creation.
    assert!(with(|t| drop(t.remove("to"))).is_err());
    assert!(with(|t| drop(t.insert("to".into(), serde_json::Value::Null))).is_ok());
    assert!(with(|t| drop(t.insert("gasLimit".into(), 1.into()))).is_err());
    assert!(with(|t| drop(t.insert("value".into(), 1.into()))).is_err());
    assert!(with(|t| drop(t.remove("chain_id"))).is_err());
    let text = good.to_string();
    let twice = text.replacen("\"nonce\":7", "\"nonce\":7,\"nonce\":8", 1);
    assert_ne!(twice, text);
    assert!(serde_json::from_str::<Payload>(&twice).is_err());
}

proptest! {
    /// Two transactions that differ in a field never have one digest.
    #[test]
    fn every_field_is_signed(nonce: u64, value in 0..u128::from(u64::MAX), gas: u32, chain in 1..u64::MAX, data: Vec<u8>) {
        let base = eip1559();
        let changed = EvmTransaction {
            nonce, value: Wei(value), gas_limit: u64::from(gas), chain_id: chain, data: HexBytes(data), ..base.clone()
        };
        let same = changed == base;
        let digests = [base, changed].map(|t| evm(&Payload::EvmTransaction(t)));
        prop_assert_eq!(digests[0] == digests[1], same);
    }
}

#[test]
fn contracts_are_named_by_who_creates_them() {
    let account: EvmAddress = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0".parse().unwrap();
    for (nonce, contract) in [
        (0, "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
        (1, "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
        (2, "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
    ] {
        assert_eq!(created_contract(&account, nonce), contract.parse().unwrap());
    }
}
