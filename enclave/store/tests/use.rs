//! The store as its users see it, over an honest keeper.

mod keeper;

use std::sync::atomic::Ordering;

use keeper::{Fault, Keeper, keys, open, others_run, space, uncached, until_written};
use r3e_store::{Namespace, Options, Store, StoreError, Write, limits};

#[tokio::test]
async fn what_is_put_is_read_back_after_a_restart() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let version = store.put(&space(), "api-key", b"hunter2".as_slice()).await.unwrap();
    let record = store.get(&space(), "api-key").await.unwrap().unwrap();
    assert_eq!((record.value.as_bytes(), record.version), (b"hunter2".as_slice(), version));
    let (sequence, digest) = (store.sequence(), store.head_digest());
    drop(store);

    let store = open(&keeper).await.unwrap();
    assert_eq!(store.get(&space(), "api-key").await.unwrap().unwrap(), record);
    // A boot is a commit.
    assert_eq!(store.sequence(), sequence + 1);
    assert_ne!(store.head_digest(), digest);
}

#[tokio::test]
async fn the_keeper_sees_no_name_and_no_value() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "api-key-of-acme", b"a-value-that-stands-out".as_slice()).await.unwrap();
    let disk = keeper.disk();
    for blob in disk.records.iter().flat_map(|(name, blob)| [name.to_vec(), blob.clone()]).chain(disk.head) {
        for word in [&b"api-key"[..], b"acme", b"secrets", b"stands-out"] {
            assert!(!blob.windows(word.len()).any(|window| window == word));
        }
    }
}

#[tokio::test]
async fn the_same_write_twice_gives_unlike_blobs() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let before_any = keeper.disk();
    store.put(&space(), "k", b"first".as_slice()).await.unwrap();
    let first = keeper.disk();
    drop(store);
    // A parent that rolls everything back makes the enclave write the same version again.
    keeper.edit(|disk| *disk = before_any);
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "k", b"other".as_slice()).await.unwrap();
    let second = keeper.disk();
    let blob = |disk: &keeper::Disk| disk.written().values().next().unwrap().clone();
    let (first, second) = (blob(&first), blob(&second));
    assert_eq!(first[..21], second[..21], "same epoch, version and name");
    assert_ne!(first[21..53], second[21..53], "the salt is fresh");
    // With one key stream, the XOR of the ciphertexts would be the XOR of the plaintexts: zero over the address.
    assert_ne!(first[53..70], second[53..70]);
}

#[tokio::test]
async fn namespaces_and_tenants_do_not_meet() {
    let store = open(&Keeper::new()).await.unwrap();
    let spaces = [
        Namespace::of_tenant("secrets", "acme").unwrap(),
        Namespace::of_tenant("secrets", "acme2").unwrap(),
        Namespace::of_tenant("functions", "acme").unwrap(),
        Namespace::of_appliance("secrets").unwrap(),
    ];
    for (index, space) in spaces.iter().enumerate() {
        store.put(space, "k", vec![u8::try_from(index).unwrap()]).await.unwrap();
    }
    for (index, space) in spaces.iter().enumerate() {
        let record = store.get(space, "k").await.unwrap().unwrap();
        assert_eq!(record.value.as_bytes(), [u8::try_from(index).unwrap()]);
        assert_eq!(store.scan(space, "", None, 10).unwrap().len(), 1);
    }
    assert_eq!(store.records(), 4);
}

#[tokio::test]
async fn deletion_is_lasting_and_harmless_twice() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "k", b"v".as_slice()).await.unwrap();
    store.delete(&space(), "k").await.unwrap();
    let sequence = store.sequence();
    store.delete(&space(), "k").await.unwrap();
    assert_eq!(store.sequence(), sequence, "nothing to write, nothing written");
    assert_eq!(store.get(&space(), "k").await.unwrap(), None);
    assert!(keeper.disk().written().is_empty());
    drop(store);
    assert_eq!(open(&keeper).await.unwrap().get(&space(), "k").await.unwrap(), None);
}

#[tokio::test]
async fn conditions_hold_or_nothing_is_written() {
    let store = open(&Keeper::new()).await.unwrap();
    let first = store.put_if_absent(&space(), "k", b"1".as_slice()).await.unwrap();
    let taken = store.put_if_absent(&space(), "k", b"2".as_slice()).await;
    assert!(
        matches!(taken, Err(StoreError::Conflict { index: 0, current: Some(version) }) if version == first)
    );
    let second = store.compare_and_swap(&space(), "k", first, b"3".as_slice()).await.unwrap();
    assert!(second > first);
    let stale = store.compare_and_swap(&space(), "k", first, b"4".as_slice()).await;
    assert!(matches!(stale, Err(StoreError::Conflict { current: Some(version), .. }) if version == second));
    let missing = store.compare_and_swap(&space(), "nothing", 1, b"5".as_slice()).await;
    assert!(matches!(missing, Err(StoreError::Conflict { current: None, .. })));
    assert_eq!(store.get(&space(), "k").await.unwrap().unwrap().value.as_bytes(), b"3");
}

