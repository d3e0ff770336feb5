//! Random operations, lost answers, rotations and crashes, against a map in memory. The store is made to checkpoint all the
//! time, so that its own commits come between all the others.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use keeper::{Fault, Keeper, busy, keys, space};
use proptest::prelude::*;
use r3e_store::{Namespace, Store, StoreError, Write};

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Vec<u8>),
    PutIfAbsent(u8, Vec<u8>),
    /// With the version that stands, or with another.
    Swap(u8, Vec<u8>, bool),
    Delete(u8),
    Batch(Vec<(u8, Option<Vec<u8>>)>),
    /// The next commit meets this, and goes through in the end.
    Fault(Fault),
    Restart,
    /// A new epoch, unless records still move to the current one.
    Rotate,
    /// A batch is on its way when the enclave and its connection end: before the commit arrived, or after.
    Crash(Vec<(u8, Option<Vec<u8>>)>, bool),
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn changes() -> impl Strategy<Value = Vec<(u8, Option<Vec<u8>>)>> {
    prop::collection::vec((0..12u8, prop::option::of(value())), 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::LostBefore),
        Just(Fault::LostAfter),
        Just(Fault::FalseConflict),
        Just(Fault::Failed),
    ];
    prop_oneof![
        4 => (0..12u8, value()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => (0..12u8, value()).prop_map(|(key, value)| Step::PutIfAbsent(key, value)),
        2 => (0..12u8, value(), any::<bool>()).prop_map(|(key, value, right)| Step::Swap(key, value, right)),
        3 => (0..12u8).prop_map(Step::Delete),
        3 => changes().prop_map(Step::Batch),
        1 => fault.prop_map(Step::Fault),
        1 => Just(Step::Restart),
        1 => Just(Step::Rotate),
        1 => (changes(), any::<bool>()).prop_map(|(changes, arrived)| Step::Crash(changes, arrived)),
    ]
}

/// Keys spread over two namespaces.
fn address(key: u8) -> (Namespace, String) {
    let space = if key.is_multiple_of(2) { space() } else { Namespace::of_appliance("tenants").unwrap() };
    (space, format!("key {key}"))
}

fn writes(changes: &[(u8, Option<Vec<u8>>)]) -> Vec<Write> {
    let write = |(key, value): &(u8, Option<Vec<u8>>)| {
        let (space, name) = address(*key);
        match value {
            Some(value) => Write::put(&space, &name, value.as_slice()),
            None => Write::delete(&space, &name),
        }
    };
    changes.iter().map(write).collect()
}

struct World {
    keeper: Arc<Keeper>,
    store: Store,
    model: BTreeMap<u8, Vec<u8>>,
    sequence: u64,
}

impl World {
    async fn new() -> Self {
        let keeper = Keeper::new();
        let store = Store::open(keeper.clone(), keys(1), busy()).await.unwrap();
        let sequence = store.sequence();
        Self { keeper, store, model: BTreeMap::new(), sequence }
    }

    fn apply(&mut self, changes: &[(u8, Option<Vec<u8>>)]) {
        for (key, value) in changes {
            match value {
                Some(value) => self.model.insert(*key, value.clone()),
                None => self.model.remove(key),
            };
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Put(key, value) => {
                let (space, name) = address(key);
                self.store.put(&space, &name, value.as_slice()).await.unwrap();
                self.model.insert(key, value);
            }
            Step::PutIfAbsent(key, value) => {
                let (space, name) = address(key);
                match self.store.put_if_absent(&space, &name, value.as_slice()).await {
                    Ok(_) => assert!(self.model.insert(key, value).is_none()),
                    Err(StoreError::Conflict { .. }) => assert!(self.model.contains_key(&key)),
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Swap(key, value, right) => {
                let (space, name) = address(key);
                let standing = self.store.get(&space, &name).await.unwrap();
                let version = standing.map_or(1 << 40, |record| record.version) + u64::from(!right);
                match self.store.compare_and_swap(&space, &name, version, value.as_slice()).await {
                    Ok(_) => assert!(right && self.model.insert(key, value).is_some()),
                    Err(StoreError::Conflict { .. }) => assert!(!right || !self.model.contains_key(&key)),
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Delete(key) => {
                let (space, name) = address(key);
                self.store.delete(&space, &name).await.unwrap();
                self.model.remove(&key);
            }
            Step::Batch(changes) => {
                self.store.batch(writes(&changes)).await.unwrap();
                self.apply(&changes);
            }
            Step::Fault(fault) => {
                self.keeper.fail_next([fault]);
                self.take_batch_that_commits().await;
            }
            Step::Restart => self.reopen().await,
            Step::Rotate => match self.store.rotate().await {
                Ok(_) | Err(StoreError::Rotating { .. }) => {}
                Err(error) => panic!("{error}"),
            },
            Step::Crash(changes, arrived) => {
                self.keeper.fail_next([if arrived { Fault::LostAfter } else { Fault::LostBefore }]);
                self.keeper.heads_lost.store(usize::MAX, Ordering::SeqCst);
                let (store, batch) = (self.store.clone(), writes(&changes));
                let writer = tokio::spawn(async move { store.batch(batch).await });
                // A batch that changes nothing does not reach the keeper.
                while !writer.is_finished() && !self.keeper.has_no_faults_left() {
                    tokio::task::yield_now().await;
                }
                writer.abort();
                let acknowledged = matches!(writer.await, Ok(Ok(_)));
                // A new keeper over the same disk: the old connection can do nothing more.
                self.keeper = Keeper::holding(self.keeper.disk());
                self.store = Store::open(self.keeper.clone(), keys(1), busy()).await.unwrap();
                // The fault may have met a commit of the store's own, and the batch none at all.
                let before = self.model.clone();
                self.apply(&changes);
                if !acknowledged && self.held().await == before {
                    self.model = before;
                }
                self.compare().await;
            }
        }
        let sequence = self.store.sequence();
        assert!(sequence >= self.sequence, "the sequence went back");
        self.sequence = sequence;
    }

    /// Uses up the fault at once, so that it does not meet a boot.
    async fn take_batch_that_commits(&mut self) {
        let changes = [(0, Some(vec![1])), (1, None)];
        self.store.batch(writes(&changes)).await.unwrap();
        self.apply(&changes);
    }

    async fn reopen(&mut self) {
        self.store = Store::open(self.keeper.clone(), keys(1), busy()).await.unwrap();
        self.compare().await;
    }

    /// What the store holds, read one by one.
    async fn held(&self) -> BTreeMap<u8, Vec<u8>> {
        let mut held = BTreeMap::new();
        for key in 0..12 {
            let (space, name) = address(key);
            if let Some(record) = self.store.get(&space, &name).await.unwrap() {
                held.insert(key, record.value.to_vec());
            }
        }
        held
    }

    async fn compare(&self) {
        assert_eq!(self.store.records(), self.model.len());
        assert_eq!(self.keeper.disk().written().len(), self.model.len());
        assert_eq!(self.held().await, self.model);
        for space in [space(), Namespace::of_appliance("tenants").unwrap()] {
            let listed = self.store.scan(&space, "", None, 100).unwrap();
            let mut expected: Vec<_> = self
                .model
                .iter()
                .filter(|(key, _)| address(**key).0 == space)
                .map(|(key, value)| (address(*key).1, value.len()))
                .collect();
            expected.sort();
            assert_eq!(listed.into_iter().map(|one| (one.key, one.bytes)).collect::<Vec<_>>(), expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_acknowledged_write_is_lost_and_no_other_appears(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
            }
            world.compare().await;
            world.reopen().await;
        });
    }
}
