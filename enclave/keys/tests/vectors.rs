//! Fixed roots give fixed keys: these vectors were made by an independent HKDF (RFC 5869 on Python's `hmac`) and an
//! independent Ed25519. A change here loses every sealed state in the field.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_keys::{KeyPath, ReportKey, RootSecret};
use zeroize::Zeroizing;

fn counting_root() -> RootSecret {
    RootSecret::from_recovered(&Zeroizing::new(std::array::from_fn(|index| u8::try_from(index).unwrap())))
}

fn ones_root() -> RootSecret {
    RootSecret::from_recovered(&Zeroizing::new([0xff; 32]))
}

#[test]
fn derivations_match_an_independent_hkdf() {
    let table: [(KeyPath, &str, &str, &str); 4] = [
        (
            KeyPath::state(),
            "r3e/1/state",
            "8f1e0d3309341cf1082fce21abd67f5e6df6049a4e50378bc4caa0cd1c17ca70",
            "7887df297ebb50687c895139b6da7faf488560f3df09d68eabe26863bed6d836",
        ),
        (
            KeyPath::report(),
            "r3e/1/report",
            "7985beba9cbbd0bbf39a8d726fa5abb56bd19f8067d19544421bf8d92bc8203f",
            "8098b5ef1d94f84e9702bcbf0b111930136fe58252a7c84b78ebf9bdbc5b1eb7",
        ),
        (
            KeyPath::wallet("acme", "eip155-138", 0).unwrap(),
            "r3e/1/wallet/acme/eip155-138/0",
            "355810354f839cd15a3faf3745f908bd6c66e485e1d8de21cb1f13cbf1d2408b",
            "4d014c31c70631e8e89f5891387f64df641e7c70200bc5f009d0caf33d3758f8",
        ),
        (
            KeyPath::wallet("3fa9", "neo/n3", 7).unwrap(),
            "r3e/1/wallet/%33fa9/neo%2Fn3/7",
            "3e7071f70e9fe3c40168e6f375a480322e57382d2723eea31700f14542b6c0d1",
            "1a2966d0834973154137ca5a31d5b45dcdeee7a0f35cdbf3a2db28949a110444",
        ),
    ];
    for (path, text, counting, ones) in table {
        assert_eq!(path.as_str(), text);
        assert_eq!(hex::encode(*counting_root().derive(&path).unwrap()), counting, "{path}");
        assert_eq!(hex::encode(*ones_root().derive(&path).unwrap()), ones, "{path}");
    }
}

#[test]
fn the_commitment_matches_an_independent_hkdf() {
    for (root, commitment) in [
        (counting_root(), "a2aaadaf38984fe9569a8b27ca76260e369f3c254797072b2f2a6b25c1b5b874"),
        (ones_root(), "77b1d09c538211653ea4608ebd47072121a876adf138429a48e52f993b22336a"),
    ] {
        assert_eq!(hex::encode(root.commitment().unwrap()), commitment);
        for path in [KeyPath::state(), KeyPath::report()] {
            assert_ne!(
                *root.derive(&path).unwrap(),
                root.commitment().unwrap(),
                "what is public is no key: {path}"
            );
        }
    }
}

#[test]
fn the_report_key_matches_an_independent_ed25519() {
    let key = ReportKey::of(&counting_root()).unwrap();
    assert_eq!(
        hex::encode(key.public_key()),
        "110c2cfd2b01c72edf304031ca3ac2ed27aa02919b90a1ac1d0704ae9e2343c0"
    );
    let signature = key.sign(b"r3e").unwrap();
    assert_eq!(
        hex::encode(signature),
        "f3f45ae57c81076b0a61c87a15fdfc4df248e697e0b42015be0e8615d7fe05e4\
         62168c2ceef48ba78fd5d97863d9f55f8155bcdc50b8c08d88578e7eb430b909"
    );
    let public = UnparsedPublicKey::new(&ED25519, key.public_key());
    public.verify(b"r3e", &signature).unwrap();
    assert!(public.verify(b"r3f", &signature).is_err());
}

#[test]
fn a_message_over_the_limit_is_not_signed() {
    let key = ReportKey::of(&counting_root()).unwrap();
    let limit = r3e_keys::limits::MAX_SIGNED_MESSAGE_BYTES;
    assert!(key.sign(&vec![0; limit]).is_ok());
    assert!(key.sign(&vec![0; limit + 1]).is_err());
}