#[tokio::test]
async fn a_version_never_comes_back_even_after_a_deletion() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let first = store.put(&space(), "k", b"1".as_slice()).await.unwrap();
    store.delete(&space(), "k").await.unwrap();
    drop(store);
    let store = open(&keeper).await.unwrap();
    let second = store.put(&space(), "k", b"1".as_slice()).await.unwrap();
    assert!(second > first);
    assert!(store.compare_and_swap(&space(), "k", first, b"2".as_slice()).await.is_err());
}

#[tokio::test]
async fn a_batch_is_applied_whole_or_not_at_all() {
    let store = open(&Keeper::new()).await.unwrap();
    let space = space();
    let done = store
        .batch(vec![
            Write::put(&space, "a", b"1".as_slice()),
            Write::put(&space, "b", b"2".as_slice()).if_absent(),
            Write::delete(&space, "a"),
            Write::put(&space, "a", b"3".as_slice()).if_absent(),
        ])
        .await
        .unwrap();
    assert_eq!(done.sequence, store.sequence());
    assert_eq!(done.versions.iter().filter(|version| version.is_some()).count(), 3);
    assert_eq!(store.get(&space, "a").await.unwrap().unwrap().value.as_bytes(), b"3");

    let sequence = store.sequence();
    let refused = store
        .batch(vec![
            Write::put(&space, "c", b"4".as_slice()),
            Write::put(&space, "b", b"5".as_slice()).if_absent(),
        ])
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict { index: 1, .. })));
    assert_eq!(store.get(&space, "c").await.unwrap(), None);
    assert_eq!(store.sequence(), sequence);
    assert_eq!(store.batch(Vec::new()).await.unwrap().versions, []);
}

#[tokio::test]
async fn writers_that_wait_share_one_commit_and_are_served_in_order() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let shut = keeper.gate.write().await;
    let before = keeper.commits.load(Ordering::SeqCst);
    let writers: Vec<_> = (0..200)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move {
                if index % 2 == 0 {
                    store.put(&space(), &format!("k{index}"), b"v".as_slice()).await.map(|_| 1)
                } else {
                    // All of these want the same name: one gets it.
                    match store.put_if_absent(&space(), "one", vec![u8::try_from(index).unwrap()]).await {
                        Ok(_) => Ok(1),
                        Err(StoreError::Conflict { .. }) => Ok(0),
                        Err(error) => Err(error),
                    }
                }
            })
        })
        .collect();
    others_run().await;
    drop(shut);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap().unwrap();
    }
    assert_eq!(written, 101);
    assert_eq!(store.records(), 101);
    let commits = keeper.commits.load(Ordering::SeqCst) - before;
    assert!(commits <= 4, "200 writers took {commits} commits");
}

#[tokio::test]
async fn a_chain_of_swaps_among_many_writers_loses_no_update() {
    let store = open(&Keeper::new()).await.unwrap();
    store.put(&space(), "counter", 0u64.to_be_bytes().to_vec()).await.unwrap();
    let adders: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    loop {
                        let record = store.get(&space(), "counter").await.unwrap().unwrap();
                        let value = u64::from_be_bytes(record.value.as_bytes().try_into().unwrap()) + 1;
                        let bytes = value.to_be_bytes().to_vec();
                        match store.compare_and_swap(&space(), "counter", record.version, bytes).await {
                            Ok(_) => break,
                            Err(StoreError::Conflict { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            })
        })
        .collect();
    for adder in adders {
        adder.await.unwrap();
    }
    let record = store.get(&space(), "counter").await.unwrap().unwrap();
    assert_eq!(record.value.as_bytes(), 160u64.to_be_bytes());
}

/// Readers meet commits of the record they read: they get one of its values, and never a false alarm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_during_writes_are_never_taken_for_tampering() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "hot", 0u32.to_be_bytes().to_vec()).await.unwrap();
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for value in 1u32..400 {
                store.put(&space(), "hot", value.to_be_bytes().to_vec()).await.unwrap();
                if value % 7 == 0 {
                    store.delete(&space(), "hot").await.unwrap();
                }
            }
        })
    };
    let mut last = 0;
    while !writer.is_finished() {
        match store.get(&space(), "hot").await {
            Ok(Some(record)) => {
                let value = u32::from_be_bytes(record.value.as_bytes().try_into().unwrap());
                assert!(value >= last, "a read went back in time");
                last = value;
            }
            Ok(None) | Err(StoreError::Busy) => {}
            Err(error) => panic!("{error}"),
        }
    }
    writer.await.unwrap();
    assert_eq!(store.tampered(), None);
}

