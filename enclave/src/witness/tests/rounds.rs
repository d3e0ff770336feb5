//! What rounds among the peers mean, and what is heard outside of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use r3e_store::{Options, Store, StoreError, Tampered, Witnessing};
use tokio::time::timeout;

use super::fake::{Fake, Way, peers};
use super::*;
use crate::keeper::{Keeper, busy, keys, others_run, space};

const LONG: Duration = Duration::from_hours(1);
/// For what comes by itself.
const LIMIT: Duration = Duration::from_secs(20);
const ALL: u32 = u32::MAX;
const THREE: &[(usize, &[usize])] = &[(2, &[0, 1, 2])];

fn fakes(count: usize) -> Vec<Arc<Fake>> {
    (0..count).map(|_| Arc::default()).collect()
}

fn commit(sequence: u64, head: u8) -> Witnessed {
    Witnessed { sequence, head: [head; 32] }
}

fn held(commit: Witnessed) -> Commit {
    Commit { sequence: commit.sequence, head: commit.head }
}

async fn overtaken(peers: &Peers) -> Witnessed {
    timeout(LIMIT, Witness::overtaken(peers)).await.expect("nobody heard it")
}

async fn not_overtaken(peers: &Peers) {
    others_run().await;
    assert!(timeout(Duration::from_millis(50), Witness::overtaken(peers)).await.is_err());
}

#[tokio::test]
async fn what_a_peer_says_when_nobody_asks_is_heard() {
    for other in [commit(5, 9), commit(6, 1), commit(90, 1)] {
        let all = fakes(3);
        let peers = peers(&all, THREE, &Way::open(ALL, ALL), Duration::from_millis(5));
        assert_eq!(peers.last().await, Ok(None));
        peers.record(commit(5, 1)).await.unwrap();
        not_overtaken(&peers).await;
        // Another enclave goes on, with the two others or with one; this one is asked nothing any more.
        all[2].hold(held(other));
        assert_eq!(overtaken(&peers).await, other);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_any_more_is_heard() {
    let all = fakes(3);
    let peers = peers(&all, THREE, &Way::open(ALL, ALL), LONG);
    let gate = all[2].gate.write().await;
    peers.record(commit(5, 1)).await.expect("two of three");
    all[2].hold(held(commit(7, 1)));
    not_overtaken(&peers).await;
    drop(gate);
    assert_eq!(overtaken(&peers).await, commit(7, 1));
}

#[tokio::test]
async fn what_is_behind_or_stood_before_a_boot_is_no_branch() {
    let all = fakes(3);
    let peers = peers(&all, THREE, &Way::open(ALL, ALL), Duration::from_millis(5));
    // One was away, and has not heard of anything since.
    let gate = all[0].gate.write().await;
    peers.record(commit(5, 1)).await.unwrap();
    all[0].hold(held(commit(4, 9)));
    drop(gate);
    peers.record(commit(6, 1)).await.unwrap();
    not_overtaken(&peers).await;
    // An enclave that went before commits once more; a boot is then tried again over that.
    for peer in &all {
        peer.hold(held(commit(7, 3)));
    }
    assert_eq!(overtaken(&peers).await, commit(7, 3));
    assert_eq!(peers.last().await, Ok(Some(commit(7, 3))));
    not_overtaken(&peers).await;
    peers.record(commit(7, 3)).await.unwrap();
    peers.record(commit(8, 3)).await.unwrap();
    not_overtaken(&peers).await;
}

#[tokio::test]
async fn it_takes_so_many_of_each_list() {
    // The peers 0 to 2 are to give way to 2 to 4.
    let lists: &[(usize, &[usize])] = &[(2, &[2, 3, 4]), (2, &[0, 1, 2])];
    for (open, suffices) in [
        (0b11111, true),
        (0b01101, true),
        (0b11011, true),
        (0b11100, false),
        (0b00111, false),
        (0b11001, false),
        (0b01010, false),
        (0, false),
    ] {
        let all = fakes(5);
        all[0].hold(held(commit(5, 1)));
        let way = Way::open(open, open);
        let peers = peers(&all, lists, &way, LONG);
        let last = peers.last().await;
        let expected = if open & 1 == 0 { None } else { Some(commit(5, 1)) };
        assert_eq!(last.clone().ok(), suffices.then_some(expected), "{open:05b}: {last:?}");
        let recorded = super::fake::peers(&all, lists, &way, LONG).record(commit(6, 1)).await;
        assert_eq!(recorded.is_ok(), suffices, "{open:05b}: {recorded:?}");
    }
}

#[tokio::test]
async fn a_store_over_peers_closes_when_another_enclave_goes_on() {
    let (all, keeper) = (fakes(3), Keeper::new());
    let open = async |keeper: &Arc<Keeper>, ping| {
        let peers = peers(&all, THREE, &Way::open(ALL, ALL), ping);
        let witnessing = Witnessing { witness: Some(Arc::new(peers)), ..Witnessing::default() };
        Store::open_witnessed(keeper.clone(), keys(1), Options::default(), witnessing).await.unwrap()
    };
    let store = open(&keeper, Duration::from_millis(5)).await;
    store.put(&space(), "a", b"value".as_slice()).await.unwrap();
    let twin = open(&Keeper::holding(keeper.disk()), LONG).await;
    let found = timeout(LIMIT, store.until_tampered()).await.expect("it serves on");
    assert!(matches!(found, Tampered::RolledBack { .. }), "{found}");
    assert!(matches!(store.get(&space(), "a").await, Err(StoreError::Tampered(_))));
    twin.put(&space(), "b", b"value".as_slice()).await.unwrap();
}

/// A branch that one peer alone learns of must not grow: shown later, it would be ahead of the one that clients were served
/// from.
#[tokio::test]
async fn a_branch_does_not_grow_with_one_peer_that_confirms() {
    let (all, keeper) = (fakes(3), Keeper::new());
    let open = async |keeper: &Arc<Keeper>, way: &Arc<Way>| {
        let witnessing =
            Witnessing { witness: Some(Arc::new(peers(&all, THREE, way, LONG))), ..Witnessing::default() };
        Store::open_witnessed(keeper.clone(), keys(1), busy(), witnessing).await
    };
    drop(open(&keeper, &Way::open(ALL, ALL)).await.unwrap());
    let mut branch = Keeper::holding(keeper.disk());
    for _ in 0..6 {
        let opened = open(&branch, &Way::open(ALL, 0b001)).await;
        assert!(matches!(opened, Err(StoreError::Unwitnessed { .. })), "{opened:?}");
        branch = Keeper::holding(branch.disk());
    }
    let way = Way::open(0b110, 0b110);
    let store = open(&keeper, &way).await.unwrap();
    store.put(&space(), "a", b"value".as_slice()).await.unwrap();
    drop(store);
    way.commits.store(0, Ordering::SeqCst);
    let shown = open(&branch, &Way::open(ALL, ALL)).await;
    assert!(matches!(shown, Err(StoreError::Tampered(Tampered::RolledBack { .. }))), "{shown:?}");
}
