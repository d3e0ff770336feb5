//! Prices: each report of a feed is judged once, in its order, and those that its trigger waits for fire. Nothing is asked while
//! nothing is published.

mod judged;
mod number;

use std::sync::Arc;
use std::time::Duration;

use r3e_jobs::JobsError;
use r3e_proto::api::triggers::Source;
use r3e_proto::report::Report;
use serde_json::json;

pub(crate) use self::judged::{Condition, Judged};
use self::number::Number;
use crate::entry::Entry;
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::limits::{KEEP_JUDGED_AFTER, RETRY_MS};
use crate::outside::News;
use crate::record::{Ahead, Mark, short};
use crate::triggers::Inner;

/// What comes after a look at a feed.
enum After {
    /// More may be read at once.
    More,
    /// All is judged up to this sequence.
    End(u64),
    /// There is no such feed.
    NoFeed,
}

/// Judges what is published, until the trigger becomes something else, or the appliance stops. What is dropped half way is found again
/// where the state says.
pub(crate) async fn keep_judging(inner: Arc<Inner>, entry: Arc<Entry>) {
    // From before it is read what the trigger is: whatever it becomes ends this.
    let mut changes = entry.changes();
    let _one = entry.following.lock().await;
    let mut closed = inner.closed.subscribe();
    let mut was_told = false;
    // Whoever changed it had another look planned.
    while !changes.has_changed().unwrap_or(true) {
        let looked = tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            looked = look(&inner, &entry) => looked,
        };
        let (news, pause) = match looked {
            Ok(After::More) => {
                entry.heard(None);
                was_told = false;
                continue;
            }
            Ok(After::End(sequence)) => {
                entry.heard(None);
                // It was told of something that could not be read: so it is not asked again and again.
                (Some(News::Behind(sequence)), was_told.then_some(Duration::from_millis(RETRY_MS)))
            }
            Ok(After::NoFeed) => {
                entry.heard(Some(no_feed(&feed_of(&entry).unwrap_or_default())));
                (Some(News::Feed), None)
            }
            Err(error) => match paused_by(&entry, error) {
                Some(pause) => (None, Some(pause)),
                None => return,
            },
        };
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            _ = changes.changed() => return,
            () = wait(&inner, &entry, news, pause) => was_told = matches!(news, Some(News::Behind(_))),
        }
    }
}

/// Waits for a pause, and then for news.
async fn wait(inner: &Inner, entry: &Entry, news: Option<News>, pause: Option<Duration>) {
    if let Some(pause) = pause {
        tokio::time::sleep(pause).await;
    }
    if let (Some(news), Some(feed)) = (news, feed_of(entry)) {
        inner.prices.wait(entry.address.tenant, &feed, news).await;
    }
}

/// How long to wait after a fault of ours; none where there is nothing to do before the trigger is changed.
fn paused_by(entry: &Entry, error: TriggersError) -> Option<Duration> {
    tracing::debug!(%error, "what a feed published was not judged, or not queued");
    let trouble = match error {
        TriggersError::Paused | TriggersError::NotFound(_) => return None,
        // What stands is read anew; the tenant's other triggers are evaluated meanwhile.
        TriggersError::Overtaken | TriggersError::TooFast => return Some(Duration::from_millis(RETRY_MS)),
        TriggersError::Store(_) | TriggersError::Job(JobsError::Store(_)) => {
            "the appliance's state is away".to_owned()
        }
        // Its tenant reads why.
        error => error.to_string(),
    };
    Some(entry.heard(Some(short(&trouble))))
}

