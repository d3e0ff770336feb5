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
    let table: [(KeyPath, &str, &str, &str); 7] = [
        (
            KeyPath::seal(0),
            "r3e/1/seal/0",
            "45e43606335d57774abad98f8d60a77cd9bec11b118352ba88fd646b3d587edd",
            "efdf775c54c9e206dd253b6396d61c3d266c9e6fafd868bccc04e2e0d0141993",
        ),
        (
            KeyPath::seal(1),
            "r3e/1/seal/1",
            "fc976e14d22072182be4b82c68b906a47facc5e0b529e8985f154515d02de34c",
            "670d50024412c4a6242c1830d1215e296c5acfd3e7ba8834d1340728745d6241",
        ),
        (
            KeyPath::seal(u64::MAX),
            "r3e/1/seal/18446744073709551615",
            "992d97e9613b38ceebac72ecd0b6708f9762e95a0fd8be7c454769e74cf12f40",
            "b88e8a2107aa9888e80d3f5f529bfb1f3f8f5bbfbb7d7d596fc1868342c0eaa1",
        ),
        (
            KeyPath::blind(),
            "r3e/1/blind",
            "9a720c527dd31f939dd8af70e11d43ad4382005f89269f3c1b935da24bb14ad5",
            "90ae0850dfdb99489cfe8d052703a728de99c48ce50b7a5da26884615ea28513",
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
