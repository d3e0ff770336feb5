//! A state against an anchor that a chain holds: it must be later, and have the anchor written down; an order goes over it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;
mod memory;

use std::sync::Arc;

use keeper::{Disk, Keeper, keys, space, uncached};
use memory::{Memory, witnessed_by};
use r3e_store::{
    Anchored, Listed, Restore, Store, StoreError, Tampered, Witness, WitnessError, WitnessFuture, Witnessed,
    Witnessing,
};

/// As an appliance does, by the key alone.
fn is_known(anchor: &Witnessed, records: &[Listed]) -> bool {
    records.iter().any(|one| one.key == written(anchor))
}

fn written(anchor: &Witnessed) -> String {
    format!("{}-{:?}", anchor.sequence, anchor.head)
}

async fn open(
    disk: &Arc<Keeper>,
    anchor: Option<Witnessed>,
    restore: Option<Restore>,
) -> Result<Store, StoreError> {
    open_with(disk, anchor, restore, Witnessing::default()).await
}

async fn open_with(
    disk: &Arc<Keeper>,
    anchor: Option<Witnessed>,
    restore: Option<Restore>,
    witnessing: Witnessing,
) -> Result<Store, StoreError> {
    let anchored = anchor.map(|commit| {
        let is_known = Arc::new(move |records: &[Listed]| is_known(&commit, records));
        Anchored { commit, namespace: space(), is_known }
    });
    let witnessing = Witnessing { restore, anchored, ..witnessing };
    Store::open_witnessed(disk.clone(), keys(1), uncached(), witnessing).await
}

async fn refused(disk: &Disk, anchor: Witnessed, restore: Option<Restore>) -> (u64, [u8; 32], u64) {
    let keeper = Keeper::holding(disk.clone());
    match open(&keeper, Some(anchor), restore).await {
        Err(StoreError::Tampered(Tampered::NotAnchored { held, head, anchored })) => {
            assert!(keeper.disk() == *disk, "what is refused is left as it is");
            (held, head, anchored)
        }
        other => panic!("{other:?}"),
    }
}

fn state(store: &Store) -> Witnessed {
    Witnessed { sequence: store.sequence(), head: store.head_digest() }
}

/// Writes the last commit down, which is anchored with that.
async fn anchor(store: &Store) -> Witnessed {
    let last = state(store);
    store.put(&space(), &written(&last), b"".as_slice()).await.unwrap();
    last
}

async fn work(store: &Store, times: usize) {
    for time in 0..times {
        store.put(&space(), &format!("{time}"), b"value".as_slice()).await.unwrap();
    }
}

#[tokio::test]
async fn only_a_later_state_that_has_it_written_down_is_opened() {
    let keeper = Keeper::new();
    let store = open(&keeper, None, None).await.unwrap();
    work(&store, 3).await;
    let older = keeper.disk();
    let anchored = anchor(&store).await;
    let latest = keeper.disk();
    drop(store);

    assert_eq!(refused(&older, anchored, None).await, (anchored.sequence, anchored.head, anchored.sequence));
    refused(&Keeper::new().disk(), anchored, None).await;
    // A branch that has outgrown it is refused all the same.
    let branch = Keeper::holding(older);
    work(&open(&branch, None, None).await.unwrap(), 30).await;
    let (held, ..) = refused(&branch.disk(), anchored, None).await;
    assert!(held > anchored.sequence);
    // Another head of the same sequence is another anchor.
    refused(&latest, Witnessed { head: [9; 32], ..anchored }, None).await;
    refused(&latest, Witnessed { sequence: anchored.sequence + 90, ..anchored }, None).await;
    let store = open(&Keeper::holding(latest), Some(anchored), None).await.unwrap();
    assert_eq!(store.summary().restored, None);
}

