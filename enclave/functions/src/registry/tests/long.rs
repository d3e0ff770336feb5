//! Code that is longer than one record of the store.

use r3e_store::limits::MAX_VALUE_BYTES;

use super::*;

/// A function whose code is so long when it is compiled, and begins so.
fn compiled(name: &str, source: &str, bytes: usize) -> (Loadable, String) {
    let mut code = format!("{source} ");
    code.extend((0_u32..).filter_map(|number| char::from_u32(0x20 + number % 0x5f)).take(bytes - code.len()));
    let definition = Definition::new(name, Deploy::javascript(source)).unwrap();
    (Loadable::compiled(definition, code.as_str().into()), code)
}

fn sources(store: &Store, registry: &Spaces) -> Vec<String> {
    let listed = store.scan(&registry.sources, "", None, 1_000).unwrap();
    listed.into_iter().map(|listed| listed.key).collect()
}

#[tokio::test]
async fn code_of_any_length_is_found_as_it_was_deployed() {
    let keeper = Keeper::new();
    let first = store(&keeper).await;
    let registry = Registry::new(first.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let mut deployed = Vec::new();
    // The longest record, the shortest code in parts, as many parts as one commit takes and one more, the longest.
    for (bytes, records) in [
        (MAX_VALUE_BYTES, 1),
        (MAX_VALUE_BYTES + 1, 2),
        (3 * MAX_VALUE_BYTES, 3),
        (3 * MAX_VALUE_BYTES + 1, 4),
        (crate::limits::MAX_CODE_BYTES, 10),
    ] {
        let before = sources(&first, &spaces).len();
        let name = format!("f{bytes}");
        let (loadable, code) = compiled(&name, "one", bytes);
        registry.deploy(ALICE, loadable, 0).await.unwrap();
        assert_eq!(sources(&first, &spaces).len() - before, records, "{bytes}");
        // From the store, and as it was joined.
        assert_eq!(source(&registry, &name).await, code);
        assert_eq!(source(&registry, &name).await, code);
        deployed.push((name, code));
    }
    drop((registry, first));
    let registry = Registry::new(store(&keeper).await);
    for (name, code) in deployed {
        assert_eq!(source(&registry, &name).await, code);
    }
}

#[tokio::test]
async fn parts_go_with_their_version_and_with_their_function() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let long = 2 * MAX_VALUE_BYTES;
    registry.deploy(ALICE, compiled("f2", "one", long).0, 0).await.unwrap();
    let others = sources(&store, &spaces);
    let one = registry.deploy(ALICE, compiled("f", "one", long).0, 0).await.unwrap().function;
    let (loadable, two) = compiled("f", "two", long);
    registry.deploy(ALICE, loadable, 0).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), others.len() + 4);
    // The same content again writes nothing.
    let sequence = store.sequence();
    registry.deploy(ALICE, compiled("f", "two", long).0, 0).await.unwrap();
    assert_eq!(store.sequence(), sequence);
    registry.remove_version(ALICE, "f", &one.version).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), others.len() + 2);
    assert_eq!(source(&registry, "f").await, two);
    registry.delete(ALICE, "f").await.unwrap();
    assert_eq!(sources(&store, &spaces), others);
}

#[tokio::test]
async fn versions_that_make_room_take_their_parts_along() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    for number in 0..MAX_VERSIONS + 3 {
        let (loadable, _) = compiled("f", &format!("n{number}"), MAX_VALUE_BYTES + 1);
        registry.deploy(ALICE, loadable, 0).await.unwrap();
    }
    assert_eq!(registry.versions(ALICE, "f").await.unwrap().len(), MAX_VERSIONS);
    assert_eq!(sources(&store, &spaces).len(), 2 * MAX_VERSIONS);
}

/// What a deployment leaves that ended between its parts and its record.
async fn leave(registry: &Registry, spaces: &Spaces, name: &str, code: &str) {
    registry.put_parts(spaces, name, &"00".repeat(32), code).await.unwrap().unwrap();
}

