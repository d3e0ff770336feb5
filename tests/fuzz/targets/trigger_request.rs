//! Requests that strangers send to a public route. None is believed whose tag was not made with the key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::triggers::{Auth, Hmac, Scheme, SentKey};
use r3e_triggers::signature::{SIGNATURE_HEADER, Signed, believe};

const NOW_MS: u64 = 1_700_000_000_000;

fuzz_target!(|input: (&str, &str, &str, &[u8])| {
    let (value, id, time, body) = input;
    let pairs = [
        (SIGNATURE_HEADER, value),
        ("webhook-signature", value),
        ("webhook-id", id),
        ("webhook-timestamp", time),
        ("authorization", value),
    ];
    let headers: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = Signed { headers: &headers, body };
    // A key that no fuzzer guesses tags of.
    let secret = b"whsec_mzgxRcGYFvTCMEfvLPxCnkjM2PqUQhJdvGO7HlGKWRE=";
    for scheme in [Scheme::Standard, Scheme::Timestamped] {
        let auth = Auth::Hmac(Hmac { secret: "S".into(), scheme, tolerance_s: 300, header: None });
        assert!(believe(&auth, secret, request, NOW_MS).is_err());
    }
    let auth = Auth::ApiKey(SentKey { secret: "S".into(), header: Some("authorization".into()) });
    let believed = believe(&auth, secret, request, NOW_MS).is_ok();
    assert_eq!(believed, value.strip_prefix("Bearer ").is_some_and(|sent| sent.as_bytes() == secret));
});
