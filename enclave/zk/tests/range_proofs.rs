//! Range proofs by the program that makes them, in its box.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::api::zk::{Blinding, HiddenNumber, Number, ProveRanges, RangeProof};
use r3e_range_proof::verify_document;
use r3e_zk::{Zk, ZkError};
use zeroize::Zeroizing;

const TENANT: TenantId = TenantId([7; 16]);

/// Beside `r3e-prover`, which `cargo build -p r3e-prover` puts two directories above a test program.
fn beside() -> PathBuf {
    let path = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("r3e-runner");
    assert!(path.with_file_name("r3e-prover").exists(), "build it first: cargo build -p r3e-prover");
    path
}

fn zk() -> Zk {
    Zk::open_beside(&beside()).unwrap()
}

fn number(value: u64, min: u64, max: u64) -> HiddenNumber {
    HiddenNumber { value: Number(value), min: Number(min), max: Number(max), blinding: None }
}

fn asked(numbers: Vec<HiddenNumber>) -> ProveRanges {
    ProveRanges { context: "auction 7".to_owned(), numbers }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_made_and_verified_here_and_elsewhere() {
    let zk = zk();
    let made =
        zk.prove_ranges(TENANT, asked(vec![number(42, 18, 150), number(0, 0, u64::MAX)])).await.unwrap();
    assert_eq!((made.blindings.len(), made.proof.claims.len()), (2, 2));
    assert_ne!(made.blindings[0], made.blindings[1]);
    assert_eq!(
        (made.proof.owner.as_str(), made.proof.context.as_str()),
        (TENANT.to_string().as_str(), "auction 7")
    );
    assert_eq!(verify_document(&made.proof), Ok(()));
    let another = TenantId([8; 16]);
    let verdict = zk.verify_ranges(another, made.proof.clone()).await.unwrap();
    assert!(verdict.holds && verdict.reason.is_none(), "{verdict:?}");

    let forgeries: [fn(&mut RangeProof); 11] = [
        |proof| proof.owner = TenantId([8; 16]).to_string(),
        |proof| proof.context.push('.'),
        |proof| proof.claims[0].max = Number(149),
        |proof| proof.claims.swap(0, 1),
        |proof| proof.claims[0].commitment = Hash32([0xff; 32]),
        |proof| proof.proof.0[40] ^= 1,
        |proof| proof.proof.0.truncate(64),
        |proof| proof.proof.0.resize(993, 0),
        |proof| proof.claims.clear(),
        |proof| proof.claims[0].min = Number(151),
        |proof| proof.owner = "o".repeat(129),
    ];
    for forge in forgeries {
        let mut changed = made.proof.clone();
        forge(&mut changed);
        let verdict = zk.verify_ranges(TENANT, changed.clone()).await.unwrap();
        assert!(!verdict.holds && verdict.reason.is_some(), "{changed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_blinding_gives_the_same_commitment() {
    let zk = zk();
    let first = zk.prove_ranges(TENANT, asked(vec![number(42, 18, 150)])).await.unwrap();
    let mut again = number(42, 40, 50);
    again.blinding = Some(first.blindings[0].clone());
    let second = zk.prove_ranges(TENANT, asked(vec![again])).await.unwrap();
    assert_eq!(first.proof.claims[0].commitment, second.proof.claims[0].commitment);
    assert_eq!(first.blindings, second.blindings);
    // Of one number two proofs are never the same, and no two blindings that are made.
    let third = zk.prove_ranges(TENANT, asked(vec![number(42, 18, 150)])).await.unwrap();
    assert_ne!(first.proof.claims[0].commitment, third.proof.claims[0].commitment);
    assert_ne!(first.proof.proof, third.proof.proof);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proved_is_refused_with_its_reason() {
    let zk = zk();
    let refused = async |asked: ProveRanges| match zk.prove_ranges(TENANT, asked).await {
        Err(ZkError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(asked(vec![number(17, 18, 150)])).await, "number 0 is outside of its range");
    assert!(refused(asked(vec![number(1, 2, 1)])).await.contains("is greater than the greatest"));
    assert!(refused(asked(vec![])).await.contains("0 numbers"));
    assert!(refused(asked(vec![number(1, 0, 1); 17])).await.contains("17 numbers"));
    let long = ProveRanges { context: "a".repeat(1_025), ..asked(vec![number(1, 0, 1)]) };
    assert!(refused(long).await.contains("1025 bytes"));
    let blinded = |value, blinding| {
        let mut number = number(value, 0, 9);
        number.blinding = Some(Blinding::new(Zeroizing::new(blinding)));
        number
    };
    assert!(refused(asked(vec![blinded(1, [0xff; 32])])).await.contains("no blinding"));
    assert!(refused(asked(vec![blinded(1, [0; 32])])).await.contains("hides nothing"));
    let shared = vec![blinded(1, [1; 32]), blinded(2, [1; 32])];
    assert!(refused(asked(shared)).await.contains("number 1 hides nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_proof_fits_and_many_at_once_have_their_turns() {
    let zk = Arc::new(zk());
    let largest = asked(vec![number(5, 1, u64::MAX); 16]);
    let made = zk.prove_ranges(TENANT, largest.clone()).await.unwrap();
    assert!(zk.verify_ranges(TENANT, made.proof).await.unwrap().holds);
    let jobs: Vec<_> = (0..12_u8)
        .map(|tenant| {
            let (zk, asked) = (Arc::clone(&zk), asked(vec![number(5, 1, 9)]));
            tokio::spawn(async move { zk.prove_ranges(TenantId([tenant % 4; 16]), asked).await })
        })
        .collect();
    for job in jobs {
        assert_eq!(verify_document(&job.await.unwrap().unwrap().proof), Ok(()));
    }
}

/// One tenant has so many in its line; what another asks is not turned away for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_its_tenants_own() {
    let zk = Arc::new(zk());
    let largest = asked(vec![number(5, 1, u64::MAX); 16]);
    let flood: Vec<_> = (0..40)
        .map(|_| {
            let (zk, asked) = (Arc::clone(&zk), largest.clone());
            tokio::spawn(async move { zk.prove_ranges(TENANT, asked).await })
        })
        .collect();
    // As many wait as may: the last one is turned away at once.
    let before = Instant::now();
    while !flood.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(before.elapsed() < Duration::from_secs(10), "nobody was turned away");
    }
    let other = zk.prove_ranges(TenantId([9; 16]), asked(vec![number(5, 1, 9)])).await.unwrap();
    assert_eq!(verify_document(&other.proof), Ok(()));
    assert!(flood.iter().any(|job| !job.is_finished()), "it came after all of the flood");
    let mut turned_away = 0;
    for job in flood {
        match job.await.unwrap() {
            Ok(_) => {}
            Err(ZkError::Busy) => turned_away += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(turned_away > 0);
}

#[tokio::test]
async fn without_the_program_that_is_said() {
    let nowhere = Zk::open_beside(&PathBuf::from("/nonexistent/r3e-runner")).unwrap();
    let error = nowhere.prove_ranges(TENANT, asked(vec![number(1, 0, 1)])).await.unwrap_err();
    assert!(matches!(error, ZkError::NoProver), "{error}");
}
