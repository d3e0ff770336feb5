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
//! - Where the configuration names former peers too, so many of each list must confirm and be heard. So of two
//!   configurations that follow each other, the lists have one in common, and with it a peer.
//!
//! `worker` asks one peer, by the `line` to it; `answer` judges what it says, `ours` whether it is another's commit; here it
//! is decided what the answers together mean. `own` is the witness that the configuration names, `order` what may be restored
//! against its word.

mod answer;
mod line;
mod order;
mod ours;
mod own;
mod worker;

use std::sync::Arc;

use r3e_attestation::{PolicyError, TrustAnchor};
use r3e_attester::TrustedClock;
use r3e_keys::WitnessKey;
use r3e_proto::api::witness::WitnessPeer;
use r3e_proto::witness::{Commit, record_message};
use r3e_store::{OvertakenFuture, Witness, WitnessError, WitnessFuture, Witnessed};
use r3e_transport::EnclaveTransport;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::configuration::{PeerChoice, PeersChoice, PeersList};
use crate::limits::{WITNESS_GRACE, WITNESS_PING, WITNESS_ROUND_TIMEOUT};
use answer::Identity;
use line::{Line, LineParts};
pub(crate) use order::ordered;
use ours::Ours;
pub(crate) use own::{OwnWitness, store_options};
use worker::{Asked, Called, Done, PeerLine, Shared, Task, Worker};

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
    /// Each of them must confirm.
    lists: Vec<List>,
    identity: Arc<Identity>,
    shared: Arc<Shared>,
    /// What all of them are asked, and in which round.
    asked: watch::Sender<Asked>,
    workers: Vec<Worker>,
}

/// So many of some peers.
struct List {
    threshold: usize,
    /// Their places among the workers.
    peers: Vec<usize>,
}

/// What came of a round, by the workers' places.
type Heard = Vec<Option<Done>>;

impl List {
    /// Of how many `holds`.
    fn count(&self, heard: &Heard, holds: impl Fn(&Done) -> bool) -> usize {
        let done = |place: &&usize| heard.get(**place).and_then(Option::as_ref).is_some_and(&holds);
        self.peers.iter().filter(done).count()
    }
}

impl Peers {
    /// Begins to speak to them. Must be called within a tokio runtime, which carries the workers until this is dropped.
    ///
    /// # Errors
    /// A peer's reference values make no policy.
    pub(crate) fn start(choice: &PeersChoice, parts: PeersParts) -> Result<Self, PolicyError> {
        let PeersParts { transport, trust, clock, key } = parts;
        let identity = Arc::new(Identity::new(key));
        // One that stands in both lists is asked once.
        let mut all: Vec<&PeerChoice> = Vec::new();
        let mut lists = Vec::new();
        for PeersList { threshold, peers } in std::iter::once(&choice.current).chain(&choice.former) {
            let mut places = Vec::with_capacity(peers.len());
            for peer in peers {
                let known = all.iter().position(|known| *known == peer);
                places.push(known.unwrap_or(all.len()));
                if known.is_none() {
                    all.push(peer);
                }
            }
            lists.push(List { threshold: usize::from(*threshold), peers: places });
        }
        let line = |peer: &PeerChoice| {
            let identity = Arc::clone(&identity);
            let parts =
                LineParts { transport: transport.clone(), trust: &trust, clock: clock.clone(), identity };
            let host = format!("{}:{}", peer.host, peer.port);
            let line = Line::new(peer.clone(), parts)?;
            Ok((Called { name: peer.name.clone(), host }, line))
        };
        let lines = all.into_iter().map(line).collect::<Result<Vec<_>, PolicyError>>()?;
        let time = clock.clone();
        let time = Box::new(move || time.now_ms());
        let shared = Shared { ours: Ours::new(), time, ping: WITNESS_PING };
        Ok(Self::over(lists, lines, identity, shared))
    }

    /// The same, by these lines.
    fn over<L: PeerLine>(
        lists: Vec<List>,
        lines: Vec<(Called, L)>,
        identity: Arc<Identity>,
        shared: Shared,
    ) -> Self {
        let (asked, _) = watch::channel(Asked { round: 0, task: Task::Last });
        let shared = Arc::new(shared);
        let start = |(called, line)| Worker::start(called, line, asked.subscribe(), Arc::clone(&shared));
        let workers = lines.into_iter().map(start).collect();
        Self { lists, identity, shared, asked, workers }
    }

