//! One peer: a task that keeps an attested channel to it, and asks it whatever was asked last. What was asked meanwhile and is
//! not the latest any more is left out: the latest commit stands for those before it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use r3e_attestation::{AppraisalPolicy, PolicyError, TrustAnchor};
use r3e_attester::TrustedClock;
use r3e_egress::open_tunnel;
use r3e_proto::api::ErrorBody;
use r3e_proto::api::status::ReportKey;
use r3e_proto::api::witness::{Answer, Ask, Hex, Record, Recorded, WitnessPeer};
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::pcr_extended_once;
use r3e_proto::witness::{Commit, NONCE_BYTES, ask_message};
use r3e_transport::EnclaveTransport;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::answer::{Identity, NoAnswer};
use crate::configuration::PeerChoice;
use crate::limits::{WITNESS_PEER_PAUSE, WITNESS_PING, WITNESS_ROUND_TIMEOUT};
use crate::peer::{Peer, PeerError, PeerParts, PeerSession};

/// What a peer is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    /// What it remembers.
    Last,
    /// To remember this, which has this signature.
    Record(Commit, [u8; 64]),
}

/// What all peers are asked now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) round: u64,
    pub(super) task: Task,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) round: u64,
    /// What the peer remembers.
    pub(super) outcome: Result<Option<Commit>, ()>,
}

/// What a worker is made with.
pub(super) struct WorkerParts<'a> {
    pub(super) transport: EnclaveTransport,
    pub(super) trust: &'a TrustAnchor,
    pub(super) clock: TrustedClock,
    pub(super) identity: Arc<Identity>,
}

/// A peer, from the outside.
pub(super) struct Worker {
    choice: Arc<PeerChoice>,
    done: watch::Receiver<Done>,
    met: Arc<Mutex<Met>>,
}

