//! Published vectors: NEP-2 keys and WIFs of `NeoGo`'s key tests, the two keystores of the Web3 Secret Storage definition.
//! And what somebody may do to such files.

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use r3e_proto::api::wallets::{ImportFormat, KeyType, keccak256};
use serde_json::{Value, json};

use super::*;

/// Address, private key, public key, WIF, password, NEP-2.
const NEO: [[&str; 6]; 3] = [
    [
        "NPTmAHDxo6Pkyic8Nvu3kwyXoYJCvcCB6i",
        "7d128a6d096f0c14c3a25a2b0c41cf79661bfcb4a8cc95aaaea28bde4d732344",
        "02028a99826edc0c97d18e22b6932373d908d323aa7f92656a77ec26e8861699ef",
        "L1QqQJnpBwbsPGAuutuzPTac8piqvbR1HRjrY5qHup48TBCBFe4g",
        "city of zion",
        "6PYUUUFei9PBBfVkSn8q7hFCnewWFRBKPxcn6Kz6Bmk3FqWyLyuTQE2XFH",
    ],
    [
        "NMBfzaEq2c5zodiNbLPoohVENARMbJim1r",
        "9ab7e154840daca3a2efadaf0df93cd3a5b51768c632f5433f86909d9b994a69",
        "031d8e1630ce640966967bc6d95223d21f44304133003140c3b52004dc981349c9",
        "L2QTooFoDFyRFTxmtiVHt5CfsXfVnexdbENGDkkrrgTTryiLsPMG",
        "我的密码",
        "6PYUmBuLbdXdnybyNeafUJUrVhoBRZpjHACdY9K2VCNzD5tuX5tXgr9fur",
    ],
    [
        "NfVdwyaJbijrWkRagrvs4eSRQUpP7WpukT",
        "3edee7036b8fd9cef91de47386b191dd76db2888a553e7736bb02808932a915b",
        "02232ce8d2e2063dce0451131851d47421bfc4fc1da4db116fca5302c0756462fa",
        "KyKvWLZsNwBJx5j9nurHYRwhYfdQUu9tTEDsLCUHDbYBL8cHxMiG",
        "MyL33tP@33w0rd",
        "6PYLQ9oCoEWCfuuHkq6xH4tYbi4Pyv9HYUU8WGkFVXtoczwTbitMjypkma",
    ],
];

fn neo(format: ImportFormat, secret: &str, password: Option<&str>) -> Result<WalletSecret, ImportError> {
    import(&Import { key_type: KeyType::Secp256r1, format, secret, password, account: None })
}

fn nep6(secret: &str, password: &str, account: Option<&str>) -> Result<WalletSecret, ImportError> {
    let (key_type, format) = (KeyType::Secp256r1, ImportFormat::Nep6);
    import(&Import { key_type, format, secret, password: Some(password), account })
}

fn keystore(file: &Value, password: &str) -> Result<WalletSecret, ImportError> {
    let (key_type, format) = (KeyType::Secp256k1, ImportFormat::Keystore);
    import(&Import { key_type, format, secret: &file.to_string(), password: Some(password), account: None })
}

fn address(secret: &WalletSecret) -> String {
    secret.key().unwrap().address().to_owned()
}

#[test]
fn neo_keys_of_every_form_are_the_same_key() {
    for [address, private, public, wif, password, encrypted] in NEO {
        for (format, text, password) in [
            (ImportFormat::Hex, private, None),
            (ImportFormat::Wif, wif, None),
            (ImportFormat::Nep2, encrypted, Some(password)),
        ] {
            let secret = neo(format, text, password).unwrap();
            assert_eq!(hex::encode(secret.stored_form().as_slice()), private, "{text}");
            let key = secret.key().unwrap();
            assert_eq!((key.address(), hex::encode(key.public_key())), (address, public.to_owned()));
        }
    }
}