    /// How many must confirm, of how many: of the peers, and of the former ones where there are any.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = (usize, usize)> {
        self.lists.iter().map(|list| (list.threshold, list.peers.len()))
    }

    /// Each as it was met last.
    pub(crate) fn status(&self) -> Vec<WitnessPeer> {
        self.workers.iter().map(Worker::status).collect()
    }

    /// Has all peers asked, and takes their answers as they come, until `enough` of them, `grace` after that, or the
    /// round's end.
    async fn round(&self, task: Task, enough: impl Fn(&Heard) -> bool, grace: bool) -> Heard {
        let mut round = 0;
        self.asked.send_modify(|asked| {
            asked.round += 1;
            asked.task = task;
            round = asked.round;
        });
        let mut until = Instant::now() + WITNESS_ROUND_TIMEOUT;
        let mut workers: Vec<_> = self.workers.iter().map(Worker::done).collect();
        let mut heard: Heard = vec![None; workers.len()];
        let mut was_enough = false;
        loop {
            for (heard, worker) in heard.iter_mut().zip(&mut workers) {
                let latest = worker.borrow_and_update();
                if latest.round >= round {
                    *heard = Some(latest.clone());
                }
            }
            if enough(&heard) {
                if !grace {
                    break;
                }
                if !was_enough {
                    (was_enough, until) = (true, until.min(Instant::now() + WITNESS_GRACE));
                }
            }
            let missing = heard.iter().zip(&mut workers).filter(|(heard, _)| heard.is_none());
            let changes: Vec<_> = missing.map(|(_, worker)| Box::pin(worker.changed())).collect();
            if changes.is_empty() || timeout_at(until, futures_any(changes)).await.is_err() {
                break;
            }
        }
        heard
    }

    async fn last(&self) -> Result<Option<Witnessed>, WitnessError> {
        self.shared.ours.begin();
        let answers = |done: &Done| done.outcome.is_ok();
        let heard = self.round(Task::Last, |heard| self.missing(heard, answers).is_none(), true).await;
        if let Some((list, answered)) = self.missing(&heard, answers) {
            return Err(self.unavailable(list, answered));
        }
        let latest =
            heard.iter().flatten().filter_map(|done| done.outcome.as_ref().ok().copied().flatten()).max();
        Ok(latest.map(witnessed))
    }

    async fn record(&self, witnessed: Witnessed) -> Result<(), WitnessError> {
        let commit = Commit { sequence: witnessed.sequence, head: witnessed.head };
        let message = record_message(&self.identity.public(), &commit);
        let signature = self.identity.sign(&message).map_err(|error| WitnessError::Unavailable {
            reason: format!("the witness key does not sign: {error}"),
        })?;
        self.shared.ours.recording(commit);
        let confirms = |done: &Done| matches!(done.outcome, Ok(Some(last)) if last == commit);
        let other = |done: &Done| match done.outcome {
            Ok(Some(last)) if last.sequence >= commit.sequence && last != commit => Some(last),
            _ => None,
        };
        let enough = |heard: &Heard| {
            self.missing(heard, confirms).is_none()
                || heard.iter().flatten().any(|done| other(done).is_some())
        };
        let heard = self.round(Task::Record(commit, signature), enough, false).await;
        // Proven by this appliance's own signature, so that one is enough.
        if let Some(by) = heard.iter().flatten().find_map(other) {
            return Err(WitnessError::Overtaken { by: self::witnessed(by) });
        }
        match self.missing(&heard, confirms) {
            Some((list, confirmed)) => Err(self.unavailable(list, confirmed)),
            None => Ok(()),
        }
    }

    /// The first list of which too few hold what `holds`, and of how many it does.
    fn missing(&self, heard: &Heard, holds: impl Fn(&Done) -> bool) -> Option<(&List, usize)> {
        let counts = self.lists.iter().map(|list| (list, list.count(heard, &holds)));
        counts.into_iter().find(|(list, count)| *count < list.threshold)
    }

    /// Who of `list` does not confirm, and why.
    fn unavailable(&self, list: &List, answered: usize) -> WitnessError {
        let problems: Vec<_> = list
            .peers
            .iter()
            .filter_map(|place| self.workers.get(*place).map(Worker::status))
            .filter(|peer| !peer.confirms)
            .map(|peer| {
                let problem = peer.problem.unwrap_or_else(|| "no answer yet".to_owned());
                format!("{} ({}): {problem}", peer.name, peer.host)
            })
            .collect();
        let (threshold, count) = (list.threshold, list.peers.len());
        let reason = format!(
            "{answered} of the {count} peers answer, and it takes {threshold}; {}",
            problems.join("; ")
        );
        WitnessError::Unavailable { reason }
    }
}

fn witnessed(Commit { sequence, head }: Commit) -> Witnessed {
    Witnessed { sequence, head }
}

impl Witness for Peers {
    fn last(&self) -> WitnessFuture<'_, Option<Witnessed>> {
        Box::pin(Self::last(self))
    }

    fn record(&self, witnessed: Witnessed) -> WitnessFuture<'_, ()> {
        Box::pin(Self::record(self, witnessed))
    }

    fn overtaken(&self) -> OvertakenFuture<'_> {
        Box::pin(async { witnessed(self.shared.ours.overtaken().await) })
    }
}

/// Ends when one of `futures` does.
async fn futures_any<F: Future + Unpin>(mut futures: Vec<F>) {
    std::future::poll_fn(|context| {
        let ended = futures.iter_mut().any(|future| std::pin::Pin::new(future).poll(context).is_ready());
        if ended { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests;
