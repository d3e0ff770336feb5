//! Random histories of an appliance, its peers and the parent between them: peers that are cut off, for questions or for
//! commits; older states and branches shown at boots, beside an enclave that still runs; crashes half way; orders to restore;
//! peers that give way to others. Whatever opens holds every acknowledged write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use r3e_store::{Restore, Store, StoreError, Tampered, Witnessing, Write};
use sha2::{Digest as _, Sha256};

use super::fake::{Fake, Way, peers};
use super::*;
use crate::keeper::{Disk, Keeper, busy, keys, others_run, space};

const PEERS: usize = 5;
const ALL: u32 = 0b11111;
/// Longer than any history: a fake peer is asked by rounds alone.
const NEVER: Duration = Duration::from_hours(1);
const CONFIGURATIONS: [&[(usize, &[usize])]; 3] =
    [&[(2, &[0, 1, 2])], &[(2, &[2, 3, 4]), (2, &[0, 1, 2])], &[(2, &[2, 3, 4])]];
/// Under which of them the root secret is released, as the peers are changed: a new one, then no more the one before.
const STAGES: [&[usize]; 5] = [&[0], &[0, 1], &[1], &[1, 2], &[2]];

type Model = BTreeMap<u8, u8>;
type Change = (u8, Option<u8>);

#[derive(Debug, Clone)]
enum Step {
    Write(Change),
    /// The enclave ends when a write reached some of the peers.
    Crash(Change, Cut),
    Restart,
    /// A boot beside whatever runs, tried so often, with what the parent kept at a moment, and under one of the configurations
    /// that may be.
    Boot {
        shown: Shown,
        cut: Cut,
        tries: u8,
        configuration: Index,
    },
    /// The enclave that another one has overtaken is asked to write.
    Late(u8, u8),
    /// An order for what is refused.
    Order(Shown),
    /// The configuration changes by a step.
    Change,
}

/// What the parent shows.
#[derive(Debug, Clone)]
enum Shown {
    Served,
    /// One of the last few.
    Recent(Index),
    Any(Index),
}

/// What the parent lets through. One of the peers is its favourite: what is kept from the others reaches that one, or it is
/// the one that is kept out.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Nothing,
    CommitsToOthers,
    Favourite,
    These { questions: u32, commits: u32 },
}

impl Cut {
    /// Which peers are asked, and which are told.
    fn way(self, favourite: u32) -> (u32, u32) {
        match self {
            Self::Nothing => (ALL, ALL),
            Self::CommitsToOthers => (ALL, 1 << favourite),
            Self::Favourite => (ALL ^ (1 << favourite), ALL ^ (1 << favourite)),
            Self::These { questions, commits } => (questions, commits),
        }
    }
}

