//! A store over a real parent, and what must hold of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::sample::Index;
use r3e_keys::RootSecret;
use r3e_store::{
    BlobStore as _, Namespace, Options, Store, StoreError, StoreKeys, Summary, Tampered, Write,
    notes_in_force,
};
use tokio::sync::OnceCell;
use tokio::task::yield_now;
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::between::{Between, Fault};
use crate::disk::Disk;
use crate::parent::Keeping;
use crate::tamper::{Material, Tampering, tamper};

/// How many keys a history uses: few, so that its steps meet.
pub const KEYS: u8 = 12;
/// Moments of a history that its tampering draws on.
const MAX_PAST: usize = 4;

/// What the store must hold.
pub type Model = BTreeMap<u8, Vec<u8>>;
/// A write, or a deletion.
pub type Change = (u8, Option<Vec<u8>>);

/// The store, its parent, and what the parent kept before.
pub struct World {
    parent: Keeping,
    pub(crate) between: Arc<Between>,
    /// None while it is closed.
    store: Option<Store>,
    past: Vec<Moment>,
}

/// A moment of a history.
struct Moment {
    disk: Disk,
    model: Model,
    sequence: u64,
}

/// A checkpoint of small pages every few commits, so that the store's own commits come between all others; no value is
/// in memory, so that every read meets the parent.
fn options() -> Options {
    Options { cache_bytes: 0, min_tail: 6, page_bytes: 250, ..Options::default() }
}

fn keys(seed: u8) -> StoreKeys {
    StoreKeys::derive(&RootSecret::from_recovered(&Zeroizing::new([seed; 32]))).unwrap()
}

/// Keys are spread over two namespaces.
pub(crate) fn address(key: u8) -> (Namespace, String) {
    let space = if key.is_multiple_of(2) {
        Namespace::of_tenant("secrets", "acme")
    } else {
        Namespace::of_appliance("tenants")
    };
    (space.unwrap(), format!("key {key}"))
}

/// The model after the changes, of which the last one of a key counts.
pub fn applied(model: &Model, changes: &[Change]) -> Model {
    let mut model = model.clone();
    for (key, value) in changes {
        match value {
            Some(value) => model.insert(*key, value.clone()),
            None => model.remove(key),
        };
    }
    model
}

pub(crate) fn writes(changes: &[Change]) -> Vec<Write> {
    let write = |(key, value): &Change| {
        let (space, name) = address(*key);
        match value {
            Some(value) => Write::put(&space, &name, value.as_slice()),
            None => Write::delete(&space, &name),
        }
    };
    changes.iter().map(write).collect()
}

impl World {
    /// A new store over a new parent.
    pub async fn new() -> Self {
        let parent = Keeping::start().await;
        let between = Arc::new(Between::new(parent.blobs()));
        let mut world = Self { parent, between, store: None, past: Vec::new() };
        world.open().await.unwrap();
        world
    }

    /// Writes, over what stands.
    pub async fn put(&self, key: u8, value: &[u8]) {
        let (space, name) = address(key);
        self.store().put(&space, &name, value).await.unwrap();
    }

