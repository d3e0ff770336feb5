//! Chains: what is seen there fires a trigger in its order, each event once. How far a chain was read is in the trigger's state, which
//! is one commit with the job; where nothing fires it is kept from time to time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use r3e_jobs::JobsError;
use r3e_proto::api::triggers::{Chain, FireOutcome, Reorganised, Source};
use serde_json::json;
use tokio::sync::MutexGuard;

use crate::definition::Shape;
use crate::entry::{Entry, Standing};
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::limits::{KEEP_CURSOR_AFTER, MAX_CHAINS, MAX_CHAINS_OF_ONE, RETRY_MS};
use crate::outside::{NotRead, Place, Seen, Stretch};
use crate::record::{Ahead, Followed, Mark, short};
use crate::spaces::Address;
use crate::triggers::Inner;

/// What comes after a look at a chain.
enum After {
    /// More can be read at once.
    More,
    /// The same, but so much was read for this tenant that others come first.
    Later,
    /// Its end was reached.
    End,
    /// Something else must happen to the trigger first.
    Stopped,
}

/// Why a look came to nothing.
enum Trouble {
    /// The chain.
    Chain(NotRead),
    /// Ours.
    Own(TriggersError),
}

/// Reads on, and plans the next look. Whoever comes while another one reads leaves it to that one.
pub(crate) async fn look_at(inner: Arc<Inner>, entry: Arc<Entry>) {
    let mut closed = inner.closed.subscribe();
    let pause = if let Ok(_one) = entry.following.try_lock() {
        let shape = entry.shape();
        let Source::Chain(chain) = &shape.record.definition.source else {
            return entry.plan(inner.now_ms(), false);
        };
        // It was when this look was planned. Beginning now would have it go on, once it is resumed, rather than begin as it says.
        if shape.record.paused {
            return;
        }
        // What is dropped half way is found again where the state says.
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            looked = look(&inner, &entry, &shape, chain) => after(&inner, &entry, chain, looked),
        }
    } else {
        Some(Duration::from_millis(RETRY_MS))
    };
    entry.plan_after(inner.now_ms(), pause);
    inner.wake.notify_one();
}

fn after(inner: &Inner, entry: &Entry, chain: &Chain, looked: Result<After, Trouble>) -> Option<Duration> {
    let later = Some(Duration::from_millis(RETRY_MS));
    let trouble = match looked {
        Ok(after) => {
            entry.heard(None);
            entry.lags.store(matches!(after, After::More | After::Later), Ordering::Relaxed);
            return match after {
                After::More => Some(Duration::ZERO),
                After::Later => later,
                After::End => Some(inner.chains.pause(chain)),
                After::Stopped => None,
            };
        }
        Err(Trouble::Chain(error)) => error.to_string(),
        // Its tenant reads why.
        Err(Trouble::Own(error)) => {
            tracing::debug!(%error, "what was seen on a chain was not queued");
            match error {
                // Neither is trouble, nor is there anything to do before it is changed.
                TriggersError::Paused | TriggersError::NotFound(_) => return None,
                // What stands is read anew; the tenant's other triggers are evaluated meanwhile.
                TriggersError::Overtaken | TriggersError::TooFast => return later,
                TriggersError::Store(_) | TriggersError::Job(JobsError::Store(_)) => {
                    "the appliance's state is away".to_owned()
                }
                error => error.to_string(),
            }
        }
    };
    Some(entry.heard(Some(short(&trouble))))
}

/// One stretch.
async fn look(
    inner: &Arc<Inner>,
    entry: &Arc<Entry>,
    shape: &Shape,
    chain: &Chain,
) -> Result<After, Trouble> {
    let tenant = entry.address.tenant;
    let stopping = |_| TriggersError::Stopping;
    let of_one = inner.board().looks(tenant);
    let _turn_of_one = of_one.acquire().await.map_err(stopping)?;
    let _turn = inner.looks.acquire().await.map_err(stopping)?;
    if !inner.outside.is_active(tenant).await.map_err(TriggersError::Unavailable)? {
        let suspended = "the tenant is suspended: its chains are read on once it is not".to_owned();
        return Err(Trouble::Own(TriggersError::Unavailable(suspended)));
    }
    let since_ms = shape.record.since_ms;
    let mut standing = inner.standing(entry).await?;
    let Some(mut followed) = standing.followed(since_ms).cloned() else {
        drop(standing);
        let from = chain.from_block.filter(|_| !shape.record.is_resumed);
        let begun = inner.chains.begin(chain, from).await?;
        // Kept before anything else: what happens from here on must not be lost.
        let mut standing = inner.standing(entry).await?;
        if standing.followed(since_ms).is_none() && since_ms == entry.shape().record.since_ms {
            let state = standing.state.went_on(Ahead::Read(at(since_ms, begun)));
            inner.keep(entry, &mut standing, state).await?;
        }
        return Ok(After::More);
    };
    // Where it was told to go on all the same since it stopped, it is looked at again.
    if followed.stopped.is_some() && chain.reorganised == Reorganised::Stop {
        return Ok(After::Stopped);
    }
    if standing.ahead.is_some() && standing.kept.elapsed() >= KEEP_CURSOR_AFTER {
        let state = standing.state.went_on(Ahead::Read(followed.clone()));
        inner.keep(entry, &mut standing, state).await?;
    }
    drop(standing);
    if entry.lags.load(Ordering::Relaxed) && !inner.board().may_read(tenant) {
        return Ok(After::Later);
    }
    let Stretch { seen, end, more } = match inner.chains.read(chain, &followed.cursor).await {
        Ok(stretch) => stretch,
        Err(NotRead::Reorganised { why, common }) => {
            return inner.reorganised(entry, followed, why, common).await;
        }
        Err(NotRead::Stuck(why)) => return inner.stops(entry, followed, why).await,
        Err(error) => return Err(error.into()),
    };
    for one in seen {
        inner.may_evaluate(tenant, 1)?;
        followed = inner.seen(entry, followed, one).await?;
    }
    let end = at(since_ms, end);
    if end != followed {
        let mut standing = inner.standing(entry).await?;
        expected(entry, &standing, &followed)?;
        standing.ahead = Some(Ahead::Read(end));
    }
    Ok(if more { After::More } else { After::End })
}

