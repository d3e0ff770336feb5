//! The triggers of all tenants, as the rest of the appliance sees them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r3e_jobs::Jobs;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::is_name;
use r3e_proto::api::triggers::{Definition, Fire, Fired, Published, Source, Trigger};
use r3e_store::Store;
use serde_json::json;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use crate::board::Board;
use crate::cron;
use crate::definition::Shape;
use crate::entry::Entry;
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::hook::{Asked, Taken};
use crate::limits::{JUDGING_AT_ONCE, LOOKS_AT_ONCE, READ_AT_ONCE};
use crate::outside::{Chains, Outside, Prices};
use crate::publish::{checked, publish, with_data};
use crate::record::{Mark, Record};
use crate::spaces::{self, Address};

/// What [`Triggers`] are made of.
pub struct TriggersParts {
    /// Where they lie.
    pub store: Store,
    /// The time, in Unix milliseconds.
    pub now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Where their jobs go.
    pub jobs: Arc<Jobs>,
    /// The tenants' functions and secrets.
    pub outside: Arc<dyn Outside>,
    /// The chains that can be followed.
    pub chains: Arc<dyn Chains>,
    /// The feeds whose reports can be judged.
    pub prices: Arc<dyn Prices>,
}

/// The triggers of all tenants. Dropped, nothing more is fired.
pub struct Triggers {
    inner: Arc<Inner>,
}

/// What its tasks share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) outside: Arc<dyn Outside>,
    pub(crate) chains: Arc<dyn Chains>,
    pub(crate) prices: Arc<dyn Prices>,
    now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    board: Mutex<Board>,
    /// Room for looks at chains.
    pub(crate) looks: Semaphore,
    /// Room for judging feeds' reports.
    pub(crate) judging: Semaphore,
    /// Something may be due sooner than it was.
    pub(crate) wake: Notify,
    pub(crate) closed: watch::Sender<bool>,
}

impl Triggers {
    /// The triggers in the store. Those that are due fire from here on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store's.
    pub async fn start(parts: TriggersParts) -> Result<Self, TriggersError> {
        let TriggersParts { store, now_ms, jobs, outside, chains, prices } = parts;
        let inner = Arc::new(Inner {
            store,
            jobs,
            outside,
            chains,
            prices,
            now_ms,
            board: Mutex::default(),
            looks: Semaphore::new(LOOKS_AT_ONCE),
            judging: Semaphore::new(JUDGING_AT_ONCE),
            wake: Notify::new(),
            closed: watch::Sender::new(false),
        });
        let mut reading = JoinSet::new();
        for address in spaces::all(&inner.store)? {
            while reading.len() >= READ_AT_ONCE {
                join(&mut reading).await?;
            }
            let inner = Arc::clone(&inner);
            reading.spawn(async move { inner.load(address).await });
        }
        while !reading.is_empty() {
            join(&mut reading).await?;
        }
        tokio::spawn(cron::keep_firing(Arc::clone(&inner)));
        Ok(Self { inner })
    }

    /// A tenant's triggers, by name.
    pub async fn list(&self, tenant: TenantId) -> Vec<Trigger> {
        let entries = self.inner.board().of(tenant);
        let mut triggers = Vec::with_capacity(entries.len());
        for entry in entries {
            triggers.push(entry.shown(self.inner.now_ms()).await);
        }
        triggers
    }

    /// One of them.
    ///
    /// # Errors
    /// [`TriggersError::NotFound`].
    pub async fn show(&self, tenant: TenantId, name: &str) -> Result<Trigger, TriggersError> {
        let entry = self.inner.find(tenant, name)?;
        Ok(entry.shown(self.inner.now_ms()).await)
    }

    /// The last times that it fired, or should have, the latest first.
    ///
    /// # Errors
    /// [`TriggersError::NotFound`]; the store's.
    pub async fn history(&self, tenant: TenantId, name: &str) -> Result<Vec<Fire>, TriggersError> {
        let entry = self.inner.find(tenant, name)?;
        let mut standing = entry.standing.lock().await;
        self.inner.refresh(&entry, &mut standing).await?;
        Ok(standing.state.history.iter().rev().cloned().collect())
    }

