//! Triggers as they are made, changed, deleted, and found again when the appliance boots.

use std::sync::Arc;

use aws_lc_rs::rand;
use r3e_proto::api::triggers::{Definition, Source, Trigger};
use r3e_store::limits::{CHANGE_PAUSE, MAX_CHANGE_TRIES};
use tokio::time::sleep;

use crate::definition::Shape;
use crate::entry::{Entry, Standing};
use crate::error::TriggersError;
use crate::limits::{MAX_MADE_BY_ONE, MAX_TRIGGERS, MAX_TRIGGERS_OF_ONE};
use crate::price::no_feed;
use crate::record::{Record, State, TriggerId, encode};
use crate::spaces::{Address, Stored};
use crate::triggers::Inner;

impl Inner {
    pub(crate) async fn load(&self, address: Address) -> Result<(), TriggersError> {
        let Some(stored) = self.read_patiently(&address).await? else {
            tracing::error!("the index names a trigger that is not there");
            return Ok(());
        };
        let now_ms = self.now_ms();
        let record = stored.record.clone();
        let shape = Shape::of(record, None).unwrap_or_else(|error| {
            tracing::error!(%error, "a trigger of another release fires nothing until it is set anew");
            Shape::broken(stored.record)
        });
        let standing = Standing::new(stored.state, stored.state_version, stored.record_version, false);
        let entry = Entry::new(address, shape, standing);
        entry.plan(now_ms, false);
        self.board().add(entry);
        Ok(())
    }

    /// Reads what stands, again and again while the store does not answer: a boot must not fail for it.
    async fn read_patiently(&self, address: &Address) -> Result<Option<Stored>, TriggersError> {
        let mut tries = 0;
        loop {
            match address.read(&self.store).await {
                Err(TriggersError::Store(error)) if error.may_pass() && tries < MAX_CHANGE_TRIES => {
                    tries += 1;
                    sleep(CHANGE_PAUSE).await;
                }
                read => return read,
            }
        }
    }

    /// Sets a trigger for the function that `definition` says made it; the same again writes nothing.
    pub(crate) async fn set_own(
        &self,
        address: Address,
        definition: Definition,
    ) -> Result<bool, TriggersError> {
        let maker = definition.made_by.clone().unwrap_or_default();
        let found = self.board().find(&address);
        if let Some(entry) = found {
            entry.require_maker(&maker)?;
            if entry.shape().record.definition != definition {
                self.set(address, definition).await?;
            }
            return Ok(false);
        }
        let own = self
            .board()
            .of(address.tenant)
            .iter()
            .filter(|entry| entry.require_maker(&maker).is_ok())
            .count();
        if own >= MAX_MADE_BY_ONE {
            return Err(TriggersError::TooMany(MAX_MADE_BY_ONE));
        }
        self.set(address, definition).await?;
        Ok(true)
    }