#[tokio::test]
async fn parts_that_nothing_counts_are_cleared_away() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let (_, code) = compiled("f", "lost", 5 * MAX_VALUE_BYTES);
    for name in ["f", "f2", "never"] {
        leave(&registry, &spaces, name, &code).await;
    }
    assert_eq!(sources(&store, &spaces).len(), 15);
    assert!(matches!(load(&registry, ALICE, "f").await, Err(RegistryError::NotFound(_))));
    registry.deploy(ALICE, loadable("f", "one"), 0).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), 11, "its own are gone, and it has one record");
    // The same content again clears away, too, though it changes nothing.
    leave(&registry, &spaces, "f", &code).await;
    registry.deploy(ALICE, loadable("f", "one"), 0).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), 11);
    // A function that never was is not there to be deleted; what is left of it is gone.
    assert!(matches!(registry.delete(ALICE, "never").await, Err(RegistryError::NotFound(_))));
    assert_eq!(sources(&store, &spaces).len(), 6);
    leave(&registry, &spaces, "f", &code).await;
    registry.delete(ALICE, "f").await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), 5, "another function's is not its own");
    registry.delete(ALICE, "f2").await.unwrap_err();
    assert!(sources(&store, &spaces).is_empty());
}

/// The same source, of which a compiler of another release makes something else.
#[tokio::test]
async fn a_version_that_is_deployed_again_runs_what_was_compiled_now() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let long = 2 * MAX_VALUE_BYTES;
    let mut before = None;
    for bytes in [long, long + 5, 100, long] {
        let (loadable, code) = compiled("f", "one", bytes);
        let deployment = registry.deploy(ALICE, loadable, 0).await.unwrap();
        assert_eq!(source(&registry, "f").await, code, "{bytes}");
        assert_eq!(
            deployment.retired.len(),
            usize::from(before.is_some()),
            "its runners have the other code"
        );
        assert_eq!(*before.get_or_insert(deployment.function.version.clone()), deployment.function.version);
        assert_eq!(sources(&store, &spaces).len(), bytes.div_ceil(MAX_VALUE_BYTES));
    }
}

#[tokio::test]
async fn a_version_without_all_of_its_parts_is_not_run() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let (loadable, _) = compiled("f", "one", 2 * MAX_VALUE_BYTES);
    registry.deploy(ALICE, loadable, 0).await.unwrap();
    let deployed = load(&registry, ALICE, "f").await.unwrap();
    let part = sources(&store, &spaces).remove(0);
    store.batch(vec![Write::put(&spaces.sources, &part, b"other".as_slice())]).await.unwrap();
    let other = registry.runnable(ALICE, &deployed).await;
    assert!(matches!(other, Err(RegistryError::Source(_))));
    store.batch(vec![Write::delete(&spaces.sources, &part)]).await.unwrap();
    assert!(registry.runnable(ALICE, &deployed).await.unwrap().is_none());
    registry.delete(ALICE, "f").await.unwrap();
    assert!(sources(&store, &spaces).is_empty());
}

/// Many at once hold one copy.
#[tokio::test]
async fn a_code_is_joined_once_for_all_who_want_it() {
    let keeper = Keeper::new();
    let registry = Arc::new(Registry::new(store(&keeper).await));
    registry.deploy(ALICE, compiled("f", "one", 4 * MAX_VALUE_BYTES).0, 0).await.unwrap();
    let mut wanted = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let registry = Arc::clone(&registry);
        wanted.spawn(async move {
            let deployed = load(&registry, ALICE, "f").await.unwrap();
            registry.runnable(ALICE, &deployed).await.unwrap().unwrap()
        });
    }
    let texts: Vec<*const str> =
        wanted.join_all().await.iter().map(|code| std::ptr::from_ref(code.as_str())).collect();
    assert!(texts.iter().all(|text| std::ptr::eq(*text, texts[0])));
}