fn shown() -> impl Strategy<Value = Shown> {
    prop_oneof![
        2 => Just(Shown::Served),
        2 => any::<Index>().prop_map(Shown::Recent),
        1 => any::<Index>().prop_map(Shown::Any),
    ]
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        3 => Just(Cut::Nothing),
        3 => Just(Cut::CommitsToOthers),
        3 => Just(Cut::Favourite),
        2 => (0..=ALL, 0..=ALL).prop_map(|(questions, commits)| Cut::These { questions, commits }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let change = || (0..4u8, prop::option::of(any::<u8>()));
    let boot = (shown(), cut(), 1..6u8, any::<Index>())
        .prop_map(|(shown, cut, tries, configuration)| Step::Boot { shown, cut, tries, configuration });
    prop_oneof![
        4 => change().prop_map(Step::Write),
        2 => (change(), cut()).prop_map(|(change, cut)| Step::Crash(change, cut)),
        1 => Just(Step::Restart),
        10 => boot,
        1 => (0..4u8, any::<u8>()).prop_map(|(key, value)| Step::Late(key, value)),
        1 => shown().prop_map(Step::Order),
        1 => Just(Step::Change),
    ]
}

fn write((key, value): Change) -> Write {
    let name = format!("key {key}");
    match value {
        Some(value) => Write::put(&space(), &name, [value].as_slice()),
        None => Write::delete(&space(), &name),
    }
}

fn applied(model: &Model, (key, value): Change) -> Model {
    let mut model = model.clone();
    match value {
        Some(value) => model.insert(key, value),
        None => model.remove(&key),
    };
    model
}

async fn held(store: &Store) -> Model {
    let mut held = Model::new();
    for key in 0..4 {
        if let Some(record) = store.get(&space(), &format!("key {key}")).await.unwrap() {
            held.insert(key, record.value.as_bytes()[0]);
        }
    }
    held
}

/// An enclave, and what its parent does to it.
struct Process {
    store: Store,
    keeper: Arc<Keeper>,
    way: Arc<Way>,
}

struct World {
    peers: Vec<Arc<Fake>>,
    favourite: u32,
    /// The one that opened last.
    live: Option<Process>,
    /// The one before, which was never told to end.
    late: Option<Process>,
    served: Disk,
    past: Vec<Disk>,
    /// What is acknowledged.
    model: Model,
    /// That, and what was not acknowledged.
    open_end: Option<Model>,
    stage: usize,
    /// Nothing was done to it that an honest parent would not do.
    honest: bool,
}

impl World {
    async fn new(favourite: u32) -> Self {
        let mut world = Self {
            peers: (0..PEERS).map(|_| Arc::default()).collect(),
            favourite,
            live: None,
            late: None,
            served: Disk::default(),
            past: Vec::new(),
            model: Model::new(),
            open_end: None,
            stage: 0,
            honest: true,
        };
        world.restart().await;
        world
    }

    fn disk(&self, shown: &Shown) -> Disk {
        let recent = &self.past[self.past.len().saturating_sub(5)..];
        match shown {
            Shown::Recent(index) if !recent.is_empty() => index.get(recent).clone(),
            Shown::Any(index) if !self.past.is_empty() => index.get(&self.past).clone(),
            _ => self.served.clone(),
        }
    }

    async fn open(
        &self,
        disk: Disk,
        way: Arc<Way>,
        (configuration, restore): (usize, Option<Restore>),
    ) -> (Arc<Keeper>, Result<Process, StoreError>) {
        let keeper = Keeper::holding(disk);
        let witness = Arc::new(peers(&self.peers, CONFIGURATIONS[configuration], &way, NEVER));
        let witnessing = Witnessing { witness: Some(witness), restore, anchored: None };
        let opened = Store::open_witnessed(keeper.clone(), keys(1), busy(), witnessing).await;
        let process = opened.map(|store| Process { store, keeper: keeper.clone(), way: way.clone() });
        if process.is_err() {
            others_run().await;
            way.close();
        }
        (keeper, process)
    }

    /// What opened is what clients come to from here on, and must hold what was acknowledged to them.
    async fn adopt(&mut self, process: Process) {
        let found = held(&process.store).await;
        assert!(
            found == self.model || Some(&found) == self.open_end.as_ref(),
            "{found:?} holds neither {:?} nor {:?}",
            self.model,
            self.open_end
        );
        (self.model, self.open_end) = (found, None);
        self.served = process.keeper.disk();
        self.past.push(process.keeper.disk());
        self.late = self.live.replace(process);
    }

    async fn end(&mut self) {
        if let Some(Process { store, keeper, way }) = self.live.take() {
            drop(store);
            others_run().await;
            way.close();
            self.served = keeper.disk();
            self.past.push(keeper.disk());
        }
    }

    /// An honest boot, under the latest configuration. Says whether it opened.
    async fn restart(&mut self) -> bool {
        self.end().await;
        let latest = STAGES[self.stage].last().copied().unwrap();
        let (_, opened) = self.open(self.served.clone(), Way::open(ALL, ALL), (latest, None)).await;
        match opened {
            Ok(process) => self.adopt(process).await,
            Err(error) => {
                assert!(!self.honest, "an honest parent's boot is refused: {error}");
                return false;
            }
        }
        true
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Write(change) => self.write(change).await,
            Step::Crash(change, cut) => self.crash(change, cut.way(self.favourite).1).await,
            Step::Restart => drop(self.restart().await),
            Step::Boot { shown, cut, tries, configuration } => {
                self.honest = false;
                let configuration = *configuration.get(STAGES[self.stage]);
                let (questions, commits) = cut.way(self.favourite);
                let mut disk = self.disk(&shown);
                for _ in 0..tries {
                    let way = Way::open(questions, commits);
                    let (keeper, opened) = self.open(disk, way, (configuration, None)).await;
                    if let Ok(process) = opened {
                        return self.adopt(process).await;
                    }
                    disk = keeper.disk();
                    self.past.push(disk.clone());
                }
            }
            Step::Late(key, value) => {
                if let Some(Process { store, keeper, way }) = self.late.take() {
                    let writer =
                        tokio::spawn(async move { store.batch(vec![write((key, Some(value)))]).await });
                    others_run().await;
                    if writer.is_finished() {
                        let written = writer.await.unwrap();
                        assert!(written.is_err(), "two enclaves acknowledge: {written:?}");
                    } else {
                        writer.abort();
                        others_run().await;
                    }
                    way.close();
                    self.past.push(keeper.disk());
                }
            }
            Step::Order(shown) => self.order(&shown).await,
            Step::Change => {
                // A configuration is revoked for good, and the next one comes once a boot since has opened.
                if self.stage + 1 < STAGES.len() {
                    self.stage += 1;
                    if !self.restart().await && STAGES[self.stage].len() == 1 {
                        self.stage -= 1;
                    }
                }
            }
        }
    }

    async fn write(&mut self, change: Change) {
        let Some(Process { store, keeper, .. }) = &self.live else { return };
        if let Err(error) = store.batch(vec![write(change)]).await {
            // One peer may hold a branch of the same sequence.
            assert!(!self.honest && matches!(error, StoreError::Tampered(_)), "{error}");
            self.open_end = Some(applied(&self.model, change));
            return self.end().await;
        }
        self.model = applied(&self.model, change);
        self.served = keeper.disk();
        self.past.push(keeper.disk());
    }

    async fn crash(&mut self, change: Change, reached: u32) {
        let Some(Process { store, way, .. }) = &self.live else { return };
        way.commits.fetch_and(reached, Ordering::SeqCst);
        let (store, change_of) = (store.clone(), change);
        let writer = tokio::spawn(async move { store.batch(vec![write(change_of)]).await });
        others_run().await;
        let acknowledged = writer.is_finished() && writer.await.unwrap().is_ok();
        if acknowledged {
            self.model = applied(&self.model, change);
        } else {
            self.open_end = Some(applied(&self.model, change));
        }
        self.end().await;
    }

    /// What is refused is opened by an order that names it.
    async fn order(&mut self, shown: &Shown) {
        self.end().await;
        self.honest = false;
        let (disk, latest) = (self.disk(shown), STAGES[self.stage].last().copied().unwrap());
        let (_, opened) = self.open(disk.clone(), Way::open(ALL, ALL), (latest, None)).await;
        let found = match opened {
            Ok(process) => return self.adopt(process).await,
            Err(StoreError::Tampered(found)) => found,
            Err(error) => panic!("{error}"),
        };
        let (sequence, over) = match found {
            Tampered::RolledBack { held, witnessed, .. } | Tampered::NotWitnessed { held, witnessed, .. } => {
                (held, held.max(witnessed))
            }
            Tampered::Forked { sequence } => (sequence, sequence),
            found => panic!("{found}"),
        };
        let Some(head) = &disk.head else { return };
        let state = Witnessed { sequence, head: Sha256::digest(head).into() };
        let order = Restore { state, over, at_ms: 1 };
        let (_, opened) = self.open(disk, Way::open(ALL, ALL), (latest, Some(order))).await;
        // Of two branches of one sequence, no order opens the one that a single peer holds.
        let Ok(process) = opened else { return };
        // What was acknowledged is given up, by order.
        (self.model, self.open_end) = (held(&process.store).await, None);
        self.adopt(process).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn no_state_opens_without_what_was_acknowledged(
        favourite in 0..5u32,
        steps in prop::collection::vec(step(), 1..32),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(favourite).await;
            for step in steps {
                world.take(step).await;
            }
        });
    }
}
