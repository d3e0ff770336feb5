//! What a witness remembers never goes back, whoever asks, and whatever the operator does.

use std::sync::Arc;

use r3e_keys::{RootSecret, WitnessKey};
use r3e_proto::api::witness::Hex;
use r3e_proto::witness::Commit;
use r3e_store::{BlobStore, Options};
use zeroize::Zeroizing;

use super::*;
use crate::keeper::{Keeper, keys};

const NONCE: Hex<32> = Hex([3; 32]);
const BINDING: Digest = [4; 48];

async fn over(keeper: &Arc<Keeper>, offered: bool) -> WitnessedAppliances {
    let blobs: Arc<dyn BlobStore> = keeper.clone();
    let store = Store::open(blobs, keys(1), Options::default()).await.unwrap();
    WitnessedAppliances::new(store, || 1_000, offered).unwrap()
}

fn appliance(number: u8) -> WitnessKey {
    WitnessKey::of(&RootSecret::from_recovered(&Zeroizing::new([number; 32]))).unwrap()
}

fn public(key: &WitnessKey) -> PublicKey {
    PublicKey(key.public_key())
}

fn record(key: &WitnessKey, sequence: u64, head: u8) -> Record {
    let commit = Commit { sequence, head: [head; 32] };
    let signature = Hex(key.sign(&record_message(&public(key), &commit)).unwrap());
    Record {
        key: public(key),
        nonce: NONCE,
        commit: Recorded { sequence, head: Hex(commit.head), signature },
    }
}

fn ask(key: &WitnessKey, binding: &Digest) -> Ask {
    let signature = Hex(key.sign(&ask_message(&public(key), binding, &NONCE.0)).unwrap());
    Ask { key: public(key), nonce: NONCE, signature }
}

fn admission(key: &WitnessKey, name: &str) -> AdmitWitnessed {
    AdmitWitnessed { key: public(key), name: name.to_owned() }
}

#[tokio::test]
async fn the_latest_is_remembered_and_never_goes_back() {
    let keeper = Keeper::new();
    let (house, key) = (over(&keeper, true).await, appliance(1));
    house.admit(admission(&key, "a")).await.unwrap();
    assert_eq!(house.last(&ask(&key, &BINDING), &BINDING).await.unwrap(), None);
    for (sequence, head, stands) in
        [(5, 1, (5, 1)), (5, 1, (5, 1)), (5, 2, (5, 1)), (4, 3, (5, 1)), (9, 4, (9, 4))]
    {
        let last = house.record(&record(&key, sequence, head)).await.unwrap();
        assert_eq!((last.sequence, last.head.0[0]), stands, "{sequence} {head}");
    }
    // Removed, it is served no more, and admitted again it has not been forgotten. Neither does a restart forget.
    house.remove(&public(&key)).await.unwrap();
    assert!(matches!(house.record(&record(&key, 10, 5)).await, Err(Refused::NotAdmitted)));
    assert!(matches!(house.last(&ask(&key, &BINDING), &BINDING).await, Err(Refused::NotAdmitted)));
    assert!(matches!(
        house.remove(&public(&key)).await,
        Err(Refused::Service(ServiceError::NotFound { .. }))
    ));
    drop(house);
    let house = over(&keeper, true).await;
    let again = house.admit(admission(&key, "again")).await.unwrap();
    assert_eq!((again.sequence, again.name.as_str()), (Some(9), "again"));
    assert_eq!(house.last(&ask(&key, &BINDING), &BINDING).await.unwrap().unwrap().sequence, 9);
    assert_eq!(house.record(&record(&key, 2, 1)).await.unwrap().sequence, 9);
}

#[tokio::test]
async fn a_commit_takes_the_appliances_own_signature() {
    let (house, key, other) = (over(&Keeper::new(), true).await, appliance(1), appliance(2));
    assert!(matches!(house.record(&record(&key, 5, 1)).await, Err(Refused::NotAdmitted)));
    house.admit(admission(&key, "a")).await.unwrap();
    let good = record(&key, 5, 1);
    let changed = [
        Record { commit: Recorded { sequence: 6, ..good.commit }, ..good.clone() },
        Record { commit: Recorded { head: Hex([2; 32]), ..good.commit }, ..good.clone() },
        Record { commit: Recorded { signature: Hex([0; 64]), ..good.commit }, ..good.clone() },
        Record { key: public(&key), ..record(&other, 5, 1) },
    ];
    for wrong in changed {
        assert!(matches!(house.record(&wrong).await, Err(Refused::Signature)), "{wrong:?}");
    }
    house.record(&good).await.unwrap();
    // To ask, it takes a signature over this session.
    let wrong = [ask(&key, &[5; 48]), Ask { key: public(&key), ..ask(&other, &BINDING) }];
    for wrong in wrong {
        assert!(matches!(house.last(&wrong, &BINDING).await, Err(Refused::Signature)), "{wrong:?}");
    }
}

