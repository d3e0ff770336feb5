//! What comes at once: batches and writers that meet in one commit, and an enclave that ends while they are on their way.

use std::time::Duration;

use r3e_store::{Committed, StoreError, Write};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::between::Fault;
use crate::world::{Change, Model, World, address, applied, writes};

impl World {
    /// Applies batches at once, which change no record together.
    pub async fn together(&self, batches: &[Vec<Change>], fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.between.fail_next(fault);
        }
        for done in self.spawned(batches) {
            done.await.unwrap().unwrap();
        }
    }

    /// Writes all values over the same missing or standing record at once, each on the condition that it is as it was: one of
    /// them is written, and the others are refused. Then the first of them is.
    pub async fn race(&self, key: u8, values: &[Vec<u8>]) {
        let (space, name) = address(key);
        let standing = self.store().get(&space, &name).await.unwrap().map(|record| record.version);
        let writers: Vec<_> = values
            .iter()
            .map(|value| {
                let write = Write::put(&space, &name, value.as_slice());
                let write = match standing {
                    Some(version) => write.if_version(version),
                    None => write.if_absent(),
                };
                let store = self.store().clone();
                tokio::spawn(async move { store.batch(vec![write]).await })
            })
            .collect();
        let mut won = None;
        for (writer, value) in writers.into_iter().zip(values) {
            match writer.await.unwrap() {
                Ok(_) => assert_eq!(won.replace(value), None, "two were written over one version"),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let stands = self.store().get(&space, &name).await.unwrap().unwrap();
        assert_eq!(Some(&stands.value.to_vec()), won, "what was acknowledged stands");
        self.put(key, &values[0]).await;
    }

    /// The enclave ends while batches, which change no record together, are on their way at once. Each of them stands whole or
    /// not at all, and stands if it was acknowledged. Then all of them do.
    pub async fn crash_together(&mut self, batches: &[Vec<Change>], arrived: bool, before: &Model) {
        self.until(|summary| !summary.at_work).await;
        self.between.fail_next(if arrived { Fault::CutAfter } else { Fault::CutBefore });
        let on_their_way = self.spawned(batches);
        while !on_their_way.iter().all(JoinHandle::is_finished) && !self.between.is_cut() {
            sleep(Duration::from_micros(100)).await;
        }
        let mut acknowledged = Vec::new();
        for batch in on_their_way {
            batch.abort();
            acknowledged.push(matches!(batch.await, Ok(Ok(_))));
        }
        self.end().await;
        self.open().await.unwrap();
        for (batch, acknowledged) in batches.iter().zip(acknowledged) {
            let after = applied(before, batch);
            let changed: Vec<u8> =
                batch.iter().map(|(key, _)| *key).filter(|key| before.get(key) != after.get(key)).collect();
            let mut stands = Vec::new();
            for key in changed {
                let (space, name) = address(key);
                let found =
                    self.store().get(&space, &name).await.unwrap().map(|record| record.value.to_vec());
                assert!([before.get(&key), after.get(&key)].contains(&found.as_ref()), "{key}");
                stands.push(found.as_ref() == after.get(&key));
            }
            assert!(stands.iter().all(|stands| *stands) || !stands.contains(&true), "half a batch stands");
            assert!(!acknowledged || !stands.contains(&false), "an acknowledged batch is lost");
        }
        for batch in batches {
            self.batch(batch).await;
        }
    }

    fn spawned(&self, batches: &[Vec<Change>]) -> Vec<JoinHandle<Result<Committed, StoreError>>> {
        let spawn = |batch: &Vec<Change>| {
            let (store, writes) = (self.store().clone(), writes(batch));
            tokio::spawn(async move { store.batch(writes).await })
        };
        batches.iter().map(spawn).collect()
    }
}
