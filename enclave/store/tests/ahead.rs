//! The next commit is built while one is under way: planned on what that one will leave, sent only once it stands, and
//! never sent if it does not.

mod keeper;
mod memory;

use std::sync::{Arc, atomic::Ordering};

use keeper::{Fault, Keeper, busy, keys, open, others_run, space, uncached};
use memory::{Memory, witnessed_by};
use r3e_store::{Committed, Options, Store, StoreError, Tampered, Write};
use tokio::task::JoinHandle;

type Answer = JoinHandle<Result<Committed, StoreError>>;

/// Hands `writes` in as one batch, and returns once the store has them.
async fn batch(store: &Store, writes: Vec<Write>) -> Answer {
    let store = store.clone();
    let answer = tokio::spawn(async move { store.batch(writes).await });
    others_run().await;
    answer
}

async fn put(store: &Store, key: &str) -> Answer {
    batch(store, vec![Write::put(&space(), key, b"v".as_slice())]).await
}

/// So many that the store does not wait for more.
async fn put_enough(store: &Store) -> Vec<Answer> {
    let mut answers = Vec::new();
    for index in 0..5 {
        answers.push(put(store, &format!("behind {index}")).await);
    }
    answers
}

#[tokio::test]
async fn conditions_see_the_commit_that_is_under_way() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let old = store.put(&space(), "changed", b"0".as_slice()).await.unwrap();
    store.put(&space(), "deleted", b"0".as_slice()).await.unwrap();
    let shut = keeper.gate.write().await;
    let under_way = vec![
        Write::put(&space(), "changed", b"1".as_slice()),
        Write::delete(&space(), "deleted"),
        Write::put(&space(), "new", b"1".as_slice()),
    ];
    let under_way = batch(&store, under_way).await;
    let value = b"2".as_slice();
    let stale = batch(&store, vec![Write::put(&space(), "changed", value).if_version(old)]).await;
    let fresh = batch(&store, vec![Write::put(&space(), "changed", value).if_version(old + 2)]).await;
    let there = batch(&store, vec![Write::put(&space(), "new", value).if_absent()]).await;
    let gone = batch(&store, vec![Write::put(&space(), "deleted", value).if_absent()]).await;
    let removed = batch(&store, vec![Write::delete(&space(), "new")]).await;
    drop(shut);

    let versions = under_way.await.unwrap().unwrap().versions;
    assert_eq!(versions, [Some(old + 2), None, Some(old + 3)]);
    let current = Some(old + 2);
    assert!(
        matches!(stale.await.unwrap(), Err(StoreError::Conflict { index: 0, current: found }) if found == current)
    );
    assert_eq!(fresh.await.unwrap().unwrap().versions, [Some(old + 4)]);
    let current = Some(old + 3);
    assert!(
        matches!(there.await.unwrap(), Err(StoreError::Conflict { index: 0, current: found }) if found == current)
    );
    assert_eq!(gone.await.unwrap().unwrap().versions, [Some(old + 5)]);
    removed.await.unwrap().unwrap();
    assert_eq!(store.get(&space(), "new").await.unwrap(), None);
    assert_eq!(store.records(), 2);
    let again = open(&keeper).await.unwrap();
    assert_eq!(again.audit().await.unwrap().records, 2);
    assert_eq!(again.get(&space(), "changed").await.unwrap().unwrap().version, old + 4);
}

#[tokio::test]
async fn room_counts_what_is_under_way() {
    let keeper = Keeper::new();
    let options = Options { max_records: 6, ..uncached() };
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    let shut = keeper.gate.write().await;
    let first = put(&store, "first").await;
    let mut behind = put_enough(&store).await;
    let over = put(&store, "over").await;
    behind.push(put(&store, "first").await);
    drop(shut);
    first.await.unwrap().unwrap();
    for answer in behind {
        answer.await.unwrap().unwrap();
    }
    assert!(matches!(over.await.unwrap(), Err(StoreError::Full { limit: 6 })));
    assert_eq!(store.records(), 6);
}

#[tokio::test]
async fn it_is_built_before_the_one_under_way_stands_and_sent_only_after() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let commits = || keeper.commits.load(Ordering::SeqCst);
    let before = commits();
    let shut = keeper.gate.write().await;
    let first = put(&store, "first").await;
    let behind = put_enough(&store).await;
    // Its writer leaves when it is built already: then it happens all the same.
    behind[0].abort();
    others_run().await;
    assert_eq!(commits(), before);
    drop(shut);
    first.await.unwrap().unwrap();
    for answer in behind.into_iter().skip(1) {
        answer.await.unwrap().unwrap();
    }
    // Those that were enough to begin with, and the one that came later.
    assert_eq!(commits(), before + 3);
    assert!(store.get(&space(), "behind 0").await.unwrap().is_some());
    store.audit().await.unwrap();
}

#[tokio::test]
async fn nothing_that_was_built_over_a_commit_that_does_not_stand_is_sent() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let shut = keeper.gate.write().await;
    let first = put(&store, "first").await;
    let behind = put_enough(&store).await;
    keeper.edit(|disk| disk.head = Some(b"another's".to_vec()));
    let disk = keeper.disk();
    drop(shut);
    for answer in [first].into_iter().chain(behind) {
        assert!(matches!(answer.await.unwrap(), Err(StoreError::Tampered(Tampered::HeadForeign))));
    }
    assert_eq!(keeper.disk(), disk);
}