    /// Writes if nothing stands; says whether it did.
    pub async fn put_if_absent(&self, key: u8, value: &[u8]) -> bool {
        let (space, name) = address(key);
        match self.store().put_if_absent(&space, &name, value).await {
            Ok(_) => true,
            Err(StoreError::Conflict { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Writes over the version that stands, or tries to over another; says whether it did.
    pub async fn swap(&self, key: u8, value: &[u8], right: bool) -> bool {
        let (space, name) = address(key);
        let standing = self.store().get(&space, &name).await.unwrap();
        let version = standing.map_or(1 << 40, |record| record.version) + u64::from(!right);
        match self.store().compare_and_swap(&space, &name, version, value).await {
            Ok(_) => true,
            Err(StoreError::Conflict { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Deletes.
    pub async fn delete(&self, key: u8) {
        let (space, name) = address(key);
        self.store().delete(&space, &name).await.unwrap();
    }

    /// Applies all.
    pub async fn batch(&self, changes: &[Change]) {
        self.store().batch(writes(changes)).await.unwrap();
    }

    /// Begins an epoch, unless records still move to the current one.
    pub async fn rotate(&self) {
        match self.store().rotate().await {
            Ok(_) | Err(StoreError::Rotating { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// The batch meets `fault`, and is applied once all the same.
    pub async fn batch_through(&self, changes: &[Change], fault: Fault) {
        self.between.fail_next(fault);
        self.batch(changes).await;
    }

    /// The parent is stopped and started again while the batch is on its way.
    pub async fn batch_through_a_restart(&mut self, changes: &[Change]) {
        let (store, writes) = (self.store().clone(), writes(changes));
        let on_its_way = tokio::spawn(async move { store.batch(writes).await });
        yield_now().await;
        self.parent.stop().await;
        self.parent.resume().await;
        on_its_way.await.unwrap().unwrap();
        // A batch that changes nothing does not find out that the connection is gone; the first read would.
        while self.between.head().await.is_err() {}
    }

    /// The enclave ends when the batch's commit was sent: before the parent had it, or after it was applied.
    pub async fn crash(&mut self, changes: &[Change], arrived: bool) {
        // Nothing of the store's own work comes before the batch.
        self.until(|summary| !summary.at_work).await;
        self.between.fail_next(if arrived { Fault::CutAfter } else { Fault::CutBefore });
        let (store, writes) = (self.store().clone(), writes(changes));
        let on_its_way = tokio::spawn(async move { store.batch(writes).await });
        // A batch that changes nothing makes no commit.
        while !on_its_way.is_finished() && !self.between.is_cut() {
            sleep(Duration::from_micros(100)).await;
        }
        on_its_way.abort();
        let _ = on_its_way.await;
        self.end().await;
        self.open().await.unwrap();
    }

    /// The enclave ends, whatever it is doing for itself, and starts again.
    pub async fn restart(&mut self) {
        self.finish().await;
        self.open().await.unwrap();
    }

    /// The owner of the parent tampers with what it keeps; the store must find it, by its name, or it was harmless. Then
    /// everything is put back.
    pub async fn tamper(&mut self, how: Tampering, pick: Index, bit: Index, model: &Model) {
        self.close(model).await;
        let honest = Disk::read(&self.parent.blobs()).await;
        let fork = self.fork().await;
        let past: Vec<Disk> = self.past.iter().map(|moment| moment.disk.clone()).collect();
        let material = Material { past: &past, foreign_head: foreign_head().await, fork: &fork };
        let mut changed = honest.clone();
        if tamper(&mut changed, how, pick, bit, material) && changed != honest {
            changed.write(&self.parent.blobs()).await;
            let in_force = notes_in_force(&keys(1), &honest.head).unwrap();
            let touched = in_force.iter().any(|name| changed.records.get(name) != honest.records.get(name));
            let verdict = how.verdict(touched);
            let (found, at_boot) = self.look(model).await;
            assert!(
                verdict.holds(found.is_some(), at_boot),
                "{how:?}: {verdict:?}, and {found:?} at boot {at_boot}"
            );
            if let Some(found) = found {
                assert!(how.is_named(found), "{how:?} was called {found:?}");
            }
            self.end().await;
        }
        honest.write(&self.parent.blobs()).await;
        self.open().await.unwrap();
    }

    /// The parent gives back a whole state of before. Nothing in it is amiss but its sequence, which a witness remembers.
    pub async fn roll_back(&mut self, pick: Index, model: &Model) {
        self.close(model).await;
        let honest = Disk::read(&self.parent.blobs()).await;
        let witnessed = self.past.last().unwrap().sequence;
        let Moment { disk, model: then, sequence } = &self.past[pick.index(self.past.len())];
        assert!(*sequence < witnessed || *disk == honest);
        let (disk, then) = (disk.clone(), then.clone());
        disk.write(&self.parent.blobs()).await;
        assert_eq!(self.look(&then).await, (None, false));
        self.end().await;
        honest.write(&self.parent.blobs()).await;
        self.open().await.unwrap();
    }

    /// Reads everything in every way, and compares.
    pub async fn check(&self, model: &Model) {
        assert_eq!(serve(self.store(), model).await, None);
    }

    /// Opens the store on a disk that was tampered with, and reads everything: what was found, if anything, and whether at the
    /// boot. Nothing is served that is not of `model`.
    async fn look(&mut self, model: &Model) -> (Option<Tampered>, bool) {
        match self.open().await {
            Ok(()) => {}
            Err(StoreError::Tampered(found)) => return (Some(found), true),
            Err(error) => panic!("{error}"),
        }
        let found = serve(self.store(), model).await;
        if let Some(found) = found {
            // The store serves nothing any more, not even what nobody touched, and takes nothing.
            let (space, name) = address(0);
            assert!(matches!(self.store().get(&space, &name).await, Err(StoreError::Tampered(_))));
            assert!(matches!(self.store().delete(&space, &name).await, Err(StoreError::Tampered(_))));
            assert_eq!(self.store().tampered(), Some(found));
        }
        (found, false)
    }

    /// What the parent would keep had the oldest moment known gone on otherwise. The parent keeps something else then.
    async fn fork(&mut self) -> Disk {
        let start = self.past.first().unwrap().disk.clone();
        start.write(&self.parent.blobs()).await;
        self.open().await.unwrap();
        for key in 0..4 {
            self.put(key, b"of another history").await;
        }
        self.end().await;
        Disk::read(&self.parent.blobs()).await
    }

    pub(crate) async fn open(&mut self) -> Result<(), StoreError> {
        self.between = Arc::new(Between::new(self.parent.blobs()));
        self.store = Some(Store::open(self.between.clone(), keys(1), options()).await?);
        Ok(())
    }

    /// Ends the store when it has nothing to do, and remembers the moment.
    async fn close(&mut self, model: &Model) {
        self.until(|summary| !summary.at_work).await;
        let sequence = self.store().sequence();
        self.finish().await;
        let disk = Disk::read(&self.parent.blobs()).await;
        if self.past.len() == MAX_PAST {
            self.past.remove(1);
        }
        self.past.push(Moment { disk, model: model.clone(), sequence });
    }

    /// Ends the store after the commit that is on its way, if one is.
    async fn finish(&mut self) {
        self.store = None;
        while Arc::strong_count(&self.between) > 1 {
            sleep(Duration::from_micros(100)).await;
        }
    }

    /// Ends the store wherever it is. Nothing of it reaches the parent any more.
    pub(crate) async fn end(&mut self) {
        self.store = None;
        self.between.release();
        while Arc::strong_count(&self.between) > 1 {
            sleep(Duration::from_micros(100)).await;
        }
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Summary) -> bool) {
        while !holds(&self.store().summary()) {
            assert_eq!(self.store().tampered(), None);
            sleep(Duration::from_micros(200)).await;
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }
}

/// Reads all that the model has and all that it has not. What is served is as the model says; what ends the reading is
/// tampering that was found.
async fn serve(store: &Store, model: &Model) -> Option<Tampered> {
    for key in 0..KEYS {
        let (space, name) = address(key);
        match store.get(&space, &name).await {
            Ok(record) => assert_eq!(record.map(|record| record.value.to_vec()).as_ref(), model.get(&key)),
            Err(StoreError::Tampered(found)) => return Some(found),
            Err(error) => panic!("{error}"),
        }
    }
    for parity in 0..2 {
        let listed = match store.scan(&address(parity).0, "", None, 100) {
            Ok(listed) => listed,
            Err(StoreError::Tampered(found)) => return Some(found),
            Err(error) => panic!("{error}"),
        };
        let of_space = model.iter().filter(|(key, _)| **key % 2 == parity);
        let mut expected: Vec<_> = of_space.map(|(key, value)| (address(*key).1, value.len())).collect();
        expected.sort();
        assert_eq!(listed.into_iter().map(|one| (one.key, one.bytes)).collect::<Vec<_>>(), expected);
    }
    match store.audit().await {
        Ok(audit) => assert_eq!(audit.records, model.len() as u64),
        Err(StoreError::Tampered(found)) => return Some(found),
        Err(error) => panic!("{error}"),
    }
    None
}

/// A head of an appliance with another root secret.
async fn foreign_head() -> &'static [u8] {
    static HEAD: OnceCell<Vec<u8>> = OnceCell::const_new();
    HEAD.get_or_init(|| async {
        let parent = Keeping::start().await;
        let blobs = Arc::new(parent.blobs());
        Store::open(blobs.clone(), keys(2), options()).await.unwrap();
        Disk::read(&blobs).await.head
    })
    .await
}