/// How it was met last, for the status.
#[derive(Debug, Clone, Default)]
struct Met {
    confirms: bool,
    signed: Option<(Commit, u64)>,
    problem: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
enum Problem {
    #[error("the parent does not connect: {0}")]
    Tunnel(#[from] r3e_egress::FetchError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("its configuration is none of those that are named")]
    Configuration,
    #[error("it is another appliance: its identity is {0}")]
    Identity(String),
    #[error("it refuses: {code}: {message}")]
    Refused { code: String, message: String },
    #[error("its answer to {question} is none: {why}")]
    Answer { question: &'static str, why: String },
    #[error(transparent)]
    Judged(#[from] NoAnswer),
    #[error("no random bytes for a nonce, or no signature")]
    Library,
    #[error("no answer in {} s", WITNESS_ROUND_TIMEOUT.as_secs())]
    Slow,
}

impl Worker {
    pub(super) fn start(
        choice: PeerChoice,
        parts: WorkerParts<'_>,
        asked: watch::Receiver<Asked>,
    ) -> Result<Self, PolicyError> {
        let WorkerParts { transport, trust, clock, identity } = parts;
        let policy = Peer::policy(trust).accept_releases(choice.releases.iter().cloned()).build()?;
        let (choice, met) = (Arc::new(choice), Arc::new(Mutex::new(Met::default())));
        let (say, done) = watch::channel(Done { round: 0, outcome: Err(()) });
        let line = Line {
            choice: Arc::clone(&choice),
            policy,
            transport,
            clock,
            identity,
            met: Arc::clone(&met),
            channel: None,
            confirmed: None,
            pause_until: None,
        };
        tokio::spawn(line.run(asked, say));
        Ok(Self { choice, done, met })
    }

    pub(super) fn done(&self) -> watch::Receiver<Done> {
        self.done.clone()
    }

    pub(super) fn status(&self) -> WitnessPeer {
        let met = lock(&self.met).clone();
        WitnessPeer {
            name: self.choice.name.clone(),
            host: format!("{}:{}", self.choice.host, self.choice.port),
            confirms: met.confirms,
            sequence: met.signed.map(|(commit, _)| commit.sequence),
            at_ms: met.signed.map(|(_, at_ms)| at_ms),
            problem: met.problem,
        }
    }
}

/// The line to a peer, as its task holds it.
struct Line {
    choice: Arc<PeerChoice>,
    policy: AppraisalPolicy,
    transport: EnclaveTransport,
    clock: TrustedClock,
    identity: Arc<Identity>,
    met: Arc<Mutex<Met>>,
    channel: Option<Channel>,
    /// The latest that it has confirmed to this process.
    confirmed: Option<Commit>,
    /// Until then it is not asked again.
    pause_until: Option<Instant>,
}

/// A channel to a peer that is who it should be.
struct Channel {
    session: PeerSession,
    report_key: [u8; 32],
}

impl Line {
    /// Asks what is asked, until nobody asks any more.
    async fn run(mut self, mut asked: watch::Receiver<Asked>, say: watch::Sender<Done>) {
        loop {
            let task = match timeout(WITNESS_PING, asked.changed()).await {
                Ok(Err(_)) => return,
                Ok(Ok(())) => Some(*asked.borrow_and_update()),
                // Nothing is asked: it is seen whether the peer would answer, and the connection stays open.
                Err(_) => None,
            };
            let outcome = self.ask(task.map_or(Task::Last, |asked| asked.task)).await;
            if let Some(Asked { round, .. }) = task {
                say.send_replace(Done { round, outcome });
            }
        }
    }

    async fn ask(&mut self, task: Task) -> Result<Option<Commit>, ()> {
        if self.pause_until.is_some_and(|until| Instant::now() < until) {
            return Err(());
        }
        self.pause_until = None;
        let answered = match timeout(WITNESS_ROUND_TIMEOUT, self.insist(task)).await {
            Ok(answered) => answered,
            Err(_) => Err(Problem::Slow),
        };
        let mut met = lock(&self.met);
        match answered {
            Ok(last) => {
                let now_ms = self.clock.now_ms();
                if !met.confirms {
                    tracing::info!(peer = self.choice.name, "a witness peer answers");
                }
                let signed = last.map(|commit| (commit, now_ms)).or(met.signed);
                *met = Met { confirms: true, signed, problem: None };
                drop(met);
                self.confirmed = last.max(self.confirmed);
                Ok(last)
            }
            Err(problem) => {
                let text = problem.to_string();
                if met.problem.as_ref() != Some(&text) {
                    tracing::warn!(peer = self.choice.name, problem = text, "a witness peer does not answer");
                }
                (met.confirms, met.problem) = (false, Some(text));
                drop(met);
                self.channel = None;
                self.pause_until = Some(Instant::now() + WITNESS_PEER_PAUSE);
                Err(())
            }
        }
    }

    /// Asks; once more by a new connection where an old one had ended.
    async fn insist(&mut self, task: Task) -> Result<Option<Commit>, Problem> {
        if let Some(mut channel) = self.channel.take() {
            match self.on(&mut channel, task).await {
                Err(Problem::Peer(_)) => {}
                answered => {
                    self.channel = Some(channel);
                    return answered;
                }
            }
        }
        let mut channel = self.connect().await?;
        // Before anything is recorded with it: a peer that was rolled back would take any commit.
        let mut answered = self.on(&mut channel, Task::Last).await?;
        if matches!(task, Task::Record(..)) {
            answered = self.on(&mut channel, task).await?;
        }
        self.channel = Some(channel);
        Ok(answered)
    }

    /// A channel to the peer, if it is the one that the configuration names.
    async fn connect(&self) -> Result<Channel, Problem> {
        let PeerChoice { host, port, identity, configurations, .. } = &*self.choice;
        let stream = open_tunnel(&self.transport, host, *port).await?;
        let parts = PeerParts { policy: &self.policy, clock: &self.clock };
        let mut session = Peer::connect(stream, &parts, host).await?;
        let measured = session.attestation().pcr(CONFIGURATION_PCR);
        let named = |digest| measured == Some(&pcr_extended_once(digest));
        if !configurations.is_empty() && !configurations.iter().any(|digest| named(digest)) {
            return Err(Problem::Configuration);
        }
        let status: Status =
            request(&mut session, "its status", Method::GET, "/v1/status", Vec::new()).await?;
        if status.identity != hex::encode(identity) {
            return Err(Problem::Identity(status.identity.chars().take(64).collect()));
        }
        let key: ReportKey =
            request(&mut session, "its report key", Method::GET, "/v1/report-key", Vec::new()).await?;
        let report_key: Hex<32> = key
            .public_key
            .parse()
            .map_err(|_| Problem::Answer { question: "its report key", why: "it is no key".to_owned() })?;
        Ok(Channel { session, report_key: report_key.0 })
    }

    async fn on(&self, channel: &mut Channel, task: Task) -> Result<Option<Commit>, Problem> {
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Problem::Library)?;
        let key = self.identity.public();
        let (question, path, body) = match task {
            Task::Last => {
                let message = ask_message(&key, channel.session.binding(), &nonce);
                let signature = Hex(self.identity.sign(&message).map_err(|_| Problem::Library)?);
                let ask = Ask { key, nonce: Hex(nonce), signature };
                ("what it remembers", "/v1/witness/last", serde_json::to_vec(&ask))
            }
            Task::Record(Commit { sequence, head }, signature) => {
                let commit = Recorded { sequence, head: Hex(head), signature: Hex(signature) };
                let record = Record { key, nonce: Hex(nonce), commit };
                ("a commit to remember", "/v1/witness", serde_json::to_vec(&record))
            }
        };
        let body = body.map_err(|_| Problem::Library)?;
        let answer: Answer = request(&mut channel.session, question, Method::POST, path, body).await?;
        Ok(self.identity.judge(&answer, &channel.report_key, &nonce, self.confirmed.as_ref())?)
    }
}

/// What is read of a peer's status.
#[derive(Deserialize)]
struct Status {
    identity: String,
}

async fn request<T: DeserializeOwned>(
    session: &mut PeerSession,
    question: &'static str,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<T, Problem> {
    let (status, body) = session.request(method, path, body).await?;
    if status != StatusCode::OK {
        let said: Result<ErrorBody, _> = serde_json::from_slice(&body);
        let (code, message) = said.map_or_else(
            |_| (status.to_string(), String::new()),
            |body| (body.error.code, body.error.message.chars().take(200).collect()),
        );
        return Err(Problem::Refused { code, message });
    }
    serde_json::from_slice(&body).map_err(|error| Problem::Answer { question, why: error.to_string() })
}

fn lock(met: &Mutex<Met>) -> MutexGuard<'_, Met> {
    met.lock().unwrap_or_else(PoisonError::into_inner)
}