#[tokio::test]
async fn one_appliances_commits_say_nothing_of_anothers() {
    let (house, one, other) = (over(&Keeper::new(), true).await, appliance(1), appliance(2));
    house.admit(admission(&one, "one")).await.unwrap();
    house.admit(admission(&other, "other")).await.unwrap();
    let twice = house.admit(admission(&one, "one")).await;
    assert!(matches!(twice, Err(Refused::Service(ServiceError::Conflict(_)))));
    house.record(&record(&one, 100, 1)).await.unwrap();
    assert_eq!(house.record(&record(&other, 3, 2)).await.unwrap().sequence, 3);
    let listed = house.list().await.unwrap();
    let mut sequences: Vec<_> = listed.iter().map(|one| (one.name.as_str(), one.sequence)).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, [("one", Some(100)), ("other", Some(3))]);
}

#[tokio::test]
async fn an_appliance_with_witnesses_is_nobodys() {
    let (house, key) = (over(&Keeper::new(), false).await, appliance(1));
    assert!(matches!(house.admit(admission(&key, "a")).await, Err(Refused::NotOffered)));
    assert!(matches!(house.record(&record(&key, 1, 1)).await, Err(Refused::NotOffered)));
    assert!(matches!(house.last(&ask(&key, &BINDING), &BINDING).await, Err(Refused::NotOffered)));
}

#[tokio::test]
async fn who_asks_too_fast_is_refused_and_counted_and_nobody_else() {
    let (house, hasty, other) = (Arc::new(over(&Keeper::new(), true).await), appliance(1), appliance(2));
    house.admit(admission(&hasty, "hasty")).await.unwrap();
    house.admit(admission(&other, "other")).await.unwrap();
    // Signatures that do not hold use nothing up.
    for _ in 0..2_000 {
        let forged = Ask { key: public(&hasty), ..ask(&other, &BINDING) };
        assert!(matches!(house.last(&forged, &BINDING).await, Err(Refused::Signature)));
    }
    let question = ask(&hasty, &BINDING);
    let asked: Vec<_> = (0..2_000)
        .map(|_| {
            let (house, question) = (Arc::clone(&house), question.clone());
            tokio::spawn(async move { house.last(&question, &BINDING).await })
        })
        .collect();
    let (mut answered, mut refused) = (0, 0);
    for asked in asked {
        match asked.await.unwrap() {
            Ok(None) => answered += 1,
            Err(Refused::Service(ServiceError::Busy(_))) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(answered > 500 && refused > 0, "{answered} answered, {refused} refused");
    house.last(&ask(&other, &BINDING), &BINDING).await.unwrap();
    let counted = |name: &str, all: &[Witnessed]| all.iter().find(|one| one.name == name).unwrap().refused;
    let all = house.list().await.unwrap();
    assert_eq!((counted("hasty", &all), counted("other", &all)), (refused, 0));
}

#[tokio::test]
async fn there_is_room_for_so_many() {
    let house = over(&Keeper::new(), true).await;
    let keys: Vec<_> =
        (0..=MAX_WITNESSED).map(|number| appliance(u8::try_from(number).unwrap() + 1)).collect();
    for key in &keys[..MAX_WITNESSED] {
        house.admit(admission(key, "one of many")).await.unwrap();
    }
    let last = &keys[MAX_WITNESSED];
    let full = house.admit(admission(last, "one too many")).await;
    assert!(matches!(full, Err(Refused::Service(ServiceError::TooMany { .. }))), "{full:?}");
    house.remove(&public(&keys[0])).await.unwrap();
    house.admit(admission(last, "in its place")).await.unwrap();
    for name in ["", "a\nb"] {
        let refused = house.admit(admission(&appliance(200), name)).await;
        assert!(matches!(refused, Err(Refused::Service(ServiceError::Invalid(_)))), "{name:?}");
    }
}
