//! `r3e.store` over a real store with a keeper in memory.

use std::sync::Arc;

use r3e_store::{BlobStore, Options};

use super::*;
use crate::keeper::{Keeper, keys};

const TENANT: TenantId = TenantId([1; 16]);

async fn store() -> Store {
    let blobs: Arc<dyn BlobStore> = Keeper::new();
    Store::open(blobs, keys(1), Options::default()).await.unwrap()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, HostError>) -> HostErrorCode {
    outcome.unwrap_err().code
}

#[tokio::test]
async fn values_belong_to_one_function_of_one_tenant() {
    let store = store().await;
    let own = Values::of(&store, TENANT, "f").unwrap();
    own.write("k", Some("{\"a\":1}".into())).await.unwrap();
    assert_eq!(own.read("k").await.unwrap().as_deref(), Some("{\"a\":1}"));
    for other in [
        Values::of(&store, TENANT, "g").unwrap(),
        Values::of(&store, TENANT, "f.f").unwrap(),
        Values::of(&store, TenantId([2; 16]), "f").unwrap(),
    ] {
        for key in ["k", "f/k", "/k", "../f/k"] {
            assert_eq!(other.read(key).await.unwrap(), None, "{key}");
            other.write(key, None).await.unwrap();
        }
    }
    assert!(own.read("k").await.unwrap().is_some());
    own.write("k", None).await.unwrap();
    assert_eq!(own.read("k").await.unwrap(), None);
}

#[tokio::test]
async fn keys_and_values_are_bounded_and_values_are_json() {
    let values = Values::of(&store().await, TENANT, "f").unwrap();
    let one = || Some("1".to_owned());
    assert_eq!(code(values.read("").await), HostErrorCode::Invalid);
    assert_eq!(code(values.write("", one()).await), HostErrorCode::Invalid);
    let longest = "k".repeat(MAX_STORE_KEY_BYTES);
    values.write(&longest, one()).await.unwrap();
    assert_eq!(code(values.write(&format!("{longest}k"), one()).await), HostErrorCode::TooLarge);
    assert_eq!(code(values.read(&format!("{longest}k")).await), HostErrorCode::TooLarge);
    let text = |bytes: usize| Some(format!("\"{}\"", "x".repeat(bytes - 2)));
    values.write("k", text(MAX_STORE_VALUE_BYTES)).await.unwrap();
    assert_eq!(code(values.write("k", text(MAX_STORE_VALUE_BYTES + 1)).await), HostErrorCode::TooLarge);
    for wrong in ["", "undefined", "{", "1 2"] {
        assert_eq!(code(values.write("k", Some(wrong.into())).await), HostErrorCode::Invalid, "{wrong}");
    }
    assert_eq!(
        values.read("k").await.unwrap(),
        text(MAX_STORE_VALUE_BYTES),
        "a refused write changes nothing"
    );
}

#[tokio::test]
async fn a_function_has_only_so_many_keys() {
    let store = store().await;
    let values = Values::of(&store, TENANT, "f").unwrap();
    let puts = (0..MAX_STORE_KEYS).map(|n| Write::put(&values.namespace, &format!("f/{n}"), b"1".as_slice()));
    store.batch(puts.collect()).await.unwrap();
    assert_eq!(code(values.write("one more", Some("1".into())).await), HostErrorCode::LimitExceeded);
    values.write("0", Some("2".into())).await.unwrap();
    values.write("1", None).await.unwrap();
    values.write("one more", Some("1".into())).await.unwrap();
    Values::of(&store, TENANT, "g").unwrap().write("own", Some("1".into())).await.unwrap();
}

#[tokio::test]
async fn a_function_stores_only_so_many_bytes() {
    let store = store().await;
    let values = Values::of(&store, TENANT, "f").unwrap();
    let large = format!("\"{}\"", "x".repeat(MAX_STORE_VALUE_BYTES - 2));
    let full = MAX_STORE_BYTES / MAX_STORE_VALUE_BYTES;
    for first in (0..full).step_by(64) {
        let puts =
            (first..first + 64).map(|n| Write::put(&values.namespace, &format!("f/{n}"), large.as_bytes()));
        store.batch(puts.collect()).await.unwrap();
    }
    assert_eq!(code(values.write("one more", Some("1".into())).await), HostErrorCode::LimitExceeded);
    values.write("0", Some(large.clone())).await.unwrap();
    values.write("0", Some("1".into())).await.unwrap();
    values.write("one more", Some("1".into())).await.unwrap();
}

#[tokio::test]
async fn a_write_to_a_state_that_is_handed_over_is_refused_and_not_left_open() {
    let store = store().await;
    let values = Values::of(&store, TENANT, "f").unwrap();
    let writes = crate::writes::Writes::of(values.clone());
    store.freeze().await.unwrap();
    for value in [Some("1".to_owned()), None] {
        assert_eq!(code(values.write("k", value.clone()).await), HostErrorCode::Unavailable);
        assert_eq!(code(writes.start("k".into(), value).await), HostErrorCode::Unavailable);
    }
    assert_eq!(writes.settle().await, 0, "it is known that nothing was written");
    store.thaw().await.unwrap();
    values.write("k", Some("2".into())).await.unwrap();
}