#[tokio::test]
async fn nothing_is_visible_before_it_is_durable() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let shut = keeper.gate.write().await;
    let writer = {
        let store = store.clone();
        tokio::spawn(async move { store.put(&space(), "k", b"v".as_slice()).await })
    };
    others_run().await;
    assert_eq!(store.get(&space(), "k").await.unwrap(), None);
    assert!(store.scan(&space(), "", None, 10).unwrap().is_empty());
    drop(shut);
    writer.await.unwrap().unwrap();
    assert!(store.get(&space(), "k").await.unwrap().is_some());
}

#[tokio::test]
async fn scans_are_in_order_bounded_and_can_go_on() {
    let store = open(&Keeper::new()).await.unwrap();
    for key in ["b/2", "a/1", "b/1", "b", "b/3", "c/1"] {
        store.put(&space(), key, key.as_bytes()).await.unwrap();
    }
    let keys = |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
        store.scan(&space(), prefix, after, limit).unwrap().into_iter().map(|listed| listed.key).collect()
    };
    assert_eq!(keys("b/", None, 10), ["b/1", "b/2", "b/3"]);
    assert_eq!(keys("b/", Some("b/1"), 1), ["b/2"]);
    assert_eq!(keys("b/", Some("b/3"), 10), Vec::<String>::new());
    assert_eq!(keys("b/", Some("a"), 1), ["b/1"]);
    assert_eq!(keys("", Some("c/1"), 10), Vec::<String>::new());
    assert_eq!(keys("", None, 2), ["a/1", "b"]);
    assert_eq!(keys("", None, usize::MAX).len(), 6);
    assert_eq!(store.scan(&space(), "c", None, 1).unwrap()[0].bytes, 3);
}

#[tokio::test]
async fn all_records_are_had_however_many_a_scan_gives() {
    let store = open(&Keeper::new()).await.unwrap();
    assert!(store.scan_all(&space()).unwrap().is_empty());
    let keys: Vec<String> = (0..2 * limits::MAX_SCAN).map(|number| format!("{number:05}")).collect();
    for some in keys.chunks(500) {
        let writes = some.iter().map(|key| Write::put(&space(), key, b"v".to_vec())).collect();
        store.batch(writes).await.unwrap();
    }
    let all: Vec<String> = store.scan_all(&space()).unwrap().into_iter().map(|listed| listed.key).collect();
    assert_eq!(all, keys);
}

#[tokio::test]
async fn limits_are_kept_at_their_edges() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    store.put(&space(), "largest", vec![1; limits::MAX_VALUE_BYTES]).await.unwrap();
    let blob_bytes = keeper.disk().written().values().next().unwrap().len();
    assert!(blob_bytes <= r3e_proto::limits::MAX_BLOB_BYTES);
    let too_large = store.put(&space(), "k", vec![1; limits::MAX_VALUE_BYTES + 1]).await;
    assert!(matches!(too_large, Err(StoreError::TooLarge { limit: limits::MAX_VALUE_BYTES, .. })));

    let longest_key = "k".repeat(limits::MAX_KEY_BYTES);
    store.put(&space(), &longest_key, b"".as_slice()).await.unwrap();
    assert!(store.get(&space(), &longest_key).await.unwrap().unwrap().value.is_empty());
    for key in [String::new(), format!("{longest_key}k")] {
        assert!(store.put(&space(), &key, b"".as_slice()).await.is_err());
        assert!(store.get(&space(), &key).await.is_err());
    }

    let writes =
        |count: usize| (0..count).map(|n| Write::put(&space(), &n.to_string(), b"".as_slice())).collect();
    let most = limits::MAX_BATCH_WRITES;
    assert_eq!(store.batch(writes(most)).await.unwrap().versions.len(), most);
    assert!(matches!(store.batch(writes(most + 1)).await, Err(StoreError::TooLarge { .. })));
    let heavy =
        (0..4).map(|n| Write::put(&space(), &n.to_string(), vec![0; limits::MAX_VALUE_BYTES])).collect();
    assert!(matches!(store.batch(heavy).await, Err(StoreError::TooLarge { .. })));

    assert!(Namespace::of_appliance("Secrets").is_err());
    assert!(Namespace::of_appliance("").is_err());
    assert!(Namespace::of_tenant("secrets", "").is_err());
    assert!(Namespace::of_tenant("secrets", &"t".repeat(limits::MAX_TENANT_BYTES + 1)).is_err());
    let longest =
        Namespace::of_tenant("a234567890123456789012345678901b", &"t".repeat(limits::MAX_TENANT_BYTES));
    store.put(&longest.unwrap(), &longest_key, vec![1; limits::MAX_VALUE_BYTES]).await.unwrap();
    let largest = keeper.disk().records.values().map(Vec::len).max().unwrap();
    assert!(largest <= r3e_proto::limits::MAX_BLOB_BYTES, "{largest}");
}

