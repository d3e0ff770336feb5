//! Each rule by itself: the good case, and the one thing that is wrong.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use r3e_proto::channel::binding::configuration_digest;
use r3e_proto::release::{Change, approval_message};

use super::*;

const SESSION: Digest = [0x51; 48];
const IDENTITY: [u8; 32] = [0x1d; 32];

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

/// Image 20, succeeds the images 10 and 13 from sequence 100 on.
fn of_version(text: &str, changes: Vec<Change>) -> Release {
    Release::new(version(text), image(20), 100, vec![image(10), image(13)], changes).unwrap()
}

/// The same as 2.0.0.
fn release(changes: Vec<Change>) -> Release {
    of_version("2.0.0", changes)
}

/// The same, of the version that a successor is.
fn own_release(changes: Vec<Change>) -> Release {
    of_version(RELEASE, changes)
}

/// A change between two configurations, under unlock policies of these numbers.
fn change(from: (&str, u8), to: (&str, u8)) -> Change {
    Change { from: measured(from.0, from.1), to: measured(to.0, to.1) }
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
        let outcome = may_hand_over(&release, &own(image), &IDENTITY, &version(running), sequence);
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
fn a_release_for_one_appliance_is_for_no_other() {
    for (appliance, identity, code) in [
        (None, IDENTITY, None),
        (None, [0; 32], None),
        (Some(IDENTITY), IDENTITY, None),
        (Some(IDENTITY), [0x1e; 32], Some(codes::APPLIANCE_NOT_RELEASED)),
        (Some([0; 32]), IDENTITY, Some(codes::APPLIANCE_NOT_RELEASED)),
    ] {
        let any = release(vec![]);
        let release = appliance.map_or_else(|| any.clone(), |identity| any.clone().for_appliance(identity));
        // The predecessor before it hands over, and the successor of what it was given.
        let handed = may_hand_over(&release, &own(10), &identity, &version("1.0.0"), 100);
        assert_eq!(handed.err().map(|refusal| refusal.code()), code, "{appliance:?}");
        assert_eq!(meant_for(&release, &identity).err().map(|refusal| refusal.code()), code, "{appliance:?}");
    }
}

/// What changes, between which, and the other way. Each case is judged by the predecessor and by the successor.
#[test]
fn a_configuration_changes_as_the_release_says_and_no_other_way() {
    const NO: Option<&str> = Some(codes::CONFIGURATION_NOT_RELEASED);
    let (one, two, three, four) = (("one", 1), ("two", 1), ("three", 1), ("four", 1));
    let there = vec![change(one, two)];
    let members = vec![change(one, ("two", 2))];
    // Two appliances: one goes from `one` to `two`, the other from `three` to `four`.
    let fleet = vec![change(one, two), change(three, four)];
    let together = vec![change(one, two), change(three, two)];
    for (case, changes, from, to, code) in [
        ("nothing changes", vec![], one, one, None),
        ("nothing changes though something may", there.clone(), three, three, None),
        ("nothing is named", vec![], one, two, NO),
        ("the change that is named", there.clone(), one, two, None),
        ("the way back", there.clone(), two, one, NO),
        ("to what it leads to, from elsewhere", there.clone(), three, two, NO),
        ("from what it leads away from, to elsewhere", there.clone(), one, three, NO),
        ("the new configuration under the old policy", members.clone(), one, two, NO),
        ("the old configuration under the new policy", members.clone(), one, ("one", 2), NO),
        ("the new policy under the new configuration", members.clone(), one, ("two", 2), None),
        ("from another policy", members, ("one", 2), ("two", 2), NO),
        ("one of two", fleet.clone(), one, two, None),
        ("the other of two", fleet.clone(), three, four, None),
        ("one's start to the other's end", fleet.clone(), one, four, NO),
        ("the other's start to one's end", fleet.clone(), three, two, NO),
        ("one's start to the other's", fleet.clone(), one, three, NO),
        ("one's end to the other's", fleet.clone(), two, four, NO),
        ("the other's way back", fleet, four, three, NO),
        ("two to one end", together.clone(), three, two, None),
        ("from there back", together, two, three, NO),
    ] {
        let (claims, digest) = successor(to.0, &SESSION);
        let claims = Claims { measured: Some(measured(to.0, to.1)), ..claims };
        let from = measured(from.0, from.1);
        let predecessor = may_succeed(&release(changes.clone()), &from, &claims, &SESSION, &digest);
        assert_eq!(predecessor.err().map(|refusal| refusal.code()), code, "{case}: predecessor");
        let own = Own { image: image(20), measured: measured(to.0, to.1) };
        let met = Claims { image: Some(image(10)), measured: Some(from), user_data: vec![] };
        let successor = may_take_over(&own_release(changes), &own, &met);
        assert_eq!(successor.err().map(|refusal| refusal.code()), code, "{case}: successor");
    }
}

#[test]
fn a_successor_takes_over_from_a_predecessor_of_the_release_alone() {
    let met = |seed, configuration| Claims {
        image: Some(image(seed)),
        measured: Some(measured(configuration, 1)),
        user_data: vec![],
    };
    let there = vec![change(("two", 1), ("one", 1))];
    for (case, changes, own, met, code) in [
        ("good", vec![], own(20), met(10, "one"), None),
        ("another configuration", there.clone(), own(20), met(13, "two"), None),
        ("is not the release", vec![], own(21), met(10, "one"), Some(codes::SUCCESSOR_NOT_RELEASED)),
        ("met a stranger", vec![], own(20), met(30, "one"), Some(codes::NOT_A_PREDECESSOR)),
        ("met itself", vec![], own(20), met(20, "one"), Some(codes::NOT_A_PREDECESSOR)),
        ("a stranger on the way", there, own(20), met(30, "two"), Some(codes::NOT_A_PREDECESSOR)),
        ("met another's", vec![], own(20), met(10, "two"), Some(codes::CONFIGURATION_NOT_RELEASED)),
    ] {
        let outcome = may_take_over(&own_release(changes), &own, &met);
        assert_eq!(outcome.err().map(|refusal| refusal.code()), code, "{case}");
    }
    let nothing = Claims { image: None, ..met(10, "one") };
    assert_eq!(may_take_over(&own_release(vec![]), &own(20), &nothing), Err(Refusal::NotAPredecessor));
    let nothing = Claims { measured: None, ..met(10, "one") };
    let refused = may_take_over(&own_release(vec![]), &own(20), &nothing);
    assert_eq!(refused, Err(Refusal::ConfigurationNotReleased));
    assert!(recent(&release(vec![]), 100).is_ok() && recent(&release(vec![]), 99).is_err());
}

/// The predecessor holds the release's version against its own: a release that says a later one than the image's would go
/// back, and nobody else would see it.
#[test]
fn a_successor_is_of_the_version_that_the_release_says() {
    let met = Claims { image: Some(image(10)), measured: Some(measured("one", 1)), user_data: vec![] };
    assert_eq!(may_take_over(&own_release(vec![]), &own(20), &met), Ok(()));
    for text in ["0.0.0", "99.0.0", &format!("{RELEASE}-rc.1")] {
        let refused = may_take_over(&of_version(text, vec![]), &own(20), &met).unwrap_err();
        assert_eq!(refused.code(), codes::VERSION_NOT_RELEASED, "{text}: {refused}");
    }
}
