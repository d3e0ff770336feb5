//! Random histories of a store, its parent and its witness: writes, crashes between the parent's fsync and the witness's
//! record, older states and branches shown at boots, orders to restore. Whatever opens holds every acknowledged write.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;
mod memory;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use keeper::{Disk, Keeper, busy, keys, others_run, space};
use memory::{Memory, witnessed_by};
use proptest::{prelude::*, sample::Index};
use r3e_store::{Restore, Store, StoreError, Tampered, Witnessed, Witnessing, Write};
use sha2::{Digest as _, Sha256};

type Model = BTreeMap<u8, u8>;

#[derive(Debug, Clone)]
enum Step {
    Write(u8, Option<u8>),
    Restart,
    /// The enclave ends when the parent has a write and the witness has it (or has not) and has not answered.
    Crash(u8, Option<u8>, bool),
    /// The boot's own commit meets that.
    CrashAtBoot(bool),
    /// A boot with what the parent kept at some moment, branches that were left among them.
    Show(Index),
    /// The same, by order.
    Restore(Index),
    /// Boots on a copy of a moment, while every record is kept from the witness; or without one.
    Branch(Index, u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let change = || (0..6u8, prop::option::of(any::<u8>()));
    prop_oneof![
        6 => change().prop_map(|(key, value)| Step::Write(key, value)),
        1 => Just(Step::Restart),
        2 => (change(), any::<bool>()).prop_map(|((key, value), noted)| Step::Crash(key, value, noted)),
        1 => any::<bool>().prop_map(Step::CrashAtBoot),
        3 => any::<Index>().prop_map(Step::Show),
        1 => any::<Index>().prop_map(Step::Restore),
        1 => (any::<Index>(), 1..6u8, any::<bool>())
            .prop_map(|(index, boots, without)| Step::Branch(index, boots, without)),
    ]
}

fn write((key, value): (u8, Option<u8>)) -> Write {
    let name = format!("key {key}");
    match value {
        Some(value) => Write::put(&space(), &name, [value].as_slice()),
        None => Write::delete(&space(), &name),
    }
}

fn applied(model: &Model, (key, value): (u8, Option<u8>)) -> Model {
    let mut model = model.clone();
    match value {
        Some(value) => model.insert(key, value),
        None => model.remove(&key),
    };
    model
}

async fn held(store: &Store) -> Model {
    let mut held = Model::new();
    for key in 0..6 {
        if let Some(record) = store.get(&space(), &format!("key {key}")).await.unwrap() {
            held.insert(key, record.value.as_bytes()[0]);
        }
    }
    held
}

struct World {
    keeper: Arc<Keeper>,
    memory: Arc<Memory>,
    store: Option<Store>,
    /// What is acknowledged.
    model: Model,
    /// That, and what was not acknowledged.
    open_end: Option<Model>,
    past: Vec<Disk>,
    sequence: u64,
}

impl World {
    async fn new() -> Self {
        let (keeper, memory) = (Keeper::new(), Memory::new());
        let mut world = Self {
            keeper,
            memory,
            store: None,
            model: Model::new(),
            open_end: None,
            past: vec![Disk::default()],
            sequence: 0,
        };
        world.boot().await;
        world
    }

    async fn open(&self, keeper: &Arc<Keeper>, restore: Option<Restore>) -> Result<Store, StoreError> {
        let witnessing = Witnessing { restore, ..witnessed_by(&self.memory) };
        Store::open_witnessed(keeper.clone(), keys(1), busy(), witnessing).await
    }

    /// An honest boot.
    async fn boot(&mut self) {
        let store = self.open(&self.keeper, None).await.unwrap();
        self.adopt(store).await;
    }

    /// Goes on with a store that was opened, and must hold what was acknowledged.
    async fn adopt(&mut self, store: Store) {
        let found = held(&store).await;
        assert!(
            found == self.model || Some(&found) == self.open_end.as_ref(),
            "{found:?} holds neither {:?} nor {:?}",
            self.model,
            self.open_end
        );
        (self.model, self.open_end) = (found, None);
        assert!(store.sequence() > self.sequence, "the sequence went back");
        self.sequence = store.sequence();
        self.store = Some(store);
    }