#[tokio::test]
async fn no_commit_leaves_before_the_witness_has_the_one_before_it() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store =
        Store::open_witnessed(keeper.clone(), keys(1), uncached(), witnessed_by(&memory)).await.unwrap();
    let before = keeper.commits.load(Ordering::SeqCst);
    let shut = memory.gate.write().await;
    let first = put(&store, "first").await;
    let behind = put_enough(&store).await;
    assert_eq!(keeper.commits.load(Ordering::SeqCst), before + 1, "the parent has the first alone");
    assert_eq!(store.records(), 0, "and nobody sees it yet");
    drop(shut);
    first.await.unwrap().unwrap();
    for answer in behind {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(store.records(), 6);
}

#[tokio::test]
async fn proofs_freezes_and_rotations_wait_until_nothing_is_under_way() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let shut = keeper.gate.write().await;
    let first = put(&store, "first").await;
    let mut behind = put_enough(&store).await;
    let proof = tokio::spawn({
        let store = store.clone();
        async move { store.prove(&space(), "behind 3").await }
    });
    others_run().await;
    behind.extend(put_enough(&store).await);
    let rotation = tokio::spawn({
        let store = store.clone();
        async move { store.rotate().await }
    });
    others_run().await;
    behind.extend(put_enough(&store).await);
    let freeze = tokio::spawn({
        let store = store.clone();
        async move { store.freeze().await }
    });
    others_run().await;
    let late = put_enough(&store).await;
    drop(shut);
    first.await.unwrap().unwrap();
    for answer in behind {
        answer.await.unwrap().unwrap();
    }
    let proven = proof.await.unwrap().unwrap();
    assert!(proven.proof.verify(&proven.root, &proven.name).unwrap().is_some());
    assert_eq!(rotation.await.unwrap().unwrap(), 2);
    let frozen = freeze.await.unwrap().unwrap();
    for answer in late {
        assert!(matches!(answer.await.unwrap(), Err(StoreError::Frozen)));
    }
    assert_eq!((frozen.sequence, frozen.head), (store.sequence(), store.head_digest()));
    store.thaw().await.unwrap();
    put(&store, "after").await.await.unwrap().unwrap();
    keeper::until(&store, |summary| summary.oldest_epoch == 2 && !summary.at_work).await;
    assert_eq!(store.audit().await.unwrap().records, 7);
}

/// Many add one to a few numbers, each over the version it read: no addition is lost and none is done twice, whatever
/// becomes of answers, and through checkpoints and rotations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_lose_nothing_through_faults_checkpoints_and_rotations() {
    const KEYS: usize = 6;
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
    for key in 0..KEYS {
        store.put(&space(), &key.to_string(), 0_u64.to_be_bytes().to_vec()).await.unwrap();
    }
    let add = |store: Store, task: usize| async move {
        let mut added = [0_u64; KEYS];
        for turn in 0..40 {
            let at = (task * 7 + turn) % KEYS;
            let key = at.to_string();
            let record = store.get(&space(), &key).await.unwrap().unwrap();
            let number = u64::from_be_bytes(record.value.as_bytes().try_into().unwrap());
            let next = (number + 1).to_be_bytes().to_vec();
            match store.compare_and_swap(&space(), &key, record.version, next).await {
                Ok(version) => {
                    assert!(version > record.version);
                    added[at] += 1;
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            // Something else that comes and goes.
            let own = format!("own {task}");
            match turn % 3 {
                0 => drop(store.put(&space(), &own, vec![1; 30]).await.unwrap()),
                1 => store.delete(&space(), &own).await.unwrap(),
                _ => {}
            }
        }
        added
    };
    let tasks: Vec<_> = (0..24).map(|task| tokio::spawn(add(store.clone(), task))).collect();
    let trouble = tokio::spawn({
        let (keeper, store) = (Arc::clone(&keeper), store.clone());
        async move {
            let mut rotations = 0;
            loop {
                match store.rotate().await {
                    Ok(_) => {
                        rotations += 1;
                        let faults =
                            [Fault::LostAfter, Fault::LostBefore, Fault::FalseConflict, Fault::Failed];
                        keeper.fail_next(faults);
                    }
                    Err(StoreError::Rotating { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                if rotations == 3 {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    });
    let mut added = [0; KEYS];
    for task in tasks {
        for (sum, own) in added.iter_mut().zip(task.await.unwrap()) {
            *sum += own;
        }
    }
    trouble.await.unwrap();
    assert!(added.iter().all(|added| *added > 0));
    keeper::until(&store, |summary| !summary.at_work).await;
    drop(store);
    let again = open(&keeper).await.unwrap();
    again.audit().await.unwrap();
    for (key, added) in added.iter().enumerate() {
        let record = again.get(&space(), &key.to_string()).await.unwrap().unwrap();
        assert_eq!(u64::from_be_bytes(record.value.as_bytes().try_into().unwrap()), *added);
    }
}
