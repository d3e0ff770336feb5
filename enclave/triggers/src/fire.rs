//! The one way from something that happened to a job.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use r3e_jobs::limits::DEFAULT_KEEP_MS;
use r3e_jobs::{JobsError, NewJob, With};
use r3e_proto::api::jobs::{Enqueued, JobId, Origin};
use r3e_proto::api::triggers::{FireOutcome, Fired};

use crate::definition::Applied;
use crate::entry::{Entry, Standing};
use crate::error::TriggersError;
use crate::limits::MAX_RACES;
use crate::record::{Ahead, Mark, State};
use crate::triggers::Inner;

/// Something that happened.
pub(crate) struct Happening {
    /// What the filter sees, JSON text.
    pub(crate) event: String,
    /// What its job settles.
    pub(crate) mark: Mark,
    /// What a message is known again by: it has at most one job, for a day.
    pub(crate) key: Option<String>,
    /// How many events caused one another, this one counted; none but events that functions publish.
    pub(crate) hops: u32,
}

impl Inner {
    /// Queues a job for something that happened, if the filter is true of it. The job and the trigger's new state are one
    /// commit, so that none of them stands without the other.
    ///
    /// # Errors
    /// [`TriggersError`]. Where it is [`TriggersError::Job`] with an error of the store's, there may be a job: a tick or a key
    /// settles that when it is tried again.
    pub(crate) async fn fire(
        &self,
        entry: &Arc<Entry>,
        happening: Happening,
    ) -> Result<Fired, TriggersError> {
        let Happening { event, mark, key, hops } = happening;
        let mut standing = entry.standing.lock().await;
        let shape = entry.shape();
        let trigger = entry.address.name.clone();
        let mut fired = Fired { trigger, job: None, repeated: false, failed: false, reason: None };
        if shape.record.paused {
            return Err(TriggersError::Paused);
        }
        let applied = shape.apply(event);
        for _ in 0..MAX_RACES {
            self.refresh(entry, &mut standing).await?;
            // What stands may be another state by now, of a commit that was given up and came through all the same.
            if let Mark::Chain { after, to } = &mark
                && (to.since_ms != shape.record.since_ms
                    || standing.followed(to.since_ms).is_none_or(|stands| stands.cursor != *after))
            {
                return Err(TriggersError::Overtaken);
            }
            if let Mark::Price { after, to } = &mark
                && (to.since_ms != shape.record.since_ms || standing.judged(&shape.record).sequence != *after)
            {
                return Err(TriggersError::Overtaken);
            }
            if mark.tick_ms().is_some_and(|tick_ms| standing.state.tick_ms >= tick_ms) {
                fired.reason = Some("this tick is settled".to_owned());
                return Ok(fired);
            }
            let event = match &applied {
                Applied::Event(event) => event.clone(),
                Applied::Filtered => {
                    entry.passed.filtered.fetch_add(1, Ordering::Relaxed);
                    fired.reason = Some("the filter is not true".to_owned());
                    return self.passes(entry, &mut standing, &mark, FireOutcome::Filtered, fired).await;
                }
                Applied::Failed(why) => {
                    entry.passed.failed.fetch_add(1, Ordering::Relaxed);
                    (fired.failed, fired.reason) = (true, Some(why.clone()));
                    let outcome = FireOutcome::Failed(why.clone());
                    return self.passes(entry, &mut standing, &mark, outcome, fired).await;
                }
            };
            let definition = &shape.record.definition;
            let new = NewJob {
                function: definition.function.clone(),
                event: event.into_bytes(),
                policy: definition.policy.clone(),
                webhook: None,
                keep_ms: definition.keep_ms.unwrap_or(DEFAULT_KEEP_MS),
                idempotency_key: key.clone(),
                origin: Origin::Trigger(entry.address.name.clone()),
                hops,
            };
            let now_ms = self.now_ms();
            let with = with_state(entry, &standing, now_ms, mark.clone());
            match self.jobs.enqueue_with(entry.address.tenant, new, with).await {
                Ok(Enqueued { id, repeated }) => {
                    if !repeated {
                        let state = standing.state.fired(now_ms, &mark, id);
                        self.stands(entry, &mut standing, state);
                    }
                    return Ok(Fired { job: Some(id), repeated, ..fired });
                }
                Err(JobsError::Overtaken) => standing.is_stale = true,
                Err(error @ (JobsError::NoFunction(_) | JobsError::Invalid(_))) => {
                    let outcome = FireOutcome::Failed(error.to_string());
                    self.note(entry, &mut standing, &mark, outcome).await?;
                    return Err(error.into());
                }
                Err(error) => {
                    standing.is_stale = true;
                    return Err(error.into());
                }
            }
        }
        Err(TriggersError::Unavailable("the trigger is being changed again and again".to_owned()))
    }