/// Judges some reports: those behind the last one that was judged.
async fn look(inner: &Arc<Inner>, entry: &Arc<Entry>) -> Result<After, TriggersError> {
    let tenant = entry.address.tenant;
    let _turn = inner.judging.acquire().await.map_err(|_| TriggersError::Stopping)?;
    let standing = inner.standing(entry).await?;
    let shape = entry.shape();
    let condition = shape.condition.filter(|_| !shape.record.paused);
    let (Source::Price(price), Some(condition)) = (&shape.record.definition.source, condition) else {
        return Err(TriggersError::Paused);
    };
    let mut judged = standing.judged(&shape.record);
    drop(standing);
    let reports = inner.prices.behind(tenant, &price.feed, judged.sequence).await;
    let Some(reports) = reports.map_err(TriggersError::Unavailable)? else {
        return Ok(After::NoFeed);
    };
    if reports.is_empty() {
        return Ok(After::End(judged.sequence));
    }
    if !inner.outside.is_active(tenant).await.map_err(TriggersError::Unavailable)? {
        let suspended = "the tenant is suspended: its feeds' reports are judged once it is not".to_owned();
        return Err(TriggersError::Unavailable(suspended));
    }
    // Up to here the trigger knows of it.
    let mut after = judged.sequence;
    for report in reports {
        let too_long = || TriggersError::Unavailable("a report's answer has too many places".to_owned());
        let answer = Number::new(report.answer, report.decimals.into()).ok_or_else(too_long)?;
        let (next, fires) = judged.after(condition, report.sequence, answer);
        if fires {
            inner.may_evaluate(tenant, 1)?;
            let reference = judged.reference.filter(|_| matches!(condition, Condition::ChangeBps(_)));
            let event = event(entry, &price.feed, &report, reference);
            let mark = Mark::Price { after, to: next.clone() };
            match inner.fire(entry, Happening { event, mark, key: None, hops: 0 }).await {
                // It is on the trigger's record that it came to no job.
                Ok(_) | Err(TriggersError::Job(JobsError::NoFunction(_) | JobsError::Invalid(_))) => {}
                Err(error) => return Err(error),
            }
            after = next.sequence;
        }
        judged = next;
    }
    inner.passed_on(entry, after, judged).await?;
    Ok(After::More)
}

impl Inner {
    /// Takes note of reports that did not fire. Whether a bound is armed again, and what a change counts from, is kept at once; how far
    /// it was judged beyond that, in memory alone, and in the state from time to time. A crash forgets that. The same reports are then judged
    /// again, from what the state says, and by a definition that cannot have changed meanwhile, since a change writes this down first: none
    /// of them fired or armed anything, so that none does now, and it comes to the same where they are kept no more.
    async fn passed_on(&self, entry: &Arc<Entry>, after: u64, judged: Judged) -> Result<(), TriggersError> {
        let mut standing = self.standing(entry).await?;
        let shape = entry.shape();
        let record = &shape.record;
        let stands = standing.judged(record).sequence;
        if record.paused || record.since_ms != judged.since_ms || stands != after {
            return Err(TriggersError::Overtaken);
        }
        let kept = standing.kept_judged(record);
        if judged == kept {
            return Ok(());
        }
        let only_goes_on = judged == Judged { sequence: judged.sequence, ..kept.clone() };
        let is_near = judged.sequence.saturating_sub(kept.sequence) < KEEP_JUDGED_AFTER;
        let ahead = Ahead::Judged(judged);
        if !(only_goes_on && is_near) {
            let state = standing.state.went_on(ahead);
            return self.keep(entry, &mut standing, state).await;
        }
        standing.ahead = Some(ahead);
        Ok(())
    }
}

/// What the filter sees of a report that fires.
fn event(entry: &Entry, feed: &str, report: &Report, reference: Option<Number>) -> String {
    let mut event = json!({
        "trigger": entry.address.name,
        "kind": "price",
        "feed": feed,
        "sequence": report.sequence,
        "answer": report.answer_text(),
        "confidence": report.confidence_text(),
        "observed_at_s": report.observed_at_s,
        "valid_until_s": report.valid_until_s,
    });
    if let (Some(reference), Some(event)) = (reference, event.as_object_mut()) {
        event.insert("reference".to_owned(), reference.to_string().into());
    }
    event.to_string()
}

fn feed_of(entry: &Entry) -> Option<String> {
    match &entry.shape().record.definition.source {
        Source::Price(price) => Some(price.feed.clone()),
        _ => None,
    }
}

/// What is wrong where a tenant has no feed of this name.
pub(crate) fn no_feed(feed: &str) -> String {
    format!("there is no feed {feed:?}")
}
