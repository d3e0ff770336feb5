//! Feeds as they are made, changed, deleted, and found again when the appliance boots.

use std::sync::Arc;

use r3e_proto::api::feeds::{Feed, SetFeed};
use r3e_store::limits::{CHANGE_PAUSE, MAX_CHANGE_TRIES};
use tokio::time::sleep;

use crate::definition::{Shape, whole};
use crate::entry::Entry;
use crate::error::FeedsError;
use crate::feeds::Inner;
use crate::limits::{MAX_FEEDS, MAX_FEEDS_OF_ONE, MAX_NAMES_OF_ONE};
use crate::record::{Record, encode};
use crate::shown;
use crate::spaces::{Address, Stored, names};

impl Inner {
    pub(crate) async fn load(&self, address: Address) -> Result<(), FeedsError> {
        let stored = match self.read_patiently(&address).await {
            Ok(Some(stored)) => stored,
            Ok(None) => {
                tracing::error!("the index names a feed that is not there");
                return Ok(());
            }
            Err(FeedsError::Record(error)) => {
                tracing::error!(error, "a feed of another release is left alone");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let record = stored.record.clone();
        let shape = Shape::of(record).unwrap_or_else(|error| {
            tracing::error!(%error, "a feed of another release asks nobody until it is set anew");
            Shape::broken(stored.record.clone())
        });
        let entry = Entry::new(address, shape);
        if let Some(kept) = stored.page.reports().last() {
            entry.tell(*kept);
        }
        entry.standing.lock().await.read(stored);
        entry.plan_now(self.now_ms());
        self.board().add(entry);
        Ok(())
    }

    /// Reads what stands, again and again while the store does not answer: a boot must not fail for it.
    async fn read_patiently(&self, address: &Address) -> Result<Option<Stored>, FeedsError> {
        let mut tries = 0;
        loop {
            match address.read(&self.store).await {
                Err(FeedsError::Store(error)) if error.may_pass() && tries < MAX_CHANGE_TRIES => {
                    tries += 1;
                    sleep(CHANGE_PAUSE).await;
                }
                read => return read,
            }
        }
    }

    pub(crate) async fn set(&self, address: Address, set: SetFeed) -> Result<Feed, FeedsError> {
        let now_ms = self.now_ms();
        let found = self.board().find(&address);
        let before = found.as_ref().map(|entry| entry.shape());
        let record = Record {
            definition: whole(&address.name, &set)?,
            interval_ms: set.interval_ms,
            timeout_ms: set.timeout_ms,
            targets: set.targets,
            publish: set.publish,
            public: set.public,
            paused: before.as_ref().is_some_and(|before| before.record.paused),
            created_at_ms: before.as_ref().map_or(now_ms, |before| before.record.created_at_ms),
            changed_at_ms: now_ms,
        };
        if let Some(before) = &before
            && before.record.definition.pair != record.definition.pair
        {
            let pair = &before.record.definition.pair;
            let why = format!("this feed is of {pair}, and those who read it rely on that; make another one");
            return Err(FeedsError::Invalid(why));
        }
        let shape = Shape::of(record)?;
        for asked in shape.live.iter().flat_map(|live| &live.asked) {
            let wrong = |why| FeedsError::Invalid(format!("{} cannot be asked: {why}", asked.url));
            self.fetches.check(&asked.url).map_err(wrong)?;
        }
        match found {
            Some(entry) => self.reshape(&entry, shape).await,
            None => self.create(address, shape).await,
        }
    }

    async fn create(&self, address: Address, shape: Shape) -> Result<Feed, FeedsError> {
        if self.board().of(address.tenant).len() >= MAX_FEEDS_OF_ONE {
            return Err(FeedsError::TooMany { what: "feeds", max: MAX_FEEDS_OF_ONE });
        }
        if self.board().len() >= MAX_FEEDS {
            return Err(FeedsError::Full);
        }
        let left = address.progress(&self.store).await?;
        if left.is_none() && names(&self.store, address.tenant)? >= MAX_NAMES_OF_ONE {
            let what = "names that feeds published under, deleted ones among them";
            return Err(FeedsError::TooMany { what, max: MAX_NAMES_OF_ONE });
        }
        let wanted = encode(&shape.record)?;
        let (records, writes) = (address.records()?, address.creation(&shape.record, left.as_ref())?);
        if !self.store.carry_through(&writes, (&records, &address.name), Some(&wanted)).await? {
            return Err(changed());
        }
        let entry = Entry::new(address, shape);
        self.board().add(Arc::clone(&entry));
        self.made.send_replace(());
        self.defined.send_replace(());
        self.planned(&entry).await
    }

    pub(crate) async fn reshape(&self, entry: &Arc<Entry>, shape: Shape) -> Result<Feed, FeedsError> {
        let address = &entry.address;
        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        let wanted = encode(&shape.record)?;
        let (record_version, progress_version) = (standing.record_version, standing.progress_version);
        let writes = address.change(&shape.record, record_version, &standing.progress, progress_version)?;
        // Until it is known what stands.
        standing.is_stale = true;
        if !self.store.carry_through(&writes, (&address.records()?, &address.name), Some(&wanted)).await? {
            return Err(changed());
        }
        entry.reshape(shape);
        self.defined.send_replace(());
        drop(standing);
        self.planned(entry).await
    }

    pub(crate) async fn delete(&self, entry: &Arc<Entry>) -> Result<(), FeedsError> {
        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        let address = &entry.address;
        let sequence = standing.progress.state.sequence;
        let writes = address.removal(standing.record_version, sequence, standing.progress_version)?;
        standing.is_stale = true;
        if !self.store.carry_through(&writes, (&address.records()?, &address.name), None).await? {
            return Err(changed());
        }
        standing.is_gone = true;
        entry.take();
        self.board().remove(address);
        self.defined.send_replace(());
        entry.end();
        Ok(())
    }

    /// Has its round now, and shows it.
    async fn planned(&self, entry: &Arc<Entry>) -> Result<Feed, FeedsError> {
        {
            let mut standing = entry.standing.lock().await;
            self.refresh(entry, &mut standing).await?;
        }
        entry.plan_now(self.now_ms());
        self.wake.notify_one();
        Ok(shown::feed(entry).await)
    }
}

fn changed() -> FeedsError {
    FeedsError::Unavailable("the feed changed meanwhile; look at it, and try again".to_owned())
}