    /// What comes of a time that came to no job: it is noted of a tick; of anything else, the count is enough. Of a chain or a feed
    /// it is remembered in memory alone how far it was read: what is read again after a crash comes to the same.
    async fn passes(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
        mark: &Mark,
        outcome: FireOutcome,
        fired: Fired,
    ) -> Result<Fired, TriggersError> {
        match mark {
            Mark::Nothing => {}
            Mark::Tick(_) => self.note(entry, standing, mark, outcome).await?,
            Mark::Chain { to, .. } => standing.ahead = Some(Ahead::Read(to.clone())),
            Mark::Price { to, .. } => standing.ahead = Some(Ahead::Judged(to.clone())),
        }
        Ok(fired)
    }

    /// Keeps in the trigger's state that a time came to no job.
    pub(crate) async fn note(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
        mark: &Mark,
        outcome: FireOutcome,
    ) -> Result<(), TriggersError> {
        let state = standing.state.passed(self.now_ms(), mark, outcome);
        self.keep(entry, standing, state).await
    }

    /// Writes another state.
    pub(crate) async fn keep(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
        state: State,
    ) -> Result<(), TriggersError> {
        let write = entry.address.step(&state, standing.state_version)?;
        // Until it is known what stands, it may be another one.
        standing.is_stale = true;
        self.store.batch(vec![write]).await?;
        self.stands(entry, standing, state);
        Ok(())
    }

    fn stands(&self, entry: &Arc<Entry>, standing: &mut Standing, state: State) {
        entry.settled(state.tick_ms);
        if !standing.state.is_as_far(&state) {
            (standing.ahead, standing.kept) = (None, Instant::now());
        }
        standing.state = state;
        match entry.address.state_version(&self.store) {
            Ok(Some(version)) => {
                standing.state_version = version;
                standing.is_stale = false;
            }
            _ => standing.is_stale = true,
        }
    }

    /// Reads what stands in the store, where it may be something else.
    pub(crate) async fn refresh(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
    ) -> Result<(), TriggersError> {
        let missing = || TriggersError::NotFound(entry.address.name.clone());
        if standing.is_gone {
            return Err(missing());
        }
        if !standing.is_stale {
            return Ok(());
        }
        let stored = entry.address.read(&self.store).await?.ok_or_else(missing)?;
        entry.settled(stored.state.tick_ms);
        if !standing.state.is_as_far(&stored.state) {
            standing.ahead = None;
        }
        standing.state = stored.state;
        standing.state_version = stored.state_version;
        standing.record_version = stored.record_version;
        standing.is_stale = false;
        Ok(())
    }
}

/// The state as it is once there is a job.
fn with_state(entry: &Arc<Entry>, standing: &Standing, now_ms: u64, mark: Mark) -> With {
    let (address, state, version) = (entry.address.clone(), standing.state.clone(), standing.state_version);
    Box::new(move |job: JobId| {
        let step = address.step(&state.fired(now_ms, &mark, job), version);
        step.map(|write| vec![write]).map_err(|error| JobsError::Record(error.to_string()))
    })
}
