//! One round of one feed: its sources are heard at the same time, and what they say is compared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use r3e_oracle::feed::{Input, Outcome, Said, aggregate};
use r3e_oracle::venue::{Observation, ReadError};
use r3e_proto::api::feeds::{Round, RoundOutcome};
use tokio::task::JoinSet;

use crate::definition::Shape;
use crate::entry::Entry;
use crate::error::FeedsError;
use crate::feeds::Inner;
use crate::fetches::{Heard, Question};
use crate::limits::READ_HERE_BYTES;
use crate::shown;

/// A round, and what is shown of it.
pub(crate) async fn go(inner: &Arc<Inner>, entry: &Arc<Entry>) {
    let shape = entry.shape();
    if shape.record.paused {
        return;
    }
    match inner.round(entry, &shape).await {
        Ok(Some(round)) => inner.saw(entry, round),
        // It became another feed, or none, meanwhile.
        Ok(None) | Err(FeedsError::NotFound(_) | FeedsError::Stopping) => {}
        Err(error) => {
            tracing::warn!(%error, "a feed's round failed");
            inner.saw(entry, failed(inner.now_ms(), &error));
        }
    }
}

/// A round that came to nothing by a fault of ours. What the store says is the operator's business.
pub(crate) fn failed(at_ms: u64, error: &FeedsError) -> Round {
    let reason = match error {
        FeedsError::Store(_) => "the appliance's state is away; the next round tries again".to_owned(),
        error => error.to_string(),
    };
    Round {
        at_ms,
        took_ms: 0,
        outcome: RoundOutcome::Failed,
        answer: None,
        confidence: None,
        sequence: None,
        reason: Some(reason),
        sources: Vec::new(),
    }
}

impl Inner {
    /// Takes note of a round.
    pub(crate) fn saw(&self, entry: &Entry, round: Round) {
        self.counting.saw(round.outcome);
        entry.saw(round);
    }

    async fn round(&self, entry: &Arc<Entry>, shape: &Arc<Shape>) -> Result<Option<Round>, FeedsError> {
        let unusable = || "this release cannot read the feed's definition: set it anew".to_owned();
        let live = shape.live.as_ref().ok_or_else(|| FeedsError::Unavailable(unusable()))?;
        let tenant = entry.address.tenant;
        if !self.tenants.is_active(tenant).await.map_err(FeedsError::Unavailable)? {
            return Err(FeedsError::Unavailable("the tenant is suspended".to_owned()));
        }
        let begun = Instant::now();
        let mut closed = self.closed.subscribe();
        let inputs = tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return Err(FeedsError::Stopping),
            inputs = self.hear(entry, shape) => inputs,
        };
        let heard = Instant::now();
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);

        let mut standing = entry.standing.lock().await;
        self.refresh(entry, &mut standing).await?;
        if !Arc::ptr_eq(shape, &entry.shape()) || *closed.borrow() {
            return Ok(None);
        }
        let now_ms = self.now_ms();
        let step = aggregate(&live.feed, now_ms, &inputs, &standing.progress.state)
            .map_err(|error| FeedsError::Record(error.to_string()))?;
        let round = shown::round(&live.feed, now_ms, took_ms, &step, &inputs);
        match step.outcome {
            Outcome::Publish(publication) => {
                let report = publication
                    .report(live.feed.id(), shape.digest)
                    .map_err(|error| FeedsError::Record(error.to_string()))?;
                if self.publish(entry, &mut standing, step.state, report).await? {
                    self.counting.reported(heard.elapsed());
                }
            }
            // Kept with the next report: what is forgotten by a crash is how often a source repeated itself, and a jump that
            // then needs its rounds anew.
            Outcome::Quiet(_) | Outcome::Nothing(_) => standing.progress.state = step.state,
        }
        Ok(Some(round))
    }

    /// What each source says, in the time that it has.
    async fn hear(&self, entry: &Arc<Entry>, shape: &Arc<Shape>) -> Vec<Input> {
        let mut hearing = JoinSet::new();
        let count = shape.live.as_ref().map_or(0, |live| live.asked.len());
        for at in 0..count {
            let (shape, fetches, tenant) =
                (Arc::clone(shape), Arc::clone(&self.fetches), entry.address.tenant);
            hearing.spawn(async move {
                let asked = shape.live.as_ref()?.asked.get(at)?;
                let definition = asked.venue.definition();
                let question = Question {
                    url: asked.url.clone(),
                    max_bytes: definition.max_bytes,
                    timeout_ms: shape.record.timeout_ms,
                };
                let source = definition.id.clone();
                let said = said(&shape, at, fetches.ask(tenant, question).await).await;
                Some(Input { source, said })
            });
        }
        let mut inputs = Vec::with_capacity(count);
        while let Some(heard) = hearing.join_next().await {
            match heard {
                Ok(input) => inputs.extend(input),
                // That source was not heard.
                Err(error) => tracing::error!(%error, "reading a venue's answer failed"),
            }
        }
        inputs
    }
}

async fn said(shape: &Arc<Shape>, at: usize, heard: Heard) -> Said {
    let Heard { body, received_ms } = heard;
    let body = match body {
        Ok(body) => body,
        Err(why) => return Said::unreachable(&why),
    };
    let read = if body.len() <= READ_HERE_BYTES {
        read(shape, at, &body)
    } else {
        let shape = Arc::clone(shape);
        tokio::task::spawn_blocking(move || read(&shape, at, &body)).await.ok().flatten()
    };
    match read {
        Some(Ok(observation)) => Said::Observation { observation, received_ms },
        Some(Err(error)) => Said::Unreadable(error),
        None => Said::unreachable("reading its answer failed inside the appliance"),
    }
}

fn read(shape: &Shape, at: usize, body: &Bytes) -> Option<Result<Observation, ReadError>> {
    let live = shape.live.as_ref()?;
    Some(live.asked.get(at)?.venue.read(&live.pair, body))
}

/// The price that each source said.
pub(crate) fn prices(inputs: &[Input]) -> BTreeMap<&str, String> {
    let price = |input: &'_ Input| match &input.said {
        Said::Observation { observation, .. } => Some(observation.price.to_string()),
        _ => None,
    };
    inputs.iter().filter_map(|input| Some((input.source.as_str(), price(input)?))).collect()
}
