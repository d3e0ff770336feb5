//! Secrets over a real store with a keeper in memory, and a clock that the test sets.

use std::future::poll_fn;
use std::sync::Mutex as SyncMutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use r3e_functions::{ChangeError, SecretAnswer, SecretReader, SecretSource};
use r3e_proto::api::secrets::VersionState;
use r3e_store::{BlobStore, Options};
use tokio::time::timeout;

use super::*;
use crate::keeper::{Fault, Keeper, keys, others_run};

const ALICE: TenantId = TenantId([1; 16]);
const BOB: TenantId = TenantId([2; 16]);
const CODE: [u8; 32] = [0x11; 32];
const OTHER_CODE: [u8; 32] = [0x22; 32];
const DAY: u64 = 86_400_000;

struct House {
    keeper: Arc<Keeper>,
    store: Store,
    clock: Arc<AtomicU64>,
    secrets: Arc<Secrets>,
    /// Whose secrets changed.
    changes: Arc<SyncMutex<Vec<(TenantId, String)>>>,
}

impl House {
    async fn new() -> Self {
        Self::over(Keeper::new(), 1_000).await
    }

    async fn over(keeper: Arc<Keeper>, now_ms: u64) -> Self {
        let blobs: Arc<dyn BlobStore> = keeper.clone();
        let store = Store::open(blobs, keys(1), Options::default()).await.unwrap();
        let clock = Arc::new(AtomicU64::new(now_ms));
        let time = Arc::clone(&clock);
        let secrets = Secrets::start(store.clone(), move || time.load(Ordering::SeqCst)).unwrap();
        let changes: Arc<SyncMutex<Vec<(TenantId, String)>>> = Arc::default();
        let noted = Arc::clone(&changes);
        secrets
            .on_change(Box::new(move |tenant, name| noted.lock().unwrap().push((tenant, name.to_owned()))));
        Self { keeper, store, clock, secrets, changes }
    }

    async fn set(&self, name: &str, value: &str, options: SetOptions) -> Result<Secret, ServiceError> {
        self.secrets.set(ALICE, Actor::Tenant {}, name, value.as_bytes(), options).await
    }

    async fn read(&self, function: &str, code: &[u8; 32], name: &str) -> String {
        let reader =
            SecretReader { tenant: ALICE, function, version: code, in_service: true, invocation: &[9; 16] };
        match self.secrets.read(reader, name).await.unwrap() {
            SecretAnswer::Given { value, version } => format!("{}@{version}", value.as_str()),
            SecretAnswer::NotGranted => "not granted".into(),
            SecretAnswer::Expired => "expired".into(),
            SecretAnswer::Absent => "absent".into(),
        }
    }

    fn later(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    async fn log(&self) -> Vec<(u64, Action, Option<u64>, Outcome)> {
        let log = self.secrets.audit(ALICE, None, 0).await.unwrap();
        log.entries.iter().map(|entry| (entry.number, entry.action, entry.version, entry.outcome)).collect()
    }

    fn keys(&self, label: &'static str) -> Vec<String> {
        let space = Namespace::of_tenant(label, &ALICE.to_string()).unwrap();
        self.store.scan(&space, "", None, 1_000).unwrap().into_iter().map(|entry| entry.key).collect()
    }

    fn deadlines(&self) -> usize {
        let space = Namespace::of_appliance("secret-deadlines").unwrap();
        self.store.scan(&space, "", None, 1_000).unwrap().len()
    }
}

fn to(functions: &[&str]) -> SetOptions {
    let grantees = functions.iter().map(|text| Grantee::parse(text).unwrap()).collect();
    SetOptions { grantees, ..SetOptions::default() }
}

#[tokio::test]
async fn a_function_has_the_current_version_if_it_was_granted_and_each_read_is_logged() {
    let house = House::new().await;
    assert_eq!(house.read("f", &CODE, "KEY").await, "absent");
    house.set("KEY", "one", SetOptions::default()).await.unwrap();
    assert_eq!(house.read("f", &CODE, "KEY").await, "not granted", "without grants, nobody");
    house.secrets.regrant(ALICE, "KEY", &Grantee::parse("f").unwrap(), true).await.unwrap();
    assert_eq!(house.read("f", &CODE, "KEY").await, "one@1");
    assert_eq!(house.read("g", &CODE, "KEY").await, "not granted");
    house.set("KEY", "two", SetOptions::default()).await.unwrap();
    assert_eq!(house.read("f", &OTHER_CODE, "KEY").await, "two@2", "grants outlive versions");
    let expected = [
        (1, Action::Read, None, Outcome::Absent),
        (2, Action::Set, Some(1), Outcome::Done),
        (3, Action::Read, Some(1), Outcome::NotGranted),
        (4, Action::Grant, None, Outcome::Done),
        (5, Action::Read, Some(1), Outcome::Done),
        (6, Action::Read, Some(1), Outcome::NotGranted),
        (7, Action::Set, Some(2), Outcome::Done),
        (8, Action::Read, Some(2), Outcome::Done),
    ];
    assert_eq!(house.log().await, expected);
    let log = house.secrets.audit(ALICE, None, 4).await.unwrap();
    assert_eq!(
        log.entries[0].by,
        Actor::Function { name: "f".into(), version: "11".repeat(32), invocation: "09".repeat(16) }
    );
    let of_another = house.secrets.audit(BOB, None, 0).await.unwrap();
    assert_eq!((of_another.entries.len(), of_another.dropped), (0, 0));
}

#[tokio::test]
async fn no_value_is_given_before_its_entry_is_durable() {
    let house = House::new().await;
    house.set("KEY", "one", to(&["f"])).await.unwrap();
    let stopped = house.keeper.gate.write().await;
    let reader =
        SecretReader { tenant: ALICE, function: "f", version: &CODE, in_service: true, invocation: &[9; 16] };
    let mut read = house.secrets.read(reader, "KEY");
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), &mut read).await;
    assert!(waited.is_err(), "the parent has not taken the entry, and the value is out");
    drop(stopped);
    assert!(matches!(read.await.unwrap(), SecretAnswer::Given { .. }));
}

