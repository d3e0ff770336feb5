//! Releases: what is read is what was written, what breaks a rule is refused, and only distinct keys of the policy whose
//! signatures hold approve.

#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use proptest::prelude::*;
use r3e_proto::WireError;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::limits::MAX_MANIFEST_BYTES;
use r3e_proto::release::{
    Change, HandoffPolicy, ImagePcrs, MAX_CHANGES, MAX_PREDECESSORS, MAX_RELEASE_BYTES, Measured, Outcome,
    Release, ReleaseError, SignedRelease, Version, approval_message,
};

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

struct Signer(Ed25519KeyPair);

impl Signer {
    fn new(number: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap())
    }

    fn key(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().unwrap())
    }

    fn over(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().unwrap()
    }

    fn approve(&self, signed: &mut SignedRelease) {
        signed.add(self.key(), self.over(&approval_message(signed.manifest()))).unwrap();
    }
}

fn keys(numbers: impl IntoIterator<Item = u8>) -> Vec<PublicKey> {
    numbers.into_iter().map(|number| Signer::new(number).key()).collect()
}

fn image(number: u8) -> ImagePcrs {
    [[number; 48], [number + 64; 48], [number + 128; 48]]
}

fn measured(number: u8) -> Measured {
    Measured { configuration: [number; 48], unlock: [number + 64; 48] }
}

