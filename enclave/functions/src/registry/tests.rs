//! The registry over a real store with a keeper in memory.

use std::sync::Arc;

use r3e_proto::api::functions::{Deploy, Limits, Permissions, Runtime};
use r3e_store::{BlobStore, Options};

use super::*;
use crate::keeper::{Fault, Keeper, keys};

const ALICE: TenantId = TenantId([1; 16]);
const BOB: TenantId = TenantId([2; 16]);

async fn store(keeper: &Arc<Keeper>) -> Store {
    let blobs: Arc<dyn BlobStore> = keeper.clone();
    Store::open(blobs, keys(1), Options::default()).await.unwrap()
}

fn loadable(name: &str, source: &str) -> Loadable {
    let deploy = Deploy {
        runtime: Runtime::Javascript,
        source: source.into(),
        permissions: Permissions { secrets: vec!["KEY".into()], net: vec!["a.test".into()] },
        limits: Limits::default(),
    };
    Loadable::unchecked(Definition::new(name, deploy).unwrap())
}

fn names(functions: &[Function]) -> Vec<&str> {
    functions.iter().map(|function| function.name.as_str()).collect()
}

#[tokio::test]
async fn a_function_is_found_as_it_was_deployed_also_after_a_restart() {
    let keeper = Keeper::new();
    let registry = Registry::new(store(&keeper).await);
    let function = registry.deploy(ALICE, loadable("f", "one"), 7).await.unwrap().function;
    assert_eq!((function.name.as_str(), function.source_bytes, function.deployed_at_ms), ("f", 3, 7));
    assert_eq!(function.permissions.secrets, ["KEY"]);

    let registry = Registry::new(store(&keeper).await);
    assert_eq!(registry.show(ALICE, "f").await.unwrap(), function);
    let deployed = registry.load(ALICE, "f").await.unwrap();
    assert_eq!((deployed.source().unwrap(), &deployed.function), ("one", &function));
    assert_eq!(hex::encode(deployed.version), function.version);
}

#[tokio::test]
async fn a_tenant_sees_and_deletes_its_own_alone() {
    let keeper = Keeper::new();
    let registry = Registry::new(store(&keeper).await);
    registry.deploy(ALICE, loadable("f", "alice's"), 0).await.unwrap();
    registry.deploy(BOB, loadable("f", "bob's"), 0).await.unwrap();
    registry.deploy(BOB, loadable("e", "bob's"), 0).await.unwrap();
    assert_eq!(names(&registry.list(ALICE).await.unwrap()), ["f"]);
    assert_eq!(names(&registry.list(BOB).await.unwrap()), ["e", "f"]);
    assert!(matches!(registry.load(ALICE, "e").await, Err(RegistryError::NotFound(_))));
    assert!(matches!(registry.delete(ALICE, "e").await, Err(RegistryError::NotFound(_))));
    registry.delete(ALICE, "f").await.unwrap();
    assert!(matches!(registry.show(ALICE, "f").await, Err(RegistryError::NotFound(_))));
    assert_eq!(registry.load(BOB, "f").await.unwrap().source().unwrap(), "bob's");
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_older_one() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let Deployment { function: first, replaced } =
        registry.deploy(ALICE, loadable("f", "one"), 1).await.unwrap();
    assert_eq!(replaced, None);
    let records = store.records();
    let Deployment { function: second, replaced } =
        registry.deploy(ALICE, loadable("f", "two"), 2).await.unwrap();
    assert_eq!(replaced.as_ref(), Some(&first));
    assert_ne!(first.version, second.version);
    assert_eq!(registry.load(ALICE, "f").await.unwrap().source().unwrap(), "two");
    assert_eq!(store.records(), records, "the older source is gone");

    let sequence = store.sequence();
    let again = registry.deploy(ALICE, loadable("f", "two"), 3).await.unwrap();
    assert_eq!(
        again,
        Deployment { function: second, replaced: None },
        "the same version again changes nothing"
    );
    assert_eq!(store.sequence(), sequence);
}

#[tokio::test]
async fn a_deletion_takes_all_the_function_stored_and_nothing_else() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    registry.deploy(ALICE, loadable("f", "one"), 0).await.unwrap();
    registry.deploy(ALICE, loadable("f2", "one"), 0).await.unwrap();
    let standing = store.records();
    let values = Values::of(&store, ALICE, "f").unwrap();
    for first in (0..DELETIONS_AT_ONCE).step_by(100) {
        let puts =
            (first..first + 100).map(|n| Write::put(&values_space(), &format!("f/{n}"), b"1".as_slice()));
        store.batch(puts.collect()).await.unwrap();
    }
    let other = Values::of(&store, ALICE, "f2").unwrap();
    other.write("kept", Some("1".into())).await.unwrap();
    assert_eq!(store.records(), standing + DELETIONS_AT_ONCE + 1);
    registry.delete(ALICE, "f").await.unwrap();
    assert_eq!(values.read("0").await.unwrap(), None);
    assert_eq!(other.read("kept").await.unwrap().as_deref(), Some("1"));
    assert_eq!(store.records(), standing - 2 + 1);
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
    let deployed = registry.load(ALICE, "f").await.unwrap();
    let expected = if outcome.is_ok() { "two" } else { "one" };
    assert_eq!(deployed.source().unwrap(), expected);
}

#[tokio::test]
async fn reads_and_deployments_at_once_never_mix_versions() {
    let keeper = Keeper::new();
    let registry = Arc::new(Registry::new(store(&keeper).await));
    let mut versions = vec![registry.deploy(ALICE, loadable("f", "s0"), 0).await.unwrap().function.version];
    let reader = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move {
            let mut seen = Vec::new();
            for _ in 0..300 {
                match registry.load(ALICE, "f").await {
                    Ok(deployed) => {
                        seen.push((deployed.source().unwrap().to_owned(), deployed.function.version));
                    }
                    Err(RegistryError::Changed(_)) => {}
                    Err(other) => panic!("{other}"),
                }
                tokio::task::yield_now().await;
            }
            seen
        }
    });
    for number in 1..40 {
        let deployed = registry.deploy(ALICE, loadable("f", &format!("s{number}")), 0).await.unwrap();
        versions.push(deployed.function.version);
    }
    let seen = reader.await.unwrap();
    assert!(!seen.is_empty());
    for (source, version) in seen {
        let number: usize = source[1..].parse().unwrap();
        assert_eq!(version, versions[number]);
    }
}
