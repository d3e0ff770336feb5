//! Chains: what is seen there fires a trigger in its order, each event once. How far a chain was read is in the trigger's state, which
//! is one commit with the job; where nothing fires it is kept from time to time.

use std::sync::Arc;
use std::time::Duration;

use r3e_jobs::JobsError;
use r3e_proto::api::triggers::{Chain, FireOutcome, Reorganised};
use serde_json::json;
use tokio::sync::MutexGuard;

use crate::entry::{Entry, Standing};
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::limits::{KEEP_CURSOR_AFTER, MAX_CHAINS, MAX_CHAINS_OF_ONE, RETRY_MS};
use crate::outside::{NotRead, Place, Seen, Stretch};
use crate::record::{Followed, Mark, short};
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
    let Some(chain) = entry.chain() else { return };
    let mut closed = inner.closed.subscribe();
    let pause = if let Ok(_one) = entry.following.try_lock() {
        // What is dropped half way is found again where the state says.
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            looked = look(&inner, &entry, &chain) => after(&inner, &entry, &chain, looked),
        }
    } else {
        Some(Duration::from_millis(RETRY_MS))
    };
    entry.plan_after(inner.now_ms(), pause);
    inner.wake.notify_one();
}

fn after(inner: &Inner, entry: &Entry, chain: &Chain, looked: Result<After, Trouble>) -> Option<Duration> {
    let trouble = match looked {
        Ok(after) => {
            entry.heard(None);
            return match after {
                After::More => Some(Duration::ZERO),
                After::Later => Some(Duration::from_millis(RETRY_MS)),
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
                TriggersError::Store(_) => "the appliance's state is away".to_owned(),
                error => error.to_string(),
            }
        }
    };
    Some(entry.heard(Some(short(&trouble))))
}

/// One stretch.
async fn look(inner: &Arc<Inner>, entry: &Arc<Entry>, chain: &Chain) -> Result<After, Trouble> {
    let record = entry.shape().record.clone();
    let since_ms = record.since_ms;
    let mut standing = inner.standing(entry).await?;
    let Some(followed) = standing.followed(since_ms).cloned() else {
        drop(standing);
        let from = chain.from_block.filter(|_| !record.is_resumed);
        let begun = inner.chains.begin(chain, from).await?;
        // Kept before anything else: what happens from here on must not be lost.
        let mut standing = inner.standing(entry).await?;
        inner.follows(entry, &mut standing, at(since_ms, begun), true).await?;
        return Ok(After::More);
    };
    if followed.stopped.is_some() {
        return Ok(After::Stopped);
    }
    if standing.ahead.is_some() && standing.kept.elapsed() >= KEEP_CURSOR_AFTER {
        inner.follows(entry, &mut standing, followed.clone(), true).await?;
    }
    drop(standing);
    let Stretch { seen, end, more } = match inner.chains.read(chain, &followed.cursor).await {
        Ok(stretch) => stretch,
        Err(NotRead::Reorganised { why, common }) => {
            return inner.reorganised(entry, chain, followed, why, common).await;
        }
        Err(NotRead::Stuck(why)) => return inner.stops(entry, followed, why).await,
        Err(error) => return Err(error.into()),
    };
    for one in seen {
        inner.may_evaluate(entry.address.tenant, 1)?;
        inner.seen(entry, since_ms, one).await?;
    }
    let mut standing = inner.standing(entry).await?;
    inner.follows(entry, &mut standing, at(since_ms, end), false).await?;
    drop(standing);
    let after = match more {
        false => After::End,
        true if inner.board().may_read(entry.address.tenant) => After::More,
        true => After::Later,
    };
    Ok(after)
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

    async fn standing<'a>(&self, entry: &'a Arc<Entry>) -> Result<MutexGuard<'a, Standing>, TriggersError> {
        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        Ok(standing)
    }

    /// Fires the trigger for something that was seen.
    async fn seen(&self, entry: &Arc<Entry>, since_ms: u64, seen: Seen) -> Result<(), TriggersError> {
        let Seen { key, members, behind } = seen;
        let head = json!({ "trigger": entry.address.name, "kind": "chain", "key": key }).to_string();
        let event = format!("{},{members}", head.strip_suffix('}').unwrap_or(&head));
        let mark = Mark::Chain(at(since_ms, behind));
        match self.fire(entry, Happening { event, mark, key: None, hops: 0 }).await {
            // It is on the trigger's record that it came to no job.
            Ok(_) | Err(TriggersError::Job(JobsError::NoFunction(_) | JobsError::Invalid(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The chain was read so far. Without `at_once` that may be kept some time later.
    async fn follows(
        &self,
        entry: &Arc<Entry>,
        standing: &mut Standing,
        followed: Followed,
        at_once: bool,
    ) -> Result<(), TriggersError> {
        // Of a source that it has no more.
        if followed.since_ms != entry.shape().record.since_ms {
            return Ok(());
        }
        if !at_once {
            if standing.followed(followed.since_ms) != Some(&followed) {
                standing.ahead = Some(followed);
            }
            return Ok(());
        }
        let state = standing.state.read(followed);
        self.keep(entry, standing, state).await
    }

    async fn reorganised(
        &self,
        entry: &Arc<Entry>,
        chain: &Chain,
        followed: Followed,
        why: String,
        common: Option<Place>,
    ) -> Result<After, Trouble> {
        match common.filter(|_| chain.reorganised == Reorganised::Follow) {
            Some(common) => {
                self.goes_to(entry, at(followed.since_ms, common), why).await?;
                Ok(After::More)
            }
            None => self.stops(entry, followed, why).await,
        }
    }

    async fn stops(&self, entry: &Arc<Entry>, followed: Followed, why: String) -> Result<After, Trouble> {
        tracing::warn!(why, "a trigger by a chain stops");
        let stopped = Some(short(&why));
        self.goes_to(entry, Followed { stopped, ..followed }, why).await?;
        Ok(After::Stopped)
    }

    /// Goes to another place, and has on record why.
    async fn goes_to(&self, entry: &Arc<Entry>, to: Followed, why: String) -> Result<(), TriggersError> {
        let mut standing = self.standing(entry).await?;
        if to.since_ms != entry.shape().record.since_ms {
            return Ok(());
        }
        self.note(entry, &mut standing, &Mark::Chain(to), FireOutcome::Failed(why)).await
    }
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
