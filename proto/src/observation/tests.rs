//! Observations: one form, and a digest that every field is in. What other implementations say is in `tests/observation.rs`.

use std::collections::HashSet;

use super::*;
use crate::api::feeds::Target;
use crate::report::{FeedId, Report};

const TARGETS: [&str; 4] = [
    "eip155:1:0x0000000000000000000000000000000000000001",
    "eip155:2:0x0000000000000000000000000000000000000001",
    "neo-n3:1:0x0000000000000000000000000000000000000001",
    "neo-n3:2:0x0000000000000000000000000000000000000001",
];

fn one() -> Observation {
    Observation {
        function: "rates".to_owned(),
        url: "https://api.example.com/v1/rate?of=EUR".to_owned(),
        path: "data.rate".to_owned(),
        value: "1.0830".to_owned(),
        status: 200,
        observed_at_s: 1_763_000_000,
        certificate: Hash32([1; 32]),
        response_hash: Hash32([2; 32]),
        request_hash: Hash32([3; 32]),
    }
}

type Change = fn(&mut Observation);

#[test]
fn every_field_is_signed_for_every_target() {
    let changes: [Change; 11] = [
        |_| (),
        |one| one.function.push('x'),
        |one| one.url.push('x'),
        |one| one.path.push('x'),
        |one| one.value.push('x'),
        |one| one.status = 201,
        |one| one.observed_at_s += 1,
        |one| one.certificate.0[31] ^= 1,
        |one| one.response_hash.0[31] ^= 1,
        |one| one.request_hash.0[31] ^= 1,
        // Where one text ends and the next begins.
        |one| (one.path, one.value) = ("data.rate1".to_owned(), ".0830".to_owned()),
    ];
    let targets = TARGETS.map(|target| target.parse::<Target>().unwrap());
    let mut digests = HashSet::new();
    for change in changes {
        let mut other = one();
        change(&mut other);
        other.check().unwrap();
        for target in targets.iter().map(Some).chain([None]) {
            assert!(digests.insert(other.digest(target).unwrap()), "{other:?} {target:?}");
        }
    }
    let report = Report {
        feed_id: FeedId([0; 32]),
        answer: 0,
        confidence: 0,
        decimals: 0,
        observed_at_s: 0,
        valid_until_s: 0,
        sequence: 1,
        sources: 1,
        config_digest: [0; 32],
    };
    assert!(targets.iter().all(|target| digests.insert(target.digest(&report).unwrap())));
    let Target::Evm(mut nowhere) = targets[0] else { panic!("a target of Ethereum's") };
    nowhere.chain_id = 0;
    assert!(one().digest(Some(&Target::Evm(nowhere))).is_err(), "no chain");
}

#[test]
fn what_is_no_observation() {
    let long = |bytes: usize| "x".repeat(bytes);
    one().check().unwrap();
    let bare = Observation { path: String::new(), value: String::new(), ..one() };
    bare.check().unwrap();
    Observation { value: String::new(), ..one() }.check().unwrap();
    let broken = [
        Observation { function: String::new(), ..one() },
        Observation { function: "a b".to_owned(), ..one() },
        Observation { url: "http://api.example.com/".to_owned(), ..one() },
        Observation { url: "https://api.example.com/\u{202e}".to_owned(), ..one() },
        Observation { url: format!("https://{}", long(MAX_OBSERVED_URL_BYTES)), ..one() },
        Observation { path: long(MAX_OBSERVED_PATH_BYTES + 1), ..one() },
        Observation { path: "a b".to_owned(), ..one() },
        Observation { value: long(MAX_OBSERVED_VALUE_BYTES + 1), ..one() },
        Observation { path: String::new(), ..one() },
        Observation { status: 199, ..one() },
        Observation { status: 300, ..one() },
        Observation { status: 206, ..one() },
        Observation { status: 226, ..one() },
        Observation { observed_at_s: 1 << 63, ..one() },
    ];
    for one in broken {
        assert!(one.check().is_err(), "{one:?}");
    }
}

#[test]
fn a_request_is_its_headers_too() {
    let hash = |headers: &[(&str, &[u8])]| request_hash("GET", "https://a.example/", headers.iter().copied());
    let both = hash(&[("accept", b"a"), ("x-key", b"k")]);
    assert_eq!(both, hash(&[("X-Key", b"k"), ("Accept", b"a")]), "names have no order and no case");
    assert_ne!(hash(&[("a", b"1"), ("a", b"2")]), hash(&[("a", b"2"), ("a", b"1")]), "values have");
    let others = [
        both,
        hash(&[]),
        hash(&[("accept", b"a")]),
        hash(&[("accept", b"ax"), ("-key", b"k")]),
        hash(&[("accept", b"a"), ("x-key", b"\xff")]),
        request_hash("GET", "https://b.example/", []),
        request_hash("HEAD", "https://a.example/", []),
    ];
    assert_eq!(others.iter().collect::<HashSet<_>>().len(), others.len());
}
