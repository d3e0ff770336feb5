//! Versions and aliases by themselves.

use r3e_proto::api::functions::{Instance, Limits, Permissions, Runtime};
use r3e_proto::api::versions::Canary;

use super::*;

fn by(now_ms: u64) -> By {
    By { actor: Actor::ApiKey { id: format!("{now_ms:016x}") }, now_ms }
}

/// A version whose digits are the number's.
fn version(number: u64) -> Function {
    Function {
        name: "f".into(),
        version: hex_of(number),
        runtime: Runtime::Javascript,
        permissions: Permissions::default(),
        limits: Limits::default(),
        instance: Instance::default(),
        source_bytes: 10,
        entry: None,
        modules: Vec::new(),
        deployed_at_ms: number,
    }
}

fn hex_of(number: u64) -> String {
    format!("{number:08x}{}", "0".repeat(56))
}

fn to(number: u64) -> Target {
    Target { version: hex_of(number), canary: None }
}

fn split(number: u64, canary: u64, percent: u8) -> Target {
    Target { canary: Some(Canary { version: hex_of(canary), percent }), ..to(number) }
}

/// With so many versions, the first one in `prod`.
fn record(versions: u64) -> Record {
    let mut record = Record::first(version(1), &by(1));
    for number in 2..=versions {
        record.keep(version(number));
    }
    record
}

fn set(record: &mut Record, alias: &str, target: &Target) -> Result<u64, RegistryError> {
    record.point(alias, target, None, Cause::Set, &by(50))?;
    Ok(record.alias(alias)?.revision)
}

fn prod(record: &Record) -> Target {
    record.alias(PROD).unwrap().target
}

#[test]
fn what_stands_behind_the_name_is_found() {
    let mut record = record(3);
    set(&mut record, "staging", &split(2, 3, 10)).unwrap();
    let found = |at: At, canary: bool| {
        record.resolve(&at, |_, percent| percent == 10 && canary).map(|function| function.deployed_at_ms)
    };
    let alias = |name: &str| At::Alias(name.to_owned());
    assert_eq!(found(alias("prod"), true).unwrap(), 1);
    assert_eq!((found(alias("staging"), false).unwrap(), found(alias("staging"), true).unwrap()), (2, 3));
    assert_eq!(found(At::Version("00000003".into()), false).unwrap(), 3);
    assert!(matches!(found(At::Version("000000".into()), false), Err(RegistryError::AmbiguousVersion(_))));
    assert!(matches!(found(At::Version("ffffff".into()), false), Err(RegistryError::NoVersion(_))));
    assert!(matches!(found(alias("beta"), false), Err(RegistryError::NoAlias(_))));
    assert_eq!(record.named().len(), 3);
}

#[test]
fn a_move_that_expects_another_revision_is_none() {
    let mut record = record(3);
    let first = record.alias(PROD).unwrap().revision;
    record.point(PROD, &to(2), Some(first), Cause::Deploy, &by(2)).unwrap();
    let lost = record.point(PROD, &to(3), Some(first), Cause::Deploy, &by(3)).unwrap_err();
    let RegistryError::AliasMoved { expected, found, .. } = lost else { panic!("{lost}") };
    assert_eq!((expected, found > first), (first, true));
    assert_eq!(prod(&record), to(2));
    assert!(matches!(record.roll_back(PROD, Some(first), &by(4)), Err(RegistryError::AliasMoved { .. })));
    // Zero means that there is no such alias.
    assert!(record.point(PROD, &to(3), Some(0), Cause::Set, &by(5)).is_err());
    record.point("staging", &to(3), Some(0), Cause::Set, &by(5)).unwrap();
    assert!(record.point("staging", &to(2), Some(0), Cause::Set, &by(5)).is_err());
    // Removed and set anew, it is not at a revision where it was before.
    let old = record.alias("staging").unwrap().revision;
    record.remove_alias("staging", Some(old)).unwrap();
    assert!(record.point("staging", &to(1), Some(old), Cause::Set, &by(6)).is_err());
    assert!(set(&mut record, "staging", &to(1)).unwrap() > old);
    assert!(matches!(record.remove_alias(PROD, None), Err(RegistryError::ProdStays)));
}

#[test]
fn moves_say_who_and_when_and_nothing_moves_to_where_it_is() {
    let mut record = record(2);
    record.point(PROD, &to(2), None, Cause::Deploy, &by(7)).unwrap();
    record.point(PROD, &to(2), None, Cause::Deploy, &by(8)).unwrap();
    let alias = record.alias(PROD).unwrap();
    assert_eq!(alias.moves.len(), 2);
    let latest = alias.moves.last().unwrap();
    assert_eq!(
        (latest.at_ms, &latest.by, latest.cause, latest.revision),
        (7, &by(7).actor, Cause::Deploy, alias.revision)
    );
    for number in 0..100 {
        record.point(PROD, &to(1 + number % 2), None, Cause::Set, &by(number)).unwrap();
    }
    let alias = record.alias(PROD).unwrap();
    assert_eq!(alias.moves.len(), MAX_ALIAS_MOVES);
    assert_eq!(alias.moves.last().unwrap().target, alias.target);
}

