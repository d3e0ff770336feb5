//! The registry over a real store with a keeper in memory.

mod long;

use std::sync::Arc;

use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::versions::{Canary, SetAlias};
use r3e_store::{BlobStore, Options};

use super::*;
use crate::keeper::{Fault, Keeper, keys};
use crate::limits::MAX_VERSIONS;

const ALICE: TenantId = TenantId([1; 16]);
const BOB: TenantId = TenantId([2; 16]);

async fn store(keeper: &Arc<Keeper>) -> Store {
    let blobs: Arc<dyn BlobStore> = keeper.clone();
    Store::open(blobs, keys(1), Options::default()).await.unwrap()
}

fn loadable(name: &str, source: &str) -> Loadable {
    let deploy = Deploy {
        permissions: Permissions {
            secrets: vec!["KEY".into()],
            net: vec!["a.test".into()],
            publish: vec!["t".into()],
            set_secrets: vec!["SET".into()],
            networks: vec!["eip155:1".into()],
            wallets: vec!["w".into()],
            triggers: true,
        },
        ..Deploy::javascript(source)
    };
    Loadable::unchecked(Definition::new(name, deploy).unwrap())
}

fn names(functions: &[Function]) -> Vec<&str> {
    functions.iter().map(|function| function.name.as_str()).collect()
}

fn by(now_ms: u64) -> By {
    By { actor: Actor::Tenant {}, now_ms }
}

fn aside() -> Promotion {
    Promotion { promote: Some(false), ..Promotion::default() }
}

fn at(version: &str) -> SetAlias {
    SetAlias { version: version.to_owned(), canary: None, if_revision: None }
}

async fn load(registry: &Registry, tenant: TenantId, reference: &str) -> Result<Deployed, RegistryError> {
    registry.load(tenant, &Reference::parse(reference).unwrap(), Draw::Random(&[0; 16])).await
}

fn whole(deployed: &Deployed) -> String {
    deployed.whole().unwrap().unwrap().as_str().to_owned()
}

async fn source(registry: &Registry, reference: &str) -> String {
    let deployed = load(registry, ALICE, reference).await.unwrap();
    registry.runnable(ALICE, &deployed).await.unwrap().unwrap().as_str().to_owned()
}

#[tokio::test]
async fn a_function_is_found_as_it_was_deployed_also_after_a_restart() {
    let keeper = Keeper::new();
    let first = Registry::new(store(&keeper).await);
    let deployment = first.deploy(ALICE, loadable("f", "one"), 7).await.unwrap();
    assert!(deployment.retired.is_empty());
    drop(first);
    let registry = Registry::new(store(&keeper).await);
    let deployed = load(&registry, ALICE, "f").await.unwrap();
    assert_eq!(deployed.function, deployment.function);
    assert_eq!(deployed.function.deployed_at_ms, 7);
    assert_eq!((deployed.function.source_bytes, whole(&deployed).as_str()), (3, "one"));
    assert_eq!(hex::encode(deployed.version), deployed.function.version);
    assert!(deployed.in_service);
    assert_eq!(registry.show(ALICE, "f").await.unwrap(), deployment.function);
    assert_eq!(names(&registry.list(ALICE).await.unwrap()), ["f"]);
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let keeper = Keeper::new();
    let registry = Registry::new(store(&keeper).await);
    registry.deploy(ALICE, loadable("f", "alice's"), 0).await.unwrap();
    assert!(matches!(registry.show(BOB, "f").await, Err(RegistryError::NotFound(name)) if name == "f"));
    assert!(matches!(registry.delete(BOB, "f").await, Err(RegistryError::NotFound(_))));
    assert!(matches!(registry.versions(BOB, "f").await, Err(RegistryError::NotFound(_))));
    registry.deploy(BOB, loadable("f", "bob's"), 0).await.unwrap();
    let alices = registry.show(ALICE, "f").await.unwrap().version;
    assert!(matches!(load(&registry, BOB, &format!("f@{alices}")).await, Err(RegistryError::NoVersion(_))));
    registry.delete(BOB, "f").await.unwrap();
    assert_eq!(source(&registry, "f").await, "alice's");
}

