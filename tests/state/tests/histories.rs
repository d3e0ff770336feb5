//! Random histories of a store over a real parent, against a map in memory: writes, scans, rotations and the store's own
//! checkpoints; lost answers, crashes at any point of a commit, restarts of either side; and all that the parent's owner
//! can do to what it keeps. No acknowledged write is lost, nothing else is served, and tampering is found by its name.
//!
//! `R3E_STATE_HISTORIES` sets how many (40).

#![expect(clippy::unwrap_used, reason = "what fails here fails the test, and says where")]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use r3e_state::between::Fault;
use r3e_state::tamper::Tampering;
use r3e_state::world::{Change, KEYS, Model, World, applied};
use tokio::runtime::Runtime;

/// Batches that are on their way together.
const BATCHES_AT_ONCE: u8 = 4;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Vec<u8>),
    PutIfAbsent(u8, Vec<u8>),
    /// With the version that stands, or with another.
    Swap(u8, Vec<u8>, bool),
    Delete(u8),
    Batch(Vec<Change>),
    BatchThrough(Vec<Change>, Fault),
    BatchThroughARestart(Vec<Change>),
    /// Before the commit arrived, or after it was applied.
    Crash(Vec<Change>, bool),
    /// Batches at once, and what the first commit meets.
    Together(Vec<Vec<Change>>, Option<Fault>),
    /// Batches at once, and the enclave ends before the first commit arrived, or after it was applied.
    CrashTogether(Vec<Vec<Change>>, bool),
    /// All of these values at once, on the same condition.
    Race(u8, Vec<Vec<u8>>),
    Restart,
    Rotate,
    Tamper(Tampering, Index, Index),
    RollBack(Index),
}

/// What must stand.
struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::new()).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        let key = || 0..KEYS;
        let value = || prop::collection::vec(any::<u8>(), 0..60);
        let changes = || prop::collection::vec((key(), prop::option::weighted(0.8, value())), 0..8);
        let fault = prop::sample::select(vec![Fault::LostBefore, Fault::LostAfter, Fault::FalseConflict]);
        let other_fault = fault.clone();
        // No two of the batches change the same record: what stands after all of them does not depend on their order.
        let apart = || {
            prop::collection::vec((key(), prop::option::weighted(0.8, value())), 0..24).prop_map(|changes| {
                let of = |batch| move |(key, _): &&Change| *key % BATCHES_AT_ONCE == batch;
                (0..BATCHES_AT_ONCE)
                    .map(|batch| changes.iter().filter(of(batch)).cloned().collect())
                    .collect()
            })
        };
        let tampering = prop::sample::select(Tampering::ALL.as_slice());
        prop_oneof![
            8 => (key(), value()).prop_map(|(key, value)| Step::Put(key, value)),
            2 => (key(), value()).prop_map(|(key, value)| Step::PutIfAbsent(key, value)),
            2 => (key(), value(), any::<bool>()).prop_map(|(key, value, right)| Step::Swap(key, value, right)),
            4 => key().prop_map(Step::Delete),
            6 => changes().prop_map(Step::Batch),
            2 => (changes(), fault).prop_map(|(changes, fault)| Step::BatchThrough(changes, fault)),
            1 => changes().prop_map(Step::BatchThroughARestart),
            3 => (changes(), any::<bool>()).prop_map(|(changes, arrived)| Step::Crash(changes, arrived)),
            3 => (apart(), prop::option::of(other_fault))
                .prop_map(|(batches, fault)| Step::Together(batches, fault)),
            2 => (apart(), any::<bool>()).prop_map(|(batches, arrived)| Step::CrashTogether(batches, arrived)),
            1 => (key(), prop::collection::vec(value(), 2..6)).prop_map(|(key, values)| Step::Race(key, values)),
            2 => Just(Step::Restart),
            1 => Just(Step::Rotate),
            4 => (tampering, any::<Index>(), any::<Index>())
                .prop_map(|(how, pick, bit)| Step::Tamper(how, pick, bit)),
            1 => any::<Index>().prop_map(Step::RollBack),
        ]
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        match step {
            Step::Put(key, value) => drop(model.insert(*key, value.clone())),
            Step::PutIfAbsent(key, value) => drop(model.entry(*key).or_insert_with(|| value.clone())),
            Step::Swap(key, value, right) => {
                if let Some(standing) = model.get_mut(key)
                    && *right
                {
                    standing.clone_from(value);
                }
            }
            Step::Delete(key) => drop(model.remove(key)),
            Step::Batch(changes)
            | Step::BatchThrough(changes, _)
            | Step::BatchThroughARestart(changes)
            | Step::Crash(changes, true) => {
                model = applied(&model, changes);
            }
            Step::Together(batches, _) | Step::CrashTogether(batches, _) => {
                model = batches.iter().fold(model, |model, batch| applied(&model, batch));
            }
            Step::Race(key, values) => drop(model.insert(*key, values[0].clone())),
            Step::Crash(_, false) | Step::Restart | Step::Rotate | Step::Tamper(..) | Step::RollBack(_) => {}
        }
        model
    }
}

/// The store and its parent, on a runtime that ends with them.
struct Running {
    world: World,
    /// What the model held before the step: what a crash may leave, and what conditions are decided on.
    before: Model,
    runtime: Runtime,
}

struct Histories;

impl StateMachineTest for Histories {
    type SystemUnderTest = Running;
    type Reference = Reference;

    fn init_test(model: &Model) -> Running {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = runtime.block_on(World::new());
        Running { world, before: model.clone(), runtime }
    }

    fn apply(mut running: Running, model: &Model, step: Step) -> Running {
        let Running { world, before, runtime } = &mut running;
        runtime.block_on(async {
            match step {
                Step::Put(key, value) => world.put(key, &value).await,
                Step::PutIfAbsent(key, value) => {
                    assert_eq!(world.put_if_absent(key, &value).await, !before.contains_key(&key));
                }
                Step::Swap(key, value, right) => {
                    assert_eq!(world.swap(key, &value, right).await, right && before.contains_key(&key));
                }
                Step::Delete(key) => world.delete(key).await,
                Step::Batch(changes) => world.batch(&changes).await,
                Step::BatchThrough(changes, fault) => world.batch_through(&changes, fault).await,
                Step::BatchThroughARestart(changes) => world.batch_through_a_restart(&changes).await,
                Step::Crash(changes, arrived) => world.crash(&changes, arrived).await,
                Step::Together(batches, fault) => world.together(&batches, fault).await,
                Step::CrashTogether(batches, arrived) => {
                    world.crash_together(&batches, arrived, before).await;
                }
                Step::Race(key, values) => world.race(key, &values).await,
                Step::Restart => world.restart().await,
                Step::Rotate => world.rotate().await,
                Step::Tamper(how, pick, bit) => world.tamper(how, pick, bit, model).await,
                Step::RollBack(pick) => world.roll_back(pick, model).await,
            }
            world.check(model).await;
        });
        before.clone_from(model);
        running
    }
}

fn configuration() -> ProptestConfig {
    let histories = std::env::var("R3E_STATE_HISTORIES").ok().map(|count| count.parse().unwrap());
    ProptestConfig { cases: histories.unwrap_or(40), failure_persistence: None, ..ProptestConfig::default() }
}

prop_state_machine! {
    #![proptest_config(configuration())]

    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_tampered_with_is_served(sequential 1..24 => Histories);
}
