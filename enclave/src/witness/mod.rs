//! The rollback witness `peers`: other appliances, of which so many must confirm each commit, and so many must be heard
//! before the state is opened.
//!
//! ```text
//! Peers --one round--> a worker a peer --egress, attested channel--> POST /v1/witness, /v1/witness/last
//!   ^                        |
//!   +---- k verified answers-+
//! ```
//!
//! - An answer counts only from a peer that proved its image, its configuration where that is named, and its identity.
//! - What a peer says was recorded has this appliance's own signature: a peer can withhold a commit, and invent none. So one
//!   true word of a later commit outweighs any number that know only of earlier ones.
//! - A peer that has forgotten what it confirmed to this process is not counted any more.
//!
//! `worker` speaks to one peer; `answer` judges what it says; here it is decided what the answers together mean. `own` is the
//! witness that the configuration names, `order` what may be restored against its word.

mod answer;
mod order;
mod own;
mod worker;

use std::sync::Arc;

use r3e_attestation::{PolicyError, TrustAnchor};
use r3e_attester::TrustedClock;
use r3e_keys::WitnessKey;
use r3e_proto::api::witness::WitnessPeer;
use r3e_proto::witness::{Commit, record_message};
use r3e_store::{Witness, WitnessError, WitnessFuture, Witnessed};
use r3e_transport::EnclaveTransport;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::configuration::PeersChoice;
use crate::limits::{WITNESS_GRACE, WITNESS_ROUND_TIMEOUT};
use answer::Identity;
pub(crate) use order::ordered;
pub(crate) use own::OwnWitness;
use worker::{Asked, Done, Task, Worker, WorkerParts};

/// What peers are met with.
pub(crate) struct PeersParts {
    /// The way to the parent, which connects.
    pub(crate) transport: EnclaveTransport,
    /// The root of their attestation.
    pub(crate) trust: TrustAnchor,
    /// The time to appraise by.
    pub(crate) clock: TrustedClock,
    /// The key by which they know this appliance.
    pub(crate) key: Arc<WitnessKey>,
}

/// The peers of an appliance.
pub(crate) struct Peers {
    threshold: usize,
    identity: Arc<Identity>,
    /// What all of them are asked, and in which round.
    asked: watch::Sender<Asked>,
    workers: Vec<Worker>,
}

impl Peers {
    /// Begins to speak to them. Must be called within a tokio runtime, which carries the workers until this is dropped.
    ///
    /// # Errors
    /// A peer's reference values make no policy.
    pub(crate) fn start(choice: &PeersChoice, parts: PeersParts) -> Result<Self, PolicyError> {
        let PeersParts { transport, trust, clock, key } = parts;
        let identity = Arc::new(Identity::new(key));
        let (asked, _) = watch::channel(Asked { round: 0, task: Task::Last });
        let start = |peer: &crate::configuration::PeerChoice| {
            let parts = WorkerParts {
                transport: transport.clone(),
                trust: &trust,
                clock: clock.clone(),
                identity: Arc::clone(&identity),
            };
            Worker::start(peer.clone(), parts, asked.subscribe())
        };
        let workers = choice.peers.iter().map(start).collect::<Result<_, _>>()?;
        Ok(Self { threshold: usize::from(choice.threshold), identity, asked, workers })
    }

    /// How many must confirm.
    pub(crate) fn threshold(&self) -> usize {
        self.threshold
    }

    /// Each as it was met last.
    pub(crate) fn status(&self) -> Vec<WitnessPeer> {
        self.workers.iter().map(Worker::status).collect()
    }