    async fn end(&mut self) {
        self.store = None;
        // What was under way ends, or is stuck for good.
        others_run().await;
        // A new keeper over the same disk: nothing of the process that ended arrives any more.
        self.keeper = Keeper::holding(self.keeper.disk());
        self.memory = self.memory.again();
        self.past.push(self.keeper.disk());
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Write(key, value) => {
                let store = self.store.as_ref().unwrap();
                let sequence = store.batch(vec![write((key, value))]).await.unwrap().sequence;
                assert!(self.memory.held().unwrap().sequence >= sequence, "acknowledged and not recorded");
                self.model = applied(&self.model, (key, value));
                self.sequence = self.sequence.max(sequence);
                self.past.push(self.keeper.disk());
            }
            Step::Restart => {
                self.end().await;
                self.boot().await;
            }
            Step::Crash(key, value, noted) => {
                self.memory.stop(noted);
                let (store, change) = (self.store.take().unwrap(), write((key, value)));
                let writer = tokio::spawn(async move { store.batch(vec![change]).await });
                others_run().await;
                let acknowledged = writer.is_finished();
                writer.abort();
                let after = applied(&self.model, (key, value));
                // What changes nothing is not committed, and answered at once.
                if acknowledged {
                    self.model = after;
                } else {
                    self.open_end = Some(after);
                }
                self.end().await;
                self.boot().await;
            }
            Step::CrashAtBoot(noted) => {
                self.end().await;
                let cut = if noted { self.memory.again() } else { self.memory.cut_off() };
                if noted {
                    cut.stop(true);
                }
                let opened =
                    Store::open_witnessed(self.keeper.clone(), keys(1), busy(), witnessed_by(&cut)).await;
                assert!(matches!(opened, Err(StoreError::Unwitnessed { .. })), "{opened:?}");
                self.end().await;
                self.boot().await;
            }
            Step::Show(index) => self.show(index, false).await,
            Step::Restore(index) => self.show(index, true).await,
            Step::Branch(index, boots, without) => {
                let mut branch = Keeper::holding(self.past[index.index(self.past.len())].clone());
                for _ in 0..boots {
                    let cut = self.memory.cut_off();
                    let witnessing = if without { Witnessing::default() } else { witnessed_by(&cut) };
                    let opened = Store::open_witnessed(branch.clone(), keys(1), busy(), witnessing).await;
                    assert_eq!(opened.is_ok(), without, "{opened:?}");
                    drop(opened);
                    others_run().await;
                    branch = Keeper::holding(branch.disk());
                }
                self.past.push(branch.disk());
            }
        }
        self.memory.unanswered.store(0, Ordering::SeqCst);
        self.memory.answers_lost.store(0, Ordering::SeqCst);
    }

    /// A boot with what the parent kept at a moment; where it is refused, it is ordered or not.
    async fn show(&mut self, index: Index, ordered: bool) {
        self.end().await;
        let disk = index.get(&self.past).clone();
        let shown = Keeper::holding(disk.clone());
        match self.open(&shown, None).await {
            Ok(store) => {
                self.keeper = shown;
                self.adopt(store).await;
                return;
            }
            Err(StoreError::Tampered(
                Tampered::RolledBack { held: sequence, .. }
                | Tampered::Forked { sequence }
                | Tampered::NotWitnessed { held: sequence, .. },
            )) => {
                if let Some(head) = disk.head.as_ref().filter(|_| ordered) {
                    let state = Witnessed { sequence, head: Sha256::digest(head).into() };
                    let over = self.memory.held().unwrap().sequence.max(sequence);
                    let order = Restore { state, over, at_ms: 1 };
                    let shown = Keeper::holding(disk);
                    let store = self.open(&shown, Some(order)).await.unwrap();
                    // What was acknowledged is given up, by order.
                    (self.model, self.open_end) = (held(&store).await, None);
                    self.keeper = shown;
                    self.adopt(store).await;
                    return;
                }
            }
            Err(error) => panic!("{error}"),
        }
        // The honest state is still what opens.
        self.boot().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_opens_holds_every_acknowledged_write(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
            }
        });
    }
}