#[tokio::test]
async fn a_deployment_keeps_the_version_before_and_prod_goes_on_to_it() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let first = registry.deploy(ALICE, loadable("f", "one"), 1).await.unwrap().function;
    let second = registry.deploy(ALICE, loadable("f", "two"), 2).await.unwrap();
    assert_eq!(second.retired, std::slice::from_ref(&first), "its runners are ended: no alias names it");
    assert_eq!(source(&registry, "f").await, "two");
    assert_eq!(source(&registry, &format!("f@{}", &first.version[..8])).await, "one");
    assert!(!load(&registry, ALICE, &format!("f@{}", first.version)).await.unwrap().in_service);

    // The same content again is the same version, and no write where prod has it already.
    let sequence = store.sequence();
    let again = registry.deploy(ALICE, loadable("f", "two"), 3).await.unwrap();
    assert_eq!(again, Deployment { function: second.function.clone(), retired: Vec::new() });
    assert_eq!(store.sequence(), sequence);
    // Content of an earlier version is that version: prod goes back to it.
    let back = registry.deploy(ALICE, loadable("f", "one"), 4).await.unwrap();
    assert_eq!((back.function, back.retired), (first, vec![second.function]));
    assert_eq!(registry.versions(ALICE, "f").await.unwrap().len(), 2);
    assert_eq!(source(&registry, "f").await, "one");
}

#[tokio::test]
async fn a_deployment_aside_moves_nothing_but_the_first_one_sets_prod() {
    let keeper = Keeper::new();
    let registry = Registry::new(store(&keeper).await);
    registry.deploy_as(ALICE, loadable("f", "one"), &aside(), &by(1)).await.unwrap();
    assert_eq!(source(&registry, "f").await, "one");
    let second = registry.deploy_as(ALICE, loadable("f", "two"), &aside(), &by(2)).await.unwrap();
    assert!(second.retired.is_empty());
    assert_eq!(
        (source(&registry, "f").await, registry.aliases(ALICE, "f").await.unwrap().len()),
        ("one".into(), 1)
    );
    let staging = Promotion { alias: Some("staging".into()), ..Promotion::default() };
    registry.deploy_as(ALICE, loadable("f", "three"), &staging, &by(3)).await.unwrap();
    assert_eq!(
        (source(&registry, "f").await, source(&registry, "f@staging").await),
        ("one".into(), "three".into())
    );
    // A first deployment to another alias sets both.
    registry.deploy_as(ALICE, loadable("g", "one"), &staging, &by(4)).await.unwrap();
    assert_eq!(
        (source(&registry, "g").await, source(&registry, "g@staging").await),
        ("one".into(), "one".into())
    );
}

#[tokio::test]
async fn of_two_who_decided_on_the_same_state_one_is_told() {
    let keeper = Keeper::new();
    let registry = Arc::new(Registry::new(store(&keeper).await));
    registry.deploy(ALICE, loadable("f", "base"), 0).await.unwrap();
    let revision = registry.alias(ALICE, "f", PROD).await.unwrap().revision;
    let mut deploying = tokio::task::JoinSet::new();
    for number in 0..8 {
        let registry = Arc::clone(&registry);
        deploying.spawn(async move {
            let promotion = Promotion { if_revision: Some(revision), ..Promotion::default() };
            registry.deploy_as(ALICE, loadable("f", &format!("s{number}")), &promotion, &by(1)).await
        });
    }
    let outcomes = deploying.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(
            |error| matches!(error, RegistryError::AliasMoved { expected, .. } if *expected == revision)
        )
    );
    let kept = registry.versions(ALICE, "f").await.unwrap();
    assert_eq!(kept.len(), 2, "what was refused is not kept either");

    // Moves without a lock between them: each is over the state that it saw, or is refused.
    let revision = registry.alias(ALICE, "f", PROD).await.unwrap().revision;
    let mut moving = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (registry, version) = (Arc::clone(&registry), kept[number % 2].function.version.clone());
        moving.spawn(async move {
            let set = SetAlias { if_revision: Some(revision), ..at(&version) };
            registry.set_alias(ALICE, "f", PROD, set, &by(2)).await.map(|changed| changed.now.revision)
        });
    }
    let outcomes = moving.join_all().await;
    let moved: BTreeSet<u64> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied()).collect();
    // Those who asked for what stood already moved nothing; of the others one won.
    assert!(moved.len() <= 2, "{outcomes:?}");
    let history = registry.alias(ALICE, "f", PROD).await.unwrap();
    assert!(history.moves.iter().filter(|one| one.revision > revision).count() <= 1);
    // A first deployment that expects something finds nothing.
    let promotion = Promotion { if_revision: Some(1), ..Promotion::default() };
    let refused = registry.deploy_as(ALICE, loadable("new", "1"), &promotion, &by(3)).await;
    assert!(matches!(refused, Err(RegistryError::AliasMoved { found: 0, .. })));
    assert!(matches!(registry.show(ALICE, "new").await, Err(RegistryError::NotFound(_))));
}

