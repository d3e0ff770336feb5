//! What every store does, seen through a parent's socket: the same tests for each kind.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, unused_imports, unused_macros, reason = "each test uses its part")]

use std::collections::BTreeMap;

use r3e_parent::{Parent, StoreSettings};
use r3e_proto::host::blob::{Commit, Operation, Outcome};
use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_LIST_BYTES, MAX_LIST_RECORDS, MAX_SLOT_BYTES};
use r3e_transport::EnclaveTransport;
use sha2::{Digest as _, Sha256};

use super::{BlobClient, House, commit, noise, settings};

/// A parent on `store`, and the enclave's end of it.
async fn house(store: StoreSettings) -> (House, BlobClient) {
    let house = House::start(|settings| settings.store = store).await;
    let client = BlobClient::dial(&house.enclave).await;
    (house, client)
}

pub(crate) async fn what_is_committed_is_read_and_survives_a_restart(store: StoreSettings) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store = store;
    let enclave = EnclaveTransport::new(settings.enclave.clone());
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(None));
    assert_eq!(client.ask(Operation::Read { name: [1; 32] }).await, Outcome::Read(None));
    assert_eq!(client.list().await, []);

    let records: Vec<_> =
        (0..7).map(|n| ([n; 32], noise(n.into(), MAX_BLOB_BYTES - usize::from(n)))).collect();
    let mut head: Option<Vec<u8>> = None;
    for (turn, pair) in records.chunks(3).enumerate() {
        let next = format!("head {turn}").into_bytes();
        assert_eq!(client.ask(commit(head.as_deref(), &next, pair.to_vec())).await, Outcome::Committed);
        head = Some(next);
    }
    assert_eq!(
        client.ask(Operation::Read { name: [3; 32] }).await,
        Outcome::Read(Some(records[3].1.clone()))
    );
    parent.shutdown().await;
    assert!(client.receive().await.is_none());

    let parent = Parent::start(settings).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(head));
    assert!(client.list().await == records);
    parent.shutdown().await;
}

pub(crate) async fn the_slot_is_kept_beside_the_records_and_survives_a_restart(store: StoreSettings) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store = store;
    let enclave = EnclaveTransport::new(settings.enclave.clone());
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    let write = |expected: Option<&[u8]>, value: &[u8]| Operation::SlotWrite {
        expected: expected.map(|value| Sha256::digest(value).into()),
        value: value.to_vec(),
    };
    assert_eq!(client.ask(Operation::SlotRead).await, Outcome::Slot(None));
    assert_eq!(client.ask(write(Some(b""), b"x")).await, Outcome::Conflict);
    assert_eq!(client.ask(write(None, b"one")).await, Outcome::Committed);
    for stale in [None, Some(&b"two"[..]), Some(b"")] {
        assert_eq!(client.ask(write(stale, b"x")).await, Outcome::Conflict);
    }
    let largest = noise(1, MAX_SLOT_BYTES);
    assert_eq!(client.ask(write(Some(b"one"), &largest)).await, Outcome::Committed);
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(None));
    assert_eq!(client.list().await, []);
    parent.shutdown().await;

    let parent = Parent::start(settings).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    assert_eq!(client.ask(commit(None, b"1", vec![([1; 32], b"one".to_vec())])).await, Outcome::Committed);
    assert_eq!(client.ask(Operation::SlotRead).await, Outcome::Slot(Some(largest)));
    parent.shutdown().await;
}

pub(crate) async fn a_commit_on_another_head_changes_nothing(store: StoreSettings) {
    let (house, mut one) = house(store).await;
    let mut two = BlobClient::dial(&house.enclave).await;
    assert_eq!(one.ask(commit(None, b"1", vec![([1; 32], b"one".to_vec())])).await, Outcome::Committed);
    // Two that follow the same head: the second to arrive does not stand, whoever sent it.
    assert_eq!(two.ask(commit(Some(b"1"), b"2", vec![([1; 32], b"two".to_vec())])).await, Outcome::Committed);
    for stale in [None, Some(&b"1"[..]), Some(b"3"), Some(b"")] {
        assert_eq!(one.ask(commit(stale, b"x", vec![([1; 32], b"x".to_vec())])).await, Outcome::Conflict);
    }
    assert_eq!(one.ask(Operation::Head).await, Outcome::Head(Some(b"2".to_vec())));
    assert_eq!(one.list().await, [([1; 32], b"two".to_vec())]);
    assert_eq!(house.count("blobs", "conflicts").await, 4);
    assert_eq!(house.count("blobs", "commits").await, 2);
}

pub(crate) async fn a_name_twice_in_one_commit_is_refused_whole(store: StoreSettings) {
    let (_house, mut client) = house(store).await;
    let twice = commit(None, b"1", vec![([1; 32], vec![1]), ([2; 32], vec![2]), ([1; 32], vec![3])]);
    assert!(matches!(client.ask(twice).await, Outcome::Failed(_)));
    let both =
        Commit { expected: None, head: vec![1], puts: vec![([1; 32], vec![1])], deletes: vec![[1; 32]] };
    assert!(matches!(client.ask(Operation::Commit(both)).await, Outcome::Failed(_)));
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(None));
    assert_eq!(client.ask(commit(None, b"1", vec![([1; 32], Vec::new())])).await, Outcome::Committed);
    assert_eq!(client.list().await, [([1; 32], Vec::new())]);
}

