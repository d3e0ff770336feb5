//! Of counters: what makes a series, what ends one, and how many there are.

use std::cell::Cell;
use std::time::Duration;

use r3e_proto::api::functions::{FunctionError, Outcome, Usage};

use r3e_store::StoreError;

use super::*;
use crate::completed::Hashes;
use crate::course::Told;
use crate::registry::RegistryError;
use crate::runner_pool::InvocationError;

const ALICE: TenantId = TenantId([1; 16]);
const BOB: TenantId = TenantId([2; 16]);

fn completed(code: Option<&str>, total_us: u64) -> Completed {
    let outcome = match code {
        None => Outcome::Output("1".into()),
        Some(code) => {
            Outcome::Error(FunctionError { code: code.into(), message: String::new(), stack: None })
        }
    };
    Completed {
        version: [1; 32],
        hashes: Hashes::of(b"1", &outcome, &[], false),
        outcome,
        logs: Vec::new(),
        logs_truncated: false,
        usage: Usage { cpu_us: 700, ..Usage::default() },
        course: Told { total_us, ..Told::default() },
    }
}

fn overloaded() -> InvokeError {
    let error = InvocationError::Busy { scope: "function" };
    InvokeError::Overloaded { error, expected_wait: Duration::ZERO }
}

fn quota() -> InvokeError {
    InvokeError::NotAdmitted(NotAdmitted::Quota { source: "over".into(), retry_after_s: 1 })
}

fn at(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).unwrap()
}

#[test]
fn each_end_has_its_counter_and_each_tenant_its_own() {
    let counts = Counts::new();
    let is_there = || true;
    for code in [None, None, Some("timeout"), Some("of another release")] {
        counts.completed(ALICE, "f", &completed(code, 1_000), 1, is_there);
    }
    counts.completed(BOB, "f", &completed(None, 30_000_001), 1, is_there);
    counts.refused(ALICE, "f", &overloaded(), 1, is_there);
    counts.refused(ALICE, "f", &quota(), 1, is_there);

    let (alice, bob) = (counts.of(ALICE), counts.of(BOB));
    let [(name, of_alice)] = alice.iter().collect::<Vec<_>>()[..] else { panic!("{alice:?}") };
    assert_eq!(name, "f");
    let ended = |name| of_alice.ended.outcomes[at(&OUTCOMES, name)];
    assert_eq!((ended("ok"), ended("timeout"), ended("other"), ended("crashed")), (2, 1, 1, 0));
    let refused = |name| of_alice.ended.reasons[at(&REASONS, name)];
    assert_eq!((refused("concurrency"), refused("quota"), refused("balance")), (1, 1, 0));
    // A bound is the last of its bucket.
    assert_eq!((of_alice.durations[0], of_alice.duration_us, of_alice.cpu_us), (4, 4_000, 2_800));
    let beyond = bob["f"].durations[DURATION_BOUNDS_US.len()];
    assert_eq!((beyond, bob["f"].ended.outcomes[0], bob["f"].ended.reasons), (1, 1, [0; REASONS.len()]));
    assert_eq!(counts.totals().outcomes.iter().sum::<u64>(), 5);
}

#[test]
fn what_is_no_function_makes_no_series() {
    let counts = Counts::new();
    for name in ["nothing", "a\"b\n", "f{x=\"y\"}"] {
        counts.completed(ALICE, name, &completed(None, 1), 1, || false);
        counts.refused(ALICE, name, &overloaded(), 1, || false);
        counts.refused(ALICE, name, &InvokeError::Registry(RegistryError::NotFound(name.into())), 1, || true);
        counts.refused(ALICE, name, &InvokeError::EventNotText, 1, || true);
    }
    assert_eq!(counts.totals().reasons, [3, 0, 0, 0]);
    // A state that cannot be read: nobody can say whether there is such a function.
    counts.refused(ALICE, "f", &InvokeError::Registry(RegistryError::Store(StoreError::Busy)), 1, || false);
    assert_eq!(counts.totals().reasons[at(&REASONS, "unavailable")], 1);
    assert!(counts.of(ALICE).is_empty());
    assert!(counts.read().tenants.is_empty());
}

#[test]
fn a_deleted_function_takes_its_series_with_it() {
    let counts = Counts::new();
    counts.completed(ALICE, "f", &completed(None, 1), 1, || true);
    counts.completed(ALICE, "g", &completed(None, 1), 1, || true);
    counts.forget(ALICE, "f");
    counts.forget(ALICE, "f");
    counts.forget(BOB, "g");
    // An invocation that ends after the deletion.
    counts.completed(ALICE, "f", &completed(None, 1), 2, || false);
    // Another, which found the function before the deletion, and asks again when nobody can delete it unseen.
    let asked = Cell::new(0);
    counts.completed(ALICE, "f", &completed(None, 1), 2, || asked.replace(asked.get() + 1) == 0);
    assert_eq!((asked.get(), counts.of(ALICE).into_keys().collect::<Vec<_>>()), (2, vec!["g".to_owned()]));
    counts.forget(ALICE, "g");
    assert!(counts.read().tenants.is_empty());
    assert_eq!((counts.read().functions, counts.totals().outcomes[0]), (0, 4));
    // One of the same name begins anew.
    counts.completed(ALICE, "f", &completed(None, 1), 3, || true);
    assert_eq!(counts.of(ALICE)["f"].ended.outcomes[0], 1);
}

#[test]
fn series_are_bounded_and_those_counted_longest_ago_go() {
    let counts = Counts::new();
    let tenant = |number: usize| TenantId(u128::try_from(number / 100).unwrap().to_be_bytes());
    for number in 0..=MAX_COUNTED_FUNCTIONS {
        let now_ms = u64::try_from(number).unwrap();
        counts.completed(tenant(number), &format!("f{number}"), &completed(None, 1), now_ms, || true);
    }
    let kept = MAX_COUNTED_FUNCTIONS - COUNTED_FUNCTIONS_GIVEN_UP + 1;
    assert_eq!(counts.read().functions, kept);
    let listed: usize = counts.read().tenants.values().map(HashMap::len).sum();
    assert_eq!(listed, kept);
    assert!(counts.of(tenant(0)).is_empty());
    assert!(counts.of(tenant(MAX_COUNTED_FUNCTIONS)).contains_key(&format!("f{MAX_COUNTED_FUNCTIONS}")));
    // All of one moment: no more go than must.
    let counts = Counts::new();
    for number in 0..=MAX_COUNTED_FUNCTIONS {
        counts.completed(tenant(number), &format!("f{number}"), &completed(None, 1), 7, || true);
    }
    assert_eq!(counts.read().functions, kept);
}