#[test]
fn a_wrong_password_or_a_changed_character_gives_no_key() {
    let [_, _, _, wif, password, encrypted] = NEO[0];
    assert!(matches!(neo(ImportFormat::Nep2, encrypted, Some("city of Zion")), Err(ImportError::Password)));
    assert!(matches!(neo(ImportFormat::Nep2, encrypted, None), Err(ImportError::NoPassword)));
    assert!(matches!(neo(ImportFormat::Wif, wif, Some("x")), Err(ImportError::PasswordOfNone)));
    // The checksum finds every change of one character without any work.
    for at in 0..encrypted.len() {
        let mut changed = encrypted.as_bytes().to_vec();
        changed[at] = if changed[at] == b'z' { b'y' } else { b'z' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            matches!(neo(ImportFormat::Nep2, &changed, Some(password)), Err(ImportError::Nep2)),
            "{changed}"
        );
    }
    for text in ["", "6PY", wif, "0OIl", &"1".repeat(200), &"z".repeat(100)] {
        assert!(matches!(neo(ImportFormat::Nep2, text, Some(password)), Err(ImportError::Nep2)), "{text}");
    }
    // A Bitcoin key of the uncompressed form, Legacy's NEP-2 example, and what is no WIF at all.
    for text in ["", encrypted, "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", &wif[1..]] {
        assert!(matches!(neo(ImportFormat::Wif, text, None), Err(ImportError::Wif)), "{text}");
    }
    let legacy = "6PYVPVe1fQznphjbUxXP9KZJqPMVnVwCx5s5pr5axRJ8uHkMtZg97eT5kL";
    assert!(matches!(
        neo(ImportFormat::Nep2, legacy, Some("TestingOneTwoThree")),
        Err(ImportError::Password)
    ));
}

#[test]
fn numbers_that_are_no_key_are_refused() {
    let of = |key_type, secret: &str| {
        import(&Import { key_type, format: ImportFormat::Hex, secret, password: None, account: None })
    };
    let koblitz = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let random = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for (key_type, order) in [(KeyType::Secp256k1, koblitz), (KeyType::Secp256r1, random)] {
        let below = format!("{}0", &order[..63]);
        assert!(of(key_type, &below).is_ok());
        for wrong in [order, &"0".repeat(64), &"f".repeat(64)] {
            assert!(matches!(of(key_type, wrong), Err(ImportError::Range)), "{wrong}");
        }
    }
    assert!(of(KeyType::Ed25519, &"0".repeat(64)).is_ok());
    assert!(of(KeyType::Secp256k1, &format!("0x{}1", "0".repeat(63))).is_ok());
    for wrong in ["", "0x", "12", &"g".repeat(64), &"1".repeat(63), &"1".repeat(66)] {
        assert!(matches!(of(KeyType::Secp256k1, wrong), Err(ImportError::Hex)), "{wrong}");
    }
    let long = "1".repeat(40_000);
    assert!(matches!(of(KeyType::Secp256k1, &long), Err(ImportError::TooLong { .. })));
    let wif = Import {
        key_type: KeyType::Secp256k1,
        format: ImportFormat::Wif,
        secret: NEO[0][3],
        password: None,
        account: None,
    };
    assert!(matches!(import(&wif), Err(ImportError::KeyType { .. })));
}

fn wallet() -> Value {
    let account = |at: usize| {
        let [address, .., encrypted] = NEO[at];
        json!({ "address": address, "label": "a", "isDefault": at == 0, "lock": false, "key": encrypted,
            "contract": { "script": "DCEC", "parameters": [], "deployed": false }, "extra": null })
    };
    let watched = json!({ "address": "NNLi44dJNXtDNSBkofB48aTVYtb1zZrNEs", "key": null, "lock": true });
    json!({ "name": "w", "version": "1.0", "scrypt": { "n": 16384, "r": 8, "p": 8 },
        "accounts": [account(0), account(1), watched], "extra": null })
}

#[test]
fn an_account_of_a_wallet_file_is_chosen_by_its_address() {
    let text = wallet().to_string();
    for [own, .., password, _] in [NEO[0], NEO[1]] {
        assert_eq!(address(&nep6(&text, password, Some(own)).unwrap()), own);
    }
    assert!(matches!(nep6(&text, "x", None), Err(ImportError::WhichAccount { count: 2 })));
    let watched = "NNLi44dJNXtDNSBkofB48aTVYtb1zZrNEs";
    assert!(matches!(nep6(&text, "x", Some(watched)), Err(ImportError::NoAccount)));
    let mut one = wallet();
    one["accounts"].as_array_mut().unwrap().remove(1);
    assert_eq!(address(&nep6(&one.to_string(), NEO[0][4], None).unwrap()), NEO[0][0]);
    // The file's address is not its key's.
    one["accounts"][0]["address"] = json!(NEO[1][0]);
    assert!(matches!(nep6(&one.to_string(), NEO[0][4], None), Err(ImportError::Address)));
    // Other parameters than it was made with are a wrong password.
    let mut weak = wallet();
    weak["scrypt"]["n"] = json!(2);
    assert!(matches!(nep6(&weak.to_string(), NEO[0][4], Some(NEO[0][0])), Err(ImportError::Password)));
    for (member, value) in [("version", json!("2.0")), ("scrypt", json!({ "n": 3, "r": 1, "p": 1 }))] {
        let mut wrong = wallet();
        wrong[member] = value;
        assert!(nep6(&wrong.to_string(), "x", Some(NEO[0][0])).is_err());
    }
    let many = json!({ "version": "1.0", "scrypt": { "n": 2, "r": 1, "p": 1 },
        "accounts": vec![json!({ "address": "a", "key": null }); 65] });
    assert!(matches!(nep6(&many.to_string(), "x", None), Err(ImportError::Accounts)));
}