/// From an odd number to the even one behind it, each pair apart from every other.
fn change(number: u8) -> Change {
    Change { from: measured(2 * number - 1), to: measured(2 * number) }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn release(predecessors: u8, changes: u8) -> Release {
    Release::new(
        version("1.2.3"),
        image(1),
        42,
        (2..2 + predecessors).map(image).collect(),
        (1..=changes).map(change).collect(),
    )
    .unwrap()
}

/// The file as somebody writes it who keeps no rule: signatures as they are given.
fn file(manifest: &[u8], signatures: &[(PublicKey, [u8; 64])]) -> Vec<u8> {
    use r3e_cbor::{Value, encode};
    let signatures = signatures.iter().map(|(key, signature)| {
        Value::Array(vec![Value::Bytes(key.0.to_vec()), Value::Bytes(signature.to_vec())])
    });
    encode(&Value::Array(vec![
        "r3e/1/signed-release".into(),
        Value::Bytes(manifest.to_vec()),
        Value::Array(signatures.collect()),
    ]))
}

#[test]
fn the_longest_release_is_within_its_limits() {
    let longest = Release::new(
        version(&format!("1.2.3-{}", "a".repeat(58))),
        image(1),
        u64::MAX,
        (2..18).map(image).collect(),
        (1..=16).map(change).collect(),
    )
    .unwrap()
    .for_appliance([0xff; 32]);
    assert!(longest.encode().len() <= MAX_RELEASE_BYTES, "{}", longest.encode().len());
    assert_eq!(Release::decode(&longest.encode()).as_ref(), Ok(&longest));
    let mut signed = SignedRelease::unsigned(&longest);
    (1..=16).for_each(|number| Signer::new(number).approve(&mut signed));
    let bytes = signed.encode();
    assert!(bytes.len() <= MAX_MANIFEST_BYTES, "{}", bytes.len());
    assert_eq!(SignedRelease::decode(&bytes).as_ref(), Ok(&signed));
    let one_more = Signer::new(17);
    let full = signed.add(one_more.key(), [0; 64]);
    assert!(matches!(full, Err(ReleaseError::Wire(WireError::TooLarge { .. }))), "{full:?}");
    let mut seventeen = signed.signatures().to_vec();
    seventeen.push((one_more.key(), [0; 64]));
    let refused = SignedRelease::decode(&file(signed.manifest(), &seventeen));
    assert!(matches!(refused, Err(WireError::TooLarge { what: "signatures", .. })), "{refused:?}");
}

#[test]
fn cut_and_lengthened_files_are_refused() {
    let mut signed = SignedRelease::unsigned(&release(2, 1));
    Signer::new(1).approve(&mut signed);
    for bytes in [release(2, 1).encode(), signed.encode()] {
        let read = |bytes: &[u8]| Release::decode(bytes).is_ok() || SignedRelease::decode(bytes).is_ok();
        assert!(read(&bytes));
        for cut in 0..bytes.len() {
            assert!(!read(&bytes[..cut]), "cut at {cut}");
        }
        assert!(!read(&[bytes.as_slice(), &[0]].concat()));
    }
    assert!(SignedRelease::decode(&release(2, 1).encode()).is_err(), "a release alone is no signed one");
    assert!(matches!(Release::decode(&signed.encode()), Err(WireError::Cbor(_))));
}

#[test]
fn a_release_that_breaks_a_rule_is_refused() {
    let new = |pcrs, predecessors: Vec<ImagePcrs>, changes: Vec<Change>| {
        Release::new(version("1.0.0"), pcrs, 0, predecessors, changes)
    };
    assert!(new(image(1), vec![image(2)], vec![]).is_ok());
    assert!(
        new(image(1), vec![image(1)], vec![]).is_ok(),
        "an image may succeed itself, to change its configuration"
    );
    for (place, debug) in
        [[[0; 48], [1; 48], [2; 48]], [[1; 48], [0; 48], [2; 48]], [[1; 48], [2; 48], [0; 48]]]
            .into_iter()
            .enumerate()
    {
        assert!(new(debug, vec![image(2)], vec![]).is_err(), "successor, PCR{place}");
        assert!(new(image(1), vec![image(2), debug], vec![]).is_err(), "predecessor, PCR{place}");
    }
    assert!(new(image(1), vec![], vec![]).is_err());
    assert!(new(image(1), vec![image(2), image(3), image(2)], vec![]).is_err());
    let many = |count| (2..2 + count).map(image).collect::<Vec<_>>();
    let most = u8::try_from(MAX_PREDECESSORS).unwrap();
    assert!(new(image(1), many(most), vec![]).is_ok());
    assert!(matches!(new(image(1), many(most + 1), vec![]), Err(WireError::TooLarge { .. })));
    let many = |count| (1..=count).map(change).collect::<Vec<_>>();
    let most = u8::try_from(MAX_CHANGES).unwrap();
    assert!(new(image(1), vec![image(2)], many(most)).is_ok());
    assert!(matches!(new(image(1), vec![image(2)], many(most + 1)), Err(WireError::TooLarge { .. })));
    assert!(new(image(1), vec![image(2)], vec![change(1), change(1)]).is_err());
    for zero in
        [Measured { configuration: [0; 48], ..measured(1) }, Measured { unlock: [0; 48], ..measured(1) }]
    {
        for zero in [Change { from: zero, ..change(3) }, Change { to: zero, ..change(3) }] {
            assert!(new(image(1), vec![image(2)], vec![change(2), zero]).is_err());
        }
    }
}

/// Whoever carries a release can use it as often as they like, so that it must not lead back, nor round.
#[test]
fn a_release_goes_one_way() {
    let new = |changes: &[(u8, u8)]| {
        let change = |(from, to): &(u8, u8)| Change { from: measured(*from), to: measured(*to) };
        let changes = changes.iter().map(change).collect();
        Release::new(version("1.0.0"), image(1), 0, vec![image(2)], changes)
    };
    for (case, changes, good) in [
        ("one way", &[(1, 2)][..], true),
        ("two apart", &[(1, 2), (3, 4)], true),
        ("two to one", &[(1, 2), (3, 2)], true),
        ("one to two", &[(1, 2), (1, 3)], true),
        ("to itself", &[(1, 1)], false),
        ("there and back", &[(1, 2), (2, 1)], false),
        ("round", &[(1, 2), (2, 3), (3, 1)], false),
        ("on from there", &[(1, 2), (2, 3)], false),
        ("on from there, the later first", &[(2, 3), (1, 2)], false),
    ] {
        assert_eq!(new(changes).is_ok(), good, "{case}");
    }
    // The same configuration under another unlock policy is another thing.
    let other = Measured { unlock: [7; 48], ..measured(1) };
    let changes = vec![Change { from: measured(1), to: other }];
    assert!(Release::new(version("1.0.0"), image(1), 0, vec![image(2)], changes).is_ok());
}

#[test]
fn what_a_release_allows() {
    let release = release(2, 2);
    assert!(release.succeeds(&image(2)) && release.succeeds(&image(3)));
    assert!(!release.succeeds(&image(1)) && !release.succeeds(&image(4)));
    assert!(
        !release.succeeds(&[image(2)[0], image(2)[1], image(3)[2]]),
        "registers of two images are no image's"
    );
    // It leads from 1 to 2 and from 3 to 4.
    for from in 1..=5 {
        for to in 1..=5 {
            let led = release.leads(&measured(from), &measured(to));
            assert_eq!(led, from == to || matches!((from, to), (1, 2) | (3, 4)), "{from} to {to}");
        }
    }
    let mixed = Measured { unlock: measured(4).unlock, ..measured(2) };
    assert!(!release.leads(&measured(1), &mixed), "registers of two are no one's");
    let mixed = Measured { unlock: measured(3).unlock, ..measured(1) };
    assert!(!release.leads(&mixed, &measured(2)));
}

#[test]
fn a_release_is_for_one_appliance_or_for_any() {
    let any = release(1, 1);
    assert_eq!(any.appliance(), None);
    assert!(any.is_for(&[0; 32]) && any.is_for(&[1; 32]));
    let one = any.clone().for_appliance([0; 32]);
    assert_eq!(one.appliance(), Some(&[0; 32]), "zero bytes are an identity, and not none");
    assert!(one.is_for(&[0; 32]) && !one.is_for(&[1; 32]));
    assert_eq!(Release::decode(&one.encode()), Ok(one.clone()));
    assert_ne!(one.encode(), any.encode());

    // The last element: a string of 0 or of 32 bytes, and nothing else.
    let bytes = any.encode();
    let before = &bytes[..bytes.len() - 1];
    assert_eq!(bytes.last(), Some(&0x40));
    for (wrong, good) in [
        (vec![0x40], true),
        ([&[0x58, 32][..], &[9; 32]].concat(), true),
        ([&[0x58, 31][..], &[9; 31]].concat(), false),
        ([&[0x58, 33][..], &[9; 33]].concat(), false),
        (vec![0x41, 9], false),
        (vec![0x60], false),
        (vec![0xf6], false),
        (vec![0x80], false),
    ] {
        assert_eq!(Release::decode(&[before, &wrong].concat()).is_ok(), good, "{wrong:?}");
    }
}

#[test]
fn distinct_keys_of_the_policy_approve_and_nothing_else_does() {
    let mut signed = SignedRelease::unsigned(&release(1, 0));
    let policy =
        |threshold, numbers: &[u8]| HandoffPolicy::new(threshold, keys(numbers.iter().copied())).unwrap();
    let approved = |signed: &SignedRelease, policy: &HandoffPolicy| signed.verify(policy, verifies);
    assert!(matches!(
        approved(&signed, &policy(1, &[1])),
        Err(ReleaseError::NotApproved { approved: 0, .. })
    ));
    Signer::new(1).approve(&mut signed);
    assert_eq!(approved(&signed, &policy(1, &[1])), Ok(release(1, 0)));
    assert_eq!(
        approved(&signed, &policy(2, &[1, 2, 3])),
        Err(ReleaseError::NotApproved { approved: 1, threshold: 2, duplicate: 0, unknown: 0, bad: 0 })
    );
    assert_eq!(
        signed.add(Signer::new(1).key(), [0; 64]),
        Err(ReleaseError::AlreadySigned(Signer::new(1).key()))
    );

    // A file made by hand: twice the same key, a stranger, one over other bytes, one in another's name.
    let message = approval_message(signed.manifest());
    let by = |number: u8| (Signer::new(number).key(), Signer::new(number).over(&message));
    let over_the_bytes = (Signer::new(3).key(), Signer::new(3).over(signed.manifest()));
    let in_anothers_name = (Signer::new(3).key(), by(1).1);
    let made = [by(1), by(1), by(9), over_the_bytes, in_anothers_name];
    let read = SignedRelease::decode(&file(signed.manifest(), &made)).unwrap();
    assert_eq!(
        read.outcomes(&keys(1..=3), verifies),
        [
            Outcome::Approves,
            Outcome::Duplicate,
            Outcome::UnknownKey,
            Outcome::BadSignature,
            Outcome::BadSignature
        ]
    );
    assert_eq!(
        approved(&read, &policy(2, &[1, 2, 3])),
        Err(ReleaseError::NotApproved { approved: 1, threshold: 2, duplicate: 1, unknown: 1, bad: 2 })
    );

    // What counts for nothing does no harm, and a key's bad signature does not use up its place.
    let made = [over_the_bytes, by(3), by(9), by(1)];
    let read = SignedRelease::decode(&file(signed.manifest(), &made)).unwrap();
    assert!(approved(&read, &policy(2, &[1, 2, 3])).is_ok());
}

#[test]
fn a_signature_is_for_these_bytes_alone() {
    let one = Signer::new(1);
    let policy = HandoffPolicy::new(1, vec![one.key()]).unwrap();
    let mut signed = SignedRelease::unsigned(&release(2, 1));
    one.approve(&mut signed);
    let bytes = signed.encode();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let verified = SignedRelease::decode(&changed).ok().map(|read| read.verify(&policy, verifies));
            assert!(!matches!(verified, Some(Ok(_))), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_policy_that_is_none_is_refused() {
    for (threshold, count, good) in [(1, 1, true), (1, 3, true), (3, 3, true), (16, 16, true)] {
        assert_eq!(HandoffPolicy::new(threshold, keys(1..=count)).is_ok(), good);
    }
    for (threshold, count) in [(0, 0), (0, 3), (1, 0), (4, 3), (17, 16), (2, 17)] {
        assert!(HandoffPolicy::new(threshold, keys(1..=count)).is_err(), "{threshold} of {count}");
    }
    assert!(HandoffPolicy::new(1, keys([1, 2, 1])).is_err());
}

#[test]
fn anybody_could_sign_for_a_key_of_small_order() {
    // The neutral point, with R the neutral point and S zero: it holds over whatever message there is.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(
        verifies(&PublicKey(neutral), b"whatever", &signature),
        "the library takes it, so the policy must not"
    );
    assert!(HandoffPolicy::new(1, vec![PublicKey(neutral)]).is_err());
}

proptest! {
    #[test]
    fn releases_come_back_as_they_were(
        pcrs in any::<[[u8; 16]; 3]>(),
        minimum_sequence in any::<u64>(),
        numbers in (any::<u64>(), any::<u64>(), any::<u64>()),
        predecessors in proptest::collection::vec(any::<[u8; 32]>(), 0..18),
        changes in proptest::collection::vec(any::<[u8; 32]>(), 0..18),
        appliance in any::<Option<[u8; 32]>>(),
        signers in proptest::collection::vec(1_u8..20, 0..17),
        threshold in 0_u8..18,
    ) {
        let spread = |bytes: &[u8]| -> [u8; 48] { std::array::from_fn(|at| bytes[at % bytes.len()]) };
        let images = predecessors.iter().map(|seed| [spread(seed), spread(&seed[..7]), spread(&seed[7..])]);
        let measured = |s: &[u8]| Measured { configuration: spread(s), unlock: spread(&s[..9]) };
        let changes = changes.iter().map(|s| Change { from: measured(&s[..16]), to: measured(&s[16..]) });
        let (major, minor, patch) = numbers;
        let made = Release::new(
            version(&format!("{major}.{minor}.{patch}")),
            pcrs.map(|seed| spread(&seed)),
            minimum_sequence,
            images.collect(),
            changes.collect(),
        );
        let Ok(made) = made else { return Ok(()) };
        let made = match appliance { Some(identity) => made.for_appliance(identity), None => made };
        let read = Release::decode(&made.encode());
        prop_assert_eq!(read.as_ref(), Ok(&made));

        let mut signed = SignedRelease::unsigned(&made);
        let message = approval_message(signed.manifest());
        for number in &signers {
            let signer = Signer::new(*number);
            // Refused where the key has signed already.
            let _ = signed.add(signer.key(), signer.over(&message));
        }
        let read = SignedRelease::decode(&signed.encode()).unwrap();
        prop_assert_eq!(&read, &signed);
        let Ok(policy) = HandoffPolicy::new(threshold, keys(1..=8)) else { return Ok(()) };
        let distinct: std::collections::HashSet<_> = signers.iter().filter(|number| **number <= 8).collect();
        let verified = read.verify(&policy, verifies);
        prop_assert_eq!(verified.is_ok(), distinct.len() >= usize::from(threshold));
    }

    #[test]
    fn whatever_is_read_has_one_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(signed) = SignedRelease::decode(&bytes) {
            prop_assert_eq!(signed.encode(), bytes);
        }
    }
}