#[tokio::test]
async fn a_rollback_is_one_commit_and_says_what_is_out_of_service() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let first = registry.deploy(ALICE, loadable("f", "one"), 1).await.unwrap().function;
    let second = registry.deploy(ALICE, loadable("f", "two"), 2).await.unwrap().function;
    let sequence = store.sequence();
    let changed = registry.roll_back(ALICE, "f", PROD, None, &by(3)).await.unwrap();
    assert_eq!(store.sequence(), sequence + 1);
    assert_eq!((changed.now.target.version, changed.retired), (first.version.clone(), vec![second.clone()]));
    assert_eq!(source(&registry, "f").await, "one");
    // A canary brings it into service again beside the other, and its removal ends that.
    let canary = Some(Canary { version: second.version[..8].to_owned(), percent: 50 });
    registry.set_alias(ALICE, "f", PROD, SetAlias { canary, ..at(&first.version) }, &by(4)).await.unwrap();
    assert!(load(&registry, ALICE, &format!("f@{}", second.version)).await.unwrap().in_service);
    let mut seen = BTreeSet::new();
    for id in 0..64_u128 {
        let reference = Reference::parse("f").unwrap();
        let deployed = registry.load(ALICE, &reference, Draw::Random(&id.to_be_bytes())).await.unwrap();
        seen.insert(whole(&deployed));
    }
    assert_eq!(seen.len(), 2);
    let changed = registry.set_alias(ALICE, "f", PROD, at(&first.version), &by(5)).await.unwrap();
    assert_eq!(changed.retired, [second]);
}

#[tokio::test]
async fn old_versions_make_room_and_leave_nothing() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    for number in 0..MAX_VERSIONS {
        registry.deploy(ALICE, loadable("f", &format!("s{number}")), 0).await.unwrap();
    }
    let records = store.records();
    assert_eq!(records, 1 + MAX_VERSIONS);
    let oldest = registry.versions(ALICE, "f").await.unwrap()[0].function.clone();
    let deployment = registry.deploy(ALICE, loadable("f", "one more"), 0).await.unwrap();
    assert!(deployment.retired.contains(&oldest), "{deployment:?}");
    assert_eq!(store.records(), records, "its source went in the same commit");
    let gone = load(&registry, ALICE, &format!("f@{}", oldest.version)).await;
    assert!(matches!(gone, Err(RegistryError::NoVersion(_))));
    // One that is removed on request goes as wholly, and one in service does not go.
    let listed = registry.versions(ALICE, "f").await.unwrap();
    let unnamed = &listed[3].function.version;
    let changed = registry.remove_version(ALICE, "f", &unnamed[..10]).await.unwrap();
    assert_eq!((&changed.now.version, changed.retired.len()), (unnamed, 1));
    assert_eq!(store.records(), records - 1);
    let in_prod = registry.show(ALICE, "f").await.unwrap().version;
    assert!(matches!(registry.remove_version(ALICE, "f", &in_prod).await, Err(RegistryError::InUse { .. })));
    // Where aliases name every version, a deployment is refused and changes nothing.
    registry.deploy(ALICE, loadable("g", "0"), 0).await.unwrap();
    for number in 1..MAX_VERSIONS {
        let alias = Promotion { alias: Some(format!("a{number}")), ..Promotion::default() };
        registry.deploy_as(ALICE, loadable("g", &number.to_string()), &alias, &by(0)).await.unwrap();
    }
    let (records, sequence) = (store.records(), store.sequence());
    let refused = registry.deploy_as(ALICE, loadable("g", "more"), &aside(), &by(0)).await;
    assert!(matches!(refused, Err(RegistryError::TooManyVersions)));
    assert_eq!((store.records(), store.sequence()), (records, sequence));
}

