//! The rules, without a store.

use super::*;

const DAY: u64 = 86_400_000;
const V1: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const V2: &str = "2222222222222222222222222222222222222222222222222222222222222222";

fn next(now_ms: u64) -> Next {
    Next { value_bytes: 3, by: Actor::Tenant {}, now_ms, expires_at_ms: None, keep_previous_ms: None }
}

fn grantee(text: &str) -> Grantee {
    Grantee::parse(text).unwrap()
}

/// A secret with so many versions, set at 1, 2 and so on.
fn versions(count: u64) -> Record {
    (2..=count).fold(Record::first(&next(1)).record, |record, now| record.next(&next(now)).record)
}

fn states(record: &Record, now_ms: u64) -> Vec<(u64, VersionState)> {
    record.details("S", now_ms).versions.iter().map(|version| (version.version, version.state)).collect()
}

#[test]
fn each_set_makes_the_next_version_and_the_oldest_goes_when_there_are_too_many() {
    let most = MAX_SECRET_VERSIONS as u64;
    let change = versions(most).next(&next(100));
    assert_eq!((change.added, change.removed.as_slice()), (Some(most + 1), &[1_u64][..]));
    let states = states(&change.record, 100);
    assert_eq!(states.len(), MAX_SECRET_VERSIONS);
    assert_eq!(states.first(), Some(&(2, VersionState::Kept)));
    assert_eq!(states.last(), Some(&(most + 1, VersionState::Current)));
}

#[test]
fn a_rotation_keeps_the_earlier_versions_as_long_as_it_says() {
    let at_once = versions(3).next(&Next { keep_previous_ms: Some(0), ..next(10) });
    assert_eq!((at_once.removed.as_slice(), at_once.added), (&[1_u64, 2, 3][..], Some(4)));
    assert!(at_once.deadlines.is_empty());
    let gone = VersionState::Destroyed;
    assert_eq!(states(&at_once.record, 10), [(1, gone), (2, gone), (3, gone), (4, VersionState::Current)]);

    let for_a_day = versions(2).next(&Next { keep_previous_ms: Some(DAY), ..next(10) });
    assert_eq!(for_a_day.removed, [0_u64; 0]);
    assert_eq!(for_a_day.deadlines, [(10 + DAY, 1), (10 + DAY, 2)]);
    assert_eq!(states(&for_a_day.record, 9 + DAY)[0], (1, VersionState::Kept));
    assert_eq!(states(&for_a_day.record, 10 + DAY)[0], (1, gone), "whether it was swept yet or not");

    // A longer time later does not lengthen what was promised; a shorter one shortens it.
    let longer = for_a_day.record.clone().next(&Next { keep_previous_ms: Some(9 * DAY), ..next(20) });
    assert_eq!(longer.deadlines, [(20 + 9 * DAY, 3)]);
    assert!(longer.settled.is_empty());
    let shorter = for_a_day.record.next(&Next { keep_previous_ms: Some(1), ..next(20) });
    assert_eq!(shorter.deadlines, [(21, 1), (21, 2), (21, 3)]);
    assert_eq!(shorter.settled, [(10 + DAY, 1), (10 + DAY, 2)]);
}