#[tokio::test]
async fn an_order_goes_over_it_and_over_what_may_still_be_brought() {
    let keeper = Keeper::new();
    let store = open(&keeper, None, None).await.unwrap();
    work(&store, 3).await;
    let (backup, shown) = (keeper.disk(), state(&store));
    work(&store, 5).await;
    let first = anchor(&store).await;
    work(&store, 5).await;
    let second = anchor(&store).await;
    drop(store);

    let order = Restore { state: shown, over: first.sequence, at_ms: 7 };
    for wrong in [
        Restore { over: first.sequence - 1, ..order },
        Restore { over: u64::MAX, ..order },
        Restore { state: Witnessed { head: [9; 32], ..shown }, ..order },
        Restore { state: second, over: second.sequence, at_ms: 7 },
    ] {
        refused(&backup, first, Some(wrong)).await;
    }
    // One that gives up the first alone: the second, once it is brought, is held against what comes of it.
    let least = Keeper::holding(backup.clone());
    let restored = open(&least, Some(first), Some(order)).await.unwrap();
    assert_eq!(restored.sequence(), first.sequence + 1);
    let said = restored.summary().restored.unwrap();
    assert_eq!((said.from, said.over), (shown.sequence, first.sequence));
    drop(restored);
    drop(open(&least, Some(first), Some(order)).await.unwrap());
    refused(&least.disk(), second, None).await;
    // One that gives up more is above both.
    let more = Keeper::holding(backup);
    let order = Restore { over: second.sequence + 10, ..order };
    let restored = open(&more, Some(first), Some(order)).await.unwrap();
    assert_eq!(restored.sequence(), second.sequence + 11);
    let third = anchor(&restored).await;
    drop(restored);
    for held in [first, second, third] {
        drop(open(&more, Some(held), None).await.unwrap());
    }
}

/// A witness that is away once it has heard of another commit than the one it holds.
struct Breaks(Arc<Memory>);

impl Witness for Breaks {
    fn last(&self) -> WitnessFuture<'_, Option<Witnessed>> {
        self.0.last()
    }

    fn record(&self, witnessed: Witnessed) -> WitnessFuture<'_, ()> {
        if self.0.held() == Some(witnessed) {
            return self.0.record(witnessed);
        }
        Box::pin(async { Err(WitnessError::Unavailable { reason: "nobody answers".to_owned() }) })
    }
}

#[tokio::test]
async fn an_order_over_a_branch_gives_up_all_that_is_below_it() {
    let keeper = Keeper::new();
    let store = open(&keeper, None, None).await.unwrap();
    work(&store, 3).await;
    let left = Keeper::holding(keeper.disk());
    let first = anchor(&store).await;
    work(&store, 5).await;
    let second = anchor(&store).await;
    drop(store);
    let branch = open(&left, None, None).await.unwrap();
    work(&branch, 30).await;
    let shown = state(&branch);
    drop(branch);
    assert!(shown.sequence > second.sequence);
    refused(&left.disk(), first, Some(Restore { state: shown, over: first.sequence, at_ms: 7 })).await;
    let order = Restore { state: shown, over: shown.sequence, at_ms: 7 };
    let restored = open(&left, Some(first), Some(order)).await.unwrap();
    assert_eq!(restored.sequence(), shown.sequence + 1);
    drop(restored);
    drop(open(&left, Some(second), None).await.unwrap());
}

#[tokio::test]
async fn peers_go_on_from_a_state_that_was_restored_over_an_anchor() {
    let (keeper, memory) = (Keeper::new(), Memory::new());
    let store = open_with(&keeper, None, None, witnessed_by(&memory)).await.unwrap();
    work(&store, 3).await;
    let shown = state(&store);
    drop(store);
    let (disk, anchored) = (keeper.disk(), Witnessed { sequence: shown.sequence + 50, head: [5; 32] });
    let order = Restore { state: shown, over: anchored.sequence, at_ms: 7 };
    // The first try ends between its commit and their confirmation of it.
    let restored = Keeper::holding(disk);
    let breaks = Witnessing { witness: Some(Arc::new(Breaks(memory.clone()))), ..Witnessing::default() };
    let tried = open_with(&restored, Some(anchored), Some(order), breaks).await;
    assert!(matches!(tried, Err(StoreError::Unwitnessed { .. })), "{tried:?}");
    let store = open_with(&restored, Some(anchored), Some(order), witnessed_by(&memory)).await.unwrap();
    assert_eq!(store.sequence(), anchored.sequence + 2);
    work(&store, 3).await;
    assert_eq!(memory.held(), Some(state(&store)));
}