/// A read whose entry is on its way, and which goes on when it is awaited.
async fn read_under_way(house: &House) -> r3e_functions::SourceFuture<'_, SecretAnswer> {
    let reader =
        SecretReader { tenant: ALICE, function: "f", version: &CODE, in_service: true, invocation: &[9; 16] };
    let mut read = house.secrets.read(reader, "KEY");
    let before = house.log().await.len();
    while house.log().await.len() == before {
        let polled = poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
        assert!(polled.is_pending(), "its entry is not durable yet");
        others_run().await;
    }
    read
}

#[tokio::test]
async fn a_grant_that_went_while_the_entry_was_on_its_way_gives_nothing() {
    let house = House::new().await;
    house.set("KEY", "one", to(&["f"])).await.unwrap();
    let read = read_under_way(&house).await;
    house.secrets.regrant(ALICE, "KEY", &Grantee::parse("f").unwrap(), false).await.unwrap();
    assert!(matches!(read.await.unwrap(), SecretAnswer::NotGranted));
    let expected = [
        (1, Action::Set, Some(1), Outcome::Done),
        (2, Action::Read, Some(1), Outcome::Done),
        (3, Action::Revoke, None, Outcome::Done),
        (4, Action::Read, Some(1), Outcome::NotGranted),
    ];
    assert_eq!(house.log().await, expected, "the revocation came between the entry and the second look");
}

#[tokio::test]
async fn a_version_whose_time_ran_out_while_the_entry_was_on_its_way_is_not_given() {
    let house = House::new().await;
    house.set("KEY", "one", SetOptions { expires_in_ms: Some(500), ..to(&["f"]) }).await.unwrap();
    let read = read_under_way(&house).await;
    house.later(500);
    assert!(matches!(read.await.unwrap(), SecretAnswer::Expired));
    let outcomes: Vec<Outcome> = house.log().await.into_iter().map(|(.., outcome)| outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done, Outcome::Expired]);
}

#[tokio::test]
async fn a_change_goes_by_the_time_at_which_its_turn_came() {
    let house = House::new().await;
    house.set("KEY", "one", SetOptions { expires_in_ms: Some(500), ..to(&["f"]) }).await.unwrap();
    house.set("KEY", "two", SetOptions::default()).await.unwrap();
    let turn = house.secrets.changing.take(ALICE).await.unwrap();
    let spawned = |restores: bool| {
        let secrets = Arc::clone(&house.secrets);
        tokio::spawn(async move {
            if restores {
                return secrets.rollback(ALICE, Actor::Tenant {}, "KEY", 1, None).await;
            }
            secrets.regrant(ALICE, "KEY", &Grantee::parse("g").unwrap(), true).await
        })
    };
    let (restoring, granting) = (spawned(true), spawned(false));
    others_run().await;
    house.later(500);
    drop(turn);
    assert!(matches!(restoring.await.unwrap(), Err(ServiceError::Conflict(_))), "it has expired meanwhile");
    granting.await.unwrap().unwrap();
    let log = house.secrets.audit(ALICE, None, 2).await.unwrap();
    assert_eq!((log.entries[0].action, log.entries[0].at_ms), (Action::Grant, 1_500));
}

