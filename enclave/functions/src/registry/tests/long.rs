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
        (MAX_VALUE_BYTES + 1, 3),
        (3 * MAX_VALUE_BYTES, 4),
        (3 * MAX_VALUE_BYTES + 1, 5),
        (crate::limits::MAX_CODE_BYTES, 11),
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
    assert_eq!(sources(&store, &spaces).len(), others.len() + 6);
    // The same content again writes nothing.
    registry.deploy(ALICE, compiled("f", "two", long).0, 0).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), others.len() + 6);
    registry.remove_version(ALICE, "f", &one.version).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), others.len() + 3);
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
    assert_eq!(sources(&store, &spaces).len(), 3 * MAX_VERSIONS);
}

#[tokio::test]
async fn parts_that_nothing_counts_are_cleared_away() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let (_, code) = compiled("f", "lost", 5 * MAX_VALUE_BYTES);
    // A deployment that ended between its parts and its record: of a function, of another, and of one that is never there.
    for name in ["f", "f2", "never"] {
        registry.put_code(&spaces, name, &"00".repeat(32), &code).await.unwrap();
    }
    assert_eq!(sources(&store, &spaces).len(), 15);
    assert!(matches!(load(&registry, ALICE, "f").await, Err(RegistryError::NotFound(_))));
    registry.deploy(ALICE, loadable("f", "one"), 0).await.unwrap();
    assert_eq!(sources(&store, &spaces).len(), 11, "its own are gone, and it has one record");
    // The next deployment of the same content takes the place of what was left.
    let (loadable, code) = compiled("f2", "two", 3 * MAX_VALUE_BYTES);
    registry.deploy(ALICE, loadable, 0).await.unwrap();
    assert_eq!(source(&registry, "f2").await, code);
    assert_eq!(sources(&store, &spaces).len(), 11 - 5 + 4);
}

#[tokio::test]
async fn a_version_without_all_of_its_parts_is_not_run() {
    let keeper = Keeper::new();
    let store = store(&keeper).await;
    let registry = Registry::new(store.clone());
    let spaces = Spaces::of(ALICE).unwrap();
    let (loadable, _) = compiled("f", "one", 2 * MAX_VALUE_BYTES);
    let version = registry.deploy(ALICE, loadable, 0).await.unwrap().function.version;
    let part = format!("{}/00", source_key("f", &version));
    store.batch(vec![Write::put(&spaces.sources, &part, b"other".as_slice())]).await.unwrap();
    assert!(matches!(load(&registry, ALICE, "f").await, Err(RegistryError::Source(_))));
    store.batch(vec![Write::delete(&spaces.sources, &part)]).await.unwrap();
    assert!(matches!(load(&registry, ALICE, "f").await, Err(RegistryError::Changed(_))));
    let head = source_key("f", &version);
    store.batch(vec![Write::put(&spaces.sources, &head, b"\0\0{".as_slice())]).await.unwrap();
    assert!(matches!(load(&registry, ALICE, "f").await, Err(RegistryError::Record { .. })));
    let many = br#"{"parts":1000000000,"bytes":1000000000000,"sha256":""}"#;
    let head_record = [b"\0\0".as_slice(), many].concat();
    store.batch(vec![Write::put(&spaces.sources, &head, head_record)]).await.unwrap();
    assert!(matches!(load(&registry, ALICE, "f").await, Err(RegistryError::Source(_))));
    registry.delete(ALICE, "f").await.unwrap();
    assert!(sources(&store, &spaces).is_empty());
}