pub(crate) async fn pipelined_commits_are_done_and_answered_in_order(store: StoreSettings) {
    const COMMITS: u32 = 200;
    let (house, mut client) = house(store).await;
    let mut head: Option<Vec<u8>> = None;
    let mut ids = Vec::new();
    let mut answered = 0;
    for n in 0..COMMITS {
        let next = n.to_be_bytes().to_vec();
        ids.push(client.send(commit(head.as_deref(), &next, vec![([7; 32], next.clone())])).await.unwrap());
        head = Some(next);
        // The parent holds so many requests and no more; leave no more unread than that.
        if n >= 50 {
            let response = client.receive().await.unwrap();
            assert_eq!((response.id, response.outcome), (ids[answered], Outcome::Committed));
            answered += 1;
        }
    }
    for id in &ids[answered..] {
        let response = client.receive().await.unwrap();
        assert_eq!((response.id, response.outcome), (*id, Outcome::Committed));
    }
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(head));
    assert_eq!(house.count("blobs", "commits").await, u64::from(COMMITS));
    assert!(house.count("blobs", "syncs").await <= u64::from(COMMITS));
}

pub(crate) async fn pages_keep_to_both_limits(store: StoreSettings) {
    let (_house, mut client) = house(store).await;
    let name = |n: usize| {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&n.to_be_bytes());
        name
    };
    let many: Vec<_> = (0..MAX_LIST_RECORDS).map(|n| (name(n), vec![1])).collect();
    assert_eq!(client.ask(commit(None, b"1", many)).await, Outcome::Committed);
    let page = async |client: &mut BlobClient, after| match client.ask(Operation::List { after }).await {
        Outcome::List { records, more } => (records, more),
        other => panic!("{other:?}"),
    };
    let (records, more) = page(&mut client, None).await;
    assert_eq!((records.len(), more), (MAX_LIST_RECORDS, false));
    let last = name(usize::MAX);
    assert_eq!(client.ask(commit(Some(b"1"), b"2", vec![(last, vec![1])])).await, Outcome::Committed);
    let (records, more) = page(&mut client, None).await;
    assert_eq!((records.len(), more), (MAX_LIST_RECORDS, true));
    let (records, more) = page(&mut client, records.last().map(|(name, _)| *name)).await;
    assert_eq!((records, more), (vec![(last, vec![1])], false));
    assert_eq!(page(&mut client, Some(last)).await, (Vec::new(), false));

    // Large ones, between those: pages end by bytes, and every page has a record.
    for n in 0..3 {
        let head = [b"2", &b"3"[..], b"4", b"5"];
        let large = vec![(name(1 << 20 | n), noise(n as u64, MAX_BLOB_BYTES))];
        assert_eq!(client.ask(commit(Some(head[n]), head[n + 1], large)).await, Outcome::Committed);
    }
    let (records, more) = page(&mut client, Some(name(1 << 19))).await;
    assert_eq!((records.len(), more), (MAX_LIST_BYTES / MAX_BLOB_BYTES, true));
    assert_eq!(client.list().await.len(), MAX_LIST_RECORDS + 4);
}

/// Commits at random beside a model, with some that must not stand, and restarts in between.
pub(crate) async fn a_history_leaves_what_its_commits_say(store: StoreSettings) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store = store;
    let enclave = EnclaveTransport::new(settings.enclave.clone());
    let mut parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    let mut model = BTreeMap::<[u8; 32], Vec<u8>>::new();
    let mut head: Option<Vec<u8>> = None;
    for turn in 0..120_u64 {
        let dice = noise(turn + 1, 64);
        let puts: BTreeMap<[u8; 32], Vec<u8>> = dice[..usize::from(dice[60] % 12)]
            .iter()
            .map(|n| ([n % 40; 32], noise(turn ^ u64::from(*n), usize::from(*n) * 3)))
            .collect();
        let mut deletes: Vec<[u8; 32]> =
            dice[20..20 + usize::from(dice[61] % 6)].iter().map(|n| [n % 40; 32]).collect();
        deletes.sort_unstable();
        deletes.dedup();
        deletes.retain(|name| !puts.contains_key(name));
        let follows = dice[62] > 50;
        let expected = if follows { head.clone() } else { Some(b"another".to_vec()) };
        let next = turn.to_be_bytes().to_vec();
        let outcome = client
            .ask(Operation::Commit(Commit {
                expected: expected.map(|head| Sha256::digest(head).into()),
                head: next.clone(),
                puts: puts.clone().into_iter().collect(),
                deletes: deletes.clone(),
            }))
            .await;
        assert_eq!(outcome, if follows { Outcome::Committed } else { Outcome::Conflict }, "turn {turn}");
        if follows {
            head = Some(next);
            model.extend(puts);
            model.retain(|name, _| !deletes.contains(name));
        }
        if turn % 40 == 39 {
            parent.shutdown().await;
            parent = Parent::start(settings.clone()).await.unwrap();
            client = BlobClient::dial(&enclave).await;
        }
        assert_eq!(client.ask(Operation::Head).await, Outcome::Head(head.clone()));
        assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == model, "turn {turn}");
    }
    parent.shutdown().await;
}

/// One test for each of the above, with a store that `$store` makes.
macro_rules! conformance {
    ($store:expr) => {
        conformance!($store;
            what_is_committed_is_read_and_survives_a_restart,
            the_slot_is_kept_beside_the_records_and_survives_a_restart,
            a_commit_on_another_head_changes_nothing,
            a_name_twice_in_one_commit_is_refused_whole,
            pipelined_commits_are_done_and_answered_in_order,
            pages_keep_to_both_limits,
            a_history_leaves_what_its_commits_say);
    };
    ($store:expr; $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let (_kept, store) = $store;
                house::conformance::$name(store).await;
            }
        )+
    };
}
pub(crate) use conformance;