#[tokio::test]
async fn a_full_store_says_so_and_takes_all_that_does_not_add() {
    let options = Options { max_records: 2, ..uncached() };
    let store = Store::open(Keeper::new(), keys(1), options).await.unwrap();
    store.put(&space(), "a", b"1".as_slice()).await.unwrap();
    store.put(&space(), "b", b"1".as_slice()).await.unwrap();
    assert!(matches!(store.put(&space(), "c", b"1".as_slice()).await, Err(StoreError::Full { limit: 2 })));
    store.put(&space(), "a", b"2".as_slice()).await.unwrap();
    let exchange = vec![Write::delete(&space(), "a"), Write::put(&space(), "c", b"1".as_slice())];
    store.batch(exchange).await.unwrap();
    assert_eq!(store.records(), 2);
}

#[tokio::test]
async fn more_writes_than_the_queue_holds_are_refused_at_once() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let shut = keeper.gate.write().await;
    let value = vec![0; limits::MAX_VALUE_BYTES];
    let writers: Vec<_> = (0..2 * limits::MAX_QUEUED_BYTES / limits::MAX_VALUE_BYTES)
        .map(|index| {
            let (store, value) = (store.clone(), value.clone());
            tokio::spawn(async move { store.put(&space(), &index.to_string(), value).await })
        })
        .collect();
    others_run().await;
    drop(shut);
    let (mut written, mut busy) = (0, 0);
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => written += 1,
            Err(StoreError::Busy) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(busy >= 30 && written >= 30, "{written} written, {busy} refused");
    store.put(&space(), "after", b"v".as_slice()).await.unwrap();
}

#[tokio::test]
async fn a_writer_is_told_in_time_that_nothing_is_confirmed() {
    let keeper = Keeper::new();
    let options = Options { commit_deadline_ms: 50, ..uncached() };
    let store = Store::open(keeper.clone(), keys(1), options).await.unwrap();
    let shut = keeper.gate.write().await;
    let unconfirmed = store.put(&space(), "k", b"v".as_slice()).await;
    assert!(matches!(unconfirmed, Err(StoreError::Unconfirmed)));
    // It was on its way and arrives in the end.
    drop(shut);
    until_written(&store, "k").await;
}

#[tokio::test]
async fn a_write_whose_writer_left_the_queue_does_not_happen() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    let shut = keeper.gate.write().await;
    let put = |key: &'static str| {
        let store = store.clone();
        tokio::spawn(async move { store.put(&space(), key, b"v".as_slice()).await })
    };
    let first = put("first");
    others_run().await;
    let (queued, last) = (put("queued"), put("last"));
    others_run().await;
    queued.abort();
    assert!(queued.await.unwrap_err().is_cancelled());
    drop(shut);
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(store.get(&space(), "queued").await.unwrap(), None);
    assert_eq!(store.records(), 2);
}

#[tokio::test]
async fn the_cache_spares_the_keeper_and_never_serves_an_old_version() {
    let keeper = Keeper::new();
    let store = Store::open(keeper.clone(), keys(1), Options::default()).await.unwrap();
    store.put(&space(), "k", b"1".as_slice()).await.unwrap();
    for _ in 0..10 {
        store.get(&space(), "k").await.unwrap().unwrap();
    }
    assert_eq!(keeper.reads.load(Ordering::SeqCst), 0);
    store.put(&space(), "k", b"2".as_slice()).await.unwrap();
    assert_eq!(store.get(&space(), "k").await.unwrap().unwrap().value.as_bytes(), b"2");
    store.delete(&space(), "k").await.unwrap();
    assert_eq!(store.get(&space(), "k").await.unwrap(), None);
}

#[tokio::test]
async fn a_keeper_that_does_not_answer_at_boot_is_unavailable_and_nothing_more() {
    let keeper = Keeper::new();
    keeper.heads_lost.store(1, Ordering::SeqCst);
    assert!(matches!(open(&keeper).await, Err(StoreError::Unavailable(_))));
    keeper.fail_next([Fault::LostBefore; 5]);
    assert!(matches!(open(&keeper).await, Err(StoreError::Unavailable(_) | StoreError::Unconfirmed)));
    open(&keeper).await.unwrap();
}

#[tokio::test]
async fn values_and_keys_are_not_printed() {
    let store = open(&Keeper::new()).await.unwrap();
    store.put(&space(), "k", b"hunter2".as_slice()).await.unwrap();
    let record = store.get(&space(), "k").await.unwrap().unwrap();
    let printed = format!("{record:?} {store:?} {:?}", Write::put(&space(), "k", record.value.clone()));
    assert!(!printed.contains("hunter2") && !printed.contains("104, 117, 110"), "{printed}");
}
