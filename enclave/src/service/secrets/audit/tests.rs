//! The log over a real store with a keeper in memory.

use r3e_proto::api::secrets::{Action, Actor, Outcome};
use r3e_store::{BlobStore, Namespace, Options};

use super::*;
use crate::keeper::{Fault, Keeper, keys};
use crate::limits::AUDIT_PAGE_ENTRIES;

const ALICE: TenantId = TenantId([1; 16]);
const BOB: TenantId = TenantId([2; 16]);

async fn store(keeper: &Arc<Keeper>) -> Store {
    let blobs: Arc<dyn BlobStore> = keeper.clone();
    Store::open(blobs, keys(1), Options::default()).await.unwrap()
}

fn entry(secret: &str) -> AuditEntry {
    AuditEntry {
        number: 0,
        at_ms: 1,
        action: Action::Read,
        secret: secret.to_owned(),
        version: Some(1),
        outcome: Outcome::Done,
        by: Actor::Tenant {},
        functions: Vec::new(),
    }
}

async fn numbers(audit: &Audit, tenant: TenantId) -> Vec<u64> {
    audit.read(tenant, None, 0).await.unwrap().entries.iter().map(|entry| entry.number).collect()
}

#[tokio::test]
async fn who_waits_at_once_shares_a_commit_and_everyone_is_logged() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let audit = Arc::new(Audit::start(store.clone()));
    let stopped = keeper.gate.write().await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..64 {
        let audit = Arc::clone(&audit);
        let tenant = if number % 2 == 0 { ALICE } else { BOB };
        waiting.spawn(async move { audit.commit(tenant, vec![entry("S")], Vec::new()).await });
        tokio::task::yield_now().await;
    }
    let before = store.sequence();
    drop(stopped);
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
    let commits = store.sequence() - before;
    assert!(commits <= 4, "{commits} commits for 64 entries");
    for tenant in [ALICE, BOB] {
        assert_eq!(numbers(&audit, tenant).await, (1..=32).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_change_is_committed_with_its_entry_or_not_at_all() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let audit = Audit::start(store.clone());
    let space = Namespace::of_tenant("secrets", "alice").unwrap();
    let put = || Write::put(&space, "S", b"1".as_slice()).if_absent();
    audit.commit(ALICE, vec![entry("S")], vec![put()]).await.unwrap();
    assert!(store.get(&space, "S").await.unwrap().is_some());
    let refused = audit.commit(ALICE, vec![entry("S")], vec![put()]).await.unwrap_err();
    assert!(matches!(refused, ServiceError::Store(StoreError::Conflict { .. })), "{refused}");
    assert_eq!(numbers(&audit, ALICE).await, [1], "what was not done is not logged as done");
    audit.commit(ALICE, vec![entry("S")], Vec::new()).await.unwrap();
    assert_eq!(numbers(&audit, ALICE).await, [1, 2]);
}

#[tokio::test]
async fn a_log_goes_on_where_it_ended_whoever_writes_it() {
    let keeper = Keeper::new();
    {
        let audit = Audit::start(store(&keeper).await);
        for _ in 0..=AUDIT_PAGE_ENTRIES {
            audit.commit(ALICE, vec![entry("S")], Vec::new()).await.unwrap();
        }
    }
    let store = store(&keeper).await;
    // Two writers of one log: neither loses what the other wrote.
    let (one, other) = (Audit::start(store.clone()), Audit::start(store));
    for _ in 0..AUDIT_PAGE_ENTRIES {
        one.commit(ALICE, vec![entry("one")], Vec::new()).await.unwrap();
        other.commit(ALICE, vec![entry("other")], Vec::new()).await.unwrap();
    }
    let all = 3 * AUDIT_PAGE_ENTRIES as u64 + 1;
    assert_eq!(numbers(&one, ALICE).await, (1..=all).collect::<Vec<_>>());
    let of_one = one.read(ALICE, Some("one"), 0).await.unwrap();
    assert_eq!(of_one.entries.len(), AUDIT_PAGE_ENTRIES);
    let late = one.read(ALICE, None, all - 2).await.unwrap();
    assert_eq!(late.entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [all - 1, all]);
}

#[tokio::test]
async fn an_entry_that_nobody_waits_for_any_more_is_logged_all_the_same() {
    let keeper = Keeper::new();
    let audit = Arc::new(Audit::start(store(&keeper).await));
    let stopped = keeper.gate.write().await;
    let first = tokio::spawn({
        let audit = Arc::clone(&audit);
        async move { audit.commit(ALICE, vec![entry("S")], Vec::new()).await }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.is_err());
    drop(stopped);
    audit.commit(ALICE, vec![entry("S")], Vec::new()).await.unwrap();
    assert_eq!(numbers(&audit, ALICE).await, [1, 2]);
}

#[tokio::test]
async fn reads_without_end_drive_out_no_change() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let audit = Audit::start(store.clone());
    let done = |action| AuditEntry { action, ..entry("S") };
    audit.commit(ALICE, vec![done(Action::Set), done(Action::Grant)], Vec::new()).await.unwrap();
    let reads = usize::try_from(Ring::Reads.kept()).unwrap() + 3 * AUDIT_PAGE_ENTRIES;
    for _ in 0..reads.div_ceil(200) {
        audit.commit(ALICE, vec![entry("S"); 200], Vec::new()).await.unwrap();
    }
    let by = Actor::Function { name: "f".into(), version: "11".repeat(32), invocation: "09".repeat(16) };
    let set = AuditEntry { by, ..done(Action::Set) };
    audit.commit(ALICE, vec![done(Action::Revoke), entry("S")], Vec::new()).await.unwrap();
    for _ in 0..reads.div_ceil(200) {
        audit.commit(ALICE, vec![set.clone(); 200], Vec::new()).await.unwrap();
    }
    let log = audit.read(ALICE, None, 0).await.unwrap();
    let of_people = |entry: &&AuditEntry| entry.action != Action::Read && entry.by == done(Action::Set).by;
    let changes: Vec<_> = log.entries.iter().filter(of_people).collect();
    let flood = reads.div_ceil(200) as u64 * 200;
    let revoked = 2 + flood + 1;
    let last = revoked + 1 + flood;
    let found: Vec<_> = changes.iter().map(|entry| (entry.number, entry.action)).collect();
    assert_eq!(found, [(1, Action::Set), (2, Action::Grant), (revoked, Action::Revoke)]);
    assert!(log.dropped > 0 && log.entries.len() as u64 >= log.kept);
    assert_eq!(log.dropped + log.entries.len() as u64, last, "every number is there or counted");
    assert!(log.entries.is_sorted_by(|one, next| one.number < next.number));
    // Numbers go on over both rings, also for a writer that finds them in the store.
    let again = Audit::start(store);
    again.commit(ALICE, vec![done(Action::Delete)], Vec::new()).await.unwrap();
    let late = again.read(ALICE, None, last - 1).await.unwrap();
    let late: Vec<_> = late.entries.iter().map(|entry| (entry.number, entry.action)).collect();
    assert_eq!(late, [(last, Action::Set), (last + 1, Action::Delete)]);
}

#[tokio::test]
async fn lost_answers_lose_no_entry_and_double_none() {
    let keeper = Keeper::new();
    let audit = Audit::start(store(&keeper).await);
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::FalseConflict, Fault::Failed] {
        keeper.fail_next([fault]);
        // The store settles what became of the commit before it answers.
        audit.commit(ALICE, vec![entry("S")], Vec::new()).await.unwrap();
    }
    assert_eq!(numbers(&audit, ALICE).await, [1, 2, 3, 4]);
}