    pub(crate) async fn set(
        &self,
        address: Address,
        definition: Definition,
    ) -> Result<Trigger, TriggersError> {
        let now_ms = self.now_ms();
        let found = self.board().find(&address);
        let follows = |definition: &Definition| matches!(definition.source, Source::Chain(_));
        let followed = found.as_ref().is_some_and(|entry| follows(&entry.shape().record.definition));
        if follows(&definition) && !followed {
            self.may_follow_one_more(&address)?;
        }
        if let Some(entry) = found {
            let before = entry.shape().record.clone();
            let is_other_source = !is_same(&before.definition.source, &definition.source);
            let since_ms = if is_other_source { before.next_since_ms(now_ms) } else { before.since_ms };
            let is_resumed = before.is_resumed && !is_other_source;
            // Asked for in any case: the feed must be there.
            let last = self.last_of_feed(&address, &definition).await?;
            let begins_behind = if is_other_source { last } else { before.begins_behind };
            let record =
                Record { definition, changed_at_ms: now_ms, since_ms, is_resumed, begins_behind, ..before };
            let shape = self.check(&address, &record, now_ms).await?;
            return self.reshape(&entry, shape).await;
        }
        if self.board().of(address.tenant).len() >= MAX_TRIGGERS_OF_ONE {
            return Err(TriggersError::TooMany(MAX_TRIGGERS_OF_ONE));
        }
        if self.board().len() >= MAX_TRIGGERS {
            return Err(TriggersError::Full);
        }
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| TriggersError::Random)?;
        let begins_behind = self.last_of_feed(&address, &definition).await?;
        let record = Record {
            id: TriggerId(id),
            definition,
            paused: false,
            created_at_ms: now_ms,
            changed_at_ms: now_ms,
            since_ms: now_ms,
            is_resumed: false,
            begins_behind,
        };
        let shape = self.check(&address, &record, now_ms).await?;
        let wanted = encode(&record)?;
        let (records, writes) = (address.records()?, address.creation(&record)?);
        if !self.store.carry_through(&writes, (&records, &address.name), Some(&wanted)).await? {
            return Err(TriggersError::Unavailable("another trigger of this name came first".to_owned()));
        }
        let standing = Standing::new(State::default(), 0, 0, true);
        let entry = Entry::new(address, shape, standing);
        self.board().add(Arc::clone(&entry));
        self.planned(&entry);
        Ok(entry.shown(self.now_ms()).await)
    }

    /// The last sequence of the feed whose reports a trigger judges; nothing of any other trigger.
    ///
    /// # Errors
    /// [`TriggersError::Invalid`]: there is no such feed. [`TriggersError::Unavailable`].
    pub(crate) async fn last_of_feed(
        &self,
        address: &Address,
        definition: &Definition,
    ) -> Result<u64, TriggersError> {
        let Source::Price(price) = &definition.source else { return Ok(0) };
        let last = self.prices.last(address.tenant, &price.feed).await;
        let none = || TriggersError::Invalid(no_feed(&price.feed));
        last.map_err(TriggersError::Unavailable)?.ok_or_else(none)
    }

    /// Whether a record is one that may stand.
    async fn check(&self, address: &Address, record: &Record, now_ms: u64) -> Result<Shape, TriggersError> {
        if let Source::Chain(chain) = &record.definition.source {
            self.chains.check(chain).map_err(TriggersError::Invalid)?;
        }
        let shape = self.tried(record.clone(), now_ms).await?;
        let function = &record.definition.function;
        match self.outside.has_function(address.tenant, function).await {
            Ok(true) => Ok(shape),
            Ok(false) => Err(TriggersError::NoFunction(function.clone())),
            Err(why) => Err(TriggersError::Unavailable(why)),
        }
    }

    /// A schedule that seldom comes is searched for long: not where others wait.
    async fn tried(&self, record: Record, now_ms: u64) -> Result<Shape, TriggersError> {
        let trying = tokio::task::spawn_blocking(move || Shape::of(record, Some(now_ms)));
        trying.await.unwrap_or(Err(TriggersError::Stopping))
    }

    pub(crate) async fn reshape(&self, entry: &Arc<Entry>, shape: Shape) -> Result<Trigger, TriggersError> {
        let address = &entry.address;
        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        // What came to nothing by this definition is not to be judged by the next one.
        if let Some(ahead) = standing.ahead.clone() {
            let state = standing.state.went_on(ahead);
            self.keep(entry, &mut standing, state).await?;
            self.refresh(entry, &mut standing).await?;
        }
        let wanted = encode(&shape.record)?;
        let writes = address.change(&shape.record, standing.record_version)?;
        // Until it is known what stands.
        standing.is_stale = true;
        if !self.store.carry_through(&writes, (&address.records()?, &address.name), Some(&wanted)).await? {
            return Err(TriggersError::Unavailable("the trigger changed meanwhile".to_owned()));
        }
        entry.reshape(shape);
        drop(standing);
        entry.heard(None);
        self.planned(entry);
        Ok(entry.shown(self.now_ms()).await)
    }

    pub(crate) async fn delete(&self, entry: &Arc<Entry>) -> Result<(), TriggersError> {
        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        let address = &entry.address;
        let writes = address.removal(standing.record_version)?;
        standing.is_stale = true;
        if !self.store.carry_through(&writes, (&address.records()?, &address.name), None).await? {
            return Err(TriggersError::Unavailable("the trigger changed meanwhile".to_owned()));
        }
        standing.is_gone = true;
        entry.take();
        self.board().remove(entry);
        entry.end_looks();
        Ok(())
    }

    fn planned(&self, entry: &Entry) {
        entry.plan(self.now_ms(), false);
        self.wake.notify_one();
    }
}

/// Whether what was waited for is waited for still, from where that had come to.
fn is_same(before: &Source, after: &Source) -> bool {
    match (before, after) {
        (Source::Chain(before), Source::Chain(after)) => {
            let lower = |contract: &Option<String>| contract.as_ref().map(|it| it.to_ascii_lowercase());
            before.network == after.network
                && lower(&before.contract) == lower(&after.contract)
                && before.event == after.event
                && before.from_block == after.from_block
        }
        _ => before == after,
    }
}
