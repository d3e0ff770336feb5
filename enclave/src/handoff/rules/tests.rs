//! Each rule by itself: the good case, and the one thing that is wrong.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use r3e_proto::channel::binding::configuration_digest;
use r3e_proto::release::approval_message;

use super::*;
use crate::RELEASE;

const SESSION: Digest = [0x51; 48];

fn key(seed: u8) -> (PublicKey, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    (PublicKey(pair.public_key().as_ref().try_into().unwrap()), pair)
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn image(seed: u8) -> [Digest; 3] {
    [[seed; 48], [seed + 1; 48], [seed + 2; 48]]
}

/// As if this text had been the configuration, and this the policy.
fn measured(configuration: &str, unlock: u8) -> Measured {
    Measured {
        configuration: pcr_extended_once(&configuration_digest(configuration.as_bytes())),
        unlock: [unlock; 48],
    }
}

fn own(seed: u8) -> Own {
    Own { image: image(seed), measured: measured("one", 1) }
}

/// 2.0.0, image 20, succeeds the images 10 and 13 from sequence 100 on.
fn release(configurations: Vec<Measured>) -> Release {
    Release::new(version("2.0.0"), image(20), 100, vec![image(10), image(13)], configurations).unwrap()
}

fn signed(release: &Release, by: &[u8]) -> SignedRelease {
    let mut signed = SignedRelease::unsigned(release);
    let message = approval_message(signed.manifest());
    for seed in by {
        let (public, pair) = key(*seed);
        signed.add(public, pair.sign(&message).as_ref().try_into().unwrap()).unwrap();
    }
    signed
}

fn policy(threshold: u8, keys: &[u8]) -> HandoffPolicy {
    HandoffPolicy::new(threshold, keys.iter().map(|seed| key(*seed).0).collect()).unwrap()
}

fn successor(configuration: &str, session: &Digest) -> (Claims, Digest) {
    let digest = configuration_digest(configuration.as_bytes());
    let binding = successor_binding(session, &digest);
    let claims = Claims {
        image: Some(image(20)),
        measured: Some(measured(configuration, 1)),
        user_data: Statement::Successor { binding }.encode(),
    };
    (claims, digest)
}

#[test]
fn this_releases_own_version_is_one() {
    assert!(RELEASE.parse::<Version>().is_ok());
}

#[test]
fn it_takes_enough_keys_of_the_own_table() {
    let release = release(vec![]);
    let two_of_three = policy(2, &[1, 2, 3]);
    let good = signed(&release, &[1, 3]).encode();
    assert_eq!(approved(Some(&two_of_three), &good), Ok(release.clone()));
    assert_eq!(approved(None, &good), Err(Refusal::NotAllowed));

    let mut changed = good.clone();
    let at = changed.windows(5).position(|bytes| bytes == b"2.0.0").unwrap();
    changed[at] = b'3';
    let foreign = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let mut forged = signed(&release, &[1]);
    let by_another = foreign.sign(&approval_message(forged.manifest()));
    forged.add(key(2).0, by_another.as_ref().try_into().unwrap()).unwrap();
    // A file has room for a key twice, whatever the tool that signs would do.
    let twice = {
        let once = signed(&release, &[1]).encode();
        let entry = once[once.len() - 101..].to_vec();
        let mut twice = once[..once.len() - 102].to_vec();
        twice.push(0x82);
        twice.extend([entry.as_slice(), &entry].concat());
        assert_eq!(SignedRelease::decode(&twice).unwrap().signatures().len(), 2);
        twice
    };
    for (case, manifest) in [
        ("nobody", signed(&release, &[]).encode()),
        ("one of two", signed(&release, &[1]).encode()),
        ("one key twice", twice),
        ("a foreign key", signed(&release, &[1, 4]).encode()),
        ("two foreign keys", signed(&release, &[4, 5]).encode()),
        ("another's signature under a key's name", forged.encode()),
        ("another version under the same signatures", changed),
        ("half of it", good[..good.len() / 2].to_vec()),
        ("nothing", Vec::new()),
    ] {
        let refused = approved(Some(&two_of_three), &manifest).unwrap_err();
        assert_eq!(refused.code(), codes::RELEASE_NOT_APPROVED, "{case}: {refused}");
    }
}

#[test]
fn an_appliance_hands_over_to_its_own_later_releases_alone() {
    let release = release(vec![]);
    for (case, image, running, sequence, code) in [
        ("an earlier one", 10, "1.9.9", 100, None),
        ("the other predecessor", 13, "1.0.0", 500, None),
        ("the same version", 10, "2.0.0", 100, None),
        ("a pre-release", 10, "2.0.0-rc.1", 100, None),
        ("the successor itself", 20, "1.0.0", 100, Some(codes::NOT_A_PREDECESSOR)),
        ("a later one", 10, "2.0.1", 100, Some(codes::DOWNGRADE)),
        ("a later major", 10, "10.0.0", 100, Some(codes::DOWNGRADE)),
        ("one commit behind", 10, "1.0.0", 99, Some(codes::SEQUENCE_TOO_LOW)),
        ("new", 10, "1.0.0", 0, Some(codes::SEQUENCE_TOO_LOW)),
    ] {
        let outcome = may_hand_over(&release, &own(image), &version(running), sequence);
        assert_eq!(outcome.err().map(|refusal| refusal.code()), code, "{case}");
    }
}

#[test]
fn a_successor_is_the_released_image_bound_to_this_session() {
    let release = release(vec![]);
    let (good, digest) = successor("one", &SESSION);
    let own = measured("one", 1);
    let judge = |claims: &Claims, configuration: &Digest| {
        may_succeed(&release, &own, claims, &SESSION, configuration).err().map(|refusal| refusal.code())
    };
    assert_eq!(judge(&good, &digest), None);
    let zero = Some([[0; 48]; 3]);
    let (elsewhere, _) = successor("one", &[0x52; 48]);
    let session = Statement::Sessions { root: SESSION, size: 1 }.encode();
    let bare = successor_binding(&SESSION, &digest).to_vec();
    for (case, claims, code) in [
        ("another image", Claims { image: Some(image(21)), ..good.clone() }, codes::SUCCESSOR_NOT_RELEASED),
        ("a predecessor's", Claims { image: Some(image(10)), ..good.clone() }, codes::SUCCESSOR_NOT_RELEASED),
        ("a debug image", Claims { image: zero, ..good.clone() }, codes::SUCCESSOR_NOT_RELEASED),
        ("no image", Claims { image: None, ..good.clone() }, codes::SUCCESSOR_NOT_RELEASED),
        ("another session", elsewhere, codes::SUCCESSOR_UNBOUND),
        ("another purpose", Claims { user_data: session, ..good.clone() }, codes::SUCCESSOR_UNBOUND),
        ("a digest without a domain", Claims { user_data: bare, ..good.clone() }, codes::SUCCESSOR_UNBOUND),
        ("no statement", Claims { user_data: vec![], ..good.clone() }, codes::SUCCESSOR_UNBOUND),
        ("nothing measured", Claims { measured: None, ..good.clone() }, codes::CONFIGURATION_NOT_RELEASED),
        (
            "a configuration that it did not measure",
            Claims { measured: Some(measured("two", 1)), ..good.clone() },
            codes::SUCCESSOR_UNBOUND,
        ),
        (
            "another unlock policy",
            Claims { measured: Some(measured("one", 2)), ..good.clone() },
            codes::CONFIGURATION_NOT_RELEASED,
        ),
        ("another configuration", successor("two", &SESSION).0, codes::CONFIGURATION_NOT_RELEASED),
    ] {
        let says = if case == "another configuration" { successor("two", &SESSION).1 } else { digest };
        assert_eq!(judge(&claims, &says), Some(code), "{case}");
    }
    // Bound to the digest that it sends, and to no other.
    assert_eq!(judge(&good, &successor("two", &SESSION).1), Some(codes::SUCCESSOR_UNBOUND));
}

#[test]
fn a_configuration_that_the_release_names_is_taken() {
    let (two, digest) = successor("two", &SESSION);
    for (names, taken) in [
        (vec![measured("two", 1)], true),
        (vec![measured("three", 1), measured("two", 1)], true),
        (vec![measured("one", 1)], false),
        (vec![measured("two", 2)], false),
    ] {
        let outcome = may_succeed(&release(names), &measured("one", 1), &two, &SESSION, &digest);
        assert_eq!(outcome.is_ok(), taken);
    }
}

#[test]
fn a_successor_takes_over_from_a_predecessor_of_the_release_alone() {
    let met = |seed, configuration| Claims {
        image: Some(image(seed)),
        measured: Some(measured(configuration, 1)),
        user_data: vec![],
    };
    let both = vec![measured("one", 1), measured("two", 1)];
    for (case, names, own, met, code) in [
        ("good", vec![], own(20), met(10, "one"), None),
        ("both named", both.clone(), own(20), met(13, "two"), None),
        ("is not the release", vec![], own(21), met(10, "one"), Some(codes::SUCCESSOR_NOT_RELEASED)),
        ("met a stranger", vec![], own(20), met(30, "one"), Some(codes::NOT_A_PREDECESSOR)),
        ("met itself", vec![], own(20), met(20, "one"), Some(codes::NOT_A_PREDECESSOR)),
        ("met another's", vec![], own(20), met(10, "two"), Some(codes::CONFIGURATION_NOT_RELEASED)),
        (
            "the met one's alone is named",
            vec![measured("two", 1)],
            own(20),
            met(10, "two"),
            Some(codes::CONFIGURATION_NOT_RELEASED),
        ),
        (
            "its own alone is named",
            vec![measured("one", 1)],
            own(20),
            met(10, "two"),
            Some(codes::CONFIGURATION_NOT_RELEASED),
        ),
    ] {
        let outcome = may_take_over(&release(names), &own, &met);
        assert_eq!(outcome.err().map(|refusal| refusal.code()), code, "{case}");
    }
    let nothing = Claims { image: None, ..met(10, "one") };
    assert_eq!(may_take_over(&release(vec![]), &own(20), &nothing), Err(Refusal::NotAPredecessor));
    let nothing = Claims { measured: None, ..met(10, "one") };
    let refused = may_take_over(&release(vec![]), &own(20), &nothing);
    assert_eq!(refused, Err(Refusal::ConfigurationNotReleased));
    assert!(recent(&release(vec![]), 100).is_ok() && recent(&release(vec![]), 99).is_err());
}