#[test]
fn a_rollback_goes_back_and_never_to_what_it_left() {
    let mut record = record(4);
    assert!(matches!(record.roll_back(PROD, None, &by(2)), Err(RegistryError::NothingBefore(_))));
    set(&mut record, PROD, &to(2)).unwrap();
    set(&mut record, PROD, &split(2, 3, 5)).unwrap();
    let mut back = |expected: Target| {
        record.roll_back(PROD, None, &by(9)).unwrap();
        assert_eq!(prod(&record), expected);
    };
    // Two who roll back at once go back by two: the bad version does not come back.
    back(to(2));
    back(to(1));
    assert!(matches!(record.roll_back(PROD, None, &by(9)), Err(RegistryError::NothingBefore(_))));
    assert_eq!(prod(&record), to(1));
    // Another move begins from there.
    set(&mut record, PROD, &to(4)).unwrap();
    record.roll_back(PROD, None, &by(10)).unwrap();
    assert_eq!(prod(&record), to(1));
    let latest = record.alias(PROD).unwrap().moves.pop().unwrap();
    assert_eq!((latest.cause, latest.restored), (Cause::Rollback, Some(1)));
    assert!(record.roll_back(PROD, None, &by(11)).is_err());
    assert!(matches!(record.roll_back("beta", None, &by(11)), Err(RegistryError::NoAlias(_))));
}

#[test]
fn a_rollback_to_what_was_removed_says_so() {
    let mut record = record(2);
    set(&mut record, PROD, &to(2)).unwrap();
    record.remove_version(&hex_of(1)).unwrap();
    assert!(
        matches!(record.roll_back(PROD, None, &by(3)), Err(RegistryError::NoVersion(version)) if version == hex_of(1))
    );
    assert_eq!(prod(&record), to(2));
}

#[test]
fn a_split_is_of_two_kept_versions() {
    let mut record = record(2);
    for wrong in [split(1, 2, 0), split(1, 2, 100), split(1, 1, 10)] {
        assert!(matches!(set(&mut record, "x", &wrong), Err(RegistryError::Split)), "{wrong:?}");
    }
    for missing in [split(1, 9, 10), split(9, 1, 10), to(9)] {
        assert!(matches!(set(&mut record, "x", &missing), Err(RegistryError::NoVersion(_))), "{missing:?}");
    }
    let short = Target {
        version: "00000001".into(),
        canary: Some(Canary { version: "00000002".into(), percent: 99 }),
    };
    set(&mut record, "x", &short).unwrap();
    assert_eq!(record.alias("x").unwrap().target, split(1, 2, 99), "kept in full");
    for wrong in ["", "abcdef", "0123456789", "a/b", "-x", "a b"] {
        assert!(matches!(set(&mut record, wrong, &to(1)), Err(RegistryError::AliasName(_))), "{wrong}");
    }
    for number in record.all_aliases().len()..MAX_ALIASES {
        set(&mut record, &format!("alias-{number}"), &to(1)).unwrap();
    }
    assert!(matches!(set(&mut record, "more", &to(1)), Err(RegistryError::TooManyAliases)));
    set(&mut record, "x", &to(2)).unwrap();
}

#[test]
fn what_an_alias_names_is_not_removed() {
    let mut record = record(3);
    set(&mut record, "staging", &split(1, 2, 10)).unwrap();
    for number in [1, 2] {
        assert!(matches!(record.remove_version(&hex_of(number)), Err(RegistryError::InUse { .. })));
    }
    assert_eq!(record.remove_version("00000003").unwrap().version, hex_of(3));
    assert_eq!(record.versions().len(), 2);
    let aliases: Vec<_> = record.listed().into_iter().map(|listed| listed.aliases).collect();
    assert_eq!(aliases, [vec!["prod".to_owned(), "staging".to_owned()], vec!["staging".to_owned()]]);
}

#[test]
fn room_is_made_by_the_oldest_that_nothing_needs() {
    let most = u64::try_from(MAX_VERSIONS).unwrap();
    let mut record = record(most + 1);
    set(&mut record, PROD, &to(3)).unwrap();
    set(&mut record, "canary", &split(3, 2, 10)).unwrap();
    // 1 is what a rollback of prod leads to, 2 and 3 have aliases, and the last one was deployed just now.
    let dropped = record.make_room(&hex_of(most + 1), Size::default()).unwrap();
    assert_eq!(dropped.iter().map(|gone| gone.deployed_at_ms).collect::<Vec<_>>(), [4]);
    assert!(record.make_room(&hex_of(most + 1), Size::default()).unwrap().is_empty());
    // Deployed again, a version is the same, and stays where it is among them.
    record.keep(Function { deployed_at_ms: 99, ..version(5) });
    assert_eq!(record.version(&hex_of(5)).unwrap().deployed_at_ms, 5);
}

#[test]
fn where_nothing_can_go_nothing_comes() {
    let mut record = Record::first(version(1), &by(1));
    record.keep(Function { source_bytes: MAX_VERSIONS_BYTES, ..version(2) });
    let full = record.make_room(&hex_of(2), Size::default());
    assert!(matches!(full, Err(RegistryError::TooManyVersions)), "prod is not dropped for bytes either");
    // A tenant's other functions count, and are not touched.
    let others = Size { versions: MAX_VERSIONS_OF_TENANT - 1, bytes: 0 };
    let mut record = self::record(3);
    assert_eq!(
        record.make_room(&hex_of(3), others).err().map(|error| error.to_string().contains("of another")),
        Some(true)
    );
    let others = Size { versions: MAX_VERSIONS_OF_TENANT - 2, bytes: MAX_VERSIONS_OF_TENANT_BYTES - 20 };
    let mut record = self::record(3);
    assert_eq!(record.make_room(&hex_of(3), others).unwrap().len(), 1);
    assert_eq!(record.size(), Size { versions: 2, bytes: 20 });
}