#[tokio::test]
async fn a_deletion_takes_all_the_function_stored_and_nothing_else() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    registry.deploy(ALICE, loadable("f", "one"), 0).await.unwrap();
    registry.deploy(ALICE, loadable("f2", "one"), 0).await.unwrap();
    let standing = store.records();
    registry.deploy(ALICE, loadable("f", "two"), 0).await.unwrap();
    let values = Values::of(&store, ALICE, "f").unwrap();
    for first in (0..DELETIONS_AT_ONCE).step_by(82) {
        let puts = (first..DELETIONS_AT_ONCE.min(first + 82))
            .map(|n| Write::put(&values_space(), &format!("f/{n}"), b"1".as_slice()));
        store.batch(puts.collect()).await.unwrap();
    }
    let other = Values::of(&store, ALICE, "f2").unwrap();
    other.write("kept", Some("1".into())).await.unwrap();
    assert_eq!(store.records(), standing + 1 + DELETIONS_AT_ONCE + 1);
    assert_eq!(registry.delete(ALICE, "f").await.unwrap().len(), 2);
    assert_eq!(values.read("0").await.unwrap(), None);
    assert_eq!(other.read("kept").await.unwrap().as_deref(), Some("1"));
    assert_eq!(store.records(), standing - 2 + 1);
    // Deployed again, it begins without a past.
    registry.deploy(ALICE, loadable("f", "new"), 0).await.unwrap();
    assert_eq!(source(&registry, "f").await, "new");
    assert_eq!(registry.versions(ALICE, "f").await.unwrap().len(), 1);
}

fn values_space() -> Namespace {
    Namespace::of_tenant("function-values", &ALICE.to_string()).unwrap()
}

#[tokio::test]
async fn there_are_only_so_many_functions_however_many_come_at_once() {
    let keeper = Keeper::new();
    let registry = Arc::new(Registry::new(store(&keeper).await));
    for number in 0..MAX_FUNCTIONS - 1 {
        registry.deploy(ALICE, loadable(&format!("f{number}"), "one"), 0).await.unwrap();
    }
    let mut late = tokio::task::JoinSet::new();
    for number in 0..8 {
        let registry = Arc::clone(&registry);
        late.spawn(async move { registry.deploy(ALICE, loadable(&format!("late{number}"), "one"), 0).await });
    }
    let late = late.join_all().await;
    assert_eq!(late.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        late.iter().filter_map(|outcome| outcome.as_ref().err()).all(|e| matches!(e, RegistryError::TooMany))
    );
    registry.deploy(ALICE, loadable("f0", "a new version has its place"), 0).await.unwrap();
    registry.deploy(BOB, loadable("f", "another tenant has its own count"), 0).await.unwrap();
}

#[tokio::test]
async fn a_deployment_that_the_parent_did_not_keep_is_no_deployment() {
    let keeper = Keeper::new();
    let registry = Registry::new(store(&keeper).await);
    registry.deploy(ALICE, loadable("f", "one"), 0).await.unwrap();
    keeper.fail_next([Fault::LostBefore]);
    // Whatever the answer is, what is found is whole: the description and the source of one version.
    let outcome = registry.deploy(ALICE, loadable("f", "two"), 0).await;
    let expected = if outcome.is_ok() { "two" } else { "one" };
    assert_eq!(source(&registry, "f").await, expected);
}

#[tokio::test]
async fn reads_deployments_and_rollbacks_at_once_never_mix_versions() {
    let keeper = Keeper::new();
    let registry = Arc::new(Registry::new(store(&keeper).await));
    let mut versions = vec![registry.deploy(ALICE, loadable("f", "s0"), 0).await.unwrap().function.version];
    let reader = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move {
            let mut seen = Vec::new();
            for _ in 0..300 {
                match load(&registry, ALICE, "f").await {
                    Ok(deployed) => {
                        seen.push((whole(&deployed), deployed.function.version));
                    }
                    Err(RegistryError::Changed(_)) => {}
                    Err(other) => panic!("{other}"),
                }
                tokio::task::yield_now().await;
            }
            seen
        }
    });
    let roller = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move {
            for _ in 0..40 {
                match registry.roll_back(ALICE, "f", PROD, None, &by(0)).await {
                    Ok(_)
                    | Err(
                        RegistryError::NothingBefore(_)
                        | RegistryError::Changed(_)
                        | RegistryError::NoVersion(_),
                    ) => {}
                    Err(other) => panic!("{other}"),
                }
                tokio::task::yield_now().await;
            }
        }
    });
    for number in 1..40 {
        loop {
            match registry.deploy(ALICE, loadable("f", &format!("s{number}")), 0).await {
                Ok(deployed) => break versions.push(deployed.function.version),
                // A rollback came between the look and the commit.
                Err(RegistryError::Changed(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    roller.await.unwrap();
    let seen = reader.await.unwrap();
    assert!(!seen.is_empty());
    for (source, version) in seen {
        let number: usize = source[1..].parse().unwrap();
        assert_eq!(version, versions[number]);
    }
    // Whatever came between, prod points at a version that is kept whole.
    let _ = source(&registry, "f").await;
}
