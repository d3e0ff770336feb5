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
            KeyPath::wallet("acme", "eip155-138", &[0; 32]).unwrap(),
            "r3e/1/wallet/acme/eip155-138/0000000000000000000000000000000000000000000000000000000000000000",
            "5f739799062f2d7ddf1e6a94d5f0ff823f83bebc10739d34e4611ecea722813c",
            "9b1034fab82b467ebe8b4968b883548ba30e41fb00d49f77e8e048ffbbe3e2dc",
        ),
        (
            KeyPath::wallet("3fa9", "neo/n3", &[7; 32]).unwrap(),
            "r3e/1/wallet/%33fa9/neo%2Fn3/0707070707070707070707070707070707070707070707070707070707070707",
            "d086639d765ac8cf7cea383f2ee4b7abace8bb3d0cad64dd8289734733d55f34",
            "cfb26a5e242f82468a9818652be2c23923536de993dd5cfe1d474486250aa9ff",
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