    /// Has all peers asked, and takes their answers as they come, until `enough` of them, `grace` after that, or the
    /// round's end.
    async fn round(&self, task: Task, enough: impl Fn(&[Done]) -> bool, grace: bool) -> Vec<Done> {
        let mut round = 0;
        self.asked.send_modify(|asked| {
            asked.round += 1;
            asked.task = task;
            round = asked.round;
        });
        let mut until = Instant::now() + WITNESS_ROUND_TIMEOUT;
        let mut done = Vec::with_capacity(self.workers.len());
        let mut waiting: Vec<_> = self.workers.iter().map(Worker::done).collect();
        let mut was_enough = false;
        while !waiting.is_empty() {
            // Those that have answered since.
            waiting.retain_mut(|worker| {
                let latest = worker.borrow_and_update();
                let answered = latest.round >= round;
                if answered {
                    done.push(latest.clone());
                }
                !answered
            });
            if enough(&done) {
                if !grace {
                    break;
                }
                if !was_enough {
                    (was_enough, until) = (true, until.min(Instant::now() + WITNESS_GRACE));
                }
            }
            if waiting.is_empty() {
                break;
            }
            let changes = waiting.iter_mut().map(|worker| Box::pin(worker.changed()));
            if timeout_at(until, futures_any(changes)).await.is_err() {
                break;
            }
        }
        done
    }

    async fn last(&self) -> Result<Option<Witnessed>, WitnessError> {
        let heard = |done: &[Done]| done.iter().filter(|done| done.outcome.is_ok()).count();
        let done = self.round(Task::Last, |done| heard(done) >= self.threshold, true).await;
        if heard(&done) < self.threshold {
            return Err(self.unavailable(heard(&done)));
        }
        let latest = done.iter().filter_map(|done| done.outcome.as_ref().ok().copied().flatten()).max();
        Ok(latest.map(|Commit { sequence, head }| Witnessed { sequence, head }))
    }

    async fn record(&self, witnessed: Witnessed) -> Result<(), WitnessError> {
        let commit = Commit { sequence: witnessed.sequence, head: witnessed.head };
        let message = record_message(&self.identity.public(), &commit);
        let signature = self.identity.sign(&message).map_err(|error| WitnessError::Unavailable {
            reason: format!("the witness key does not sign: {error}"),
        })?;
        let confirms = |done: &Done| matches!(done.outcome, Ok(Some(last)) if last == commit);
        let other = |done: &Done| match done.outcome {
            Ok(Some(last)) if last.sequence >= commit.sequence && last != commit => Some(last),
            _ => None,
        };
        let confirmed = |done: &[Done]| done.iter().filter(|done| confirms(done)).count();
        let enough = |done: &[Done]| {
            confirmed(done) >= self.threshold || done.iter().any(|done| other(done).is_some())
        };
        let done = self.round(Task::Record(commit, signature), enough, false).await;
        // Proven by this appliance's own signature, so that one is enough.
        if let Some(Commit { sequence, head }) = done.iter().find_map(other) {
            return Err(WitnessError::Overtaken { by: Witnessed { sequence, head } });
        }
        if confirmed(&done) < self.threshold { Err(self.unavailable(confirmed(&done))) } else { Ok(()) }
    }

    /// Who does not confirm, and why.
    fn unavailable(&self, answered: usize) -> WitnessError {
        let problems: Vec<_> = self
            .status()
            .into_iter()
            .filter(|peer| !peer.confirms)
            .map(|peer| {
                let problem = peer.problem.unwrap_or_else(|| "no answer yet".to_owned());
                format!("{} ({}): {problem}", peer.name, peer.host)
            })
            .collect();
        let (threshold, count) = (self.threshold, self.workers.len());
        let reason = format!(
            "{answered} of the {count} peers answer, and it takes {threshold}; {}",
            problems.join("; ")
        );
        WitnessError::Unavailable { reason }
    }
}

impl Witness for Peers {
    fn last(&self) -> WitnessFuture<'_, Option<Witnessed>> {
        Box::pin(Self::last(self))
    }

    fn record(&self, witnessed: Witnessed) -> WitnessFuture<'_, ()> {
        Box::pin(Self::record(self, witnessed))
    }
}

/// Ends when one of `futures` does.
async fn futures_any<F: Future + Unpin>(futures: impl Iterator<Item = F>) {
    let mut futures: Vec<_> = futures.collect();
    std::future::poll_fn(|context| {
        let ended = futures.iter_mut().any(|future| std::pin::Pin::new(future).poll(context).is_ready());
        if ended { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests;