#[tokio::test]
async fn an_update_that_saw_an_older_version_is_refused() {
    let house = House::new().await;
    let expecting = |version| SetOptions { if_version: Some(version), ..SetOptions::default() };
    let conflicts = |outcome: Result<Secret, ServiceError>| matches!(outcome, Err(ServiceError::Conflict(_)));
    assert!(conflicts(house.set("KEY", "one", expecting(1)).await), "there is none yet");
    house.set("KEY", "one", expecting(0)).await.unwrap();
    assert!(conflicts(house.set("KEY", "again", expecting(0)).await), "there is one now");
    let both = tokio::join!(house.set("KEY", "left", expecting(1)), house.set("KEY", "right", expecting(1)));
    assert_ne!(conflicts(both.0), conflicts(both.1), "one of two that saw the same version");
    let behind = house.secrets.rollback(ALICE, Actor::Tenant {}, "KEY", 1, Some(1)).await;
    assert!(conflicts(behind));
    let secret = house.secrets.rollback(ALICE, Actor::Tenant {}, "KEY", 1, Some(2)).await.unwrap();
    assert_eq!(secret.version, 3);
}

#[tokio::test]
async fn a_rollback_brings_the_old_value_back_as_a_new_version_and_is_its_only_reader() {
    let house = House::new().await;
    house.set("KEY", "one", to(&["f"])).await.unwrap();
    house.set("KEY", "two", SetOptions::default()).await.unwrap();
    assert_eq!(house.read("f", &CODE, "KEY").await, "two@2");
    house.secrets.rollback(ALICE, Actor::ApiKey { id: "00".into() }, "KEY", 1, None).await.unwrap();
    assert_eq!(house.read("f", &CODE, "KEY").await, "one@3");
    let details = house.secrets.show(ALICE, "KEY").await.unwrap();
    let states: Vec<_> = details.versions.iter().map(|version| (version.version, version.state)).collect();
    assert_eq!(states, [(1, VersionState::Kept), (2, VersionState::Kept), (3, VersionState::Current)]);
    assert_eq!(details.versions[2].set_by, Actor::ApiKey { id: "00".into() });
}

#[tokio::test]
async fn an_expired_secret_is_refused_at_once_and_its_value_goes() {
    let house = House::new().await;
    let options = SetOptions { expires_in_ms: Some(500), ..to(&["f"]) };
    house.set("KEY", "one", options).await.unwrap();
    house.later(499);
    assert_eq!(house.read("f", &CODE, "KEY").await, "one@1");
    deadlines::sweep(&house.secrets).await.unwrap();
    assert_eq!(house.keys("secret-values"), ["KEY/1"]);
    house.later(1);
    assert_eq!(house.read("f", &CODE, "KEY").await, "expired");
    assert!(house.secrets.list(ALICE).await.unwrap()[0].expired);
    assert_eq!(house.keys("secret-values"), ["KEY/1"], "not swept yet, and refused all the same");
    deadlines::sweep(&house.secrets).await.unwrap();
    assert_eq!((house.keys("secret-values"), house.deadlines()), (vec![], 0));
    assert_eq!(house.read("f", &CODE, "KEY").await, "expired");
    let (_, action, version, _) = house.log().await[3];
    assert_eq!((action, version), (Action::Destroy, Some(1)));
    for wrong in [0, MAX_SECRET_LIFETIME_MS + 1] {
        let options = SetOptions { expires_in_ms: Some(wrong), ..SetOptions::default() };
        assert!(matches!(house.set("KEY", "two", options).await, Err(ServiceError::Invalid(_))));
    }
}

#[tokio::test]
async fn values_that_are_due_go_also_after_a_restart() {
    let house = House::new().await;
    let options = || SetOptions { expires_in_ms: Some(500), ..SetOptions::default() };
    for number in 0..SECRETS_BESIDE {
        house.set(&format!("S{number}"), "value", options()).await.unwrap();
    }
    house.set("KEPT", "value", SetOptions::default()).await.unwrap();
    let House { keeper, secrets, store, .. } = house;
    drop((secrets, store));
    let house = House::over(keeper, 10_000).await;
    deadlines::sweep(&house.secrets).await.unwrap();
    assert_eq!((house.keys("secret-values"), house.deadlines()), (vec!["KEPT/1".to_owned()], 0));
}

/// More than one sweep looks at, at once.
const SECRETS_BESIDE: usize = crate::limits::SECRETS_SWEPT_AT_ONCE + 5;