/// The definition's own examples: password `testpassword`.
fn pbkdf2_file() -> Value {
    json!({ "crypto": { "cipher": "aes-128-ctr", "cipherparams": { "iv": "6087dab2f9fdbbfaddc31a909735c1e6" },
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2",
        "kdfparams": { "c": 262_144, "dklen": 32, "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd" },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2" },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3 })
}

fn scrypt_file() -> Value {
    json!({ "Crypto": { "cipher": "aes-128-ctr", "cipherparams": { "iv": "83dbcc02d8ccb40e466191a123791e0e" },
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c", "kdf": "scrypt",
        "kdfparams": { "dklen": 32, "n": 262_144, "r": 1, "p": 8,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19" },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097" },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3, "address": "008aeeda4d805471df9b2a5b0f38a0c3bcba786b" })
}

#[test]
fn the_keystores_of_the_definition() {
    for file in [pbkdf2_file(), scrypt_file()] {
        let secret = keystore(&file, "testpassword").unwrap();
        let expected = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
        assert_eq!(hex::encode(secret.stored_form().as_slice()), expected);
        assert_eq!(address(&secret).to_lowercase(), "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    }
}

#[test]
fn a_keystore_that_was_changed_gives_no_key() {
    let crypto = |change: &dyn Fn(&mut Value)| {
        let mut file = pbkdf2_file();
        // A cheap derivation: what is changed is found before or after it alike.
        change(&mut file["crypto"]);
        keystore(&file, "testpassword")
    };
    assert!(matches!(keystore(&pbkdf2_file(), "testpasswore"), Err(ImportError::Password)));
    let flip = |member: &'static str| {
        move |value: &mut Value| {
            let mut text = value[member].as_str().unwrap().to_owned().into_bytes();
            text[10] = if text[10] == b'0' { b'1' } else { b'0' };
            value[member] = json!(String::from_utf8(text).unwrap());
        }
    };
    assert!(matches!(crypto(&flip("ciphertext")), Err(ImportError::Password)));
    assert!(matches!(crypto(&flip("mac")), Err(ImportError::Password)));
    assert!(matches!(crypto(&|c| c["kdfparams"]["c"] = json!(262_143)), Err(ImportError::Password)));
    // The initial vector is not under the MAC: the address finds it, where the file has one.
    let mut file = pbkdf2_file();
    file["address"] = json!("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
    assert!(keystore(&file, "testpassword").is_ok());
    file["crypto"]["cipherparams"]["iv"] = json!("7087dab2f9fdbbfaddc31a909735c1e6");
    assert!(matches!(keystore(&file, "testpassword"), Err(ImportError::Address)));
    for (member, value) in [
        ("cipher", json!("aes-128-cbc")),
        ("kdf", json!("argon2")),
        ("kdf", json!("scrypt")),
        ("ciphertext", json!("00")),
        ("mac", json!("zz")),
    ] {
        assert!(
            matches!(crypto(&|c| c[member] = value.clone()), Err(ImportError::Algorithm { .. })),
            "{member}"
        );
    }
    assert!(matches!(crypto(&|c| c["kdfparams"]["dklen"] = json!(16)), Err(ImportError::Algorithm { .. })));
    assert!(matches!(
        crypto(&|c| c["kdfparams"]["prf"] = json!("hmac-md5")),
        Err(ImportError::Algorithm { .. })
    ));
    assert!(matches!(crypto(&|c| c["more"] = json!(1)), Err(ImportError::Json { .. })));
    let mut old = pbkdf2_file();
    old["version"] = json!(1);
    assert!(matches!(keystore(&old, "x"), Err(ImportError::Version)));
    // A member that stands there twice is not a choice for the reader.
    let text = pbkdf2_file().to_string().replacen("\"version\":3", "\"version\":3,\"version\":3", 1);
    let twice = Import {
        key_type: KeyType::Secp256k1,
        format: ImportFormat::Keystore,
        secret: &text,
        password: Some("testpassword"),
        account: None,
    };
    assert!(matches!(import(&twice), Err(ImportError::Json { .. })));
}

#[test]
fn work_that_nobody_should_pay_is_refused_before_it_is_done() {
    let scrypt = |n: u64, r: u64, p: u64| {
        let mut file = scrypt_file();
        file["Crypto"]["kdfparams"]["n"] = json!(n);
        file["Crypto"]["kdfparams"]["r"] = json!(r);
        file["Crypto"]["kdfparams"]["p"] = json!(p);
        keystore(&file, "testpassword")
    };
    for (n, r, p) in [
        (0, 8, 1),
        (1, 8, 1),
        (3, 8, 1),
        (262_143, 8, 1),
        (1 << 22, 8, 1),
        (1 << 40, 1, 1),
        (1 << 63, 8, 8),
        (2, 1 << 20, 2),
        (2, 1, (1 << 20) + 1),
        (1 << 18, 8, 2),
        (16_384, 0, 8),
        (16_384, 8, 0),
        (2, u64::from(u32::MAX), u64::from(u32::MAX)),
    ] {
        let begun = std::time::Instant::now();
        assert!(matches!(scrypt(n, r, p), Err(ImportError::Scrypt)), "{n} {r} {p}");
        assert!(begun.elapsed().as_secs() < 5, "{n} {r} {p} was worked on");
    }
    for iterations in [0, 2_000_001, u32::MAX] {
        let mut file = pbkdf2_file();
        file["crypto"]["kdfparams"]["c"] = json!(iterations);
        assert!(matches!(keystore(&file, "testpassword"), Err(ImportError::Pbkdf2)), "{iterations}");
    }
    let mut salty = pbkdf2_file();
    salty["crypto"]["kdfparams"]["salt"] = json!("00".repeat(65));
    assert!(matches!(keystore(&salty, "x"), Err(ImportError::TooLong { .. })));
    let long = "x".repeat(1_025);
    assert!(matches!(keystore(&pbkdf2_file(), &long), Err(ImportError::TooLong { .. })));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(nep6(&deep, "x", None), Err(ImportError::Json { .. })));
}

/// A keystore of this key under an empty password and one iteration, so that thousands can be opened.
fn cheap_keystore(key: [u8; 32]) -> String {
    let derived = kdf::pbkdf2_sha256::<32>(b"", &[1; 32], 1).unwrap();
    let (cipher_key, mac_key) = derived.split_at(16);
    let mut ciphertext = key;
    let cipher = EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, cipher_key).unwrap()).unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from([2; 16]));
    cipher.less_safe_encrypt(&mut ciphertext, context).unwrap();
    let secret = plain_key(key);
    json!({ "version": 3, "address": address(&secret), "crypto": { "cipher": "aes-128-ctr",
        "cipherparams": { "iv": "02".repeat(16) }, "ciphertext": hex::encode(ciphertext), "kdf": "pbkdf2",
        "kdfparams": { "c": 1, "dklen": 32, "prf": "hmac-sha256", "salt": "01".repeat(32) },
        "mac": hex::encode(keccak256(&[mac_key, &ciphertext])) } })
    .to_string()
}

fn plain_key(key: [u8; 32]) -> WalletSecret {
    let (key_type, format) = (KeyType::Secp256k1, ImportFormat::Hex);
    import(&Import { key_type, format, secret: &hex::encode(key), password: None, account: None }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// However a file is changed, it gives its own key or none: never another one, and never a panic.
    #[test]
    fn a_changed_file_gives_its_own_key_or_none(at: Index, byte: u8, cut in proptest::option::of(any::<Index>())) {
        let key = [7; 32];
        let mut bytes = cheap_keystore(key).into_bytes();
        let length = bytes.len();
        bytes[at.index(length)] = byte;
        bytes.truncate(cut.map_or(length, |cut| cut.index(length)));
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let (key_type, format) = (KeyType::Secp256k1, ImportFormat::Keystore);
        let opened = import(&Import { key_type, format, secret: &text, password: Some(""), account: None });
        if let Ok(opened) = opened {
            prop_assert_eq!(opened.stored_form().to_vec(), key.to_vec());
        }
    }

    /// Any text at all is a key or an error.
    #[test]
    fn any_text_is_a_key_or_an_error(text: String, key_type in select(vec![KeyType::Secp256k1, KeyType::Secp256r1, KeyType::Ed25519])) {
        for format in [ImportFormat::Hex, ImportFormat::Wif, ImportFormat::Nep2, ImportFormat::Nep6, ImportFormat::Keystore] {
            for password in [None, Some("x")] {
                let opened = import(&Import { key_type, format, secret: &text, password, account: None });
                prop_assert!(opened.is_err());
            }
        }
    }
}