    /// Makes a trigger, or gives it another definition. From then on it is the tenant's, whoever made it. Goes on if the future is
    /// dropped.
    ///
    /// # Errors
    /// [`TriggersError::Invalid`], [`TriggersError::NoFunction`], [`TriggersError::TooMany`], [`TriggersError::Full`]; the store's.
    pub async fn set(
        &self,
        tenant: TenantId,
        name: &str,
        definition: Definition,
    ) -> Result<Trigger, TriggersError> {
        if !is_name(name) {
            return Err(TriggersError::Invalid("that is no trigger's name".to_owned()));
        }
        let address = Address { tenant, name: name.to_owned() };
        let definition = Definition { made_by: None, ..definition };
        self.change(tenant, move |inner| async move { inner.set(address, definition).await }).await
    }

    /// Makes a trigger for the function `maker`, or gives one that it made another definition; says whether it was not there. Goes on if the
    /// future is dropped.
    ///
    /// # Errors
    /// Those of [`Self::set`]; [`TriggersError::NotItsOwn`].
    pub async fn set_own(
        &self,
        tenant: TenantId,
        maker: &str,
        name: &str,
        definition: Definition,
    ) -> Result<bool, TriggersError> {
        if !is_name(name) {
            return Err(TriggersError::Invalid("that is no trigger's name".to_owned()));
        }
        let address = Address { tenant, name: name.to_owned() };
        let definition = Definition { made_by: Some(maker.to_owned()), ..definition };
        self.change(tenant, move |inner| async move { inner.set_own(address, definition).await }).await
    }

    /// Deletes a trigger that the function `maker` made; false where there is none of that name. Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`TriggersError::NotItsOwn`], [`TriggersError::Paused`]; the store's.
    pub async fn delete_own(&self, tenant: TenantId, maker: &str, name: &str) -> Result<bool, TriggersError> {
        let (address, maker) = (Address { tenant, name: name.to_owned() }, maker.to_owned());
        self.change(tenant, move |inner| async move {
            let found = inner.board().find(&address);
            let Some(entry) = found else { return Ok(false) };
            entry.require_maker(&maker)?;
            // Its tenant paused it: made anew, it would not be.
            if entry.shape().record.paused {
                return Err(TriggersError::Paused);
            }
            inner.delete(&entry).await?;
            Ok(true)
        })
        .await
    }