#[tokio::test]
async fn a_rotation_destroys_what_it_says_when_it_says() {
    let house = House::new().await;
    house.set("KEY", "one", to(&["f"])).await.unwrap();
    let keep = |ms| SetOptions { keep_previous_ms: Some(ms), ..SetOptions::default() };
    house.set("KEY", "two", keep(DAY)).await.unwrap();
    assert_eq!(house.keys("secret-values"), ["KEY/1", "KEY/2"]);
    house.later(DAY);
    deadlines::sweep(&house.secrets).await.unwrap();
    assert_eq!((house.keys("secret-values"), house.deadlines()), (vec!["KEY/2".to_owned()], 0));
    assert!(house.secrets.rollback(ALICE, Actor::Tenant {}, "KEY", 1, None).await.is_err());
    house.set("KEY", "three", keep(0)).await.unwrap();
    assert_eq!(
        house.keys("secret-values"),
        ["KEY/3"],
        "a leaked value is gone with the commit that replaces it"
    );
    assert_eq!(house.read("f", &CODE, "KEY").await, "three@3");
}

#[tokio::test]
async fn a_deletion_takes_all_but_the_log() {
    let house = House::new().await;
    let options = SetOptions { expires_in_ms: Some(DAY), ..to(&["f"]) };
    house.set("KEY", "one", options).await.unwrap();
    house
        .set("KEY", "two", SetOptions { keep_previous_ms: Some(DAY), ..SetOptions::default() })
        .await
        .unwrap();
    house.read("f", &CODE, "KEY").await;
    house.secrets.delete(ALICE, Actor::Tenant {}, "KEY").await.unwrap();
    assert_eq!((house.keys("secrets"), house.keys("secret-values"), house.deadlines()), (vec![], vec![], 0));
    assert_eq!(house.read("f", &CODE, "KEY").await, "absent");
    let actions: Vec<Action> = house.log().await.into_iter().map(|(_, action, ..)| action).collect();
    assert_eq!(actions, [Action::Set, Action::Set, Action::Read, Action::Delete, Action::Read]);
    // One of the same name is another one: no grants, no versions.
    house.set("KEY", "new", SetOptions::default()).await.unwrap();
    assert_eq!(house.read("f", &CODE, "KEY").await, "not granted");
    let again = house.secrets.delete(BOB, Actor::Tenant {}, "KEY").await;
    assert!(matches!(again, Err(ServiceError::NotFound { .. })));
}

#[tokio::test]
async fn a_change_that_the_parent_lost_is_whole_or_not_at_all() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let house = House::new().await;
        house.set("KEY", "one", to(&["f"])).await.unwrap();
        house.keeper.fail_next([fault]);
        house.set("KEY", "two", SetOptions::default()).await.unwrap();
        assert_eq!(house.read("f", &CODE, "KEY").await, "two@2");
        assert_eq!(house.log().await.len(), 3);
    }
}

#[tokio::test]
async fn who_holds_values_in_memory_is_told_of_each_change() {
    let house = House::new().await;
    house.set("KEY", "one", to(&["f"])).await.unwrap();
    house.secrets.regrant(ALICE, "KEY", &Grantee::parse("f").unwrap(), false).await.unwrap();
    house.secrets.delete(ALICE, Actor::Tenant {}, "KEY").await.unwrap();
    let options = SetOptions { expires_in_ms: Some(5), ..SetOptions::default() };
    house.set("SHORT", "one", options).await.unwrap();
    house.later(5);
    deadlines::sweep(&house.secrets).await.unwrap();
    let changes = house.changes.lock().unwrap().clone();
    let names: Vec<&str> = changes.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["KEY", "KEY", "KEY", "SHORT", "SHORT"]);
}

#[tokio::test]
async fn who_holds_values_is_told_also_when_the_client_goes_away_during_the_commit() {
    for deletes in [false, true] {
        let house = House::new().await;
        house.set("KEY", "one", to(&["f"])).await.unwrap();
        house.changes.lock().unwrap().clear();
        let stopped = house.keeper.gate.write().await;
        let client = tokio::spawn({
            let secrets = Arc::clone(&house.secrets);
            async move {
                if deletes {
                    return secrets.delete(ALICE, Actor::Tenant {}, "KEY").await;
                }
                secrets.regrant(ALICE, "KEY", &Grantee::parse("f").unwrap(), false).await.map(drop)
            }
        });
        others_run().await;
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled(), "the commit cannot have been answered");
        assert!(
            timeout(Duration::from_millis(20), house.secrets.changing.take(ALICE)).await.is_err(),
            "it is nobody else's turn before the commit stands"
        );
        assert!(house.changes.lock().unwrap().is_empty(), "nothing has changed yet");
        drop(stopped);
        // The turn ends after they were told.
        drop(house.secrets.changing.take(ALICE).await.unwrap());
        assert_eq!(*house.changes.lock().unwrap(), [(ALICE, "KEY".to_owned())]);
        let gone = if deletes { "absent" } else { "not granted" };
        assert_eq!(house.read("f", &CODE, "KEY").await, gone);
    }
}