#[test]
fn a_rollback_is_a_new_version_that_ends_when_the_old_one_would_have() {
    let first = Record::first(&Next { expires_at_ms: Some(50), value_bytes: 7, ..next(1) }).record;
    let second = first.next(&next(2)).record;
    let change = second.clone().restored(1, Actor::ApiKey { id: "k".into() }, 3).unwrap();
    assert_eq!((change.added, change.deadlines.as_slice()), (Some(3), &[(50_u64, 3_u64)][..]));
    let shown = change.record.details("S", 4);
    assert_eq!(
        (shown.secret.version, shown.secret.value_bytes, shown.secret.expires_at_ms),
        (3, 7, Some(50))
    );
    assert_eq!(shown.versions[2].restored_from, Some(1));
    let refusal = |record: Record, to, now| match record.restored(to, Actor::Tenant {}, now) {
        Err(ServiceError::Conflict(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refusal(second.clone(), 2, 3).contains("current"));
    assert!(refusal(second.clone(), 1, 50).contains("expired"));
    let destroyed = second.clone().next(&Next { keep_previous_ms: Some(0), ..next(4) }).record;
    assert!(refusal(destroyed, 2, 5).contains("destroyed"));
    let absent = second.restored(9, Actor::Tenant {}, 3);
    assert!(matches!(absent, Err(ServiceError::NotFound { .. })));
}

#[test]
fn what_is_over_is_refused_at_once_and_swept_once() {
    let mut record = Record::first(&Next { expires_at_ms: Some(50), ..next(1) }).record;
    record.grant(&[grantee("f")], 1).unwrap();
    assert_eq!(record.access("f", V1, true, 49), Access::Given(1));
    assert_eq!(record.access("f", V1, true, 50), Access::Expired(1));
    assert!(record.shown("S", 50).expired && !record.shown("S", 49).expired);
    assert_eq!(record.clone().swept(49), None);
    let swept = record.swept(50).unwrap();
    assert_eq!((swept.removed.as_slice(), swept.settled.as_slice()), (&[1_u64][..], &[(50_u64, 1_u64)][..]));
    assert_eq!(swept.record.access("f", V1, true, 51), Access::Expired(1), "it stays expired, and known");
    assert_eq!(swept.record.clone().swept(51), None);
    // A new version brings it back, without an end.
    let renewed = swept.record.next(&next(60)).record;
    assert_eq!(renewed.access("f", V1, true, 61), Access::Given(2));
}

#[test]
fn nobody_reads_what_was_not_granted_and_a_pin_holds_for_one_version() {
    let mut record = versions(1);
    assert_eq!(record.access("f", V1, true, 1), Access::NotGranted(1), "no grants: nobody");
    record.grant(&[grantee(&format!("f@{V1}"))], 1).unwrap();
    assert_eq!(record.access("f", V1, true, 1), Access::Given(1));
    assert_eq!(record.access("f", V2, true, 1), Access::NotGranted(1));
    assert_eq!(record.access("f", V1, false, 1), Access::Given(1), "by its digits, in service or not");
    assert_eq!(record.access("g", V1, true, 1), Access::NotGranted(1), "the same code under another name");
    record.grant(&[grantee("f"), grantee("f"), grantee(&format!("f@{V2}"))], 2).unwrap();
    assert_eq!(record.access("f", V2, true, 1), Access::Given(1));
    let third = "33".repeat(32);
    assert_eq!(record.access("f", &third, true, 1), Access::Given(1), "by the name");
    assert_eq!(record.access("f", &third, false, 1), Access::NotGranted(1), "the name is what aliases name");
    assert_eq!(record.access("f", V2, false, 1), Access::Given(1), "by its digits");
    assert_eq!(record.shown("S", 2).grants.len(), 3);
    record.revoke(&grantee(&format!("f@{V1}"))).unwrap();
    assert!(matches!(record.revoke(&grantee(&format!("f@{V1}"))), Err(ServiceError::NotFound { .. })));
    assert_eq!(record.access("f", V1, true, 1), Access::Given(1), "by its name, still");
    record.revoke(&grantee("f")).unwrap();
    assert_eq!(record.shown("S", 2).grants, []);
    assert!(matches!(record.revoke(&grantee("f")), Err(ServiceError::NotFound { .. })));
}

#[test]
fn there_are_only_so_many_grants() {
    let mut record = versions(1);
    let many: Vec<Grantee> = (0..MAX_SECRET_GRANTS).map(|n| grantee(&format!("f{n}"))).collect();
    record.grant(&many, 1).unwrap();
    record.grant(&many, 1).unwrap();
    assert!(matches!(record.grant(&[grantee("one-more")], 1), Err(ServiceError::TooMany { .. })));
}

#[test]
fn everything_goes_with_the_secret() {
    let record =
        versions(2).next(&Next { keep_previous_ms: Some(5), expires_at_ms: Some(9), ..next(3) }).record;
    assert_eq!(record.everything(), (vec![1, 2, 3], vec![(8, 1), (8, 2), (9, 3)]));
}