    /// Deletes a trigger. Jobs that it queued stay. Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`TriggersError::NotFound`]; the store's.
    pub async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), TriggersError> {
        let entry = self.inner.find(tenant, name)?;
        self.change(tenant, move |inner| async move { inner.delete(&entry).await }).await
    }

    /// Has a trigger fire nothing, or fire again. Ticks that pass meanwhile never fire. Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`TriggersError::NotFound`]; the store's.
    pub async fn pause(&self, tenant: TenantId, name: &str, paused: bool) -> Result<Trigger, TriggersError> {
        let entry = self.inner.find(tenant, name)?;
        self.change(tenant, move |inner| async move {
            let before = entry.shape().record.clone();
            let now_ms = inner.now_ms();
            let stands = entry.standing.lock().await;
            let followed = stands.followed(before.since_ms);
            let (has_begun, is_stopped) =
                (followed.is_some(), followed.is_some_and(|it| it.stopped.is_some()));
            drop(stands);
            // One that stopped by itself is resumed as well.
            if before.paused == paused && (paused || !is_stopped) {
                return Ok(entry.shown(now_ms).await);
            }
            let is_resumed = before.is_resumed || has_begun;
            let mut record = Record { paused, is_resumed, ..before };
            if matches!(record.definition.source, Source::Price(_)) {
                // What fired before the pause did so: a bound is yet to be gone back to, and a change counts from the same answer.
                if !paused {
                    record.begins_behind = inner.last_of_feed(&entry.address, &record.definition).await?;
                }
            } else {
                record.since_ms = record.next_since_ms(now_ms);
            }
            let shape = Shape::of(record, None)?;
            inner.reshape(&entry, shape).await
        })
        .await
    }

    /// Fires a trigger by hand, with `data`, JSON text. Its filter and transform apply.
    ///
    /// # Errors
    /// [`TriggersError::NotFound`], [`TriggersError::Paused`], [`TriggersError::Invalid`], [`TriggersError::TooFast`]; those of a
    /// job.
    pub async fn fire(&self, tenant: TenantId, name: &str, data: &[u8]) -> Result<Fired, TriggersError> {
        let entry = self.inner.find(tenant, name)?;
        let kind = entry.shape().record.definition.source.kind();
        let head = json!({ "trigger": name, "kind": kind, "manual": true, "at_ms": self.inner.now_ms() });
        let event = with_data(&head.to_string(), checked(data)?);
        self.inner.may_evaluate(tenant, 1)?;
        self.inner.fire(&entry, Happening { event, mark: Mark::Nothing, key: None, hops: 0 }).await
    }

    /// Takes an event of the tenant's in, JSON text, for all triggers of its topic. The same key again queues nothing again. `hops`
    /// events caused one another, this one counted, if a function published it.
    ///
    /// # Errors
    /// [`TriggersError::Invalid`], [`TriggersError::TooFast`]. What one trigger fails with is in the answer.
    pub async fn publish(
        &self,
        tenant: TenantId,
        topic: &str,
        data: &[u8],
        key: Option<&str>,
        hops: u32,
    ) -> Result<Published, TriggersError> {
        publish(&self.inner, tenant, topic, data, key, hops).await
    }

    /// Whose a public route is; to be asked before the body of a request to it is read.
    ///
    /// # Errors
    /// [`TriggersError::NoHook`], [`TriggersError::Paused`], [`TriggersError::TooFast`].
    pub fn admit(&self, id: &str) -> Result<TenantId, TriggersError> {
        self.inner.admit(id)
    }

    /// Takes a request to a public route, which was admitted; where the trigger says so, waits for the result.
    ///
    /// # Errors
    /// Those of [`Self::admit`]; [`TriggersError::Refused`], [`TriggersError::Invalid`]; those of a job.
    pub async fn hook(&self, id: &str, asked: Asked) -> Result<Taken, TriggersError> {
        self.inner.hook(id, asked).await
    }

    /// One change of a tenant's after the other, to its end.
    async fn change<T, F>(
        &self,
        tenant: TenantId,
        change: impl FnOnce(Arc<Inner>) -> F,
    ) -> Result<T, TriggersError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, TriggersError>> + Send + 'static,
    {
        let turn = self.inner.board().turn(tenant);
        let changing = change(Arc::clone(&self.inner));
        let changed = tokio::spawn(async move {
            let _turn = turn.lock().await;
            changing.await
        });
        changed.await.unwrap_or(Err(TriggersError::Stopping))
    }
}

impl Drop for Triggers {
    fn drop(&mut self) {
        self.inner.closed.send_replace(true);
    }
}

impl Inner {
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }

    /// Counts evaluations of a tenant's triggers before they are done.
    ///
    /// # Errors
    /// [`TriggersError::TooFast`]: none of them may be done.
    pub(crate) fn may_evaluate(&self, tenant: TenantId, count: usize) -> Result<(), TriggersError> {
        if self.board().may_evaluate(tenant, count) { Ok(()) } else { Err(TriggersError::TooFast) }
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, tenant: TenantId, name: &str) -> Result<Arc<Entry>, TriggersError> {
        let found = self.board().find(&Address { tenant, name: name.to_owned() });
        found.ok_or_else(|| TriggersError::NotFound(name.to_owned()))
    }
}

async fn join(reading: &mut JoinSet<Result<(), TriggersError>>) -> Result<(), TriggersError> {
    match reading.join_next().await {
        Some(read) => read.unwrap_or(Err(TriggersError::Stopping)),
        None => Ok(()),
    }
}