#[tokio::test]
async fn one_tenants_changes_keep_nobody_else_waiting_and_not_all_of_them_wait() {
    let house = House::new().await;
    let turn = house.secrets.changing.take(ALICE).await.unwrap();
    let set = |tenant: TenantId, name: String| {
        let secrets = Arc::clone(&house.secrets);
        async move { secrets.set(tenant, Actor::Tenant {}, &name, b"one", SetOptions::default()).await }
    };
    let waiting: Vec<_> =
        (1..MAX_WAITING_USES).map(|number| tokio::spawn(set(ALICE, format!("KEY{number}")))).collect();
    others_run().await;
    assert!(matches!(set(ALICE, "MORE".into()).await, Err(ServiceError::Busy(_))));
    set(BOB, "KEY".into()).await.unwrap();
    drop(turn);
    for done in waiting {
        done.await.unwrap().unwrap();
    }
    set(ALICE, "MORE".into()).await.unwrap();
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused() {
    let house = House::new().await;
    let refused = |outcome: Result<Secret, ServiceError>| matches!(outcome, Err(ServiceError::Invalid(_)));
    assert!(refused(house.set("../KEY", "one", SetOptions::default()).await));
    assert!(refused(house.set("KEY", "", SetOptions::default()).await));
    assert!(refused(house.set("KEY", &"x".repeat(MAX_SECRET_BYTES + 1), SetOptions::default()).await));
    let bytes = house.secrets.set(ALICE, Actor::Tenant {}, "KEY", b"\xff", SetOptions::default()).await;
    assert!(refused(bytes));
    house.set("KEY", &"x".repeat(MAX_SECRET_BYTES), SetOptions::default()).await.unwrap();
}

#[tokio::test]
async fn a_function_reads_what_it_set_itself_until_somebody_else_sets_the_next() {
    let house = House::new().await;
    let (f, g) = ("f", "g");
    let set = async |function: &str, code: &[u8; 32], in_service: bool, value: &str| {
        let setter =
            SecretReader { tenant: ALICE, function, version: code, in_service, invocation: &[9; 16] };
        let value = Zeroizing::new(value.to_owned());
        SecretSource::set(&*house.secrets, setter, "KEY", &value).await
    };
    assert_eq!(set(f, &CODE, true, "one").await, Ok(1));
    assert_eq!(house.read(f, &CODE, "KEY").await, "one@1");
    assert_eq!(house.read(f, &OTHER_CODE, "KEY").await, "not granted", "whoever deployed that");
    assert!(house.secrets.for_trigger(ALICE, f, "KEY").await.unwrap().is_none());
    assert_eq!(house.read(g, &CODE, "KEY").await, "not granted");
    // Whoever waits for the tenant to set it has nothing of it.
    house.set("KEY", "two", SetOptions::default()).await.unwrap();
    assert_eq!(house.read(f, &CODE, "KEY").await, "not granted");
    assert!(house.secrets.show(ALICE, "KEY").await.unwrap().secret.grants.is_empty());
    assert_eq!(set(g, &CODE, true, "three").await, Ok(3));
    assert_eq!(
        (house.read(f, &CODE, "KEY").await, house.read(g, &CODE, "KEY").await.as_str()),
        ("not granted".to_owned(), "three@3")
    );
    let log = house.secrets.audit(ALICE, None, 0).await.unwrap();
    let setters = log.entries.iter().filter(|entry| entry.action == Action::Set).map(|entry| &entry.by);
    let by = |name: &str| Actor::Function {
        name: name.into(),
        version: "11".repeat(32),
        invocation: "09".repeat(16),
    };
    assert_eq!(setters.cloned().collect::<Vec<_>>(), [by(f), Actor::Tenant {}, by(g)]);
    assert_eq!(house.changes.lock().unwrap().len(), 3, "processes that had the one before are ended");
    let too_long = "x".repeat(crate::limits::MAX_SECRET_BYTES + 1);
    assert!(matches!(set(f, &CODE, true, &too_long).await, Err(ChangeError::Invalid(_))));
}