impl Inner {
    /// Whether one more trigger may follow a chain.
    ///
    /// # Errors
    /// [`TriggersError::TooMany`], [`TriggersError::Full`].
    pub(crate) fn may_follow_one_more(&self, address: &Address) -> Result<(), TriggersError> {
        let (of_one, of_all) = self.board().following(address.tenant);
        if of_one >= MAX_CHAINS_OF_ONE {
            return Err(TriggersError::TooMany(MAX_CHAINS_OF_ONE));
        }
        if of_all >= MAX_CHAINS { Err(TriggersError::Full) } else { Ok(()) }
    }

    /// What stands of a trigger, for whoever fires or changes it.
    pub(crate) async fn standing<'a>(
        &self,
        entry: &'a Arc<Entry>,
    ) -> Result<MutexGuard<'a, Standing>, TriggersError> {
        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        Ok(standing)
    }

    /// Fires the trigger for something that was seen behind `before`; gives what is behind it.
    async fn seen(
        &self,
        entry: &Arc<Entry>,
        before: Followed,
        seen: Seen,
    ) -> Result<Followed, TriggersError> {
        let Seen { key, members, behind } = seen;
        let head = json!({ "trigger": entry.address.name, "kind": "chain", "key": key }).to_string();
        let event = format!("{},{members}", head.strip_suffix('}').unwrap_or(&head));
        let to = at(before.since_ms, behind);
        let mark = Mark::Chain { after: before.cursor, to: to.clone() };
        match self.fire(entry, Happening { event, mark, key: None, hops: 0 }).await {
            // It is on the trigger's record that it came to no job.
            Ok(_) | Err(TriggersError::Job(JobsError::NoFunction(_) | JobsError::Invalid(_))) => Ok(to),
            Err(error) => Err(error),
        }
    }

    async fn reorganised(
        &self,
        entry: &Arc<Entry>,
        followed: Followed,
        why: String,
        common: Option<Place>,
    ) -> Result<After, Trouble> {
        // As it is defined now: what was set while the chain was read holds for what was found there.
        match common.filter(|_| follows_reorganised(entry)) {
            Some(common) => {
                let to = at(followed.since_ms, common);
                self.goes_to(entry, &followed, to, why).await?;
                Ok(After::Later)
            }
            None => self.stops(entry, followed, why).await,
        }
    }

    async fn stops(&self, entry: &Arc<Entry>, followed: Followed, why: String) -> Result<After, Trouble> {
        tracing::warn!(why, "a trigger by a chain stops");
        let to = Followed { stopped: Some(short(&why)), ..followed.clone() };
        self.goes_to(entry, &followed, to, why).await?;
        Ok(After::Stopped)
    }

    /// Goes to another place, and has on record why.
    async fn goes_to(
        &self,
        entry: &Arc<Entry>,
        from: &Followed,
        to: Followed,
        why: String,
    ) -> Result<(), TriggersError> {
        let mut standing = self.standing(entry).await?;
        expected(entry, &standing, from)?;
        let mark = Mark::Chain { after: from.cursor.clone(), to };
        self.note(entry, &mut standing, &mark, FireOutcome::Failed(why)).await
    }
}

fn follows_reorganised(entry: &Entry) -> bool {
    matches!(&entry.shape().record.definition.source,
        Source::Chain(chain) if chain.reorganised == Reorganised::Follow)
}

/// Whether the chain is read up to `followed` still, of the source that the trigger has.
fn expected(entry: &Entry, standing: &Standing, followed: &Followed) -> Result<(), TriggersError> {
    let since_ms = entry.shape().record.since_ms;
    let stands = standing.followed(since_ms).is_some_and(|stands| stands.cursor == followed.cursor);
    if stands { Ok(()) } else { Err(TriggersError::Overtaken) }
}

fn at(since_ms: u64, place: Place) -> Followed {
    let Place { cursor, next_block } = place;
    Followed { since_ms, cursor, next_block, stopped: None }
}

impl From<NotRead> for Trouble {
    fn from(error: NotRead) -> Self {
        Self::Chain(error)
    }
}

impl From<TriggersError> for Trouble {
    fn from(error: TriggersError) -> Self {
        Self::Own(error)
    }
}
